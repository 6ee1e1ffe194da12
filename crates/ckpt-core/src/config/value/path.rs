//! Places of files as users write them.

use std::fmt;

use super::{Kind, Unreadable, trim};
use crate::config::redact::redacted;
use crate::head::names_a_user;

/// Where files lie: an absolute path, or a URI with a scheme.
///
/// A URI may hold a secret. `Display` and `Debug` leave out who it is for and what is asked for; [`as_str`](Self::as_str)
/// has all of it.
///
/// ```
/// use ckpt_core::config::StoragePath;
///
/// let path = StoragePath::from("s3://key:secret@bucket/checkpoints");
/// assert_eq!(path.to_string(), "s3://***@bucket/checkpoints");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoragePath(String);

impl StoragePath {
    /// The path as it was written, secrets included.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Absolute, or with a scheme.
    pub(in crate::config) fn is_absolute(&self) -> bool {
        self.path_part().is_some_and(|path| path.is_empty() || path.starts_with('/'))
    }

    /// Something follows scheme and authority.
    pub(in crate::config) fn has_path(&self) -> bool {
        self.path_part().is_none_or(|path| !path.is_empty())
    }

    /// The path part names something.
    pub(in crate::config) fn is_not_root(&self) -> bool {
        self.path_part().is_none_or(|path| path.is_empty() || path.bytes().any(|byte| byte != b'/'))
    }

    /// No component leads upwards.
    pub(in crate::config) fn stays_below(&self) -> bool {
        self.0.split('/').all(|component| component != "..")
    }

    /// No user stands before the authority, and neither query nor fragment behind the path, as in HEAD.
    pub(in crate::config) fn has_no_secret(&self) -> bool {
        let Some((scheme, rest)) = self.scheme_and_rest() else { return true };
        let names_a_user = |rest| names_a_user(&scheme.to_ascii_lowercase(), rest);
        !rest.strip_prefix("//").is_some_and(names_a_user) && !rest.contains(['?', '#'])
    }

    /// What follows scheme and authority; `None` for a relative path.
    fn path_part(&self) -> Option<&str> {
        match self.scheme_and_rest() {
            None => self.0.starts_with('/').then_some(&*self.0),
            Some((_, rest)) => Some(match rest.strip_prefix("//") {
                Some(rest) => rest.find('/').map_or("", |slash| &rest[slash..]),
                None => rest,
            }),
        }
    }

    /// `scheme:rest`, where the scheme is letters, digits, `+`, `-` and `.`, a letter first.
    fn scheme_and_rest(&self) -> Option<(&str, &str)> {
        let (scheme, rest) = self.0.split_once(':')?;
        let valid = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        valid.then_some((scheme, rest))
    }
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

impl Kind for StoragePath {
    const TYPE: &'static str = "path or URI";
    const REMEDY: &'static str = "write an absolute path, or a URI with a scheme";

    fn read(text: &str) -> Result<Self, Unreadable> {
        Ok(Self(text.to_owned()))
    }

    fn write(&self) -> Option<String> {
        Some(self.0.clone())
    }

    fn fits(&self) -> Result<(), Unreadable> {
        printable(&self.0)
    }
}

/// Directories of this machine, separated by `,` or `:` as in Flink.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::config) struct LocalDirectories(pub(in crate::config) Vec<String>);

impl Kind for LocalDirectories {
    const TYPE: &'static str = "list of paths";
    const REMEDY: &'static str = "write absolute paths of this machine with commas between them";

    fn read(text: &str) -> Result<Self, Unreadable> {
        Ok(Self(text.split([',', ':']).map(|path| trim(path).to_owned()).collect()))
    }

    fn write(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.join(","))
    }

    fn fits(&self) -> Result<(), Unreadable> {
        for path in &self.0 {
            printable(path)?;
            if path.contains([',', ':']) {
                return Err(Unreadable::Separator);
            }
        }
        Ok(())
    }
}

/// Text that reads the same when it is written and read again.
pub(super) fn printable(text: &str) -> Result<(), Unreadable> {
    match text {
        "" => Err(Unreadable::Empty),
        _ if trim(text) != text || text.chars().any(char::is_control) => Err(Unreadable::Unprintable),
        _ => Ok(()),
    }
}
