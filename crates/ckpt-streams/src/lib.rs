//! How state becomes bytes and back.
//!
//! What is written goes through a stream, and which one says what it comes to:
//!
//! | stream | made by | comes to |
//! |---|---|---|
//! | in memory | [`MemoryStreams`] | bytes in the handle, up to a limit |
//! | into a file | [`FileStreams`] | bytes in the handle while they are few, else a file |
//! | at a fixed path | [`FileStreams::create_at`] | a file |
//! | [`DuplicatingStream`] | two streams | what both come to; the second may fail |
//! | [`SnapshotStream`] | a stream, and one of its local copy or none | [`SnapshotResult`] |
//! | [`KeyGroupsStream`] | a snapshot stream and a range | keyed state with an offset for each key group |
//! | [`PartitionsStream`] | a snapshot stream | operator state with the bounds of each partition |
//! | both of these, of one operator | [`RawStateStreams`] | its raw state |
//! | [`MetadataStream`] | [`MetadataTarget`] | a file that is seen whole and never replaces another |
//!
//! All of them but the last come to [`Staged`] state, which nobody can name before its factory has
//! [sealed](StreamFactory::seal) it.

pub mod file_system;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

mod budget;
#[cfg(all(test, not(ckpt_loom)))]
mod budget_test;
mod directory;
mod fan_out;
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
pub use fan_out::fan_out;
pub use io_error::into_error;
pub use pending::{Abandoned, Pending, Promise};
pub use pool::{Pool, PoolOptions};
pub use read::{
    FileStateReader, KeyGroupSection, KeyGroupSections, ReadAhead, ReadOptions, StateFlaw, StateInputStream,
    StateProof, StateReader, StateVerdict, Verification, read_section,
};
pub use spawn::{Job, Rejected, Spawn};
pub use stream::staged::Staged;
pub use stream::{
    Duplicated, DuplicatingStream, FileNames, FileStreams, FileStreamsOptions, FileStreamsTarget, KeyGroupsStream,
    LocalCopy, MemoryStreams, MetadataStream, MetadataTarget, PartitionsStream, RawStateStreams, SnapshotResult,
    SnapshotStream, StagedDescriptors, StateOutputStream, StateScope, StreamCounts, StreamFactory,
};
