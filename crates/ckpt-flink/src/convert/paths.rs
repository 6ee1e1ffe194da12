//! Flink's paths, and the roots that files of others lie below.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ckpt_core::state::{FileRef, Places, RelPath, Root};
use ckpt_core::uri::{Uri, UriParts};

use super::change::{ChangeKind, Refusal};
use super::error::ConvertError;
use crate::text::JavaText;

/// The directory that the metadata lies in, and that its relative paths begin at.
pub(super) const OWN_DIRECTORY: Root = Root::Borrowed(0);

/// The directories that absolute paths name, each a root.
#[derive(Debug)]
pub(super) struct Directories {
    /// The URI of each, which is missing when there can be none, and its spelling as Flink has it for that URI.
    roots: BTreeMap<String, Option<(Root, String)>>,
    /// Of a longer path this many components, so that there are no more roots than there may be.
    depth: usize,
}

impl Directories {
    /// Those directories, and where they lie, beside that of the metadata itself. Where they are too many, those that lie
    /// deepest are taken together.
    pub(super) fn new(own: &Uri, named: &BTreeSet<String>) -> Result<(Self, Places), ConvertError> {
        let roots_at = |depth| named.iter().map(|directory| cut(directory, depth)).collect::<BTreeSet<_>>();
        let fits = |depth| roots_at(depth).len() < Places::MAX_PLACES;
        let deepest = named.iter().map(|directory| components(directory)).max().unwrap_or(0);
        // With each component more there are as many roots or more, so the last depth that fits is found by halves.
        let (mut depth, mut too_deep) = (0, deepest + 1);
        if !fits(depth) {
            return Err(ConvertError::Directories);
        }
        while too_deep - depth > 1 {
            let middle = depth + (too_deep - depth) / 2;
            *(if fits(middle) { &mut depth } else { &mut too_deep }) = middle;
        }
        let roots = roots_at(depth);
        let mut places = vec![(OWN_DIRECTORY, own.clone())];
        let roots = roots.into_iter().map(|directory| {
            let root = uri_of(directory).map(|uri| {
                // Fewer than `MAX_PLACES`.
                let root = Root::Borrowed(places.len() as u16);
                let spelled = path_of(&uri).unwrap_or_default();
                places.push((root, uri));
                (root, spelled)
            });
            (directory.to_owned(), root)
        });
        let directories = Self { roots: roots.collect(), depth };
        let places = Places::new(places).map_err(|source| ConvertError::FromFlink { source })?;
        Ok((directories, places))
    }

    /// The file of an absolute path, and whether it will be spelled otherwise.
    pub(super) fn file(&self, path: &JavaText) -> Result<(Root, FileRef, bool), Refusal> {
        let refused = || Refusal::new(ChangeKind::Path);
        let path = path.as_str().ok_or_else(refused)?;
        let directory = cut(directory_of(&path).ok_or_else(refused)?, self.depth);
        let (root, spelled) = self.roots.get(directory).and_then(Option::as_ref).ok_or_else(refused)?;
        let below = path.get(directory.len() + 1..).ok_or_else(refused)?;
        let below = RelPath::new(below).map_err(|_| refused())?;
        Ok((*root, FileRef::Foreign(below), spelled != directory))
    }
}

/// The file of a relative path.
pub(super) fn relative(path: &JavaText) -> Result<FileRef, Refusal> {
    let refused = || Refusal::new(ChangeKind::Path);
    let path = RelPath::new(path.as_str().ok_or_else(refused)?).map_err(|_| refused())?;
    Ok(FileRef::Foreign(path))
}

/// What a path has in front of its last slash.
pub(super) fn directory_of(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(directory, _)| directory)
}

/// Flink's path of a directory; `None` when a name in it is no text. Flink does not encode anything in its paths.
pub(super) fn path_of(uri: &Uri) -> Option<String> {
    let parts = UriParts::of(uri.as_str())?;
    let path = parts.decoded_path()?;
    Some(match parts.authority() {
        None | Some("") => format!("{}:{path}", parts.scheme()),
        Some(authority) => format!("{}://{authority}{path}", parts.scheme()),
    })
}

