//! Directories as users write them.

use std::borrow::Cow;
use std::fmt;

use super::redact::redacted;
use super::{Uri, UriError, UriParts, encoded_separator};
use crate::error::Result;

/// Where files lie, as users write it: an absolute path, or a URI with a scheme.
///
/// A plain path is one of this machine, and every character in it is meant as it stands there. In a URI `%20` and a space
/// mean the same.
///
/// A URI may hold a secret. `Display` and `Debug` leave out who it is for and what is asked for; [`as_str`](Self::as_str)
/// has all of it.
///
/// ```
/// use ckpt_core::uri::StoragePath;
///
/// let path = StoragePath::from("s3://key:secret@bucket/checkpoints");
/// assert_eq!(path.to_string(), "s3://***@bucket/checkpoints");
/// assert_eq!(StoragePath::from("/var/my state/").to_uri()?.as_str(), "file:///var/my%20state");
/// # Ok::<(), ckpt_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoragePath(String);

/// What keeps a path from being a directory for checkpoints and savepoints, or a snapshot below one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum StoragePathFlaw {
    /// It is relative, or begins with a host and no scheme.
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
    /// What stands for a host is none.
    #[error("what follows '//' is no name of a host or bucket, or is one though the scheme is 'file'")]
    Host,
    /// One program takes it for part of a name and another for a separator.
    #[error("it has a backslash, or a percent-encoded dot, slash, backslash or zero")]
    Separator,
    /// HEAD could not hold the URIs of what lies below it.
    #[error("its URI is longer than {} bytes, or {} for a directory", Uri::MAX_BYTES, StoragePath::MAX_DIRECTORY_BYTES)]
    TooLong,
}

impl StoragePath {
    /// The path as it was written, secrets included.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The most bytes that the URI of a directory may have: with the names of job and snapshot below it, it still is a
    /// [`Uri`] and fits a [`LocationReference`](crate::snapshot::LocationReference).
    pub const MAX_DIRECTORY_BYTES: usize = Uri::MAX_BYTES - 256;

    /// The first flaw, in the order in which they are listed; `None` of a directory for checkpoints and savepoints.
    pub fn flaw(&self) -> Option<StoragePathFlaw> {
        self.normal(Self::MAX_DIRECTORY_BYTES).err()
    }

    /// The first flaw of a path to a snapshot, which lies below a directory for them.
    pub fn snapshot_flaw(&self) -> Option<StoragePathFlaw> {
        self.normal(Uri::MAX_BYTES).err()
    }

    /// The path in its one spelling, as Flink's `Path` has it: the scheme is in lower case, no slash stands twice or at the
    /// end, there is no component `.`, and `file:/a` is `file:///a`.
    ///
    /// # Errors
    ///
    /// `Configuration`, with the [flaw](Self::snapshot_flaw).
    pub fn normalized(&self) -> Result<Self> {
        self.normal(Uri::MAX_BYTES).map(|normal| Self(normal.text())).map_err(|flaw| self.refused(flaw).into())
    }

    /// The URI of that place, as HEAD and metadata may hold it. Of a plain path it is the one with `file:///`.
    ///
    /// # Errors
    ///
    /// `Configuration`, with the [flaw](Self::snapshot_flaw).
    pub fn to_uri(&self) -> Result<Uri> {
        Uri::new(self.normal(Uri::MAX_BYTES).map_err(|flaw| self.refused(flaw))?.uri())
    }

    fn refused(&self, flaw: StoragePathFlaw) -> UriError {
        UriError::StoragePath { path: self.to_string().escape_debug().to_string(), flaw }
    }

    fn normal(&self, most_bytes: usize) -> Result<Normal<'_>, StoragePathFlaw> {
        let parts = UriParts::of(&self.0);
        let path = parts.map_or(&*self.0, UriParts::path);
        let names_a_host = parts.is_none() && path.starts_with("//") && !path.bytes().all(|byte| byte == b'/');
        if !path.starts_with('/') && (parts.is_none() || !path.is_empty()) || names_a_host && !path.starts_with("///") {
            return Err(StoragePathFlaw::NotAbsolute);
        }
        if path.is_empty() {
            return Err(StoragePathFlaw::NoPath);
        }
        let components = || path.split('/').filter(|component| !matches!(*component, "" | "."));
        if components().next().is_none() {
            return Err(StoragePathFlaw::Root);
        }
        if self.0.split('/').any(|component| component == "..") {
            return Err(StoragePathFlaw::Upwards);
        }
        if parts.is_some_and(|parts| parts.names_a_user() || parts.has_query()) {
            return Err(StoragePathFlaw::Secret);
        }
        if !is_printable(&self.0) {
            return Err(StoragePathFlaw::Unprintable);
        }
        let scheme = parts.map(|parts| parts.scheme().to_ascii_lowercase());
        // A file on this machine has no host, or names it so (RFC 8089).
        let is_here = |host: &&str| scheme.as_deref() == Some("file") && *host == "localhost";
        let authority = parts.and_then(UriParts::authority).map(|host| if is_here(&host) { "" } else { host });
        if authority.is_some_and(|host| !may_be_host(host, scheme.as_deref())) {
            return Err(StoragePathFlaw::Host);
        }
        if path.contains('\\') || encoded_separator(&self.0).is_some() {
            return Err(StoragePathFlaw::Separator);
        }
        let mut normal = String::with_capacity(path.len());
        for component in components() {
            normal.push('/');
            normal.push_str(component);
        }
        let normal = Normal { scheme, authority, path: normal };
        // A slash behind a space does not make it another path than the one without.
        if !is_printable(&normal.text()) {
            return Err(StoragePathFlaw::Unprintable);
        }
        match normal.uri().len() <= most_bytes {
            true => Ok(normal),
            false => Err(StoragePathFlaw::TooLong),
        }
    }
}

/// A path without flaws, in its one spelling.
struct Normal<'a> {
    /// `None` of a plain path.
    scheme: Option<String>,
    authority: Option<&'a str>,
    path: String,
}

impl Normal<'_> {
    fn text(&self) -> String {
        match self.scheme {
            None => self.path.clone(),
            Some(_) => self.uri(),
        }
    }

    fn uri(&self) -> String {
        let (scheme, also): (_, &[char]) = match &self.scheme {
            None => ("file", &['%', '?', '#']),
            Some(scheme) => (scheme.as_str(), &[]),
        };
        let path = encoded(&self.path, also);
        match self.authority {
            None if scheme != "file" => format!("{scheme}:{path}"),
            authority => format!("{scheme}://{}{path}", authority.unwrap_or_default()),
        }
    }
}

fn may_be_host(host: &str, scheme: Option<&str>) -> bool {
    let strange = |character: char| character.is_whitespace() || character == '\\';
    host != "." && !host.contains(strange) && (scheme != Some("file") || host.is_empty())
}

/// With whitespace and those characters percent-encoded.
fn encoded<'a>(path: &'a str, also: &[char]) -> Cow<'a, str> {
    let is_encoded = |character: char| character.is_whitespace() || also.contains(&character);
    if !path.contains(is_encoded) {
        return path.into();
    }
    let mut text = String::with_capacity(path.len() + 16);
    for character in path.chars() {
        if !is_encoded(character) {
            text.push(character);
            continue;
        }
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            text.push('%');
            text.extend([byte >> 4, byte & 15].map(|digit| char::from(b"0123456789ABCDEF"[usize::from(digit)])));
        }
    }
    text.into()
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

impl From<Cow<'_, str>> for StoragePath {
    fn from(path: Cow<'_, str>) -> Self {
        Self(path.into_owned())
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
