//! Where something lies: as it is stored, and as users write it.
//!
//! * [`Uri`] is a place outside the job's own directory, in the one spelling that HEAD and metadata hold.
//! * [`StoragePath`] is what a user wrote: it says whether a directory for checkpoints is meant, and becomes a [`Uri`].
//! * [`UriParts`] says for both, and for whoever opens a file system, where a URI is divided.

mod parts;
mod redact;
mod storage_path;

use std::fmt;

pub use parts::UriParts;
pub(crate) use parts::encoded_separator;
pub(crate) use redact::redacted;
pub(crate) use storage_path::is_printable;
pub use storage_path::{StoragePath, StoragePathFlaw};

use crate::error::{Error, ErrorKind, Result};

/// Where a directory lies that is not below the job's own: an absolute URI, as HEAD and metadata may hold it.
///
/// It can be written down anywhere: it holds no user name, no password, no query and no fragment, in which secrets hide.
/// What stands before the `@` of Azure's `abfs`, `abfss`, `wasb` and `wasbs` is a container and no user.
/// It has one spelling: the scheme is in lower case, `file:` is followed by `///`, no component is empty, `.` or `..`, also
/// not when percent-encoded, and it does not end in a slash.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uri(String);

/// Text that is no such URI, or a path that has none. It says what is wrong and shows nothing that may be a secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum UriError {
    #[error("a URI has {found} bytes, expected 1 to {}", Uri::MAX_BYTES)]
    Length { found: usize },
    #[error("a URI has a control character, a space or a backslash at byte {offset}, expected none")]
    Character { offset: usize },
    #[error("a URI has no scheme in lower case, expected 'scheme:' in front of a path")]
    Scheme,
    #[error("a URI of scheme 'file' has another host or spelling, expected 'file:///' in front of a path")]
    File,
    #[error("a URI of scheme '{scheme}' names a user, expected none: what it may hold is a secret")]
    User { scheme: String },
    #[error("a URI of scheme '{scheme}' has a query or a fragment, expected none: what it may hold is a secret")]
    Query { scheme: String },
    #[error("the URI '{uri}' has the component '{component}', expected components that are not empty, '.' or '..'")]
    Component { uri: String, component: String },
    #[error("'{path}' is no place for checkpoints: {flaw}")]
    StoragePath { path: String, flaw: StoragePathFlaw },
    #[error("the URI '{uri}' has '{encoded}', expected no percent-encoded dot, slash, backslash or zero")]
    Encoded { uri: String, encoded: String },
}

impl Uri {
    /// The most bytes that one may have.
    pub const MAX_BYTES: usize = 4096;

    /// Checks the text.
    ///
    /// # Errors
    ///
    /// `Configuration`, with what is wrong; never with what may be a secret.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        check(&text)?;
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check(text: &str) -> Result<(), UriError> {
    if text.is_empty() || text.len() > Uri::MAX_BYTES {
        return Err(UriError::Length { found: text.len() });
    }
    let refused = |character: char| character.is_control() || character.is_whitespace() || character == '\\';
    if let Some(offset) = text.find(refused) {
        return Err(UriError::Character { offset });
    }
    let in_lower_case = |parts: &UriParts<'_>| !parts.scheme().contains(|c: char| c.is_ascii_uppercase());
    let parts = UriParts::of(text).filter(in_lower_case).ok_or(UriError::Scheme)?;
    let shown = || parts.scheme().to_owned();
    if parts.has_query() {
        return Err(UriError::Query { scheme: shown() });
    }
    if parts.scheme() == "file" && !parts.rest().starts_with("///") {
        return Err(UriError::File);
    }
    if parts.names_a_user() {
        return Err(UriError::User { scheme: shown() });
    }
    let path = match parts.authority() {
        // Whoever makes a path of a URI by its slashes takes the authority for a component.
        Some(authority @ ("." | "..")) => {
            return Err(UriError::Component { uri: text.to_owned(), component: authority.to_owned() });
        }
        // An authority alone is a place as well: a bucket.
        Some(authority) if parts.path().is_empty() => authority,
        _ => parts.path().strip_prefix('/').unwrap_or(parts.path()),
    };
    if let Some(component) = path.split('/').find(|component| ["", ".", ".."].contains(component)) {
        return Err(UriError::Component { uri: text.to_owned(), component: component.to_owned() });
    }
    match encoded_separator(text) {
        Some(encoded) => Err(UriError::Encoded { uri: text.to_owned(), encoded: encoded.to_owned() }),
        None => Ok(()),
    }
}

impl From<UriError> for Error {
    fn from(error: UriError) -> Self {
        Self::new(ErrorKind::Configuration, error)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.0)
    }
}

#[cfg(test)]
#[path = "uri_test.rs"]
mod uri_test;
