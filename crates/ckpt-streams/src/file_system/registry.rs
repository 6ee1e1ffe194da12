//! The file systems that there are, by scheme.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ckpt_core::uri::{StoragePath, UriParts};
use ckpt_core::{Error, ErrorKind, Result};

use crate::file_system::{FileSystem, LocalFileSystem};

/// The file systems that there are, by scheme.
///
/// It is a value, not a global: two parts of a process may have different ones. `examples/own_file_system.rs` is a file
/// system of one's own, registered and used.
#[derive(Clone)]
pub struct FileSystems {
    openers: BTreeMap<String, Opener>,
}

type Opener = Arc<dyn Fn(&str) -> Result<Arc<dyn FileSystem>> + Send + Sync>;

/// Why a location has no file system.
#[derive(Debug, thiserror::Error)]
enum RegistryError {
    #[error("no file system is registered for the scheme '{scheme}' of '{location}': expected one of {registered}")]
    UnknownScheme { scheme: String, location: String, registered: String },
    #[error("'{scheme}' is not a scheme: expected letters, digits, '+', '-' and '.', the first a letter")]
    NotAScheme { scheme: String },
    #[error("the scheme '{scheme}' is registered already")]
    Taken { scheme: String },
    #[error("a location is a path or a uri, found an empty text")]
    Empty,
    #[error("'{location}' names the host '{host}': expected file:///path or file:/path")]
    Host { location: String, host: String },
    #[error("'{location}' has '{found}', which a file uri may not have: give a plain path, or percent-encode it")]
    Query { location: String, found: char },
    #[error(
        "'{location}' has a '%' that encodes nothing, or what must not be encoded, expected '%25' for a percent sign"
    )]
    Escaped { location: String },
}

impl FileSystems {
    /// The local file system alone, under the scheme `file` and for plain paths.
    pub fn local() -> Self {
        let local: Opener = Arc::new(|location: &str| {
            let file_system: Arc<dyn FileSystem> = Arc::new(LocalFileSystem::open(&*local_path(location)?)?);
            Ok(file_system)
        });
        Self { openers: BTreeMap::from([(LOCAL_SCHEME.to_owned(), local)]) }
    }

    /// None at all: for those who register each themselves, also what plain paths lead to, which is the scheme `file`.
    pub const fn none() -> Self {
        Self { openers: BTreeMap::new() }
    }

    /// Adds a scheme. The opener is given the whole location and opens its file system there.
    ///
    /// # Errors
    ///
    /// `Configuration` when it is no scheme or taken.
    pub fn register(
        &mut self,
        scheme: &str,
        opener: impl Fn(&str) -> Result<Arc<dyn FileSystem>> + Send + Sync + 'static,
    ) -> Result<()> {
        let refuse = |error| Err(Error::new(ErrorKind::Configuration, error));
        if !UriParts::is_scheme(scheme) {
            return refuse(RegistryError::NotAScheme { scheme: scheme.to_owned() });
        }
        let scheme = scheme.to_ascii_lowercase();
        if self.openers.contains_key(&scheme) {
            return refuse(RegistryError::Taken { scheme });
        }
        self.openers.insert(scheme, Arc::new(opener));
        Ok(())
    }

    /// Opens the file system of a location, which is a plain path or a URI, with that location as its root. A local
    /// directory that is missing is made, mode 0700, with the first file in it; so looking somewhere makes nothing.
    ///
    /// # Errors
    ///
    /// `Configuration` when its scheme is not registered (the message names those that are), and those of the opener.
    pub fn open(&self, location: &str) -> Result<Arc<dyn FileSystem>> {
        if location.is_empty() {
            return Err(Error::new(ErrorKind::Configuration, RegistryError::Empty));
        }
        let scheme =
            uri_parts(location).map_or_else(|| LOCAL_SCHEME.to_owned(), |uri| uri.scheme().to_ascii_lowercase());
        match self.openers.get(&scheme) {
            Some(opener) => opener(location),
            None => Err(Error::new(
                ErrorKind::Configuration,
                RegistryError::UnknownScheme {
                    scheme,
                    location: shown(location),
                    registered: self.schemes().collect::<Vec<_>>().join(", "),
                },
            )),
        }
    }

