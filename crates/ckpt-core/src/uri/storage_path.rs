//! Directories as users write them.

use std::fmt;

use super::UriParts;
use super::redact::redacted;

/// Where files lie, as users write it: an absolute path, or a URI with a scheme.
///
/// A URI may hold a secret. `Display` and `Debug` leave out who it is for and what is asked for; [`as_str`](Self::as_str)
/// has all of it.
///
/// ```
/// use ckpt_core::uri::StoragePath;
///
/// let path = StoragePath::from("s3://key:secret@bucket/checkpoints");
/// assert_eq!(path.to_string(), "s3://***@bucket/checkpoints");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoragePath(String);

/// What keeps a path from being a directory for checkpoints and savepoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum StoragePathFlaw {
    /// It is relative.
    #[error("it is neither an absolute path nor a URI with a scheme")]
    NotAbsolute,
    /// It ends behind scheme and authority.
    #[error("it has no path part")]
    NoPath,
    /// It is a root, in which checkpoints would lie among other things.
    #[error("it is a root directory, expected one of its own for checkpoints")]
    Root,
    /// A component leads upwards.
    #[error("it has the component '..'")]
    Upwards,
    /// It names a user, or has a query or a fragment; paths are stored and shown.
    #[error("it has a user, a query or a fragment, in which a secret may be")]
    Secret,
    /// It does not read the same when it is written and read again.
    #[error("it has spaces around it or control characters in it")]
    Unprintable,
}

impl StoragePath {
    /// The path as it was written, secrets included.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first flaw, in the order in which they are listed; `None` of a directory for checkpoints and savepoints.
    pub fn flaw(&self) -> Option<StoragePathFlaw> {
        let parts = UriParts::of(&self.0);
        let path = parts.map_or(&*self.0, UriParts::path);
        if !path.starts_with('/') && (parts.is_none() || !path.is_empty()) {
            return Some(StoragePathFlaw::NotAbsolute);
        }
        if path.is_empty() {
            return Some(StoragePathFlaw::NoPath);
        }
        if path.bytes().all(|byte| byte == b'/') {
            return Some(StoragePathFlaw::Root);
        }
        if self.0.split('/').any(|component| component == "..") {
            return Some(StoragePathFlaw::Upwards);
        }
        if parts.is_some_and(|parts| parts.names_a_user() || parts.has_query()) {
            return Some(StoragePathFlaw::Secret);
        }
        (!is_printable(&self.0)).then_some(StoragePathFlaw::Unprintable)
    }
}

/// Whether text reads the same when it is written and read again.
pub(crate) fn is_printable(text: &str) -> bool {
    !text.starts_with(' ') && !text.ends_with(' ') && !text.chars().any(char::is_control)
}

impl From<String> for StoragePath {
    fn from(path: String) -> Self {
        Self(path)
    }
}

impl From<&str> for StoragePath {
    fn from(path: &str) -> Self {
        Self(path.to_owned())
    }
}

impl fmt::Display for StoragePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redacted(&self.0))
    }
}

impl fmt::Debug for StoragePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", redacted(&self.0))
    }
}
