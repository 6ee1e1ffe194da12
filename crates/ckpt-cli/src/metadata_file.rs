//! The `_metadata` that a path means.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use ckpt_core::id::JobId;
use ckpt_core::metadata::MetadataSource;
use ckpt_storage::METADATA_FILE;

use crate::error::CommandError;

/// What every metadata file of ours begins with.
const MAGIC: [u8; 8] = *b"CKPTMETA";

/// A metadata file that is there, and whose it is.
pub(crate) struct MetadataFile {
    /// The file, by an absolute path.
    pub(crate) path: PathBuf,
    /// The directory that it lies in.
    pub(crate) directory: PathBuf,
    pub(crate) file: File,
    pub(crate) length_bytes: u64,
    pub(crate) format: MetadataFormat,
}

/// Who wrote a metadata file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MetadataFormat {
    /// These crates.
    Ckpt,
    Flink,
}

impl MetadataFile {
    /// The metadata in that directory, or the file itself.
    pub(crate) fn find(path: &Path) -> Result<Self, CommandError> {
        let found = existing(path)?;
        let given = std::path::absolute(path).map_err(|source| unreadable(path, source))?;
        if !found.is_dir() {
            return Self::open(given);
        }
        match Self::open(given.join(METADATA_FILE)) {
            Err(CommandError::Missing { .. }) => Err(CommandError::WithoutMetadata { path: path.into() }),
            opened => opened,
        }
    }

    fn open(path: PathBuf) -> Result<Self, CommandError> {
        // A pipe would wait for a writer when it is opened.
        if !existing(&path)?.is_file() {
            return Err(CommandError::Special { path });
        }
        let directory = path.parent().unwrap_or(&path).to_owned();
        let opened = File::open(&path).and_then(|file| {
            let mut first = Vec::new();
            (&file).take(MAGIC.len() as u64).read_to_end(&mut first)?;
            Ok((file.metadata()?.len(), first, file))
        });
        let (length_bytes, first, file) = opened.map_err(|source| unreadable(&path, source))?;
        let format = if first == MAGIC {
            MetadataFormat::Ckpt
        } else if first.starts_with(&ckpt_flink::MAGIC) {
            MetadataFormat::Flink
        } else {
            let found = match first.as_slice() {
                [] => "is empty".to_owned(),
                first => {
                    let bytes: Vec<_> = first.iter().map(|byte| format!("{byte:02x}")).collect();
                    format!("begins with {}", bytes.join(" "))
                }
            };
            return Err(CommandError::NoMetadata { path, found });
        };
        Ok(Self { path, directory, file, length_bytes, format })
    }

    /// The name of the directory that it lies in.
    pub(crate) fn directory_name(&self) -> Option<&str> {
        self.directory.file_name()?.to_str()
    }

    /// The name of the directory above, if it can be that of a job.
    pub(crate) fn job_directory_name(&self) -> Option<&str> {
        let name = self.directory.parent()?.file_name()?.to_str()?;
        name.parse::<JobId>().is_ok().then_some(name)
    }

    /// An error of reading it.
    pub(crate) fn error(&self, source: ckpt_core::Error) -> CommandError {
        CommandError::Metadata { path: self.path.clone(), source }
    }

    /// An error of the file system.
    pub(crate) fn unreadable(&self, source: io::Error) -> CommandError {
        unreadable(&self.path, source)
    }
}

impl MetadataSource for MetadataFile {
    fn length_bytes(&self) -> u64 {
        self.length_bytes
    }

    fn read_at(&self, offset_bytes: u64, length_bytes: usize) -> io::Result<Bytes> {
        let mut bytes = vec![0; length_bytes];
        self.file.read_exact_at(&mut bytes, offset_bytes)?;
        Ok(bytes.into())
    }
}

/// What is at that path, through links.
pub(crate) fn existing(path: &Path) -> Result<fs::Metadata, CommandError> {
    fs::metadata(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => CommandError::Missing { path: path.into() },
        _ => unreadable(path, source),
    })
}

fn unreadable(path: &Path, source: io::Error) -> CommandError {
    CommandError::Unreadable { path: path.into(), source }
}
