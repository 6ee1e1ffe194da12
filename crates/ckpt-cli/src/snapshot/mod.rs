//! One snapshot, ours or Flink's, in terms that both have.
//!
//! ```text
//! MetadataFile ── walk ──▶ Walk      flink, ours: what stands in a file, one subtask at a time
//!                           │
//!                        Snapshot     as much of it as was asked for
//! ```

mod flink;
mod flink_pieces;
mod names;
mod offsets;
mod our_pieces;
mod ours;
mod own_directory;
mod piece;
mod size;
mod value;
mod walk;

pub(crate) use our_pieces::of_subtask;
pub(crate) use ours::snapshot_head;
pub(crate) use piece::{Extent, Piece, PieceFile, StateKind, file_name};
pub(crate) use size::Size;
pub(crate) use value::{Detail, Handle, Operator, Snapshot, Subtask, gather};
pub(crate) use walk::{OperatorHead, SnapshotHead, SubtaskEnd, Walk, Wanted, walk};
