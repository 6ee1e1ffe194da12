//! What a user's pointer leads to.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ckpt_core::id::JobId;
use ckpt_core::mark::{DisposalMark, SavepointMark};
use ckpt_core::state::RelPath;
use ckpt_core::uri::{StoragePath, Uri, UriParts};
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_streams::file_system::FileSystem;

use crate::context::StorageContext;
use crate::error::StorageError;
use crate::file::metadata::MetadataFile;
use crate::layout::{self, METADATA_FILE, NOT_ADDRESSABLE};
use crate::mark_file;

/// The directory that a pointer leads to, or the metadata file in it. What is there may still be anything.
#[derive(Clone, Debug)]
pub(crate) struct Pointed {
    /// The pointer by which it is found again.
    pub(crate) pointer: String,
    /// Opened where the directory's siblings are seen as well, if it has any.
    pub(crate) file_system: Arc<dyn FileSystem>,
    /// The directory below that; `None` for all of it.
    pub(crate) directory: Option<RelPath>,
    /// The metadata file below that. It need not be there.
    pub(crate) metadata_path: RelPath,
    /// What the user wrote, without what may be a secret.
    pub(crate) written: String,
    /// Where the file system was opened.
    location: String,
}

impl Pointed {
    /// Follows a pointer: a relative path, an absolute one or a URI, of a directory or of a metadata file of any name.
    /// Links in a local one are followed, as any program would.
    ///
    /// # Errors
    ///
    /// `Configuration` for a pointer that is none, whose file system is not accessible, or that leads to neither a file nor
    /// a directory; `NotFound` when nothing is there.
    pub(crate) fn find(pointer: &str, context: &StorageContext) -> Result<Self> {
        let pointed = Self::find_by(&|path| path.canonicalize(), pointer, context)?;
        let directory = pointed.directory.as_ref().map(|directory| pointed.file_system.open_root(directory));
        match directory {
            // A device, a pipe or a socket: a link would have been followed.
            Some(Err(error)) if error.kind() == ErrorKind::Corrupt => {
                Err(StorageError::PointerToNeither { pointer: pointed.written }.configuration())
            }
            _ => Ok(pointed),
        }
    }

    /// The same for what is to be deleted: a link in the place of the directory itself is not followed, so that none that
    /// was put there at this moment leads elsewhere. A `_metadata` stands for the directory that it is in.
    ///
    /// # Errors
    ///
    /// As of [`find`](Self::find). That a link is there shows when it is opened.
    pub(crate) fn find_itself(pointer: &str, context: &StorageContext) -> Result<Self> {
        Self::find_by(&canonical_above, pointer, context)
    }

    fn find_by(
        canonical: &dyn Fn(&Path) -> io::Result<PathBuf>,
        pointer: &str,
        context: &StorageContext,
    ) -> Result<Self> {
        let qualified = qualify(pointer, canonical)?;
        // What may be a secret is not shown.
        let written = StoragePath::from(pointer).to_string();
        let not_valid = |why| StorageError::PointerNotValid { pointer: written.clone(), why }.configuration();
        let (above, name) = split(&qualified).map_err(not_valid)?;
        let file_system = open(&above, &written, context)?;
        match kind_of(&*file_system, &name, &written)? {
            Found::Directory => Ok(Self {
                pointer: qualified,
                metadata_path: name.join(&layout::metadata_file()),
                directory: Some(name),
                file_system,
                written,
                location: above,
            }),
            Found::File => {
                // The directory is what users know a checkpoint by; of another name it would lead elsewhere.
                let pointer = if name.as_str() == METADATA_FILE { above.clone() } else { qualified };
                let (file_system, location, directory) = match split(&above) {
                    Ok((further, directory)) => (open(&further, &written, context)?, further, Some(directory)),
                    Err(_) => (file_system, above, None),
                };
                let metadata_path = directory.as_ref().map_or_else(|| name.clone(), |directory| directory.join(&name));
                Ok(Self { pointer, file_system, directory, metadata_path, written, location })
            }
        }
    }

    /// The metadata file.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is none, or the kind that the file system gives.
    pub(crate) fn open_metadata(&self) -> Result<MetadataFile> {
        MetadataFile::open(&*self.file_system, &self.metadata_path, self.show(&self.metadata_path))
    }

