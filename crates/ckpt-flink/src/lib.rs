//! Flink's `_metadata`, read and written byte for byte, without a JVM.

mod error;
mod model;
mod properties;
mod read;
mod tag;
mod text;
mod version;
mod write;

pub use model::{
    ByteStream, ChangelogHandle, ChangelogStreamHandle, ChannelEntry, ChannelHandle, ChannelInfo, ChannelTags,
    CheckpointedStateScope, DistributionMode, FileHandle, FlinkMetadata, InMemoryChange, InMemoryChangelogHandle,
    IncrementalHandle, IncrementalIdentity, InlineBytes, InputChannelInfo, KeyGroupOffsets, KeyGroupRange,
    KeyGroupsHandle, KeyGroupsKind, KeyGroupsStream, KeyedHandle, LocalPathAndHandle, MasterState, MergedChannels,
    MergingDirectories, OffsetAndStream, OperatorDescription, OperatorHandle, OperatorState, OperatorStateOffsets,
    OperatorSubtasks, RelativeFileHandle, ResultSubpartitionInfo, SegmentHandle, SingleChannel, SkippedBytes,
    StreamHandle, Subtask, SubtaskState,
};
pub use properties::{
    CheckpointProperties, PostCheckpointAction, SavepointFormat, SharingFilesStrategy, SnapshotType, StoredProperties,
};
pub use read::{
    BytesSource, Decoded, Ending, FlinkReader, MAGIC, Note, NoteKind, Notes, Source, StreamSource, Trailing,
};
pub use text::JavaText;
pub use version::MetadataVersion;
