//! How state becomes bytes and back.

pub mod file_system;
mod pending;
mod read;
mod spawn;
mod stream;

pub use pending::Pending;
pub use read::{StateInputStream, StateReader};
pub use spawn::{Job, Rejected, Spawn};
pub use stream::staged::Staged;
pub use stream::{StateOutputStream, StateScope, StreamFactory};
