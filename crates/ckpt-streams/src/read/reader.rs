//! Opening stored state below known roots.

use std::sync::Arc;

use ckpt_core::state::{FileRef, Place, Root, StateHandle};
use ckpt_core::{Digest, Result};

use crate::StateDirectory;
use crate::read::error::ReadError;
use crate::read::file::StateFile;
use crate::read::file_input::FileInputStream;
use crate::read::inline::InlineInputStream;
use crate::read::options::{ReadOptions, Verification};
use crate::read::{StateInputStream, StateReader};

/// Reads inline state, state files and segments of them below known roots. By default every block is verified before a
/// byte of it is yielded.
#[derive(Debug)]
pub struct FileStateReader {
    directories: Vec<StateDirectory>,
    options: ReadOptions,
}

impl FileStateReader {
    /// A reader of those directories, at most one for each root. State below any other root is `NotFound`.
    pub fn new(directories: Vec<StateDirectory>) -> Self {
        Self { directories, options: ReadOptions::default() }
    }

    /// The same, reading so.
    #[must_use]
    pub fn with_options(self, options: ReadOptions) -> Self {
        Self { options, ..self }
    }

    /// Where the files below that root lie.
    pub(super) fn directory(&self, root: Root, file: &FileRef) -> Result<&StateDirectory, ReadError> {
        let found = self.directories.iter().find(|directory| directory.root == root);
        found.ok_or_else(|| ReadError::UnknownRoot { root, file: file.to_string() })
    }
}

impl StateReader for FileStateReader {
    fn open(&self, handle: &StateHandle) -> Result<Box<dyn StateInputStream>> {
        let verification = self.options.verification;
        match handle.place() {
            Place::Inline(bytes) => {
                verify_inline(handle, bytes, verification)?;
                Ok(Box::new(InlineInputStream::new(bytes.clone())))
            }
            Place::File { root, file } | Place::Segment { root, file, .. } => {
                let file = StateFile::open(self.directory(*root, file)?, file, handle, verification)?;
                Ok(Box::new(FileInputStream::new(Arc::new(file), self.options.read_ahead.as_ref())))
            }
            place => Err(ReadError::UnknownPlace { place: format!("{place:?}") }.into()),
        }
    }
}

/// Whether inline bytes are those of their handle, as far as they are to be compared.
pub(crate) fn verify_inline(handle: &StateHandle, bytes: &[u8], verification: Verification) -> Result<(), ReadError> {
    if verification == Verification::Off {
        return Ok(());
    }
    let length_bytes = bytes.len() as u64;
    if length_bytes != handle.length_bytes() {
        return Err(ReadError::InlineLength { expected_bytes: handle.length_bytes(), found_bytes: length_bytes });
    }
    if verification == Verification::Lengths {
        return Ok(());
    }
    let expected = handle.digest().ok_or_else(|| ReadError::no_digest(handle))?;
    match Digest::of(bytes) {
        found if found == expected => Ok(()),
        found => Err(ReadError::Inline { length_bytes, expected, found }),
    }
}
