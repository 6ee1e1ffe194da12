//! Where checkpoints live.

mod context;
mod head;
mod view;

pub use context::StorageContext;
pub use head::{HeadOutcome, HeadStore, claim};
pub use view::{CheckpointStorage, CompletedLocation, CoordinatorView, Location, WorkerView};
