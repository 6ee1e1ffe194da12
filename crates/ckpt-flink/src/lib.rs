//! Flink's own `_metadata`, read and written byte for byte, without a JVM.
//!
//! The types say what is in the file and nothing else, in Flink's terms and in the file's order. Nothing here does I/O:
//! a caller gives [`Bytes`](bytes::Bytes), or something that can be read and sought in.
//!
//! # I want to …
//!
//! | … | begin at |
//! |---|---|
//! | read a file, all of it | [`FlinkMetadata::decode`] |
//! | read a large file one subtask at a time | [`FlinkReader`] over a [`StreamSource`], with [`SkippedBytes`] |
//! | read any file in little memory | the same, with [`FlinkReader::visit_subtask`] |
//! | write a file, or one in another version | [`FlinkMetadata::encode`] |
//! | know whether a file is one of Flink's | [`MAGIC`] |
//! | know what Flink would change if it wrote the file again | [`Decoded::notes`] |
//! | make it metadata of ours, or ours Flink's | [`to_checkpoint`], [`to_flink`] |
//! | know what that changes and leaves out | [`Converted::changes`], [`Converted::not_carried`] |
//! | know where a file is damaged, as fields | [`FlinkFormatError`] |
//!
//! ```
//! use bytes::Bytes;
//! use ckpt_flink::{FlinkMetadata, MetadataVersion, OperatorSubtasks};
//!
//! # let file = Bytes::from_static(include_bytes!("../testdata/samples/meta_v6.bin"));
//! let decoded = FlinkMetadata::decode(file.clone())?;
//! assert_eq!(decoded.trailing, None);
//! let mut metadata = decoded.metadata;
//! assert_eq!((metadata.version, metadata.checkpoint_id), (MetadataVersion::V6, 42));
//! for operator in &metadata.operators {
//!     let name = operator.description.name.as_ref().map(|name| name.to_string_lossy());
//!     if let OperatorSubtasks::Subtasks(subtasks) = &operator.subtasks {
//!         println!("{}: {} subtasks, {name:?}", operator.description.id, subtasks.len());
//!     }
//! }
//! // Not changed, it is written as it was.
//! assert_eq!(metadata.encode()?, file);
//!
//! // An older version has no place for some of it, and says for what.
//! metadata.version = MetadataVersion::V5;
//! assert!(metadata.encode().is_err());
//! # Ok::<(), ckpt_core::Error>(())
//! ```
//!
//! # What holds everywhere
//!
//! * *Errors* are [`ckpt_core::Error`]s. Of a file that cannot be read they name the place: the byte, the operator, the
//!   subtask, the field, what was expected and what was found; a [`FlinkFormatError`] has them as fields.
//! * *Memory* grows with what was read, whatever a file says of itself. Texts and inline state of a file in memory share its
//!   memory; a value of them keeps all of it.
//! * *Sizes and positions* are in bytes, and signed as Flink has them: -1 stands for a size that is unknown.
//! * *Equal* are values that have the same bytes in a file, so the same text in two encodings is not.

mod convert;
mod error;
mod model;
mod properties;
mod read;
mod tag;
mod text;
mod version;
mod write;

pub use convert::{
    Change, ChangeKind, ChangePlace, ConversionContext, Converted, Direction, Effect, Field, FlinkTarget,
    KeyGroupsFormat, RootPath, to_checkpoint, to_flink,
};
pub use error::FlinkFormatError;
pub use model::{
    ByteStream, ChangelogHandle, ChangelogStreamHandle, ChannelEntry, ChannelHandle, ChannelInfo, ChannelTags,
    CheckpointedStateScope, DistributionMode, FileHandle, FlinkMetadata, InMemoryChange, InMemoryChangelogHandle,
    IncrementalHandle, IncrementalIdentity, InlineBytes, InputChannelInfo, KeyGroupOffsets, KeyGroupRange,
    KeyGroupsHandle, KeyGroupsKind, KeyGroupsStream, KeyedHandle, LocalPathAndHandle, MasterState, MergedChannels,
    MergingDirectories, OffsetAndStream, Offsets, OperatorDescription, OperatorHandle, OperatorState,
    OperatorStateOffsets, OperatorSubtasks, RelativeFileHandle, ResultSubpartitionInfo, SegmentHandle, SingleChannel,
    SkippedBytes, SkippedOffsets, StreamHandle, Subtask, SubtaskState,
};
pub use properties::{
    CheckpointProperties, PostCheckpointAction, SavepointFormat, SharingFilesStrategy, SnapshotType, StoredProperties,
};
pub use read::{
    BytesSource, Decoded, Ending, FlinkReader, MAGIC, Note, NoteKind, Notes, Source, StreamSource, SubtaskStateKind,
    SubtaskVisitor, Trailing, VisitedSubtask,
};
pub use text::JavaText;
pub use version::MetadataVersion;
