//! Opening and making the root.

use std::fs::{DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::file_system::local::beneath::Beneath;
use crate::file_system::local::durable::sync_parent;
use crate::file_system::local::error::LocalError;

/// Opens the root; `None` when it is not there. Links on the way to the root are followed: the path is the operator's.
pub(super) fn open(path: &Path) -> Result<Option<Beneath>, LocalError> {
    let whole = match path.canonicalize() {
        Ok(whole) => whole,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LocalError::io("open", path.to_owned(), error)),
    };
    let opened = File::open(&whole).and_then(|file| Ok((file.metadata()?.is_dir(), file)));
    match opened {
        Ok((true, file)) => Ok(Some(Beneath::new(file, whole))),
        Ok((false, _)) => Err(LocalError::io("use as a directory", whole, io::ErrorKind::NotADirectory)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LocalError::io("open", whole, error)),
    }
}

/// Makes the root and what is missing above it, durably, and opens it.
pub(super) fn make(path: &Path) -> Result<Beneath, LocalError> {
    let mut missing: Vec<PathBuf> = Vec::new();
    let mut existing = path;
    while !existing.as_os_str().is_empty() && !existing.exists() {
        missing.push(existing.to_owned());
        let Some(parent) = existing.parent() else { break };
        existing = parent;
    }
    // Whoever made the deepest one that exists may have died before its entry was durable. Each directory is made only
    // when the one above is durable, so those further up are.
    if !missing.is_empty() && !existing.as_os_str().is_empty() {
        sync_parent(existing)?;
    }
    for directory in missing.iter().rev() {
        match DirBuilder::new().mode(0o700).create(directory) {
            // The mode at creation was narrowed by the umask.
            Ok(()) => std::fs::set_permissions(directory, Permissions::from_mode(0o700))
                .map_err(|error| LocalError::io("set the mode of", directory.clone(), error))?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(LocalError::io("make directory", directory.clone(), error)),
        }
        sync_parent(directory)?;
    }
    open(path)?.ok_or_else(|| LocalError::io("open", path.to_owned(), io::ErrorKind::NotFound))
}
