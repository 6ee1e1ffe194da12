//! What every implementation of a trait must do, as functions that panic when it does not.

mod file_system;
mod state_reader;
mod stream;
mod stream_factory;

pub use file_system::file_system;
pub use state_reader::state_reader;
pub use stream::{StreamSubject, stream};
pub use stream_factory::stream_factory;
