//! How registered files are told apart.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::id::FileName;
use crate::shared::FileContent;
use crate::state::{FileView, HandleView, PathView, PlaceView, Root};

/// The name of bytes below a root: a file, or a piece of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name<'a> {
    pub(super) root: Root,
    pub(super) file: FileView<'a>,
    pub(super) part: Part,
}

/// Which bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part(u64);

impl Part {
    /// No piece begins there, since none would have room before the end of all offsets.
    pub(super) const WHOLE: Self = Self(u64::MAX);

    pub(super) const fn at(offset_bytes: u64) -> Self {
        Self(offset_bytes)
    }

    pub(super) const fn offset_bytes(self) -> Option<u64> {
        if self.0 == Self::WHOLE.0 { None } else { Some(self.0) }
    }
}

impl<'a> Name<'a> {
    /// The name under which a handle's bytes are shared; `None` when they are not: they travel in the handle, or go with
    /// the snapshot, or belong to the tasks, or are somebody else's.
    pub(super) fn of(handle: &HandleView<'a>) -> Option<Self> {
        let (root, file, part) = match handle.place() {
            PlaceView::Inline(_) => return None,
            PlaceView::File { root, file } => (root, file, Part::WHOLE),
            PlaceView::Segment { root, file, offset_bytes } => (root, file, Part::at(offset_bytes)),
        };
        matches!(root, Root::JobShared | Root::Claimed(_)).then_some(Self { root, file, part })
    }

    pub(super) fn hash(&self) -> u64 {
        match self.file {
            FileView::Ours(name) => hash_of_ours(self.root, name, self.part),
            FileView::Foreign(path) => hash_of_foreign(self.root, path, self.part),
        }
    }
}

/// A fixed hash: nobody but writers of our own chooses these names, and two runs shall do the same.
///
/// Eight neighbouring numbers of a writer hash to neighbouring places, with tags of their own in the highest bits: whoever
/// goes through the files of a task finds most of them where the last one was.
pub(super) fn hash_of_ours(root: Root, name: FileName, part: Part) -> u64 {
    let root = match root {
        Root::Claimed(claim) => claim.get(),
        _ => 0,
    };
    let writer = fold(name.epoch.get() ^ root.rotate_left(32), name.writer.get());
    let (neighbours, number) = (u64::from(name.number >> 3), u64::from(name.number & 7));
    let place = fold(writer ^ neighbours, part.0);
    ((place & !7) | number) ^ (number << 58)
}

/// Without a key, and so fixed as well.
pub(super) fn hash_of_foreign(root: Root, path: PathView<'_>, part: Part) -> u64 {
    let mut hasher = DefaultHasher::new();
    (root, path, part.0).hash(&mut hasher);
    hasher.finish()
}

/// Both halves of a product: every bit of either factor moves bits all over it.
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left ^ 0x9e37_79b9_7f4a_7c15) * u128::from(right ^ 0xc2b2_ae3d_27d4_eb4f);
    (product ^ (product >> 64)) as u64
}

/// What tells a handle's bytes from other bytes.
pub(super) fn content_of(handle: &HandleView<'_>) -> FileContent {
    FileContent { length_bytes: handle.length_bytes(), digest: handle.digest() }
}
