//! What a disposal did.

use std::fmt;
use std::ops::AddAssign;

use ckpt_core::Error;
use ckpt_core::id::{CheckpointId, JobId};
use ckpt_core::state::{RelPath, Root};

/// What became of a snapshot that was disposed of.
#[derive(Debug)]
#[non_exhaustive]
pub struct Disposal {
    /// What was disposed of, as the caller named it, without what may be a secret.
    pub pointer: String,
    /// Whose snapshot it was; `None` when its `_metadata` was gone already, and only marks were left.
    pub snapshot: Option<(JobId, CheckpointId)>,
    /// The files of its state that are its own: all that its `_metadata` lists below its directory.
    pub listed: FileCount,
    /// Those of them that are gone now, whoever deleted them.
    pub gone: FileCount,
    /// In a dry run all that would be deleted, below the snapshot's directory and in that order; the directory itself goes
    /// after them when it is empty then. Otherwise `None`.
    pub planned: Option<Vec<RelPath>>,
    /// What stays and why, besides what could not be deleted.
    pub kept: Vec<Kept>,
    /// Everything that went wrong. While there is anything, `_metadata` or the mark of the disposal stays, so that the same
    /// call goes on where this one ended.
    pub errors: Vec<Error>,
}

/// How many files, and how many bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileCount {
    /// How many files.
    pub files: u64,
    /// Of files that metadata list, how many bytes of state are in them as they say; of files that were found, how long they are.
    pub bytes: u64,
}

/// Something that stays, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kept {
    /// Files that the metadata names and that are not the snapshot's own: other snapshots, or the job, may need them.
    NotOwned {
        /// What they lie below.
        root: Root,
        /// How many they are.
        count: FileCount,
    },
    /// A file in the snapshot's directory that its metadata does not list. It keeps the directory.
    Unknown {
        /// Its path below the directory.
        path: RelPath,
        /// Its length.
        length_bytes: u64,
    },
    /// The directory: there is something in it that is no file, or has a name that no file of ours can have.
    Directory,
}

impl Disposal {
    /// Whether nothing of the snapshot's own is left. What others own, or nobody knows, may be.
    pub fn is_complete(&self) -> bool {
        self.planned.is_none() && self.errors.is_empty()
    }

    pub(super) const fn of(pointer: String) -> Self {
        Self {
            pointer,
            snapshot: None,
            listed: FileCount { files: 0, bytes: 0 },
            gone: FileCount { files: 0, bytes: 0 },
            planned: None,
            kept: Vec::new(),
            errors: Vec::new(),
        }
    }
}

impl AddAssign for FileCount {
    fn add_assign(&mut self, other: Self) {
        self.files = self.files.saturating_add(other.files);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

impl fmt::Display for FileCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} files with {} bytes of state", self.files, self.bytes)
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOwned { root, count } => write!(f, "{count} below {root} are not the snapshot's own"),
            Self::Unknown { path, length_bytes } => {
                write!(f, "'{path}' of {length_bytes} bytes is not listed by the snapshot")
            }
            Self::Directory => f.write_str("the directory holds something that is no file of ours"),
        }
    }
}
