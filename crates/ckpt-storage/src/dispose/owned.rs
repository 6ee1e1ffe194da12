//! Which files a snapshot owns.

use std::collections::BTreeMap;

use ckpt_core::Result;
use ckpt_core::id::FileName;
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::state::{FileView, RelPath, Root};

use crate::dispose::disposal::{FileCount, Kept};

/// The files that the metadata of a snapshot lists below the snapshot's own directory, each once, in the order of their
/// names, with their bytes. That is all that is its own; below the other roots files may be needed by others.
///
/// All of them have names of our form: metadata with another name below that root is refused when it is read.
#[derive(Debug, Default)]
pub(super) struct OwnedFiles(Vec<(FileName, u64)>);

impl OwnedFiles {
    /// The files of the snapshot's own, and what it names besides.
    ///
    /// # Errors
    ///
    /// None in fact: see [`CheckpointMetadata::visit_handles`].
    pub(super) fn of(metadata: &CheckpointMetadata) -> Result<(Self, Vec<Kept>)> {
        let mut own = Self::default();
        let mut others = BTreeMap::<Root, Others>::new();
        metadata.visit_handles(&mut |handle| {
            let bytes = handle.length_bytes();
            match handle.file() {
                Some((Root::ThisSnapshot, FileView::Ours(name))) => own.0.push((name, bytes)),
                Some((root, FileView::Ours(name))) => others.entry(root).or_default().0.push((name, bytes)),
                Some((root, FileView::Foreign(path))) => {
                    others.entry(root).or_default().1.push((path.to_path(), bytes));
                }
                _ => {}
            }
        })?;
        merge(&mut own.0);
        let kept = others.into_iter().map(|(root, others)| Kept::NotOwned { root, count: others.count() });
        Ok((own, kept.collect()))
    }

    pub(super) fn files(&self) -> &[(FileName, u64)] {
        &self.0
    }

    /// All of them together.
    pub(super) fn count(&self) -> FileCount {
        count(&self.0)
    }

    pub(super) fn contains(&self, name: FileName) -> bool {
        self.0.binary_search_by_key(&name, |(known, _)| *known).is_ok()
    }
}

/// Files below a root that is not the snapshot's own.
#[derive(Default)]
struct Others(Vec<(FileName, u64)>, Vec<(RelPath, u64)>);

impl Others {
    fn count(mut self) -> FileCount {
        merge(&mut self.0);
        merge(&mut self.1);
        let mut both = count(&self.0);
        both += count(&self.1);
        both
    }
}

/// Makes each file one entry: it is named once for each of its pieces.
fn merge<T: Ord>(files: &mut Vec<(T, u64)>) {
    files.sort_unstable();
    files.dedup_by(|next, kept| {
        let is_same = next.0 == kept.0;
        if is_same {
            kept.1 = kept.1.saturating_add(next.1);
        }
        is_same
    });
}

fn count<T>(files: &[(T, u64)]) -> FileCount {
    let mut sum = FileCount::default();
    for (_, bytes) in files {
        sum += FileCount { files: 1, bytes: *bytes };
    }
    sum
}
