//! What must hold of every image.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::Result;
use ckpt_core::id::FileName;
use ckpt_core::state::{FileRef, Place, RelPath, StateHandle};
use ckpt_streams::file_system::{Entry, FileSystem};
use ckpt_streams::testing::Image;
use ckpt_streams::{FileStateReader, StateReader as _};

use crate::story::{Story, What, directories, head, open};

/// What is wrong with an image.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Wrong {
    #[error("sealed state {place} cannot be read: {error}")]
    Unreadable { place: String, error: String },
    #[error("sealed state {place} has other bytes")]
    OtherBytes { place: String },
    #[error("'{path}' is published with bytes that nobody wrote: {found_bytes} of them")]
    Torn { path: RelPath, found_bytes: u64 },
    #[error("'{path}' was published and is not there")]
    NotPublished { path: RelPath },
    #[error("the record is version {found}, expected {first} to {last}")]
    Record { found: usize, first: usize, last: usize },
    #[error("the record has bytes that nobody wrote")]
    TornRecord,
    #[error("nobody can say whose '{path}' is")]
    Stray { path: RelPath },
    #[error("'{path}' was collected and is still there")]
    NotCollected { path: RelPath },
    #[error("what is left cannot be used: {0}")]
    Unusable(#[from] ckpt_core::Error),
}

/// Looks at an image as a process that takes over does, and collects what nobody was promised.
pub(crate) fn check(story: &Story, image: &Image) -> Result<(), Wrong> {
    let file_system = open(&image.disk);
    let kept = check_promises(story, image, &file_system)?;
    check_record(story, image, &file_system)?;
    let strays = check_files(story, &*file_system, &kept)?;
    for outcome in file_system.remove(&strays) {
        outcome?;
    }
    if let Some(entry) = list(&*file_system)?.into_iter().find(|entry| strays.contains(&entry.path)) {
        return Err(Wrong::NotCollected { path: entry.path });
    }
    // Collecting took nothing else.
    check_promises(story, image, &file_system).map(drop)
}

/// What was promised is there. Returns the files that belong to it.
fn check_promises(story: &Story, image: &Image, file_system: &Arc<dyn FileSystem>) -> Result<BTreeSet<RelPath>, Wrong> {
    let mut kept = BTreeSet::new();
    for what in story.promised(image.done) {
        match what {
            What::Sealed { checkpoint, handle, bytes } => {
                read_sealed(file_system, *checkpoint, handle, bytes)?;
                kept.extend(path_of(file_system, *checkpoint, handle));
            }
            What::Published(number) => {
                let (path, _) = &story.published[*number];
                if list(&**file_system)?.iter().all(|entry| entry.path != *path) {
                    return Err(Wrong::NotPublished { path: path.clone() });
                }
                kept.insert(path.clone());
            }
            // With the record itself.
            What::Recorded => {}
        }
    }
    Ok(kept)
}

fn read_sealed(
    file_system: &Arc<dyn FileSystem>,
    checkpoint: u64,
    handle: &StateHandle,
    bytes: &Bytes,
) -> Result<(), Wrong> {
    let place = || format!("{:?}", handle.place());
    let reader = FileStateReader::new(directories(file_system, checkpoint).to_vec());
    let unreadable = |error: String| Wrong::Unreadable { place: place(), error };
    let mut stream = reader.open(handle).map_err(|error| unreadable(error.to_string()))?;
    let mut found = Vec::new();
    stream.read_to_end(&mut found).map_err(|error| unreadable(error.to_string()))?;
    if found == *bytes { Ok(()) } else { Err(Wrong::OtherBytes { place: place() }) }
}

fn path_of(file_system: &Arc<dyn FileSystem>, checkpoint: u64, handle: &StateHandle) -> Option<RelPath> {
    let Place::File { root, file: FileRef::Ours(name) } = handle.place() else { return None };
    let directory = directories(file_system, checkpoint).into_iter().find(|directory| directory.root == *root)?;
    let name = RelPath::new(name.to_string()).ok()?;
    directory.directory.map(|directory| directory.join(&name))
}

/// The record is the last version that was acknowledged or one that was begun.
fn check_record(story: &Story, image: &Image, file_system: &Arc<dyn FileSystem>) -> Result<(), Wrong> {
    let first = story.promised(image.done).filter(|what| matches!(what, What::Recorded)).count();
    let last = story.versions.iter().filter(|(begun, _)| *begun <= image.done).count();
    // Versions are counted from 1; 0 is none.
    let found = match file_system.read_record(&head())?.map(|(body, _)| body) {
        None => 0,
        Some(body) => match story.versions.iter().position(|(_, version)| *version == body) {
            Some(version) => version + 1,
            None => return Err(Wrong::TornRecord),
        },
    };
    if !(first..=last).contains(&found) {
        return Err(Wrong::Record { found, first, last });
    }
    Ok(())
}

/// Every file is whole, or can be collected: it has our name form. Returns those that nobody was promised.
fn check_files(story: &Story, file_system: &dyn FileSystem, kept: &BTreeSet<RelPath>) -> Result<Vec<RelPath>, Wrong> {
    let mut strays = Vec::new();
    for entry in list(file_system)? {
        let name = entry.path.file_name();
        if entry.path.parent() == head().parent() {
            // Versions, markers and what was to become one: checked by reading the record.
            continue;
        }
        if name == "_metadata" {
            check_published(story, file_system, &entry)?;
        } else if let Some(published) = name.strip_prefix(".tmp-_metadata-") {
            // Goes with the name that it was to have.
            if kept.iter().any(|kept| kept.parent() == entry.path.parent() && kept.file_name() == "_metadata") {
                continue;
            }
            debug_assert!(!published.is_empty());
            strays.extend(entry.path.parent().zip(RelPath::new("_metadata").ok()).map(|(at, name)| at.join(&name)));
            continue;
        } else if name.parse::<FileName>().is_err() {
            return Err(Wrong::Stray { path: entry.path });
        }
        if !kept.contains(&entry.path) {
            strays.push(entry.path);
        }
    }
    Ok(strays)
}

fn check_published(story: &Story, file_system: &dyn FileSystem, entry: &Entry) -> Result<(), Wrong> {
    let mut found = vec![0; usize::try_from(entry.length_bytes).unwrap_or(0)];
    let read = file_system.open(&entry.path)?.read_exact_at(&mut found, 0);
    let is_whole = read.is_ok() && story.published.iter().any(|(path, bytes)| *path == entry.path && *bytes == found);
    let torn = || Wrong::Torn { path: entry.path.clone(), found_bytes: entry.length_bytes };
    if is_whole { Ok(()) } else { Err(torn()) }
}

fn list(file_system: &dyn FileSystem) -> Result<Vec<Entry>> {
    file_system.list(None, None, usize::MAX)
}
