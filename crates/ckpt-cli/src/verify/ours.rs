//! Files of ours: every byte is held against its digest.

use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use ckpt_core::state::{Place, Root, StateHandle};
use ckpt_core::uri::UriParts;
use ckpt_core::{ErrorKind, Result};
use ckpt_storage::{SHARED_DIRECTORY, TASK_OWNED_DIRECTORY};
use ckpt_streams::file_system::{FileSystem, FileSystems, LocalFileSystem};
use ckpt_streams::{FileStateReader, StateDirectory, StateReader as _};

use super::references::{Expected, Reference, References};
use super::verdict::{FileCounts, FoundBy, Problem, ProblemKind};
use crate::error::CommandError;
use crate::flink::path::FlinkPath;
use crate::map_root::MapRoot;
use crate::metadata_file::MetadataFile;
use crate::snapshot::{PieceFile, SnapshotHead, root_name};

/// Reads files below the roots of a snapshot.
pub(super) struct OurFiles {
    reader: FileStateReader,
    /// The roots that were found by a map.
    mapped: Vec<String>,
    /// The roots that cannot be opened, and why.
    closed: Vec<(String, String)>,
}

impl OurFiles {
    /// The roots of that snapshot: its own directory, those of its job next to it, and those that it names.
    ///
    /// # Errors
    ///
    /// `Configuration`, naming the root that cannot be opened.
    pub(super) fn open(file: &MetadataFile, head: &SnapshotHead, maps: &[MapRoot]) -> Result<Self> {
        let job = file.directory.parent().unwrap_or(&file.directory);
        let mut directories = vec![
            StateDirectory::new(Root::ThisSnapshot, local(&file.directory)?, None),
            StateDirectory::new(Root::JobShared, local(&job.join(SHARED_DIRECTORY))?, None),
            StateDirectory::new(Root::JobTaskOwned, local(&job.join(TASK_OWNED_DIRECTORY))?, None),
        ];
        let (mut mapped, mut closed) = (Vec::new(), Vec::new());
        for (root, uri) in &head.places {
            let here = maps.iter().find_map(|map| map.to_local(&as_path(uri)));
            mapped.extend(here.as_ref().map(|_| root_name(*root)));
            match here.map_or_else(|| FileSystems::local().open(uri.as_str()), |here| local(&here)) {
                Ok(opened) => directories.push(StateDirectory::new(*root, opened, None)),
                Err(error) => closed.push((root_name(*root), CommandError::chain(&error))),
            }
        }
        Ok(Self { reader: FileStateReader::new(directories), mapped, closed })
    }

    /// Reads all of them.
    pub(super) fn verify(&self, references: &References, counts: &mut FileCounts) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (name, reference) in &references.files {
            let is_below = |root: &str| name.split_once('/').is_some_and(|(first, _)| first == root);
            let verified = match self.closed.iter().find(|(root, _)| is_below(root)) {
                Some((_, why)) => Err((ProblemKind::Elsewhere, format!("{why}: say with --map-root where it is"))),
                None => self.verify_one(reference),
            };
            match verified {
                Ok(has_digest) => {
                    match has_digest {
                        Digested::Yes => counts.with_digest += 1,
                        Digested::No => counts.without_digest += 1,
                    }
                    let by_map = self.mapped.iter().any(|root| is_below(root));
                    counts.add(if by_map { FoundBy::Map } else { FoundBy::Place });
                }
                Err((kind, message)) => {
                    problems.push(Problem::of_file(kind, name, message, reference.owners()));
                }
            }
        }
        problems
    }

    fn verify_one(&self, reference: &Reference) -> Result<Digested, (ProblemKind, String)> {
        let PieceFile::Ours { handle, .. } = &reference.file else { return Ok(Digested::No) };
        // One file has one content, so all that name it must say the same.
        if reference.expected.len() > 1 && reference.expected.keys().all(|it| matches!(it, Expected::Exactly(_))) {
            return Err((
                ProblemKind::WrongLength,
                "is named with several lengths, of which at most one is its".into(),
            ));
        }
        let has_digest = if handle.digest().is_some() { Digested::Yes } else { Digested::No };
        match self.read(handle) {
            Ok(()) => Ok(has_digest),
            Err(error) => Err((kind_of(&error), CommandError::chain(&error))),
        }
    }

    fn read(&self, handle: &StateHandle) -> io::Result<()> {
        let as_io = |error: ckpt_core::Error| io::Error::new(io_kind(error.kind()), error);
        if let Place::Segment { .. } = handle.place() {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "is a part of a file, which is not read yet"));
        }
        let mut stream = self.reader.open(handle).map_err(as_io)?;
        let read = io::copy(&mut stream.by_ref(), &mut io::sink())?;
        match handle.length_bytes() {
            expected if read == expected => Ok(()),
            expected => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("has {read} bytes of state, expected {expected}"),
            )),
        }
    }
}

/// Whether a digest was there to hold bytes against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digested {
    Yes,
    No,
}

/// A URI as maps are written: nothing in it is percent-encoded.
fn as_path(uri: &str) -> FlinkPath {
    let decoded = UriParts::of(uri).and_then(|parts| {
        let host = parts.authority().map_or_else(String::new, |host| format!("//{host}"));
        Some(format!("{}:{host}{}", parts.scheme(), parts.decoded_path()?))
    });
    FlinkPath::new(decoded.as_deref().unwrap_or(uri))
}

fn local(directory: &Path) -> Result<Arc<dyn FileSystem>> {
    Ok(Arc::new(LocalFileSystem::open(directory)?))
}

const fn io_kind(kind: ErrorKind) -> io::ErrorKind {
    match kind {
        ErrorKind::NotFound => io::ErrorKind::NotFound,
        ErrorKind::Corrupt => io::ErrorKind::InvalidData,
        _ => io::ErrorKind::Other,
    }
}

fn kind_of(error: &io::Error) -> ProblemKind {
    match error.kind() {
        io::ErrorKind::NotFound => ProblemKind::Missing,
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => ProblemKind::Damaged,
        _ => ProblemKind::Unreadable,
    }
}
