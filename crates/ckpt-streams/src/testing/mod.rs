//! Contract suites and stand-ins for tests, of this workspace and of embedders (feature `testing`).
//!
//! * [`contract`]: what every implementation of a trait must do;
//! * [`MemoryFileSystem`]: files in memory;
//! * [`RecordingFileSystem`]: tells what was done, in order;
//! * [`FailingFileSystem`]: fails at the n-th operation, once or from there on, in every way there is;
//! * [`FailingCalls`]: the local file system, above calls of the system that fail so;
//! * [`sweep_faults`]: runs a test with every fault at every operation;
//! * [`Disk`]: what a machine that loses power has left, for the local file system;
//! * [`RefusingSpawn`]: refuses every job.

pub mod contract;

mod disk;
mod failing;
mod failing_calls;
mod fault;
mod memory;
mod recording;
mod spawn;
#[cfg(all(test, not(ckpt_loom)))]
mod sweep_test;

pub use disk::{Disk, Image, ImageOptions};
pub use failing::FailingFileSystem;
pub use failing_calls::FailingCalls;
pub use fault::{Failure, Fault, Injection, sweep_faults};
pub use memory::MemoryFileSystem;
pub use recording::{Operation, OperationKind, RecordingFileSystem};
pub use spawn::RefusingSpawn;
