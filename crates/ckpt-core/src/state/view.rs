//! Handles that are looked at where they lie, in memory or encoded.

use bytes::Bytes;

use crate::digest::Digest;
use crate::id::FileName;
use crate::state::{FileRef, PathView, Place, Root, StateHandle, StateLocation};

/// A [`StateHandle`] that is looked at without making one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandleView<'a> {
    pub(crate) place: PlaceView<'a>,
    pub(crate) length_bytes: u64,
    /// Of bytes in a file.
    pub(crate) digest: Option<Digest>,
}

/// A [`Place`] that is looked at without making one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlaceView<'a> {
    /// In the handle itself.
    Inline(&'a [u8]),
    /// A file of its own.
    File {
        /// What the file lies below.
        root: Root,
        /// The file.
        file: FileView<'a>,
    },
    /// A part of a file that holds several pieces.
    Segment {
        /// What the file lies below.
        root: Root,
        /// The file.
        file: FileView<'a>,
        /// Where the part begins.
        offset_bytes: u64,
    },
}

/// A [`FileRef`] that is looked at without making one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileView<'a> {
    /// A file that a writer of ours named.
    Ours(FileName),
    /// A file that somebody else named.
    Foreign(PathView<'a>),
}

impl<'a> HandleView<'a> {
    /// Where the bytes lie.
    pub const fn place(&self) -> PlaceView<'a> {
        self.place
    }

    /// How many payload bytes there are.
    pub const fn length_bytes(&self) -> u64 {
        self.length_bytes
    }

    /// What proves that they are the bytes that were written. Of bytes that are in the handle it is computed anew with each
    /// call, in time that grows with them: a view does not hold it, since what is looked at where it is encoded has none.
    pub fn digest(&self) -> Option<Digest> {
        match self.place {
            PlaceView::Inline(bytes) => Some(Digest::of(bytes)),
            PlaceView::File { .. } | PlaceView::Segment { .. } => self.digest,
        }
    }

    /// In the handle, or in a file.
    pub const fn location(&self) -> StateLocation {
        match self.place {
            PlaceView::Inline(_) => StateLocation::Inline,
            PlaceView::File { .. } | PlaceView::Segment { .. } => StateLocation::File,
        }
    }

    /// The file in which they lie, and what it lies below; `None` when they are in the handle.
    pub const fn file(&self) -> Option<(Root, FileView<'a>)> {
        match self.place {
            PlaceView::Inline(_) => None,
            PlaceView::File { root, file } | PlaceView::Segment { root, file, .. } => Some((root, file)),
        }
    }

    /// The handle itself; inline bytes are copied.
    pub fn to_handle(&self) -> StateHandle {
        let place = match self.place {
            PlaceView::Inline(bytes) => return StateHandle::inline(Bytes::copy_from_slice(bytes)),
            PlaceView::File { root, file } => Place::File { root, file: file.to_file() },
            PlaceView::Segment { root, file, offset_bytes } => {
                Place::Segment { root, file: file.to_file(), offset_bytes }
            }
        };
        StateHandle::assume_durable(place, self.length_bytes, self.digest)
    }
}

impl FileView<'_> {
    /// The name itself.
    pub fn to_file(self) -> FileRef {
        match self {
            Self::Ours(name) => FileRef::Ours(name),
            Self::Foreign(path) => FileRef::Foreign(path.to_path()),
        }
    }
}

impl StateHandle {
    /// This handle, looked at.
    #[inline]
    pub fn view(&self) -> HandleView<'_> {
        let place = match self.place() {
            Place::Inline(bytes) => PlaceView::Inline(bytes),
            Place::File { root, file } => PlaceView::File { root: *root, file: file.view() },
            Place::Segment { root, file, offset_bytes } => {
                PlaceView::Segment { root: *root, file: file.view(), offset_bytes: *offset_bytes }
            }
        };
        HandleView { place, length_bytes: self.length_bytes(), digest: self.digest() }
    }
}

impl FileRef {
    /// This name, looked at.
    #[inline]
    pub fn view(&self) -> FileView<'_> {
        match self {
            Self::Ours(name) => FileView::Ours(*name),
            Self::Foreign(path) => FileView::Foreign(path.view()),
        }
    }
}
