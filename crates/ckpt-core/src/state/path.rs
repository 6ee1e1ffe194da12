//! Paths that cannot leave the directory they are relative to.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::id::FileName;
use crate::state::error::{PathFlaw, StateError};
use crate::uri::encoded_separator;

/// A path below some root: one or more components joined by `/`.
///
/// No component is empty, `.` or `..`, also not when percent-encoded, or has a `/`, a backslash or a control character, and
/// the first has no colon, as a drive or a scheme would; so no path read from a file can name anything outside its root.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelPath(Box<str>);

/// A [`RelPath`] that is looked at without making one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathView<'a>(&'a str);

impl<'a> PathView<'a> {
    /// The path of that text.
    ///
    /// # Errors
    ///
    /// `Configuration` when the text is not such a path; the message says why.
    pub fn new(text: &'a str) -> Result<Self> {
        match flaw(text) {
            Some(flaw) => Err(StateError::Path { path: text.to_owned(), flaw }.into()),
            None => Ok(Self(text)),
        }
    }

    /// The path as text.
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// The path itself.
    pub fn to_path(self) -> RelPath {
        RelPath(self.0.into())
    }
}

impl fmt::Debug for PathView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0, f)
    }
}

impl RelPath {
    /// The most bytes that a path may have.
    pub const MAX_BYTES: usize = 4096;
    pub(super) const MAX_COMPONENT_BYTES: usize = 255;

    /// The path of that text.
    ///
    /// # Errors
    ///
    /// `Configuration` when the text is not such a path; the message says why.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        PathView::new(&text)?;
        Ok(Self(text.into_boxed_str()))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// This path, looked at.
    pub fn view(&self) -> PathView<'_> {
        PathView(&self.0)
    }

    /// This path with one more component, or several, below it.
    #[must_use]
    pub fn join(&self, below: &Self) -> Self {
        let mut whole = String::with_capacity(self.0.len() + 1 + below.0.len());
        whole.extend([&*self.0, "/", &*below.0]);
        Self(whole.into_boxed_str())
    }

    /// The components, outermost first; at least one.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The last component.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// All but the last component; `None` when there is only one.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.into()))
    }
}

fn flaw(path: &str) -> Option<PathFlaw> {
    if path.len() > RelPath::MAX_BYTES {
        return Some(PathFlaw::TooLong);
    }
    if path.chars().any(|c| c == '\\' || c.is_control()) {
        return Some(PathFlaw::Character);
    }
    if path.split('/').next().is_some_and(|first| first.contains(':')) {
        return Some(PathFlaw::Scheme);
    }
    if encoded_separator(path).is_some() {
        return Some(PathFlaw::Encoded);
    }
    path.split('/').find_map(|component| match component {
        "" => Some(PathFlaw::EmptyComponent),
        "." | ".." => Some(PathFlaw::DotComponent),
        component if component.len() > RelPath::MAX_COMPONENT_BYTES => Some(PathFlaw::LongComponent),
        _ => None,
    })
}

impl From<&FileName> for RelPath {
    /// The written form of a name is one component.
    fn from(name: &FileName) -> Self {
        use fmt::Write as _;
        let mut text = String::with_capacity(FileName::LENGTH);
        // Writing into a string does not fail.
        let _ = write!(text, "{name}");
        Self(text.into_boxed_str())
    }
}

impl FromStr for RelPath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_leave_the_root_is_refused() {
        for good in ["a", "chk-1/_metadata", "a/b/c", "..a", "a..", "ä", "a/b:c", "100%", "%41"] {
            assert_eq!(RelPath::new(good).unwrap().as_str(), good);
        }
        let long = "a/".repeat(2100) + "a";
        for bad in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "a/../b",
            "./a",
            "a\\b",
            "a\0b",
            "a\nb",
            "C:/a",
            "a:b",
            "file:a",
            "%2e%2E/a",
            "a%2fb",
            "a%5C",
            "%00",
            &long,
            &"x".repeat(256),
        ] {
            assert!(RelPath::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn parts() {
        let path = RelPath::new("a/b/c").unwrap();
        assert_eq!(path.file_name(), "c");
        assert_eq!(path.parent().unwrap().as_str(), "a/b");
        assert_eq!(RelPath::new("a").unwrap().parent(), None);
        assert_eq!(RelPath::new("x").unwrap().join(&path).as_str(), "x/a/b/c");
    }
}
