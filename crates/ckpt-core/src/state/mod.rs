//! State that a snapshot consists of, and where its bytes lie.
//!
//! The containers are generic in the handle: a task fills them with staged state, which only sealing turns into
//! [`StateHandle`]s, and only those fit into an acknowledgement.

mod error;
mod handle;
mod keyed;
mod operator;
mod path;
mod place;
mod restore;
mod snapshot;

pub use handle::StateHandle;
pub use keyed::{IncrementalState, KeyGroupsState, KeyedState, SharedFile};
pub use operator::{OperatorState, Partitions, Redistribution};
pub use path::RelPath;
pub use place::{ClaimId, FileRef, Place, Places, Root};
pub use restore::{OperatorRestore, TaskRestore};
pub use snapshot::{SubtaskState, TaskSnapshot};
