//! Directories that have moved since metadata named them.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::flink::path::FlinkPath;

/// What once was at a URI is at a local path now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MapRoot {
    /// As Flink writes it, without a slash at its end.
    uri: String,
    path: PathBuf,
}

impl MapRoot {
    /// The path that the root is at, and what lies below it; `None` when the path does not lie below the root.
    pub(crate) fn divide<'a>(&'a self, path: &'a FlinkPath) -> Option<(&'a Path, &'a str)> {
        let below = path.as_str().strip_prefix(&self.uri)?;
        let below = below.strip_prefix('/').filter(|below| !below.is_empty() && !path.leaves_its_root())?;
        Some((&self.path, below))
    }

    /// Where a directory is now.
    pub(crate) fn to_local(&self, directory: &FlinkPath) -> Option<PathBuf> {
        if directory.as_str() == self.uri {
            return Some(self.path.clone());
        }
        self.divide(directory).map(|(root, below)| root.join(below))
    }

    /// What that was called; `None` when it does not lie below the path.
    pub(crate) fn to_uri(&self, local: &Path) -> Option<String> {
        let below = local.strip_prefix(&self.path).ok()?.to_string_lossy().into_owned();
        Some(if below.is_empty() { self.uri.clone() } else { format!("{}/{below}", self.uri) })
    }
}

impl FromStr for MapRoot {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (uri, path) = text.split_once('=').ok_or("expected URI=PATH, as in file:/old=/new")?;
        if uri.is_empty() || path.is_empty() {
            return Err("expected a URI and a path, as in file:/old=/new".into());
        }
        let path = std::path::absolute(path).map_err(|error| error.to_string())?;
        Ok(Self { uri: FlinkPath::new(uri).as_str().trim_end_matches('/').to_owned(), path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_mapped_at_the_end_of_a_component() {
        let map: MapRoot = "file:///old/=/new".parse().unwrap();
        let to_local = |path: &str| map.to_local(&FlinkPath::new(path));
        assert_eq!(to_local("file:/old/a/b"), Some("/new/a/b".into()));
        assert_eq!(to_local("file:///old"), Some("/new".into()));
        assert_eq!(to_local("file:/older/a"), None);
        assert_eq!(to_local("hdfs:/old/a"), None);
        assert_eq!(to_local("file:/old/../etc/passwd"), None);
        assert_eq!(map.to_uri(Path::new("/new/a")), Some("file:/old/a".into()));
        assert_eq!(map.to_uri(Path::new("/new")), Some("file:/old".into()));
        assert_eq!(map.to_uri(Path::new("/newer")), None);
    }

    #[test]
    fn what_is_no_map_is_refused() {
        for text in ["", "file:/old", "=/new", "file:/old="] {
            assert!(text.parse::<MapRoot>().is_err(), "{text}");
        }
    }
}
