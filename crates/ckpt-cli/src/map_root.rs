//! Directories that have moved since metadata named them.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::flink::path::FlinkPath;
use crate::report::warn;
use crate::text::escaped;

/// What once was at a URI is at a local path now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MapRoot {
    /// As it was given.
    text: String,
    /// What metadata calls it.
    uri: FlinkPath,
    /// What metadata may call it as well: the URI is that of a link to there.
    uri_without_links: Option<FlinkPath>,
    /// Without links, if it is there.
    path: PathBuf,
}

impl MapRoot {
    /// The path that the root is at, and what lies below it; `None` when the path does not lie below the root.
    pub(crate) fn divide<'a>(&'a self, path: &'a FlinkPath) -> Option<(&'a Path, &'a str)> {
        let below = self.uris().find_map(|uri| path.below(uri)).filter(|_| !path.leaves_its_root())?;
        Some((&self.path, below))
    }

    /// Where a directory is now.
    pub(crate) fn to_local(&self, directory: &FlinkPath) -> Option<PathBuf> {
        if self.uris().any(|uri| directory == uri) {
            return Some(self.path.clone());
        }
        self.divide(directory).map(|(root, below)| root.join(below))
    }

    /// What that was called; `None` when it does not lie below the path.
    pub(crate) fn to_uri(&self, local: &Path) -> Option<String> {
        let below = local.strip_prefix(&self.path).ok()?.to_string_lossy().into_owned();
        let uri = self.uri.as_str();
        Some(if below.is_empty() { uri.to_owned() } else { format!("{}/{below}", uri.trim_end_matches('/')) })
    }

    /// Tells that it was given in vain.
    pub(crate) fn warn_of_no_use(&self) {
        warn(format_args!("--map-root '{}' fits nothing", escaped(&self.text)));
    }

    fn uris(&self) -> impl Iterator<Item = &FlinkPath> {
        [&self.uri].into_iter().chain(&self.uri_without_links)
    }
}

/// `URI=PATH`. Either may have a `=` in it: the path begins behind the last one that `/`, `./` or `../` follows; or, if
/// there is none, behind the last one.
impl FromStr for MapRoot {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let begins_a_path = |rest: &str| matches!(rest.split('/').next(), Some("" | "." | "..")) && !rest.is_empty();
        let mut divided = text.rmatch_indices('=').filter_map(|(at, _)| Some((text.get(..at)?, text.get(at + 1..)?)));
        let last = divided.clone().next().ok_or("expected URI=PATH, as in file:/old=/new")?;
        let (uri, path) = divided.find(|(_, path)| begins_a_path(path)).unwrap_or(last);
        if uri.is_empty() || path.is_empty() {
            return Err("expected a URI and a path, as in file:/old=/new".into());
        }
        let uri = FlinkPath::new(uri);
        if uri.leaves_its_root() {
            return Err("expected a URI without '..': nothing that has it is looked for".into());
        }
        let uri_without_links = uri.local().and_then(|path| FlinkPath::of_local(&fs::canonicalize(path).ok()?));
        let path = fs::canonicalize(path).or_else(|_| std::path::absolute(path)).map_err(|error| error.to_string())?;
        Ok(Self { text: text.to_owned(), uri_without_links: uri_without_links.filter(|it| *it != uri), uri, path })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_root_is_mapped_at_the_end_of_a_component() {
        let map: MapRoot = "FILE:///old//deep/=/new".parse().unwrap();
        let to_local = |path: &str| map.to_local(&FlinkPath::new(path));
        assert_eq!(to_local("file:/old/deep/a/b"), Some("/new/a/b".into()));
        assert_eq!(to_local("file:///old/deep"), Some("/new".into()));
        assert_eq!(to_local("file:/old/deeper/a"), None);
        assert_eq!(to_local("hdfs:/old/deep/a"), None);
        assert_eq!(to_local("file:/old/deep/../etc/passwd"), None);
        assert_eq!(map.to_uri(Path::new("/new/a")), Some("file:/old/deep/a".into()));
        assert_eq!(map.to_uri(Path::new("/new")), Some("file:/old/deep".into()));
        assert_eq!(map.to_uri(Path::new("/newer")), None);
        let root: MapRoot = "s3://bucket/=/new".parse().unwrap();
        assert_eq!(root.to_local(&FlinkPath::new("S3://bucket//a//b")), Some("/new/a/b".into()));
        assert_eq!(root.to_uri(Path::new("/new/a")), Some("s3://bucket/a".into()));
    }

    #[test]
    fn a_path_begins_behind_the_last_sign_that_can_be_before_one() {
        let here = std::env::current_dir().unwrap();
        for (text, uri, path) in [
            ("s3://b/dt=2024/id=7=/new/dt=2024", "s3://b/dt=2024/id=7", PathBuf::from("/new/dt=2024")),
            ("s3://b/key=/new=/newer", "s3://b/key=/new", PathBuf::from("/newer")),
            ("s3://b/dt=2024=no-such", "s3://b/dt=2024", here.join("no-such")),
            ("s3://b/dt=2024=./no=such", "s3://b/dt=2024", here.join("no=such")),
            ("s3://b/dt=2024=.", "s3://b/dt=2024", fs::canonicalize(&here).unwrap()),
        ] {
            let map: MapRoot = text.parse().unwrap();
            assert_eq!((map.uri.as_str(), &map.path), (uri, &path), "{text}");
        }
    }

    #[test]
    fn links_do_not_count() {
        let scratch = tempfile::tempdir().unwrap();
        let real = fs::canonicalize(scratch.path()).unwrap().join("real");
        fs::create_dir(&real).unwrap();
        let link = scratch.path().join("link");
        symlink(&real, &link).unwrap();
        let to_link: MapRoot = format!("file:/old={}", link.display()).parse().unwrap();
        assert_eq!(to_link.to_local(&FlinkPath::new("/old/a")), Some(real.join("a")));
        assert_eq!(to_link.to_uri(&real.join("a")), Some("file:/old/a".into()));
        let of_link: MapRoot = format!("{}=/new", link.display()).parse().unwrap();
        for path in [&link, &real] {
            let path = FlinkPath::of_local(&path.join("a")).unwrap();
            assert_eq!(of_link.to_local(&path), Some("/new/a".into()));
        }
    }

    #[test]
    fn what_is_no_map_is_refused() {
        for text in ["", "file:/old", "=/new", "file:/old=", "file:/a/../b=/new"] {
            assert!(text.parse::<MapRoot>().is_err(), "{text}");
        }
    }
}
