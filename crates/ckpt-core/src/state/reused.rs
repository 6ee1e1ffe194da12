//! The name of a file without its handle.

use std::fmt;

use crate::state::{FileRef, FileView, Place, Root, StateHandle};

/// A file, or one piece of a file that holds several, that is named again without its handle (Flink's
/// `PlaceholderStreamStateHandle`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct ReusedFile {
    /// What the file lies below.
    pub root: Root,
    /// The file.
    pub file: FileRef,
    /// Where the piece begins; `None` for a whole file, which is another thing than a piece at its beginning.
    pub offset_bytes: Option<u64>,
}

/// A [`ReusedFile`] that is looked at without making one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReusedView<'a> {
    pub(crate) root: Root,
    pub(crate) file: FileView<'a>,
    pub(crate) offset_bytes: Option<u64>,
}

impl ReusedFile {
    /// A whole file.
    pub const fn whole(root: Root, file: FileRef) -> Self {
        Self { root, file, offset_bytes: None }
    }

    /// The piece of a file that begins at that offset.
    pub const fn segment(root: Root, file: FileRef, offset_bytes: u64) -> Self {
        Self { root, file, offset_bytes: Some(offset_bytes) }
    }

    /// What a handle names; `None` when its bytes are in the handle.
    pub fn of(handle: &StateHandle) -> Option<Self> {
        match handle.place() {
            Place::Inline(_) => None,
            Place::File { root, file } => Some(Self::whole(*root, file.clone())),
            Place::Segment { root, file, offset_bytes } => Some(Self::segment(*root, file.clone(), *offset_bytes)),
        }
    }

    pub(crate) fn view(&self) -> ReusedView<'_> {
        ReusedView { root: self.root, file: self.file.view(), offset_bytes: self.offset_bytes }
    }
}

impl ReusedView<'_> {
    pub(crate) fn to_reused(self) -> ReusedFile {
        ReusedFile { root: self.root, file: self.file.to_file(), offset_bytes: self.offset_bytes }
    }
}

impl fmt::Display for ReusedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} below {}", self.file, self.root)?;
        self.offset_bytes.map_or(Ok(()), |offset_bytes| write!(f, ", from byte {offset_bytes} on"))
    }
}

impl fmt::Debug for ReusedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
