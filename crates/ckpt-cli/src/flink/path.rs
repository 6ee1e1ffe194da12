//! Flink's paths.

use std::path::Path;

use ckpt_core::uri::UriParts;

/// A path as Flink's `Path` is as text: a scheme, perhaps a host, and a path.
///
/// As Flink reads it, `file:///a` and `file:/a` are one, as is a path without a scheme; slashes that are repeated, one at
/// the end, and components `.` do not count. What Flink would resolve besides, `..`, stays: see
/// [`leaves_its_root`](Self::leaves_its_root). A scheme is in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FlinkPath {
    text: String,
    /// Where in the text the path begins, behind scheme and host.
    path_at: usize,
}

/// Who can open a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Location<'a> {
    /// This machine: the path.
    Local(&'a str),
    /// The host of that name, as a file of its own: Flink opens no such path.
    Host(&'a str),
    /// A file system of that scheme.
    Scheme(&'a str),
    /// Nobody: it is below a directory that is not named.
    Nowhere,
}

const FILE: &str = "file";

impl Location<'_> {
    /// How a sentence about a path goes on that nobody looks at.
    pub(crate) fn why_it_is_not_looked_at(self) -> String {
        let why = match self {
            Self::Local(_) => "is local".to_owned(),
            Self::Host(host) => format!("is a local path with the host '{host}', which is not looked at"),
            Self::Scheme(scheme) => format!("lies on a file system of the scheme '{scheme}'"),
            Self::Nowhere => return "is relative, and to which directory is not known: nobody looked".to_owned(),
        };
        format!("{why}: say with --map-root where it is here")
    }
}

impl FlinkPath {
    /// That path.
    pub(crate) fn new(text: &str) -> Self {
        let mut normal = match UriParts::of(text) {
            Some(parts) => format!("{}:", parts.scheme().to_ascii_lowercase()),
            None if text.starts_with('/') => format!("{FILE}:"),
            None => String::new(),
        };
        let path = match UriParts::of(text) {
            Some(parts) => {
                if let Some(authority) = parts.authority().filter(|authority| !authority.is_empty()) {
                    normal += &format!("//{authority}");
                }
                parts.path()
            }
            None => text,
        };
        let path_at = normal.len();
        // Behind a host there is a root, with a slash or without.
        if path.starts_with('/') || (path.is_empty() && normal.contains("//")) {
            normal.push('/');
        }
        for component in path.split('/').filter(|component| !matches!(*component, "" | ".")) {
            if normal.len() > path_at && !normal.ends_with('/') {
                normal.push('/');
            }
            normal += component;
        }
        Self { text: normal, path_at }
    }

    /// A local path; `None` when it is relative, or no UTF-8.
    pub(crate) fn of_local(path: &Path) -> Option<Self> {
        path.to_str().filter(|_| path.is_absolute()).map(|path| Self::new(&format!("{FILE}:{path}")))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// What follows scheme and host.
    pub(crate) fn path(&self) -> &str {
        self.text.get(self.path_at..).unwrap_or_default()
    }

    /// Who can open it.
    pub(crate) fn location(&self) -> Location<'_> {
        let (scheme, host) = match UriParts::of(&self.text) {
            Some(parts) => (parts.scheme(), parts.authority()),
            None => return Location::Nowhere,
        };
        match host {
            _ if scheme != FILE => Location::Scheme(scheme),
            Some(host) => Location::Host(host),
            None if self.path().starts_with('/') => Location::Local(self.path()),
            None => Location::Nowhere,
        }
    }

    /// The local file that it names; `None` when it is on another file system.
    pub(crate) fn local(&self) -> Option<&str> {
        match self.location() {
            Location::Local(path) => Some(path),
            _ => None,
        }
    }

    /// What is left of it below that directory; `None` when it lies elsewhere, or is that directory.
    pub(crate) fn below(&self, directory: &Self) -> Option<&str> {
        // A scheme alone begins a path with a host too.
        let below = self.text.strip_prefix(&directory.text).filter(|_| self.path_at == directory.path_at)?;
        let below = if directory.text.ends_with('/') { below } else { below.strip_prefix('/')? };
        Some(below).filter(|below| !below.is_empty())
    }

    /// Every directory around it, as text, and what is left of it below that; the innermost first.
    pub(crate) fn around(&self) -> impl Iterator<Item = (&str, &str)> {
        let (path, path_at) = (self.path(), self.path_at);
        path.rmatch_indices('/').filter_map(move |(at, _)| {
            // The slash of the root is a part of its path.
            Some((self.text.get(..path_at + at.max(1))?, path.get(at + 1..)?))
        })
    }

    /// The directory that it lies in; `None` of a root, and of a name alone.
    pub(crate) fn parent(&self) -> Option<Self> {
        let (parent, name) = self.path().rsplit_once('/')?;
        // The slash of the root is a part of its path.
        let length = self.path_at + parent.len().max(1);
        let text = self.text.get(..length).filter(|_| !name.is_empty())?.to_owned();
        Some(Self { text, path_at: self.path_at })
    }

    /// The last component; `None` of a root.
    pub(crate) fn name(&self) -> Option<&str> {
        self.path().rsplit('/').next().filter(|name| !name.is_empty())
    }

    /// Whether it goes up somewhere, so that what it begins with is not what it lies below.
    pub(crate) fn leaves_its_root(&self) -> bool {
        self.path().contains('\0') || self.path().split('/').any(|component| component == "..")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_flink_reads_them() {
        for (text, expected) in [
            ("file:///a", "file:/a"),
            ("file:/a/", "file:/a"),
            ("/a//b/./c", "file:/a/b/c"),
            ("//a", "file:/a"),
            ("FILE:/a", "file:/a"),
            ("file:///", "file:/"),
            ("S3://Bucket//a//b", "s3://Bucket/a/b"),
            ("s3://bucket", "s3://bucket/"),
            ("hdfs:/a", "hdfs:/a"),
            ("file:a//b", "file:a/b"),
            ("a//b/", "a/b"),
            ("/a/../b", "file:/a/../b"),
        ] {
            assert_eq!(FlinkPath::new(text).as_str(), expected, "{text}");
        }
        assert!(FlinkPath::new("s3://b/a/../c").leaves_its_root());
        assert!(FlinkPath::new("/a\0").leaves_its_root());
        assert!(!FlinkPath::new("s3://b/a..b//..c").leaves_its_root());
    }

    #[test]
    fn who_opens_a_path_is_told_by_scheme_and_host() {
        for (text, expected) in [
            ("file:///a", Location::Local("/a")),
            ("/a", Location::Local("/a")),
            ("file://localhost/a", Location::Host("localhost")),
            ("s3://b/a", Location::Scheme("s3")),
            ("hdfs:/a", Location::Scheme("hdfs")),
            ("a/b", Location::Nowhere),
            ("file:a", Location::Nowhere),
            ("", Location::Nowhere),
        ] {
            assert_eq!(FlinkPath::new(text).location(), expected, "{text}");
        }
    }

    #[test]
    fn a_path_has_a_name_in_a_directory_and_lies_below_all_above() {
        let path = FlinkPath::new("s3://b/a/c");
        assert_eq!(path.name(), Some("c"));
        let parents = std::iter::successors(path.parent(), FlinkPath::parent).map(|it| it.as_str().to_owned());
        assert_eq!(parents.collect::<Vec<_>>(), ["s3://b/a", "s3://b/"]);
        let around: Vec<_> = path.around().collect();
        assert_eq!(around, [("s3://b/a", "c"), ("s3://b/", "a/c")]);
        for (directory, below) in [
            ("s3://b/a", Some("c")),
            ("s3://b/", Some("a/c")),
            ("s3://b", Some("a/c")),
            ("s3://b/a/c", None),
            ("s3:/", None),
            ("s3://b/a/", Some("c")),
            ("s3://b/ab", None),
        ] {
            assert_eq!(path.below(&FlinkPath::new(directory)), below, "{directory}");
        }
        for (text, parent, name) in [("/a", Some("file:/"), Some("a")), ("/", None, None), ("a", None, Some("a"))] {
            let path = FlinkPath::new(text);
            assert_eq!((path.parent(), path.name()), (parent.map(FlinkPath::new), name), "{text}");
        }
    }
}
