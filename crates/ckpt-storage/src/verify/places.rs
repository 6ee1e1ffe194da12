//! Where the files of a snapshot lie.

use std::sync::Arc;

use ckpt_core::Error;
use ckpt_core::state::Root;
use ckpt_streams::{FileStateReader, StateDirectory};

use super::finding::Finding;
use super::report::{VerifyObserver, VerifyProgress};
use crate::completed::CompletedLocation;
use crate::error::StorageError;

/// The directories that files of a snapshot lie in, as far as they can be opened.
pub(super) struct Places {
    directories: Vec<StateDirectory>,
    /// Those that cannot, and why.
    closed: Vec<Closed>,
}

/// A root that cannot be opened, and why.
struct Closed {
    root: Root,
    uri: String,
    source: Arc<Error>,
}

impl Places {
    /// Those of that snapshot. What it knows of a root comes before what its metadata says of it.
    pub(super) fn of(location: &CompletedLocation) -> Self {
        let mut places = Self { directories: location.roots().to_vec(), closed: Vec::new() };
        for (root, uri) in location.metadata.summary().places.iter() {
            if places.directories.iter().any(|known| known.root == root) {
                continue;
            }
            match location.file_systems().open(uri.as_str()) {
                Ok(file_system) => places.directories.push(StateDirectory::new(root, file_system, None)),
                Err(source) => places.closed.push(Closed { root, uri: uri.to_string(), source: Arc::new(source) }),
            }
        }
        places
    }

    /// Reads below those that are open.
    pub(super) fn reader(&self) -> FileStateReader {
        FileStateReader::new(self.directories.clone())
    }

    /// Has what lies below the others told with the reason.
    pub(super) fn observe<'a>(&'a self, observer: &'a mut dyn VerifyObserver) -> WithReasons<'a> {
        WithReasons { places: self, observer }
    }
}

/// An observer that is told why nothing is known of a place.
pub(super) struct WithReasons<'a> {
    places: &'a Places,
    observer: &'a mut dyn VerifyObserver,
}

impl VerifyObserver for WithReasons<'_> {
    fn found(&mut self, mut finding: Finding) {
        if let Some(Closed { uri, source, .. }) = self.places.closed.iter().find(|place| place.root == finding.root) {
            let (uri, source) = (uri.clone(), Arc::clone(source));
            finding.error = Some(StorageError::PlaceNotOpened { uri, source }.configuration());
        }
        self.observer.found(finding);
    }

    fn progress(&mut self, progress: VerifyProgress) {
        self.observer.progress(progress);
    }
}