    /// The registered schemes, in order.
    pub fn schemes(&self) -> impl Iterator<Item = &str> {
        self.openers.keys().map(String::as_str)
    }
}

const LOCAL_SCHEME: &str = "file";

/// The parts of a URI; `None` for a plain path. A colon makes a scheme only in front of a slash.
fn uri_parts(location: &str) -> Option<UriParts<'_>> {
    UriParts::of(location).filter(|uri| uri.rest().starts_with('/'))
}

/// The path of a plain path, `file:/path` or `file:///path`. In a URI `%20` is a space.
fn local_path(location: &str) -> Result<Cow<'_, str>> {
    let Some(uri) = uri_parts(location) else {
        return Ok(location.into());
    };
    let refuse = |error| Err(Error::new(ErrorKind::Configuration, error));
    // A query would mean another path to other programs: refused rather than taken literally.
    if let Some(found) = uri.rest().chars().find(|c| matches!(c, '?' | '#')) {
        return refuse(RegistryError::Query { location: shown(location), found });
    }
    if let Some(host) = uri.authority().filter(|host| !["", "localhost"].contains(host) || uri.path().is_empty()) {
        return refuse(RegistryError::Host { location: shown(location), host: host.to_owned() });
    }
    uri.decoded_path().map_or_else(|| refuse(RegistryError::Escaped { location: shown(location) }), Ok)
}

/// A location as messages show it: without what may be a secret.
fn shown(location: &str) -> String {
    StoragePath::from(location).to_string()
}

impl Default for FileSystems {
    fn default() -> Self {
        Self::local()
    }
}

impl fmt::Debug for FileSystems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.schemes()).finish()
    }
}

#[cfg(all(test, not(ckpt_loom)))]
mod tests {
    use super::*;

    #[test]
    fn schemes_and_paths() {
        for (location, path) in [
            ("/a/b", "/a/b"),
            ("a:b", "a:b"),
            ("./x:/y", "./x:/y"),
            ("file:/a", "/a"),
            ("file:///a/b", "/a/b"),
            ("FILE://localhost/a", "/a"),
            ("file:///a%20b%25", "/a b%"),
            ("/a%20b", "/a%20b"),
        ] {
            assert_eq!(local_path(location).unwrap(), path, "{location}");
        }
        for bad in ["file://host/a", "file:///a%2fb", "file:///100%", "file:///a?b", "file://"] {
            assert_eq!(local_path(bad).unwrap_err().kind(), ErrorKind::Configuration, "{bad}");
        }
    }

    #[test]
    fn an_unknown_scheme_names_those_that_are_registered() {
        let mut all = FileSystems::local();
        all.register("mem", |_| Err(Error::new(ErrorKind::Retry, "not now"))).unwrap();
        let error = all.open("s3://bucket/x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert_eq!(
            error.to_string(),
            "no file system is registered for the scheme 's3' of 's3://bucket/x': expected one of file, mem"
        );
        let error = all.open("s3://key:hunter2@bucket/x").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        assert_eq!(all.open("mem:/x").unwrap_err().to_string(), "not now");
        assert!(all.register("MEM", |_| Err(Error::new(ErrorKind::Retry, ""))).is_err());
        assert!(all.register("1x", |_| Err(Error::new(ErrorKind::Retry, ""))).is_err());
        assert!(all.open("").is_err());
        let mut own = FileSystems::none();
        assert!(own.open("/x").is_err());
        own.register("file", |_| Err(Error::new(ErrorKind::Retry, "not yet"))).unwrap();
        assert_eq!(own.open("/x").unwrap_err().to_string(), "not yet");
    }
}
