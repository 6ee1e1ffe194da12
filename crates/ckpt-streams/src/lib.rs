//! How state becomes bytes and back.

pub mod file_system;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

mod budget;
#[cfg(all(test, not(ckpt_loom)))]
mod budget_test;
mod directory;
mod io_error;
#[cfg(all(test, ckpt_loom))]
mod models_test;
mod pending;
mod pool;
#[cfg(all(test, not(ckpt_loom)))]
mod pool_test;
mod read;
mod spawn;
mod stream;
mod sync;

pub use budget::{Budget, BudgetAccount, Charge};
pub use directory::StateDirectory;
pub use io_error::into_error;
pub use pending::{Abandoned, Pending, Promise};
pub use pool::{Pool, PoolOptions};
pub use read::{
    FileStateReader, KeyGroupSection, KeyGroupSections, ReadOptions, StateInputStream, StateReader, Verification,
    read_section,
};
pub use spawn::{Job, Rejected, Spawn};
pub use stream::staged::Staged;
pub use stream::{
    Duplicated, DuplicatingStream, FileNames, FileStreams, FileStreamsOptions, FileStreamsTarget, KeyGroupsStream,
    LocalCopy, MemoryStreams, MetadataStream, MetadataTarget, PartitionsStream, RawStateStreams, SnapshotResult,
    SnapshotStream, StateOutputStream, StateScope, StreamCounts, StreamFactory,
};
