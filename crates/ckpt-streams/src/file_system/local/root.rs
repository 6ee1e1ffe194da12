//! Opening and making the root.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::io::{Errno, retry_on_intr};

use crate::file_system::local::beneath::{Beneath, patiently};
use crate::file_system::local::durable::sync_parent;
use crate::file_system::local::error::LocalError;
use crate::file_system::local::system::System;

/// Opens the root; `None` when it is not there. Links on the way to the root are followed: the path is the operator's.
pub(super) fn open(system: &Arc<dyn System>, path: &Path) -> Result<Option<Beneath>, LocalError> {
    let mut unknown = io::Error::from(Errno::ACCESS);
    let canonical = || {
        system.canonical(path).map_err(|error| {
            let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
            unknown = error;
            errno
        })
    };
    let whole = match patiently(canonical) {
        Ok(whole) => whole,
        Err(Errno::NOENT) => return Ok(None),
        Err(_) => return Err(LocalError::io("open", path.to_owned(), unknown)),
    };
    match patiently(|| system.open_directory(&whole)) {
        Ok(root) => Ok(Some(Beneath::new(Arc::clone(system), root, whole))),
        Err(Errno::NOENT) => Ok(None),
        Err(Errno::NOTDIR) => Err(LocalError::io("use as a directory", whole, Errno::NOTDIR)),
        Err(error) => Err(LocalError::io("open", whole, error)),
    }
}

/// Makes the root and what is missing above it, durably, and opens it.
pub(super) fn make(system: &Arc<dyn System>, path: &Path) -> Result<Beneath, LocalError> {
    let mut missing: Vec<PathBuf> = Vec::new();
    let mut existing = path;
    while !existing.as_os_str().is_empty() && system.canonical(existing).is_err() {
        missing.push(existing.to_owned());
        let Some(parent) = existing.parent() else { break };
        existing = parent;
    }
    // Whoever made the deepest one that exists may have died before its entry was durable. Each directory is made only
    // when the one above is durable, so those further up are.
    if !missing.is_empty() && !existing.as_os_str().is_empty() {
        sync_parent(&**system, existing)?;
    }
    for directory in missing.iter().rev() {
        match patiently(|| system.make_directory(directory)) {
            // The mode at creation was narrowed by the umask.
            Ok(()) => retry_on_intr(|| system.set_directory_mode(directory))
                .map_err(|error| LocalError::io("set the mode of", directory.clone(), error))?,
            Err(Errno::EXIST) => {}
            Err(error) => return Err(LocalError::io("make directory", directory.clone(), error)),
        }
        sync_parent(&**system, directory)?;
    }
    open(system, path)?.ok_or_else(|| LocalError::io("open", path.to_owned(), io::ErrorKind::NotFound))
}
