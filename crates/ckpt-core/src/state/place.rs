//! Where bytes lie.

use std::collections::BTreeSet;
use std::fmt;

use bytes::Bytes;

use crate::error::Result;
use crate::id::FileName;
use crate::state::RelPath;
use crate::state::error::StateError;
use crate::uri::Uri;

/// Where the bytes of a piece of state lie (Flink's `ByteStreamStateHandle`, `FileStateHandle`, `SegmentFileStateHandle`).
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// In the handle itself.
    Inline(Bytes),
    /// A file of its own.
    File {
        /// What the file lies below.
        root: Root,
        /// The file.
        file: FileRef,
    },
    /// A part of a file that holds several pieces. Length and digest of its handle are the part's own: the part lies in the
    /// file as it would in a [file of its own](crate::state_file).
    Segment {
        /// What the file lies below.
        root: Root,
        /// The file.
        file: FileRef,
        /// Where the part begins.
        offset_bytes: u64,
    },
}

/// What a file lies below. The reader knows where the first three are; [`Places`] says it of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Root {
    /// The directory of the snapshot that names it: in an acknowledgement, that of its own checkpoint.
    ThisSnapshot,
    /// The job's directory of files that several checkpoints may name.
    JobShared,
    /// The job's directory of files whose life the tasks manage.
    JobTaskOwned,
    /// A place of another job that this job has claimed; ours to delete while HEAD holds the claim.
    Claimed(ClaimId),
    /// A place that we only read, and never delete from.
    Borrowed(u16),
}

/// The number of a claim, given by HEAD, unique in the life of the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimId(u64);

/// Which file below a root.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FileRef {
    /// A file that a writer of ours named.
    Ours(FileName),
    /// A file that somebody else named.
    Foreign(RelPath),
}

/// Where the claimed and the borrowed roots lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places(Vec<(Root, Uri)>);

impl ClaimId {
    /// The number of a job's first claim.
    pub const FIRST: Self = Self(1);

    /// Wraps the number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number itself.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl Places {
    /// How many there are at most.
    pub const MAX_PLACES: usize = 1024;

    /// No claimed and no borrowed root.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Those roots, and where each lies.
    ///
    /// # Errors
    ///
    /// `Configuration` when a root is one that the reader supplies, or appears twice, or there are more than
    /// [`MAX_PLACES`](Self::MAX_PLACES).
    pub fn new(places: Vec<(Root, Uri)>) -> Result<Self> {
        if places.len() > Self::MAX_PLACES {
            return Err(StateError::Places { found: places.len() }.into());
        }
        let mut given = BTreeSet::new();
        for (root, _) in &places {
            if !matches!(root, Root::Claimed(_) | Root::Borrowed(_)) {
                return Err(StateError::PlaceOfOurs { root: *root }.into());
            }
            if !given.insert(*root) {
                return Err(StateError::PlaceTwice { root: *root }.into());
            }
        }
        Ok(Self(places))
    }

    /// Where that root lies; `None` when it is not among them.
    pub fn get(&self, root: Root) -> Option<&Uri> {
        self.0.iter().find(|(candidate, _)| *candidate == root).map(|(_, uri)| uri)
    }

    /// The roots whose place is given, ascending.
    pub(crate) fn roots(&self) -> Vec<Root> {
        let mut roots: Vec<Root> = self.iter().map(|(root, _)| root).collect();
        roots.sort_unstable();
        roots
    }

    /// Every root and where it lies.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Root, &Uri)> {
        self.0.iter().map(|(root, uri)| (*root, uri))
    }
}

impl Place {
    /// The file in which the bytes lie, and what it lies below; `None` when they are in the handle.
    pub const fn file(&self) -> Option<(Root, &FileRef)> {
        match self {
            Self::Inline(_) => None,
            Self::File { root, file } | Self::Segment { root, file, .. } => Some((*root, file)),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline(bytes) => write!(f, "{} bytes in the handle itself", bytes.len()),
            Self::File { root, file } => write!(f, "{file} below {root}"),
            Self::Segment { root, file, offset_bytes } => write!(f, "{file} below {root}, from byte {offset_bytes} on"),
        }
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ThisSnapshot => f.write_str("the snapshot's own directory"),
            Self::JobShared => f.write_str("the job's directory of shared files"),
            Self::JobTaskOwned => f.write_str("the job's directory of task-owned files"),
            Self::Claimed(claim) => write!(f, "claim {claim}"),
            Self::Borrowed(number) => write!(f, "borrowed root {number}"),
        }
    }
}

impl fmt::Display for ClaimId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline(bytes) => write!(f, "Inline({} bytes)", bytes.len()),
            Self::File { root, file } => write!(f, "{root:?}/{file}"),
            Self::Segment { root, file, offset_bytes } => write!(f, "{root:?}/{file}@{offset_bytes}"),
        }
    }
}

impl fmt::Display for FileRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(name) => name.fmt(f),
            Self::Foreign(path) => path.fmt(f),
        }
    }
}

impl fmt::Debug for FileRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
