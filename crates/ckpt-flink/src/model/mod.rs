//! What a `_metadata` file says, in Flink's terms and in the file's order. Nothing is left out and nothing is made up.

mod changelog;
mod channel;
mod incremental;
mod inline;
mod key_groups;
mod keyed;
mod master;
mod metadata;
mod operator;
mod operator_handle;
mod stream;
mod subtask;

pub use changelog::{ChangelogHandle, ChangelogStreamHandle, InMemoryChange, InMemoryChangelogHandle, OffsetAndStream};
pub use channel::{
    ChannelEntry, ChannelHandle, ChannelInfo, ChannelTags, InputChannelInfo, MergedChannels, ResultSubpartitionInfo,
    SingleChannel,
};
pub use incremental::{IncrementalHandle, IncrementalIdentity, LocalPathAndHandle};
pub use inline::{InlineBytes, Offsets, SkippedBytes, SkippedOffsets};
pub use key_groups::{KeyGroupOffsets, KeyGroupRange};
pub use keyed::{KeyGroupsHandle, KeyGroupsKind, KeyedHandle};
pub use master::MasterState;
pub use metadata::FlinkMetadata;
pub use operator::{OperatorDescription, OperatorState, OperatorSubtasks, Subtask};
pub use operator_handle::{DistributionMode, MergingDirectories, OperatorHandle, OperatorStateOffsets};
pub(crate) use stream::UNKNOWN_SIZE;
pub use stream::{
    ByteStream, CheckpointedStateScope, FileHandle, KeyGroupsStream, RelativeFileHandle, SegmentHandle, StreamHandle,
};
pub use subtask::SubtaskState;
