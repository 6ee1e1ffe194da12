//! What else lies in the directory of a snapshot.

use ckpt_core::state::{FileRef, RelPath};

use super::finding::Finding;
use super::index::FileIndex;
use super::report::{VerifyObserver, VerifyReport};
use crate::completed::CompletedLocation;
use crate::layout;

/// How many files a listing asks for at once.
const PAGE: usize = 1000;

/// Tells of every file in the snapshot's own directory that it does not name.
pub(super) fn find(
    location: &CompletedLocation,
    index: &FileIndex,
    report: &mut VerifyReport,
    observer: &mut dyn VerifyObserver,
) {
    let Some(own) = location.directory() else { return };
    let mut after: Option<RelPath> = None;
    loop {
        let page = match own.file_system.list(own.directory.as_ref(), after.as_ref(), PAGE) {
            Ok(page) => page,
            Err(error) => {
                report.not_listed += 1;
                return observer.found(Finding::not_listed(error));
            }
        };
        let Some(last) = page.last() else { return };
        after = Some(last.path.clone());
        for entry in page {
            let Some(below) = below(&entry.path, own.directory.as_ref()) else { continue };
            if location.metadata_path() == Some(&entry.path)
                || layout::is_of_a_snapshot(&below)
                || is_named(&below, index)
            {
                continue;
            }
            report.extra += 1;
            observer.found(Finding::extra(below));
        }
    }
}

fn is_named(below: &RelPath, index: &FileIndex) -> bool {
    let ours = below.as_str().parse().is_ok_and(|name| index.has_own(&FileRef::Ours(name)));
    ours || index.has_own(&FileRef::Foreign(below.clone()))
}

/// A path as seen from the directory.
fn below(path: &RelPath, directory: Option<&RelPath>) -> Option<RelPath> {
    let Some(directory) = directory else { return Some(path.clone()) };
    RelPath::new(path.as_str().strip_prefix(directory.as_str())?.strip_prefix('/')?).ok()
}
