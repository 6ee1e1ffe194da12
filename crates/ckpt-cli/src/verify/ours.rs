//! Files of ours: every byte is held against its digest.

use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use ckpt_core::state::{Root, StateHandle};
use ckpt_core::{ErrorKind, Result};
use ckpt_storage::{SHARED_DIRECTORY, TASK_OWNED_DIRECTORY};
use ckpt_streams::file_system::{FileSystem, LocalFileSystem};
use ckpt_streams::{FileStateReader, StateDirectory, StateReader as _};

use super::maps::Maps;
use super::references::{Reference, References};
use super::verdict::{FoundBy, Problem, ProblemKind, VerifiedSnapshot};
use crate::error::CommandError;
use crate::metadata_file::MetadataFile;
use crate::snapshot::{SnapshotHead, root_name};

/// As much as a reader verifies at once, where it was read.
const READ_BYTES: usize = 256 << 10;

/// Reads files below the roots of a snapshot.
pub(super) struct OurFiles {
    reader: FileStateReader,
    /// The roots that it names, and how they were found.
    named: Vec<(String, FoundBy)>,
    /// Those that cannot be opened, and why.
    closed: Vec<(String, ProblemKind, String)>,
}

impl OurFiles {
    /// The roots of that snapshot: its own directory, those of its job next to it, and those that it names.
    ///
    /// # Errors
    ///
    /// `Configuration`, naming the root that cannot be opened.
    pub(super) fn open(file: &MetadataFile, head: &SnapshotHead, maps: &Maps) -> Result<Self> {
        let job = file.directory.parent().unwrap_or(&file.directory);
        let mut directories = vec![
            StateDirectory::new(Root::ThisSnapshot, local(&file.directory)?, None),
            StateDirectory::new(Root::JobShared, local(&job.join(SHARED_DIRECTORY))?, None),
            StateDirectory::new(Root::JobTaskOwned, local(&job.join(TASK_OWNED_DIRECTORY))?, None),
        ];
        let own = if file.job_directory_name().is_some() { job } else { &file.directory };
        let (mut named, mut closed) = (Vec::new(), Vec::new());
        for (root, uri) in &head.places {
            let name = root_name(*root);
            let found = match maps.directory(uri) {
                Ok(found) => found,
                Err(why) => {
                    closed.push((name, ProblemKind::Elsewhere, why));
                    continue;
                }
            };
            let by = match found.is_mapped {
                true => FoundBy::Map,
                false if found.path.starts_with(own) => FoundBy::Place,
                false => FoundBy::OtherPlace,
            };
            match local(&found.path) {
                Ok(opened) => {
                    directories.push(StateDirectory::new(*root, opened, None));
                    named.push((name, by));
                }
                Err(error) => closed.push((name, ProblemKind::Unreadable, CommandError::chain(&error))),
            }
        }
        Ok(Self { reader: FileStateReader::new(directories), named, closed })
    }

    /// Reads all of them.
    pub(super) fn verify(&self, references: &References, verified: &mut VerifiedSnapshot) {
        let mut buffer = vec![0; READ_BYTES];
        for (name, reference) in &references.files {
            match self.verify_one(name, reference, &mut buffer) {
                Ok(digested) => {
                    match digested {
                        Digested::Yes => verified.files.with_digest += 1,
                        Digested::No => verified.files.without_digest += 1,
                    }
                    let by = self.named.iter().find(|(root, _)| is_below(name, root)).map(|(_, by)| *by);
                    verified.files.add(by.unwrap_or(FoundBy::Place));
                }
                Err((kind, message)) => {
                    verified.problems.push(Problem::of_file(kind, name, message, Some(reference.owners())));
                }
            }
        }
    }

    fn verify_one(
        &self,
        name: &str,
        reference: &Reference,
        buffer: &mut [u8],
    ) -> Result<Digested, (ProblemKind, String)> {
        if let Some((_, kind, why)) = self.closed.iter().find(|(root, ..)| is_below(name, root)) {
            return Err((*kind, why.clone()));
        }
        let mut digested = Digested::Yes;
        // One file has one content: if it is named in ways that contradict each other, one of them fails.
        for handle in reference.named.values() {
            self.read(handle, buffer).map_err(|error| (kind_of(&error), CommandError::chain(&error)))?;
            if handle.digest().is_none() {
                digested = Digested::No;
            }
        }
        Ok(digested)
    }

    fn read(&self, handle: &StateHandle, buffer: &mut [u8]) -> io::Result<()> {
        let as_io = |error: ckpt_core::Error| io::Error::new(io_kind(error.kind()), error);
        let mut stream = self.reader.open(handle).map_err(as_io)?;
        let mut read = 0;
        loop {
            match stream.read(buffer)? as u64 {
                0 => break,
                more => read += more,
            }
        }
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

/// Whether a file lies below the root of that name.
fn is_below(file: &str, root: &str) -> bool {
    file.split_once('/').is_some_and(|(first, _)| first == root)
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
