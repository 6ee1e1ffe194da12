//! From Flink's metadata to [`CheckpointMetadata`](ckpt_core::metadata::CheckpointMetadata) and back.
//!
//! Neither can hold all that the other says. What is not as it was is [listed](Change), with its place; what cannot be
//! carried at all is left out and [listed](Converted::not_carried), so that nobody takes the rest for the whole.

mod change;
mod error;
mod from_flink;
mod offsets;
mod paths;
mod properties;
mod to_flink;

pub use change::{Change, ChangeKind, ChangePlace, Converted, Direction, Effect, Field};
pub use from_flink::{ConversionContext, to_checkpoint};
pub use to_flink::{FlinkTarget, KeyGroupsFormat, RootPath, to_flink};