/// Where the directory of that path lies; `None` when that is no place of ours.
fn uri_of(directory: &str) -> Option<Uri> {
    let parts = UriParts::of(directory);
    let (scheme, path) = parts.map_or(("file", directory), |parts| (parts.scheme(), parts.path()));
    let mut text = scheme.to_ascii_lowercase();
    match parts.and_then(UriParts::authority) {
        None | Some("") if text == "file" => text.push_str("://"),
        None => text.push(':'),
        Some(authority) => text.extend(["://", authority]),
    }
    for character in path.chars() {
        if character.is_whitespace() || matches!(character, '%' | '?' | '#') {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                // Writing into a text cannot fail.
                let _ = write!(text, "%{byte:02X}");
            }
        } else {
            text.push(character);
        }
    }
    Uri::new(text).ok()
}

/// Where the components of a path begin.
fn path_start(directory: &str) -> usize {
    UriParts::of(directory).map_or(0, |parts| directory.len() - parts.path().len())
}

fn components(directory: &str) -> usize {
    directory[path_start(directory)..].matches('/').count()
}

/// At most so many components of the path of a directory.
fn cut(directory: &str, depth: usize) -> &str {
    let start = path_start(directory);
    let slash = directory[start..].match_indices('/').nth(depth);
    slash.map_or(directory, |(at, _)| &directory[..start + at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directories(named: &[&str]) -> (Directories, Places) {
        let own = Uri::new("file:///own").unwrap();
        Directories::new(&own, &named.iter().map(|it| (*it).to_owned()).collect()).unwrap()
    }

    fn text(path: &str) -> JavaText {
        JavaText::new(path).unwrap()
    }

    #[test]
    fn a_directory_has_one_uri_and_one_path() {
        for (directory, uri) in [
            ("file:/tmp/a", "file:///tmp/a"),
            ("file:/tmp/100% of it?", "file:///tmp/100%25%20of%20it%3F"),
            ("s3://bucket", "s3://bucket"),
            ("s3://bucket/a/ä", "s3://bucket/a/ä"),
            ("hdfs:/a", "hdfs:/a"),
            ("abfs://container@account/a", "abfs://container@account/a"),
        ] {
            let found = uri_of(directory).unwrap();
            assert_eq!(found.as_str(), uri);
            assert_eq!(path_of(&found).unwrap(), directory);
        }
        assert_eq!(path_of(&uri_of("/tmp/a").unwrap()).unwrap(), "file:/tmp/a");
        for bad in ["file:", "file:/a/../b", "s3://user:secret@bucket/a", "file:/a\\b", "a", "file:/a%2fb/c\u{7}"] {
            assert_eq!(uri_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn files_lie_below_the_root_of_their_directory() {
        let (directories, places) = directories(&["file:/a/b", "s3://bucket", "file:"]);
        let (root, file, respelled) = directories.file(&text("file:/a/b/c")).unwrap();
        assert_eq!((file.to_string().as_str(), respelled), ("c", false));
        assert_eq!(places.get(root).unwrap().as_str(), "file:///a/b");
        let (root, file, _) = directories.file(&text("s3://bucket/c")).unwrap();
        assert_eq!((file.to_string().as_str(), places.get(root).unwrap().as_str()), ("c", "s3://bucket"));
        assert_eq!(places.get(OWN_DIRECTORY).unwrap().as_str(), "file:///own");
        for bad in ["file:/a/b/..", "file:/a/b/", "file:/root", "nothing", "file:/a/b/c\\d"] {
            assert!(directories.file(&text(bad)).is_err(), "{bad}");
        }
        assert!(relative(&text("a/b")).is_ok());
        assert!(relative(&text("../a")).is_err());
    }

    #[test]
    fn too_many_directories_are_taken_together() {
        let named: Vec<String> = (0..3_000).map(|number| format!("file:/a/{}/{number}", number % 7)).collect();
        let (directories, places) = directories(&named.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(places.iter().count(), 1 + 7);
        let (root, file, _) = directories.file(&text("file:/a/3/10/x")).unwrap();
        assert_eq!((file.to_string().as_str(), places.get(root).unwrap().as_str()), ("10/x", "file:///a/3"));
        let far = (0..3_000).map(|number| format!("s3://bucket{number}/a")).collect();
        assert!(Directories::new(&Uri::new("file:///own").unwrap(), &far).is_err());
    }
}
