//! Why the name of a shared file is refused.

use std::fmt;

use crate::digest::Digest;
use crate::id::{CheckpointId, FileName, Writer, WriterId};
use crate::state::{FileRef, ReusedFile, Root};

/// What is wrong with a shared file that is to be named. The checkpoint is given up; the job goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SharedStateRefusal {
    /// No such checkpoint is pending.
    #[error("checkpoint {id} names shared files but is not being taken")]
    NotPending {
        /// The checkpoint.
        id: CheckpointId,
    },
    /// It is restored or begins, and a checkpoint of that number is there.
    #[error("checkpoint {id} is there already")]
    AlreadyThere {
        /// The checkpoint.
        id: CheckpointId,
    },
    /// It lies where a checkpoint of this kind names no shared files.
    #[error("{file} below {root} lies where this snapshot may not name files")]
    Root {
        /// The root.
        root: Root,
        /// The file.
        file: FileRef,
    },
    /// It is reused, and the checkpoint that this one is based on does not name it.
    #[error("{named} is reused but the checkpoint's base does not name it")]
    NotInBase {
        /// The file, or the piece of one.
        named: ReusedFile,
    },
    /// A file or a piece of one has no bytes, or more than there are offsets.
    #[error("{named} has {length_bytes} bytes, expected at least one and none behind the last offset")]
    NoBytes {
        /// The file, or the piece of one.
        named: ReusedFile,
        /// How many bytes it is said to have.
        length_bytes: u64,
    },
    /// It was not written by the task under this leader.
    #[error("file {file} was not written by the acknowledging task, which names files as {}", shown(*expected))]
    ForeignWriter {
        /// The file.
        file: FileName,
        /// As whom the task names files; nobody, when it had finished.
        expected: Option<Writer>,
    },
    /// Its writer has ended.
    #[error("file {file} is named after its writer has ended")]
    WriterEnded {
        /// The file.
        file: FileName,
    },
    /// It has no digest though it was written by us.
    #[error("file {file} has no digest")]
    NoDigest {
        /// The file.
        file: FileName,
    },
    /// It was given up, and may be deleted already.
    #[error("file {file} is named again after nothing named it any more")]
    Dead {
        /// The file.
        file: FileName,
    },
    /// The same name was given with other bytes before.
    #[error("{named} has {found}, expected the {registered} that were registered under this name")]
    OtherBytes {
        /// The file, or the piece of one.
        named: ReusedFile,
        /// What is registered.
        registered: FileContent,
        /// What is said of it now.
        found: FileContent,
    },
    /// It is named as a file of its own and as one that holds several pieces.
    #[error("{file} below {root} is named in one piece and in several")]
    InPieces {
        /// The root.
        root: Root,
        /// The file.
        file: FileRef,
    },
    /// A writer that has ended is to begin again, under names that it may have used.
    #[error("writer {writer} has ended and cannot name files again")]
    WriterAgain {
        /// The writer.
        writer: WriterId,
    },
    /// There is no room for another.
    #[error("more than {} shared files are registered", u32::MAX)]
    TooMany,
}

/// What a file holds, as far as it tells one file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileContent {
    /// How many payload bytes there are.
    pub length_bytes: u64,
    /// What proves that they are those that were written; absent at most below a claimed root.
    pub digest: Option<Digest>,
}

impl fmt::Display for FileContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.digest {
            Some(digest) => write!(f, "{} bytes of digest {digest}", self.length_bytes),
            None => write!(f, "{} bytes without a digest", self.length_bytes),
        }
    }
}

fn shown(writer: Option<Writer>) -> String {
    writer.map_or("nobody".to_owned(), |writer| format!("writer {} of epoch {}", writer.id, writer.epoch))
}
