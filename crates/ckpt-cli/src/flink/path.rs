//! Flink's paths.

/// A path as Flink's `Path` is as text: a scheme, perhaps a host, and a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FlinkPath(String);

impl FlinkPath {
    /// That path; `file:///a` and `file:/a` are one, as is a path without a scheme.
    pub(crate) fn new(text: &str) -> Self {
        let local = match text.strip_prefix("file:") {
            Some(rest) => rest.strip_prefix("//").filter(|rest| rest.starts_with('/')).unwrap_or(rest),
            None if text.starts_with('/') => text,
            None => return Self(text.to_owned()),
        };
        Self(format!("file:{local}"))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The local file that it names; `None` when it is on another file system.
    pub(crate) fn local(&self) -> Option<&str> {
        self.0.strip_prefix("file:").filter(|path| path.starts_with('/'))
    }

    /// Whether it goes up somewhere, so that what it begins with is not what it lies below.
    pub(crate) fn leaves_its_root(&self) -> bool {
        leaves_its_root(&self.0)
    }
}

/// Whether a path goes up somewhere, or cannot be a path at all.
pub(crate) fn leaves_its_root(path: &str) -> bool {
    path.contains('\0') || path.split('/').any(|component| component == "..")
}
