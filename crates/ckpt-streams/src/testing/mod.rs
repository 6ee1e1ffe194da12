//! Contract suites and stand-ins for tests, of this workspace and of embedders (feature `testing`).
//!
//! * [`contract`]: what every implementation of a trait must do;
//! * [`MemoryFileSystem`]: files in memory;
//! * [`RecordingFileSystem`]: tells what was done, in order;
//! * [`FailingFileSystem`]: fails at the n-th operation, once or from there on;
//! * [`RefusingSpawn`]: refuses every job.

pub mod contract;

mod failing;
mod memory;
mod recording;
mod spawn;

pub use failing::{FailingFileSystem, Failure};
pub use memory::MemoryFileSystem;
pub use recording::{Operation, OperationKind, RecordingFileSystem};
pub use spawn::RefusingSpawn;
