//! Finding the checkpoint that a user's pointer names.

use std::io;
use std::sync::Arc;

use ckpt_core::state::RelPath;
use ckpt_core::uri::{StoragePath, UriParts};
use ckpt_core::{ErrorKind, Result};
use ckpt_streams::file_system::FileSystem;

use crate::context::StorageContext;
use crate::error::StorageError;
use crate::file::metadata::MetadataFile;
use crate::layout::{METADATA_FILE, NOT_ADDRESSABLE};
use crate::view::CompletedLocation;

/// Finds the checkpoint that a pointer names: a directory with a `_metadata`, or such a file itself, by a relative path,
/// an absolute one or a URI.
///
/// # Errors
///
/// A message of its own for each way to be wrong: `Configuration` for a pointer that is none or whose file system is not
/// accessible, `NotFound` when nothing is there, `Corrupt` when it is no metadata.
pub(crate) fn resolve(pointer: &str, context: &StorageContext) -> Result<CompletedLocation> {
    let qualified = qualify(pointer)?;
    // What may be a secret is not shown.
    let pointer = &*StoragePath::from(pointer).to_string();
    let (parent, name) = split(&qualified, pointer)?;
    let file_system = context.file_systems.open(&parent).map_err(|source| {
        let kind = source.kind();
        StorageError::PointerFileSystem { pointer: pointer.to_owned(), source }.kind(kind)
    })?;
    let (path, found) = find(&file_system, &name, pointer)?;
    let metadata = MetadataFile::open(&*file_system, &path, format!("{parent}/{path}"))?.read()?;
    let found = match found {
        // The directory is what users know a checkpoint by.
        Found::File if name.as_str() == METADATA_FILE => parent,
        Found::File | Found::Directory => format!("{parent}/{name}"),
    };
    Ok(CompletedLocation::new(found, Arc::new(metadata)))
}

/// What a pointer names.
#[derive(Clone, Copy, Debug)]
enum Found {
    File,
    Directory,
}

/// The metadata file of `name`, which is either that or the directory that it is in.
fn find(file_system: &Arc<dyn FileSystem>, name: &RelPath, pointer: &str) -> Result<(RelPath, Found)> {
    let path = RelPath::new(format!("{name}/{METADATA_FILE}"))?;
    let in_directory = match file_system.open(&path) {
        Ok(_) => return Ok((path, Found::Directory)),
        Err(error) => error.kind(),
    };
    match file_system.open(name) {
        Ok(_) => return Ok((name.clone(), Found::File)),
        // Something is there that is no file.
        Err(error) if error.kind() != ErrorKind::NotFound => return in_directory_only(path, in_directory, pointer),
        Err(_) => {}
    }
    let below = file_system.list(Some(name), None, 1).map_err(|source| {
        let kind = source.kind();
        StorageError::PointerFileSystem { pointer: pointer.to_owned(), source }.kind(kind)
    })?;
    if below.is_empty() {
        return Err(StorageError::PointerMissing { pointer: pointer.to_owned() }.kind(ErrorKind::NotFound));
    }
    in_directory_only(path, in_directory, pointer)
}

/// A directory is there, and opening the metadata file in it failed so.
fn in_directory_only(path: RelPath, failed: ErrorKind, pointer: &str) -> Result<(RelPath, Found)> {
    match failed {
        ErrorKind::NotFound => {
            Err(StorageError::PointerWithoutMetadata { pointer: pointer.to_owned() }.kind(ErrorKind::NotFound))
        }
        // It is there and could not be opened; reading it says why, and names it.
        _ => Ok((path, Found::Directory)),
    }
}

/// A pointer as an absolute path without links, or as the URI that it is.
fn qualify(pointer: &str) -> Result<String> {
    if pointer.is_empty() {
        return Err(StorageError::PointerEmpty.configuration());
    }
    if pointer == NOT_ADDRESSABLE {
        return Err(StorageError::PointerIntoMemory { pointer: NOT_ADDRESSABLE }.configuration());
    }
    let path = StoragePath::from(pointer);
    let shown = || path.to_string();
    let not_valid = |why| StorageError::PointerNotValid { pointer: shown().escape_debug().to_string(), why };
    if pointer.chars().any(char::is_control) {
        return Err(not_valid("it has a control character").configuration());
    }
    let local = match UriParts::of(pointer) {
        Some(parts) if parts.scheme().eq_ignore_ascii_case("file") => {
            if parts.authority().is_some_and(|host| !host.is_empty()) || !parts.path().starts_with('/') {
                return Err(not_valid("a file URI has an absolute path and no host").configuration());
            }
            parts.decoded_path().ok_or_else(|| not_valid("a '%' in it encodes nothing that may be").configuration())?
        }
        Some(parts) if parts.rest().starts_with('/') => return Ok(path.normalized()?.as_str().to_owned()),
        _ => pointer.into(),
    };
    // What a user points to is found as any program would find it, through links and from the current directory; only
    // what lies below it is held together.
    let path = std::fs::canonicalize(&*local).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            StorageError::PointerMissing { pointer: shown() }.kind(ErrorKind::NotFound)
        }
        _ => StorageError::PointerUnreadable { pointer: shown(), source }.configuration(),
    })?;
    path.into_os_string().into_string().map_err(|_| not_valid("the path it leads to is not UTF-8").configuration())
}

/// The directory above and the last component.
fn split(qualified: &str, pointer: &str) -> Result<(String, RelPath)> {
    let not_valid = |why| StorageError::PointerNotValid { pointer: pointer.to_owned(), why }.configuration();
    let (parent, name) = qualified.rsplit_once('/').ok_or_else(|| not_valid("it has no directory"))?;
    let name = RelPath::new(name).map_err(|_| not_valid("it ends in no name of a file or directory"))?;
    let parent = if parent.is_empty() { "/" } else { parent };
    if parent.ends_with(':') || parent.ends_with(":/") {
        return Err(not_valid("it has no path part"));
    }
    Ok((parent.to_owned(), name))
}
