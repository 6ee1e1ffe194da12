//! Where something lies outside the job's own directory.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};
use crate::state::encoded_separator;

/// Where a directory lies that is not below the job's own: an absolute URI, as HEAD and metadata may hold it.
///
/// It can be written down anywhere: it holds no user name, no password, no query and no fragment, in which secrets hide.
/// What stands before the `@` of Azure's `abfs`, `abfss`, `wasb` and `wasbs` is a container and no user.
/// It has one spelling: the scheme is in lower case, `file:` is followed by `///`, no component is empty, `.` or `..`, also
/// not when percent-encoded, and it does not end in a slash.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uri(String);

/// Text that is no such URI. It says what is wrong and shows nothing that may be a secret.
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
    let (scheme, rest) = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)).ok_or(UriError::Scheme)?;
    let shown = || scheme.to_owned();
    if rest.contains(['?', '#']) {
        return Err(UriError::Query { scheme: shown() });
    }
    if scheme == "file" && !rest.starts_with("///") {
        return Err(UriError::File);
    }
    let path = match rest.strip_prefix("//") {
        None => rest.strip_prefix('/').unwrap_or(rest),
        Some(rest) => {
            if names_a_user(scheme, rest) {
                return Err(UriError::User { scheme: shown() });
            }
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            // Whoever makes a path of a URI by its slashes takes the authority for a component.
            if let "." | ".." = authority {
                return Err(UriError::Component { uri: text.to_owned(), component: authority.to_owned() });
            }
            // An authority alone is a place as well: a bucket.
            if path.is_empty() && !rest.ends_with('/') { authority } else { path }
        }
    };
    if let Some(component) = path.split('/').find(|component| ["", ".", ".."].contains(component)) {
        return Err(UriError::Component { uri: text.to_owned(), component: component.to_owned() });
    }
    match encoded_separator(text) {
        Some(encoded) => Err(UriError::Encoded { uri: text.to_owned(), encoded: encoded.to_owned() }),
        None => Ok(()),
    }
}

fn is_scheme(text: &str) -> bool {
    let legal = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.');
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(legal)
}

/// Whether something stands before an `@` that may be a secret: anything but the name of a container of Azure's. A password
/// may hold a slash, so after a colon it is looked for behind the authority as well. `rest` is what follows the `//`.
pub(crate) fn names_a_user(scheme: &str, rest: &str) -> bool {
    let authority = rest.split('/').next().unwrap_or(rest);
    if authority.to_ascii_lowercase().contains("%40")
        || rest.rsplit_once('@').is_some_and(|(before, _)| before.contains(':'))
    {
        return true;
    }
    let Some((container, host)) = authority.split_once('@') else { return false };
    let legal = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'$');
    let is_container = !container.is_empty() && container.bytes().all(legal);
    let of_azure = ["abfs", "abfss", "wasb", "wasbs"].contains(&scheme);
    !of_azure || !is_container || host.is_empty() || host.contains('@')
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
