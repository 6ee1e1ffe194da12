//! Where checkpoints live.
//!
//! A [`CheckpointStorage`] is a light description. From it each process builds what it needs: the coordinator a
//! [`CoordinatorView`], which makes the place of each checkpoint, publishes its metadata, keeps [HEAD](HeadStore) and
//! deletes what nothing names any more; each worker a [`WorkerView`], which makes the streams that state is written to
//! and read from.
//!
//! A coordinator begins with [`claim`]: whoever claims HEAD fences every coordinator before, which can then commit and
//! delete nothing more.

mod claim;
mod completed;
mod config;
mod context;
mod dispose;
mod error;
mod file;
mod head;
mod layout;
mod live_streams;
mod mark_file;
mod memory;
mod path_text;
mod random;
mod registry;
mod savepoint;
#[cfg(test)]
mod test_support;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod toolset;
pub mod upkeep;
pub mod verify;
mod view;

pub use claim::{ActiveJob, Begun, Start, TakenOver, ThreadWait, Wait, begin_from, take_over};
pub use completed::CompletedLocation;
pub use config::{CustomStorage, StorageConfig};
pub use context::StorageContext;
pub use dispose::{Disposal, DisposeOptions, FileCount, Kept, dispose};
pub use file::{FileSystemStorage, jobs_in};
pub use head::{
    HeadAnswer, HeadEnd, HeadFence, HeadOutcome, HeadStep, HeadStore, HeadSwap, SeenHead, claim, claim_going_back,
};
pub use layout::{
    CHECKPOINT_DIRECTORY_PREFIX, HEAD_DIRECTORY, METADATA_FILE, NOT_ADDRESSABLE, SAVEPOINT_DIRECTORY_PREFIX,
    SHARED_DIRECTORY, TASK_OWNED_DIRECTORY,
};
pub use memory::MemoryStorage;
pub use random::RandomSource;
pub use registry::StorageRegistry;
pub use savepoint::{AbandonedOutcome, InitializedSavepoint, make_savepoint_location};
pub use toolset::Toolset;
pub use view::{CheckpointStorage, CoordinatorView, Location, WorkerView};
