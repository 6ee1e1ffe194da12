//! Contract suites and stand-ins for tests, of this workspace and of embedders (feature `testing`).
//!
//! * [`contract`]: what every implementation of a trait must do;
//! * [`RecordingFileSystem`]: tells what was done, in order;
//! * [`FailingFileSystem`]: fails at the n-th operation, once or from there on, in every way there is;
//! * [`FailingCalls`]: the local file system, above calls of the system that fail so;
//! * [`sweep_faults`], [`sweep_removals`]: run a test with every fault at every operation;
//! * [`Disk`]: what a machine that loses power has left, for the local file system;
//! * [`SlowFileSystem`]: late by a [`VirtualClock`], so that a test of ten minutes takes none;
//! * [`ObjectStoreFileSystem`]: no rename, answers that are lost, writes that are late, lists of the past;
//! * [`FaithlessFileSystem`]: records whose compare-and-swap does not hold;
//! * [`RefusingSpawn`]: refuses every job;
//! * [`local_by_components`]: the local file system on an older system.

use std::path::Path;

use ckpt_core::Result;

use crate::file_system::LocalFileSystem;

pub mod contract;

mod clock;
mod disk;
mod failing;
mod failing_calls;
mod faithless;
mod fault;
mod object_store;
#[cfg(all(test, not(ckpt_loom)))]
mod object_store_test;
mod recording;
mod slow;
#[cfg(all(test, not(ckpt_loom)))]
mod slow_test;
mod spawn;
#[cfg(all(test, not(ckpt_loom)))]
mod stream_sweep_test;
#[cfg(all(test, not(ckpt_loom)))]
mod sweep_test;

pub use clock::VirtualClock;
pub use disk::{Disk, Image, ImageOptions};
pub use failing::FailingFileSystem;
pub use failing_calls::FailingCalls;
pub use faithless::{Breach, FaithlessFileSystem};
pub use fault::{Failure, Fault, Injection, sweep_faults, sweep_removals};
pub use object_store::{ObjectStoreFileSystem, Reply};
pub use recording::{Operation, OperationKind, RecordingFileSystem};
pub use slow::{Delays, SlowFileSystem};
pub use spawn::RefusingSpawn;

/// Opens the local file system at a directory that is there as on a system that resolves no whole paths (before Linux 5.6).
///
/// # Errors
///
/// Those of [`LocalFileSystem::open`].
pub fn local_by_components(root: impl AsRef<Path>) -> Result<LocalFileSystem> {
    LocalFileSystem::open(root).map(LocalFileSystem::by_components)
}
