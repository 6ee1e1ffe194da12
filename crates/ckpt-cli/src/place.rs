//! Where things lie, as text.

use std::path::Path;

use crate::map_root::MapRoot;

/// A local directory as Flink writes its paths.
pub(crate) struct DirectoryUri(String);

impl DirectoryUri {
    /// That directory, by an absolute path; where it was before it moved, if it did.
    pub(crate) fn of(directory: &Path, moved: &[MapRoot]) -> Self {
        let before = moved.iter().find_map(|map| map.to_uri(directory));
        Self(before.unwrap_or_else(|| format!("file:{}", directory.to_string_lossy().trim_end_matches('/'))))
    }

    /// What lies in it.
    pub(crate) fn join(&self, relative: &str) -> String {
        format!("{}/{relative}", self.0)
    }
}
