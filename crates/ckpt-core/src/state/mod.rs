//! State that a snapshot consists of, and where its bytes lie.
//!
//! The containers are generic in the handle: a task fills them with staged state, which only sealing turns into
//! [`StateHandle`]s, and only those fit into an acknowledgement.

mod channel;
mod error;
mod handle;
mod in_flight;
mod incremental;
mod key_groups;
mod keyed;
mod operator;
mod path;
mod place;
mod restore;
mod rule;
mod size;
mod snapshot;
mod sorted_map;
mod subtask;
mod view;

pub use channel::{ChannelState, InputChannel, ResultSubpartition, Sections};
pub use handle::StateHandle;
pub use in_flight::{ChannelMapping, ChannelRescaling, InFlightRescaling};
pub use incremental::{IncrementalState, SharedFile};
pub use key_groups::KeyGroupsState;
pub use keyed::KeyedState;
pub use operator::{OperatorState, Partitions, Redistribution};
pub use path::{PathView, RelPath};
pub use place::{ClaimId, FileRef, Place, Places, Root};
pub use restore::{OperatorRestore, TaskRestore};
pub use rule::{MisplacedFile, PlaceRule};
pub use size::{StateLocation, StatePiece, StateSize};
pub use snapshot::{TaskProgress, TaskSnapshot};
pub use sorted_map::{SortedMap, SortedMapIter};
pub use subtask::{SubtaskReport, SubtaskState, SubtaskStateParts};
pub use view::{FileView, HandleView, PlaceView};
