//! State that a snapshot consists of, and where its bytes lie.
//!
//! ```text
//! TaskSnapshot                    of a task: by operator
//! └─ SubtaskState                 of one operator in one subtask
//!    ├─ keyed, raw keyed          KeyedState: KeyGroupsState | IncrementalState
//!    ├─ operator, raw operator    OperatorState: named Partitions, each with a Redistribution
//!    └─ in flight                 ChannelState: Sections of each InputChannel, ResultSubpartition
//!       └─ StateHandle            where the bytes are: a Place, their length and digest
//!          └─ Place               Inline | File or Segment: a FileRef below a Root
//! ```
//!
//! The containers are generic in the handle: a task fills them with staged state, which only sealing turns into
//! [`StateHandle`]s, and only those fit into an acknowledgement.
//!
//! At another parallelism a subtask takes of each former one what belongs to it:
//!
//! ```
//! use bytes::Bytes;
//! use ckpt_core::key_group::{KeyGroup, MaxParallelism};
//! use ckpt_core::state::{KeyGroupsState, StateHandle};
//!
//! // Four key groups of two bytes each, written by one subtask.
//! let max = MaxParallelism::new(4)?;
//! let piece = StateHandle::inline(Bytes::from_static(b"aabbccdd"));
//! let all = KeyGroupsState::new(max.range_of(0, 1)?, [0, 2, 4, 6], piece)?;
//!
//! // Two subtasks restore it: the second one reads groups 2 and 3, of the same piece.
//! let half = all.intersection(max.range_of(1, 2)?).expect("they overlap");
//! assert_eq!(half.offsets_bytes(), [4, 6]);
//! assert_eq!(half.section_of(KeyGroup::new(2)), Some((4, Some(6))));
//! assert_eq!(half.section_of(KeyGroup::new(3)), Some((6, None)), "to the end of the piece");
//! # Ok::<(), ckpt_core::Error>(())
//! ```

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
mod reused;
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
pub use reused::ReusedFile;
pub(crate) use reused::ReusedView;
pub use rule::{MisplacedFile, PlaceRule};
pub use size::{StateLocation, StatePiece, StateSize};
pub use snapshot::{TaskProgress, TaskSnapshot};
pub use sorted_map::{SortedMap, SortedMapIter};
pub use subtask::{SubtaskReport, SubtaskState, SubtaskStateParts};
pub use view::{FileView, HandleView, PlaceView};
