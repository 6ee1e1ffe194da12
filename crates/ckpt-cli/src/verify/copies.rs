//! Of which directory a snapshot is a copy, when the original is still there.
//!
//! A copy that lacks files is well only as long as the original is there; and as long as it is there, the file system itself
//! tells that this is a copy: the same metadata lies in another directory. That is looked for around the files that the
//! metadata names, where the copy has the same layout: in a directory around them, and below it by what the snapshot's own
//! path ends with. Metadata with other bytes is another run's, whatever its directory is called.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use ckpt_storage::METADATA_FILE;

use super::moves::is_checkpoint;
use crate::flink::path::FlinkPath;
use crate::metadata_file::{MetadataFile, open_file};

/// Around how many directories is looked. Snapshots name files in a few.
const MAX_DIRECTORIES: usize = 1000;

/// How much of the snapshot's own path is looked for below each.
const MAX_COMPONENTS: usize = 6;

/// How much of metadata is compared at once.
const CHUNK_BYTES: usize = 64 << 10;

/// The directories with the metadata of the snapshot in `directory`, of which that is a copy, so far as they are near the
/// local ones of those that it names. `is_original` says whether a directory is one.
pub(super) fn originals<'a>(
    directory: &Path,
    named: impl IntoIterator<Item = &'a FlinkPath>,
    is_original: impl Fn(&FlinkPath) -> bool,
) -> Vec<FlinkPath> {
    let ends = ends_of(directory);
    let mut around = BTreeSet::new();
    for named in named.into_iter().filter(|named| named.local().is_some() && !named.leaves_its_root()) {
        let above = std::iter::successors(Some(named.clone()), FlinkPath::parent);
        for directory in above {
            // What is around a directory that was met was met with it.
            if around.len() == MAX_DIRECTORIES || !around.insert(directory) {
                break;
            }
        }
    }
    let found: BTreeSet<_> = around
        .iter()
        .flat_map(|around| {
            let below = ends.iter().map(|end| FlinkPath::new(&format!("{}/{end}", around.path())));
            std::iter::once(around.clone()).chain(below)
        })
        .filter(is_original)
        .collect();
    found.into_iter().collect()
}

/// What that path ends with: of a checkpoint no less than the name of its job's directory and its own.
fn ends_of(directory: &Path) -> Vec<String> {
    let names = directory.iter().rev().map_while(|name| name.to_str()).filter(|name| *name != "/");
    let names: Vec<_> = names.take(MAX_COMPONENTS).collect();
    let least = if names.first().is_some_and(|name| is_checkpoint(name)) { 2 } else { 1 };
    let ends = (least..=names.len()).filter_map(|count| names.get(..count));
    ends.map(|names| names.iter().rev().copied().collect::<Vec<_>>().join("/")).collect()
}

/// Whether a path is that of another directory with the same metadata; the file itself may be shared by a hard link.
pub(super) fn is_original_of(file: &MetadataFile, path: &FlinkPath) -> bool {
    let Some(directory) = path.local().map(Path::new) else { return false };
    has_same_metadata(file, directory).unwrap_or(false)
}

fn has_same_metadata(file: &MetadataFile, directory: &Path) -> io::Result<bool> {
    let path = directory.join(METADATA_FILE);
    let found = fs::metadata(&path)?;
    if !found.is_file() || found.len() != file.length_bytes {
        return Ok(false);
    }
    let identity = |path: &Path| fs::metadata(path).map(|it| (it.dev(), it.ino()));
    if identity(directory)? == identity(&file.directory)? {
        return Ok(false);
    }
    let other = open_file(&path)?;
    let (mut ours, mut theirs) = (vec![0; CHUNK_BYTES], vec![0; CHUNK_BYTES]);
    let mut offset_bytes = 0;
    while offset_bytes < file.length_bytes {
        let left = file.length_bytes.saturating_sub(offset_bytes);
        let length = usize::try_from(left).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        ours.truncate(length);
        theirs.truncate(length);
        file.file.read_exact_at(&mut ours, offset_bytes)?;
        other.read_exact_at(&mut theirs, offset_bytes)?;
        if ours != theirs {
            return Ok(false);
        }
        offset_bytes += length as u64;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// The originals of a snapshot in that directory among those, and where they were looked for.
    fn found(directory: &str, named: &[&str], original: &str) -> (Vec<String>, Vec<String>) {
        let named: Vec<_> = named.iter().map(|path| FlinkPath::new(path)).collect();
        let looked_at = RefCell::new(Vec::new());
        let is_original = |path: &FlinkPath| {
            looked_at.borrow_mut().push(path.as_str().to_owned());
            path.as_str() == original
        };
        let found = originals(Path::new(directory), &named, is_original);
        let found = found.iter().map(|path| path.as_str().to_owned()).collect();
        (found, looked_at.into_inner())
    }

    #[test]
    fn the_same_layout_is_looked_for_around_what_is_named() {
        let (found, looked_at) = found("/b/ckpt/J/chk-5", &["/a/dstl/J"], "file:/a/ckpt/J/chk-5");
        assert_eq!(found, ["file:/a/ckpt/J/chk-5"]);
        let ends = ["", "/J/chk-5", "/ckpt/J/chk-5", "/b/ckpt/J/chk-5"];
        let expected = ["file:", "file:/a", "file:/a/dstl", "file:/a/dstl/J"];
        let expected = expected.iter().flat_map(|around| ends.map(|end| format!("{around}{end}")));
        let expected: Vec<_> = expected.map(|path| if path == "file:" { "file:/".to_owned() } else { path }).collect();
        assert_eq!(looked_at, expected);
    }

    #[test]
    fn what_is_no_checkpoint_is_looked_for_by_its_name_alone_too() {
        assert_eq!(
            found("/b/savepoint-1-2", &["/a/J/taskowned"], "file:/a/savepoint-1-2").0,
            ["file:/a/savepoint-1-2"]
        );
        assert_eq!(found("/b/J/chk-5", &["/a/dstl"], "file:/a/chk-5").0, [""; 0]);
    }

    #[test]
    fn a_named_directory_may_be_the_original() {
        assert_eq!(found("/b/monday", &["/a/J/chk-5", "/a/J/shared"], "file:/a/J/chk-5").0, ["file:/a/J/chk-5"]);
    }

    #[test]
    fn nobody_looks_elsewhere_nor_everywhere() {
        for odd in ["s3://bucket/a/J", "a/J", "/a/../J", "file://host/a", ""] {
            assert_eq!(found("/b/J/chk-5", &[odd], "").1, [""; 0], "{odd}");
        }
        let many: Vec<_> = (0..10_000).map(|number| format!("/a/{number}")).collect();
        let (_, looked_at) = found("/b/J/chk-5", &many.iter().map(String::as_str).collect::<Vec<_>>(), "");
        assert_eq!(looked_at.len(), MAX_DIRECTORIES * 3);
    }
}
