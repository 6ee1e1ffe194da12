//! Directories as users write them.

use std::fmt;

use ckpt_core::Result;

use crate::error::StorageError;

/// A directory, as an absolute path or a URI, without a slash at its end. Never a root, never with a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Directory(String);

impl Directory {
    /// # Errors
    ///
    /// `Configuration`, with a message of its own for each way to be wrong.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let shown = || text.escape_debug().to_string();
        let path = match split_scheme(text) {
            None if !text.starts_with('/') => {
                return Err(StorageError::DirectoryNotAbsolute { path: shown() }.configuration());
            }
            None => text,
            Some((scheme, rest)) => {
                let authority = rest.strip_prefix("//").map_or("", |rest| rest.split('/').next().unwrap_or(rest));
                if authority.contains('@') || rest.contains('?') {
                    let scheme = scheme.to_owned();
                    return Err(StorageError::DirectoryWithSecret { scheme }.configuration());
                }
                path_part(rest)
            }
        };
        if path.is_empty() {
            return Err(StorageError::DirectoryWithoutPath { path: shown() }.configuration());
        }
        if !path.starts_with('/') {
            return Err(StorageError::DirectoryNotAbsolute { path: shown() }.configuration());
        }
        if path.bytes().all(|byte| byte == b'/') {
            return Err(StorageError::DirectoryIsRoot { path: shown() }.configuration());
        }
        if path.split('/').any(|component| component == "..") || text.chars().any(char::is_control) {
            return Err(StorageError::DirectoryNotPlain { path: shown() }.configuration());
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }

    /// A directory or file below this one.
    pub(crate) fn join(&self, name: impl fmt::Display) -> Self {
        Self(format!("{}/{name}", self.0))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Splits `scheme:rest`; `None` for a plain path. The scheme is letters, digits, `+`, `-` and `.`, a letter first.
pub(crate) fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let valid = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    valid.then_some((scheme, rest))
}

/// What follows the authority, if there is one.
fn path_part(rest: &str) -> &str {
    match rest.strip_prefix("//") {
        Some(rest) => rest.find('/').map_or("", |slash| &rest[slash..]),
        None => rest,
    }
}
