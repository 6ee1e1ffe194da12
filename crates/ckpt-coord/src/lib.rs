//! How a checkpoint happens: a coordinator that decides, barriers that cut the stream, tasks that take their part.

pub mod barrier;
pub mod coordinator;
pub mod driver;
pub mod restore;
pub mod task;

mod clock;
mod gateway;
mod observer;

pub use clock::{Clock, SystemClock};
pub use gateway::{CoordinatorGateway, TaskGateway};
pub use observer::{CheckpointObserver, CompletedCheckpoint, NoObserver, Phase};
