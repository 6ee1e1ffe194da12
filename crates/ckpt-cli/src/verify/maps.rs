//! The maps of one run, and which of them were of use.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use ckpt_core::uri::UriParts;

use crate::flink::path::{FlinkPath, Location};
use crate::map_root::MapRoot;

/// What `--map-root` said. The first that fits counts.
pub(super) struct Maps(Vec<(MapRoot, Cell<bool>)>);

/// A directory of this machine.
pub(super) struct LocalDirectory {
    pub(super) path: PathBuf,
    pub(super) is_mapped: bool,
}

impl Maps {
    pub(super) fn new(maps: &[MapRoot]) -> Self {
        Self(maps.iter().map(|map| (map.clone(), Cell::new(false))).collect())
    }

    /// The path that a root is at, and what of this path lies below it; `None` when it does not lie below any.
    pub(super) fn divide<'a>(&'a self, path: &'a FlinkPath) -> Option<(&'a Path, &'a str)> {
        self.first(|map| map.divide(path))
    }

    /// Where a directory is that a URI of ours names; or else why it is not looked at.
    pub(super) fn directory(&self, uri: &str) -> Result<LocalDirectory, String> {
        let path = decoded(uri);
        if let Some(path) = self.first(|map| map.to_local(&path)) {
            return Ok(LocalDirectory { path, is_mapped: true });
        }
        match path.location() {
            Location::Local(path) => Ok(LocalDirectory { path: path.into(), is_mapped: false }),
            location => Err(location.why_it_is_not_looked_at()),
        }
    }

    /// Those that nothing lay below.
    pub(super) fn unused(&self) -> impl Iterator<Item = &MapRoot> {
        self.0.iter().filter(|(_, used)| !used.get()).map(|(map, _)| map)
    }

    fn first<'a, T>(&'a self, fit: impl Fn(&'a MapRoot) -> Option<T>) -> Option<T> {
        self.0.iter().find_map(|(map, used)| fit(map).inspect(|_| used.set(true)))
    }
}

/// A URI of ours as maps are written, and paths of Flink's are: nothing in those is percent-encoded.
fn decoded(uri: &str) -> FlinkPath {
    let decoded = UriParts::of(uri).and_then(|parts| {
        let host = parts.authority().map_or_else(String::new, |host| format!("//{host}"));
        Some(format!("{}:{host}{}", parts.scheme(), parts.decoded_path()?))
    });
    FlinkPath::new(decoded.as_deref().unwrap_or(uri))
}
