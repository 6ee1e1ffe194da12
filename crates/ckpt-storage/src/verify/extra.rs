//! What else lies in the directory of a snapshot.

use ckpt_core::Result;
use ckpt_core::mark::{DisposalMark, OwnerRecord, SavepointMark};
use ckpt_core::state::{FileRef, RelPath};

use super::finding::Finding;
use super::index::FileIndex;
use super::report::{VerifyObserver, VerifyReport};
use crate::completed::CompletedLocation;
use crate::layout;
use crate::mark_file;

/// How many files a listing asks for at once.
const PAGE: usize = 1000;

/// The most things that are told which are no files.
const MOST_ENTRIES: usize = 10_000;

/// Tells of everything in the snapshot's own directory that it does not name, and of marks that cannot be read.
pub(super) fn find(
    location: &CompletedLocation,
    index: &FileIndex,
    report: &mut VerifyReport,
    observer: &mut dyn VerifyObserver,
) {
    let Some(own) = location.directory() else { return };
    find_files(location, index, report, observer);
    match own.file_system.unlisted(own.directory.as_ref(), MOST_ENTRIES) {
        Ok(names) => {
            // What stands in the place of a mark, of the metadata or of state is told as what cannot be read.
            let is_known = |name: &String| {
                RelPath::new(&**name).is_ok_and(|name| layout::is_of_a_snapshot(&name) || is_named(&name, index))
            };
            for name in names.into_iter().filter(|name| !is_known(name)) {
                report.extra += 1;
                observer.found(Finding::extra_entry(name));
            }
        }
        Err(error) => {
            report.not_listed += 1;
            observer.found(Finding::not_listed(error));
        }
    }
    for (name, decode) in MARKS {
        let name = layout::file_in_savepoint(name);
        let path = own.directory.as_ref().map_or_else(|| name.clone(), |directory| directory.join(&name));
        let read = mark_file::read(&*own.file_system, &path).and_then(|mark| mark.map_or(Ok(()), |mark| decode(&mark)));
        if let Err(error) = read {
            report.unreadable_marks += 1;
            observer.found(Finding::mark(name, error));
        }
    }
}

/// Reads a mark, which is right if it can be read.
type ReadMark = fn(&[u8]) -> Result<()>;

/// The marks that may stand beside a snapshot, and how each is read.
const MARKS: [(&str, ReadMark); 3] = [
    (DisposalMark::FILE_NAME, |mark| DisposalMark::decode(mark).map(drop)),
    (OwnerRecord::FILE_NAME, |mark| OwnerRecord::decode(mark).map(drop)),
    (SavepointMark::FILE_NAME, |mark| SavepointMark::decode(mark).map(drop)),
];

fn find_files(
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
