//! Reading `_metadata`.

use std::io;

use bytes::Bytes;
use ckpt_core::head::RetainedSnapshot;
use ckpt_core::id::JobId;
use ckpt_core::mark::SavepointMark;
use ckpt_core::metadata::{CheckpointMetadata, MetadataReader, MetadataSource, MetadataSummary, WrittenMetadata};
use ckpt_core::state::RelPath;
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_streams::file_system::{FileSystem, ReadAt};

use crate::error::StorageError;
use crate::mark_file;

/// The first bytes of a metadata file of Flink's.
const FLINKS_MAGIC: [u8; 4] = [0x49, 0x60, 0x67, 0x2d];

/// A metadata file that is there. Its errors name it.
#[derive(Debug)]
pub(crate) struct MetadataFile {
    file: Box<dyn ReadAt>,
    /// The path as people know it.
    shown: String,
}

impl MetadataFile {
    /// # Errors
    ///
    /// `NotFound` when there is none, or the kind that the file system gives.
    pub(crate) fn open(file_system: &dyn FileSystem, path: &RelPath, shown: String) -> Result<Self> {
        match file_system.open(path) {
            Ok(file) => Ok(Self { file, shown }),
            Err(source) => Err(match source.kind() {
                kind @ ErrorKind::NotFound => StorageError::MetadataMissing { path: shown, source }.kind(kind),
                kind => StorageError::MetadataNotOpened { path: shown, source }.kind(kind),
            }),
        }
    }

    /// What is known without reading state.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it is damaged, `Retry` when it could not be read.
    pub(crate) fn summary(&self) -> Result<MetadataSummary> {
        MetadataSummary::read(self).map_err(|source| self.damaged(source))
    }

    /// All of it.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it is damaged, `Retry` when it could not be read.
    pub(crate) fn read(&self) -> Result<CheckpointMetadata> {
        MetadataReader::open(self).and_then(|reader| reader.read_all()).map_err(|source| self.damaged(source))
    }

    /// All of it, and what tells the file from any other.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it is damaged, `Retry` when it could not be read.
    pub(crate) fn read_written(&self) -> Result<(CheckpointMetadata, WrittenMetadata)> {
        let read = || {
            let reader = MetadataReader::open(self)?;
            let written = reader.written();
            Ok((reader.read_all()?, written))
        };
        read().map_err(|source| self.damaged(source))
    }

    /// What tells the file from any other, of which only the end is read.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it is damaged, `Retry` when it could not be read.
    pub(crate) fn written(&self) -> Result<WrittenMetadata> {
        MetadataReader::open(self).map(|reader| reader.written()).map_err(|source| self.damaged(source))
    }

    /// All of it, if it is the metadata of that job's snapshot that HEAD names.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it is another or damaged, `Retry` when it could not be read.
    pub(crate) fn read_retained(&self, job: JobId, snapshot: &RetainedSnapshot) -> Result<CheckpointMetadata> {
        let read = || {
            let reader = MetadataReader::open(self)?;
            reader.verify(snapshot)?;
            reader.read_all()
        };
        let metadata = read().map_err(|source| self.damaged(source))?;
        let found = metadata.summary().job;
        if found != job {
            let path = self.shown.clone();
            return Err(StorageError::MetadataOfAnotherJob { path, found, expected: job }.corrupt());
        }
        Ok(metadata)
    }

    /// Whether it begins as those of Flink do.
    pub(crate) fn is_of_flink(&self) -> bool {
        let mut magic = [0; FLINKS_MAGIC.len()];
        self.file.read_exact_at(&mut magic, 0).is_ok() && magic == FLINKS_MAGIC
    }

    fn damaged(&self, source: Error) -> Error {
        let kind = source.kind();
        if kind == ErrorKind::Corrupt {
            if let Some(other) = self.no_metadata() {
                return other;
            }
        }
        StorageError::MetadataNotRead { path: self.shown.clone(), source }.kind(kind)
    }

    /// What it is that is there in the place of metadata, as far as that is known.
    fn no_metadata(&self) -> Option<Error> {
        let path = self.shown.clone();
        if self.is_of_flink() {
            return Some(StorageError::MetadataOfFlink { path }.configuration());
        }
        let beginning = mark_file::beginning_of(&*self.file).ok()?;
        let SavepointMark { id, job, .. } = SavepointMark::decode(&beginning).ok()?;
        Some(StorageError::MetadataGivenUp { path, id, job }.kind(ErrorKind::NotFound))
    }
}

impl MetadataSource for MetadataFile {
    fn length_bytes(&self) -> u64 {
        self.file.length_bytes()
    }

    fn read_at(&self, offset_bytes: u64, length_bytes: usize) -> io::Result<Bytes> {
        let mut bytes = vec![0; length_bytes];
        self.file.read_exact_at(&mut bytes, offset_bytes)?;
        Ok(Bytes::from(bytes))
    }
}
