//! The `_metadata` that a path means.

use std::fs::{self, File, FileType};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, FileTypeExt as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use ckpt_core::id::JobId;
use ckpt_core::mark::SavepointMark;
use ckpt_core::metadata::MetadataSource;
use ckpt_storage::METADATA_FILE;
use rustix::fs::{Mode, OFlags};

use crate::error::{CommandError, MetadataError};
use crate::marks::given_up;

/// What every metadata file of ours begins with.
const MAGIC: [u8; 8] = *b"CKPTMETA";

/// A metadata file that is there, and whose it is.
pub(crate) struct MetadataFile {
    /// The file. Nothing above it is a link.
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
        let real = real_path(path)?;
        if real.is_dir() { Self::in_directory(&real) } else { Self::open(real) }.map_err(|error| match error {
            CommandError::Missing { .. } => CommandError::Missing { path: path.into() },
            CommandError::WithoutMetadata { .. } => CommandError::WithoutMetadata { path: path.into() },
            error => error,
        })
    }

    /// The metadata in that directory, whose path has no links.
    pub(crate) fn in_directory(directory: &Path) -> Result<Self, CommandError> {
        match Self::open(directory.join(METADATA_FILE)) {
            Err(CommandError::Missing { .. }) => Err(CommandError::WithoutMetadata { path: directory.into() }),
            opened => opened,
        }
    }

    fn open(path: PathBuf) -> Result<Self, CommandError> {
        // What is no file is not opened as far as that is known: with some devices that does something.
        let kind = match fs::metadata(&path) {
            Ok(found) => found.file_type(),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(unreadable(&path, error)),
            Err(_) if path.is_symlink() => return Err(MetadataError::NoFile { found: "a link to nothing" }.of(&path)),
            Err(error) if is_missing(&error) => return Err(CommandError::Missing { path }),
            Err(error) => return Err(unreadable(&path, error)),
        };
        if !kind.is_file() {
            return Err(MetadataError::NoFile { found: name_of(kind) }.of(&path));
        }
        let directory = path.parent().unwrap_or(&path).to_owned();
        let opened = open_file(&path).and_then(|file| {
            let mut first = Vec::new();
            (&file).take(MAGIC.len() as u64).read_to_end(&mut first)?;
            Ok((file.metadata()?.len(), first, file))
        });
        let (length_bytes, first, file) = opened.map_err(|source| unreadable(&path, source))?;
        let format = if first == MAGIC {
            MetadataFormat::Ckpt
        } else if first.starts_with(&ckpt_flink::MAGIC) {
            MetadataFormat::Flink
        } else if let Some(SavepointMark { id, job, .. }) = given_up(&directory) {
            return Err(MetadataError::GivenUp { id, job }.of(&path));
        } else {
            let found = match first.as_slice() {
                [] => "is empty".to_owned(),
                first => {
                    let bytes: Vec<_> = first.iter().map(|byte| format!("{byte:02x}")).collect();
                    format!("begins with {}", bytes.join(" "))
                }
            };
            return Err(MetadataError::Foreign { found }.of(&path));
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
        MetadataError::Invalid(source).of(&self.path)
    }

    /// An error of the file system.
    pub(crate) fn unreadable(&self, source: io::Error) -> CommandError {
        unreadable(&self.path, source)
    }

    /// So many bytes are behind its end.
    pub(crate) fn trailing(&self, length_bytes: u64) -> CommandError {
        let offset_bytes = self.length_bytes.saturating_sub(length_bytes);
        MetadataError::Trailing { offset_bytes, length_bytes }.of(&self.path)
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

/// Opens a regular file, whatever has come into its place since somebody looked: a pipe is not waited for.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    match file.metadata()?.file_type() {
        kind if kind.is_file() => Ok(file),
        kind => Err(io::Error::other(format!("is {}, expected a file", name_of(kind)))),
    }
}

/// That path without links and `..`, but for a file that is itself a link: the directory that the link is in counts. What
/// directories are called says which job a snapshot is of, so names of links must not.
pub(crate) fn real_path(path: &Path) -> Result<PathBuf, CommandError> {
    let failed = |source: io::Error| match is_missing(&source) {
        true => CommandError::Missing { path: path.into() },
        false => CommandError::Unreadable { path: path.into(), source },
    };
    match path.file_name() {
        Some(name) if !path.is_dir() => {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            let real = parent.unwrap_or(Path::new(".")).canonicalize().map_err(failed)?.join(name);
            real.symlink_metadata().map(|_| real).map_err(failed)
        }
        _ => path.canonicalize().map_err(failed),
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn unreadable(path: &Path, source: io::Error) -> CommandError {
    MetadataError::Unreadable { source }.of(path)
}

fn name_of(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_become_a_pipe_or_a_directory_is_not_waited_for() {
        let scratch = tempfile::tempdir().unwrap();
        let pipe = scratch.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert_eq!(open_file(&pipe).unwrap_err().to_string(), "is a pipe, expected a file");
        assert_eq!(open_file(scratch.path()).unwrap_err().to_string(), "is a directory, expected a file");
        fs::write(scratch.path().join("file"), "x").unwrap();
        assert_eq!(open_file(&scratch.path().join("file")).unwrap().metadata().unwrap().len(), 1);
    }
}