    /// The mark that says that the snapshot is being disposed of.
    ///
    /// # Errors
    ///
    /// `Corrupt` when there is one that cannot be used, `Configuration` when a newer program wrote it; `Retry` when it
    /// could not be read.
    pub(crate) fn disposal(&self) -> Result<Option<DisposalMark>> {
        self.mark(DisposalMark::FILE_NAME, DisposalMark::decode)
    }

    /// The mark that says which savepoint the directory belongs to.
    ///
    /// # Errors
    ///
    /// As of [`disposal`](Self::disposal).
    pub(crate) fn savepoint(&self) -> Result<Option<SavepointMark>> {
        self.mark(SavepointMark::FILE_NAME, SavepointMark::decode)
    }

    fn mark<M>(&self, name: &str, decode: impl FnOnce(&[u8]) -> Result<M>) -> Result<Option<M>> {
        let path = self.path_of(&layout::file_in_savepoint(name));
        let unusable = |source: Error| {
            let kind = source.kind();
            StorageError::MarkUnusable { path: self.show(&path), source }.kind(kind)
        };
        let found = mark_file::read(&*self.file_system, &path).map_err(unusable)?;
        found.map(|bytes| decode(&bytes)).transpose().map_err(unusable)
    }

    /// A path in the directory, below the root of the file system.
    pub(crate) fn path_of(&self, below: &RelPath) -> RelPath {
        self.directory.as_ref().map_or_else(|| below.clone(), |directory| directory.join(below))
    }

    /// The directory that a URI of ours names, which need not be there any more: the one above it is opened. `None` when it
    /// has none above, or that has gone, too.
    ///
    /// # Errors
    ///
    /// The kind that the file system gives when it cannot be opened.
    pub(crate) fn in_its_directory(uri: &Uri, context: &StorageContext) -> Result<Option<Self>> {
        let pointer = qualify(uri.as_str(), &|path| Ok(path.to_owned()))?;
        let Ok((location, name)) = split(&pointer) else { return Ok(None) };
        let written = uri.to_string();
        let file_system = open(&location, &written, context)?;
        let metadata_path = name.join(&layout::metadata_file());
        Ok(Some(Self { pointer, file_system, directory: Some(name), metadata_path, written, location }))
    }

    /// Where a pointer leads, as HEAD names a place, whether anything is there or not: links are followed as far as there are
    /// any.
    ///
    /// # Errors
    ///
    /// `Configuration` for a pointer that is none.
    pub(crate) fn place_of(pointer: &str) -> Result<Uri> {
        let directory = pointer.strip_suffix(METADATA_FILE).filter(|above| above.ends_with('/')).unwrap_or(pointer);
        StoragePath::from(qualify(directory, &canonical_as_far)?).to_uri()
    }

    /// Where a directory of that name lies beside this one.
    ///
    /// # Errors
    ///
    /// `Configuration` when that has no URI.
    pub(crate) fn beside(&self, name: &str) -> Result<Uri> {
        StoragePath::from(format!("{}/{name}", self.location.trim_end_matches('/'))).to_uri()
    }

    /// The job that the directory above is named by, if it is one.
    pub(crate) fn job_above(&self) -> Option<JobId> {
        self.directory.as_ref()?;
        self.location.rsplit('/').next()?.parse().ok()
    }

    /// A path below the root of the file system as people know it, for errors.
    pub(crate) fn show(&self, path: &RelPath) -> String {
        format!("{}/{path}", self.location.trim_end_matches('/'))
    }

    /// An error of the file system.
    pub(crate) fn not_accessible(&self, source: Error) -> Error {
        not_accessible(&self.written, source)
    }
}

/// What a pointer names.
#[derive(Clone, Copy, Debug)]
enum Found {
    File,
    Directory,
}

fn kind_of(file_system: &dyn FileSystem, name: &RelPath, written: &str) -> Result<Found> {
    let failed = |source| not_accessible(written, source);
    let not_opened = match file_system.open(name) {
        Ok(_) => return Ok(Found::File),
        // Something is there that is no file.
        Err(error) if error.kind() == ErrorKind::Corrupt => return Ok(Found::Directory),
        Err(error) => error,
    };
    if !file_system.list(Some(name), None, 1).map_err(failed)?.is_empty() {
        return Ok(Found::Directory);
    }
    Err(match not_opened.kind() {
        kind @ ErrorKind::NotFound => StorageError::PointerMissing { pointer: written.to_owned() }.kind(kind),
        _ => failed(not_opened),
    })
}

