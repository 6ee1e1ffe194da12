//! What a directory is in which there is no metadata.

use std::sync::Arc;

use ckpt_core::head::{Head, RetainedSnapshot, SnapshotPlace};
use ckpt_core::mark::SavepointMark;
use ckpt_core::{Error, ErrorKind};

use crate::error::StorageError;
use crate::file::pointer::Pointed;
use crate::head::{HeadStore as _, RecordHeadStore};
use crate::layout;

/// How many snapshots a message names.
const MOST_NAMED: usize = 5;

/// Why nothing can be begun from a directory without metadata, and what can.
pub(super) fn not_a_snapshot(pointed: &Pointed) -> Error {
    let pointer = pointed.written.clone();
    match pointed.savepoint() {
        Ok(None) => {}
        Ok(Some(SavepointMark { id, job, began_at, .. })) => {
            return StorageError::PointerToUnfinishedSavepoint { pointer, id, job, began_at }.kind(ErrorKind::NotFound);
        }
        Err(error) => return error,
    }
    let path = pointed.path_of(&layout::head_path());
    let shown = pointed.show(&path);
    match RecordHeadStore::new(Arc::clone(&pointed.file_system), path, shown.clone()).read() {
        Ok(Some(head)) => {
            let (job, snapshots) = (head.job, named(&head));
            StorageError::PointerToJob { pointer, job, snapshots }.kind(ErrorKind::NotFound)
        }
        Ok(None) => StorageError::PointerWithoutMetadata { pointer }.kind(ErrorKind::NotFound),
        Err(source) => StorageError::PointerToUnknownJob { pointer, head: shown, source }.kind(ErrorKind::NotFound),
    }
}

/// What can be begun from in that job, the newest first.
fn named(head: &Head) -> String {
    let place = |snapshot: &RetainedSnapshot| match &snapshot.place {
        SnapshotPlace::Elsewhere(uri) => format!("'{uri}'"),
        _ => format!("'{}'", layout::checkpoint_directory(snapshot.id)),
    };
    let mut snapshots: Vec<_> = head.stopped_at.iter().chain(&head.retained).collect();
    snapshots.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.id));
    let more = snapshots.len().saturating_sub(MOST_NAMED);
    let named: Vec<_> = snapshots.into_iter().take(MOST_NAMED).map(place).collect();
    match (named.as_slice(), more) {
        ([], _) => "it has none".to_owned(),
        (named, 0) => named.join(", "),
        (named, more) => format!("{} and {more} older ones", named.join(", ")),
    }
}
