//! How registered files are told apart.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::id::FileName;
use crate::shared::{FileContent, SharedStateRefusal};
use crate::state::{FileView, HandleView, PathView, PlaceView, ReusedFile, ReusedView, Root};

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
    /// No piece begins there, since not one byte would have room before the end of all offsets: [`at`](Self::at) sees to it.
    pub(super) const WHOLE: Self = Self(u64::MAX);

    /// The piece that begins there; `None` when none can.
    pub(super) const fn at(offset_bytes: u64) -> Option<Self> {
        if offset_bytes == Self::WHOLE.0 { None } else { Some(Self(offset_bytes)) }
    }

    pub(super) const fn offset_bytes(self) -> Option<u64> {
        if self.0 == Self::WHOLE.0 { None } else { Some(self.0) }
    }
}

impl<'a> Name<'a> {
    /// The name under which a handle's bytes are shared; `None` when they are not: they travel in the handle, or go with
    /// the snapshot, or belong to the tasks, or are somebody else's.
    ///
    /// # Errors
    ///
    /// When there are no such bytes: none at all, or some behind the end of all offsets.
    pub(super) fn of(handle: &HandleView<'a>) -> Result<Option<Self>, SharedStateRefusal> {
        let (root, file, offset_bytes) = match handle.place() {
            PlaceView::Inline(_) => return Ok(None),
            PlaceView::File { root, file } => (root, file, None),
            PlaceView::Segment { root, file, offset_bytes } => (root, file, Some(offset_bytes)),
        };
        if !matches!(root, Root::JobShared | Root::Claimed(_)) {
            return Ok(None);
        }
        let (reused, length_bytes) = (ReusedView { root, file, offset_bytes }, handle.length_bytes());
        let has_room = length_bytes > 0 && offset_bytes.is_none_or(|begin| begin.checked_add(length_bytes).is_some());
        let name = has_room.then(|| Self::of_reused(&reused)).flatten();
        name.map(Some).ok_or_else(|| SharedStateRefusal::NoBytes { named: reused.to_reused(), length_bytes })
    }

    /// The name of what is named without a handle; `None` when nothing can lie there.
    pub(super) fn of_reused(reused: &ReusedView<'a>) -> Option<Self> {
        let part = match reused.offset_bytes {
            None => Part::WHOLE,
            Some(offset_bytes) => Part::at(offset_bytes)?,
        };
        Some(Self { root: reused.root, file: reused.file, part })
    }

    /// What has that name, for messages.
    pub(super) fn to_reused(self) -> ReusedFile {
        let Self { root, file, part } = self;
        ReusedView { root, file, offset_bytes: part.offset_bytes() }.to_reused()
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