fn open(location: &str, written: &str, context: &StorageContext) -> Result<Arc<dyn FileSystem>> {
    context.file_systems.open(location).map_err(|source| not_accessible(written, source))
}

fn not_accessible(written: &str, source: Error) -> Error {
    let kind = source.kind();
    StorageError::PointerFileSystem { pointer: written.to_owned(), source }.kind(kind)
}

/// A pointer as an absolute path without links, or as the URI that it is.
fn qualify(pointer: &str, canonical: &dyn Fn(&Path) -> io::Result<PathBuf>) -> Result<String> {
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
            if parts.authority().is_some_and(|host| !["", "localhost"].contains(&host))
                || !parts.path().starts_with('/')
            {
                return Err(not_valid("a file URI has an absolute path and no host but localhost").configuration());
            }
            parts.decoded_path().ok_or_else(|| not_valid("a '%' in it encodes nothing that may be").configuration())?
        }
        Some(parts) if parts.rest().starts_with('/') => return Ok(path.normalized()?.as_str().to_owned()),
        _ => pointer.into(),
    };
    // What a user points to is found as any program would find it, through links and from the current directory; only
    // what lies below it is held together.
    let path = canonical(Path::new(&*local)).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            StorageError::PointerMissing { pointer: shown() }.kind(ErrorKind::NotFound)
        }
        _ => StorageError::PointerUnreadable { pointer: shown(), source }.configuration(),
    })?;
    path.into_os_string().into_string().map_err(|_| not_valid("the path it leads to is not UTF-8").configuration())
}

/// A path without links, but that of a directory's own name.
fn canonical_above(path: &Path) -> io::Result<PathBuf> {
    let directory = match path.parent().filter(|_| path.file_name() == Some(METADATA_FILE.as_ref())) {
        Some(above) if above.as_os_str().is_empty() => Path::new("."),
        Some(above) => above,
        None => path,
    };
    match (directory.parent(), directory.file_name()) {
        (Some(above), Some(name)) => {
            let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
            Ok(above.canonicalize()?.join(name))
        }
        // It names no link: it is the root, or ends in `.` or `..`.
        _ => directory.canonicalize(),
    }
}

/// A path without links as far as it exists; what follows is as it is written.
fn canonical_as_far(path: &Path) -> io::Result<PathBuf> {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Err(_), Some(above), Some(name)) if path.has_root() || above != Path::new("") => {
            Ok(canonical_as_far(above)?.join(name))
        }
        (Err(_), Some(_), Some(name)) => Ok(Path::new(".").canonicalize()?.join(name)),
        (canonical, ..) => canonical,
    }
}

/// The directory above and the last component, as the file system of that directory calls it.
fn split(qualified: &str) -> Result<(String, RelPath), &'static str> {
    let (above, name) = qualified.rsplit_once('/').ok_or("it has no directory")?;
    let decoded = match UriParts::of(qualified) {
        Some(parts) => parts.decoded_path().ok_or("a '%' in it encodes nothing that may be")?,
        None => qualified.into(),
    };
    let name = decoded.rsplit_once('/').map_or(name, |(_, name)| name);
    let name = RelPath::new(name).map_err(|_| why_no_name(name))?;
    match above {
        "" => Ok(("/".to_owned(), name)),
        above if above.ends_with(':') || above.ends_with(":/") => Err("it has no path part"),
        above => Ok((above.to_owned(), name)),
    }
}

/// Why a last component is no path of ours.
fn why_no_name(name: &str) -> &'static str {
    if matches!(name, "" | "." | "..") {
        "it ends in no name of a file or directory"
    } else if name.contains(':') {
        "its last name has a ':', which would make a scheme or a drive of it: rename it"
    } else if name.contains('\\') {
        "its last name has a '\\', which no path of ours may have: rename it"
    } else {
        "its last name has a control character, or a percent-encoded dot, slash, backslash or zero: rename it"
    }
}
