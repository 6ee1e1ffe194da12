//! The place of a completed checkpoint.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ckpt_core::Result;
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::state::{Places, RelPath, Root, StateHandle};
use ckpt_core::uri::{StoragePath, Uri};
use ckpt_streams::file_system::FileSystems;
use ckpt_streams::{FileStateReader, ReadOptions, StateDirectory, StateInputStream, StateReader};
use parking_lot::Mutex;

use crate::error::StorageError;

/// The place of a completed checkpoint: what its `_metadata` says, and where the state lies that it names.
///
/// [`CheckpointStorage::resolve`](crate::CheckpointStorage::resolve) makes it. A storage of one's own may build it by
/// [`new`](Self::new) and the `with_…` methods; without them it has inline state alone.
///
/// Of a checkpoint in local files it, its clones and its readers hold one descriptor together, and a reader one more for
/// each claimed or borrowed root that it has read from. Who lists many checkpoints asks for
/// [`summarize`](crate::CheckpointStorage::summarize), of which nothing stays open.
#[derive(Clone)]
#[non_exhaustive]
pub struct CompletedLocation {
    /// The pointer by which users name it.
    pub pointer: String,
    /// What its `_metadata` says.
    pub metadata: Arc<CheckpointMetadata>,
    roots: Vec<StateDirectory>,
    metadata_path: Option<RelPath>,
    file_systems: Arc<FileSystems>,
}

impl CompletedLocation {
    /// A completed checkpoint under that pointer, of which no directory is known.
    pub fn new(pointer: String, metadata: Arc<CheckpointMetadata>) -> Self {
        Self { pointer, metadata, roots: Vec::new(), metadata_path: None, file_systems: Arc::default() }
    }

    /// State below that root lies there. The one of [`Root::ThisSnapshot`] is the checkpoint's own directory.
    #[must_use]
    pub fn with_root(mut self, directory: StateDirectory) -> Self {
        self.roots.retain(|known| known.root != directory.root);
        self.roots.push(directory);
        self
    }

    /// The metadata file is that one, below the root of the file system of its [`directory`](Self::directory).
    #[must_use]
    pub fn with_metadata_path(mut self, path: RelPath) -> Self {
        self.metadata_path = Some(path);
        self
    }

    /// Claimed and borrowed roots, whose places the metadata gives, are opened by those.
    #[must_use]
    pub fn with_file_systems(mut self, file_systems: Arc<FileSystems>) -> Self {
        self.file_systems = file_systems;
        self
    }

    /// The checkpoint's own directory; `None` when it has none, as one in memory.
    pub fn directory(&self) -> Option<&StateDirectory> {
        self.roots.iter().find(|directory| directory.root == Root::ThisSnapshot)
    }

    /// The metadata file, below the root of the file system of its [`directory`](Self::directory).
    pub const fn metadata_path(&self) -> Option<&RelPath> {
        self.metadata_path.as_ref()
    }

    /// The directories that are known, by their root; without those that the metadata gives places for.
    pub fn roots(&self) -> &[StateDirectory] {
        &self.roots
    }

    /// What claimed and borrowed roots are opened by.
    pub(crate) fn file_systems(&self) -> &FileSystems {
        &self.file_systems
    }

    /// Reads the state that it names. What lies below claimed and borrowed roots is opened when the first of it is read.
    ///
    /// # Errors
    ///
    /// None today. Of the reader: `NotFound` when a file is missing or nothing is known of its root, `Configuration` when
    /// the place of a root cannot be opened, `Corrupt` when a file is not what was written.
    pub fn reader(&self, options: ReadOptions) -> Result<Arc<dyn StateReader>> {
        Ok(Arc::new(SnapshotReader {
            here: FileStateReader::new(self.roots.clone()).with_options(options.clone()),
            places: self.metadata.summary().places.clone(),
            file_systems: Arc::clone(&self.file_systems),
            options,
            elsewhere: Mutex::default(),
        }))
    }
}

/// Without what may be a secret in a pointer, and without the metadata, which may be long.
impl fmt::Debug for CompletedLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompletedLocation")
            .field("pointer", &StoragePath::from(&*self.pointer))
            .field("identity", &self.metadata.summary().identity)
            .field("roots", &self.roots)
            .finish_non_exhaustive()
    }
}

/// Reads state of one snapshot, wherever its roots lie.
#[derive(Debug)]
struct SnapshotReader {
    here: FileStateReader,
    places: Places,
    file_systems: Arc<FileSystems>,
    options: ReadOptions,
    /// The claimed and borrowed roots that were read from before.
    elsewhere: Mutex<BTreeMap<Root, Arc<FileStateReader>>>,
}

impl StateReader for SnapshotReader {
    fn open(&self, handle: &StateHandle) -> Result<Box<dyn StateInputStream>> {
        let elsewhere = handle.place().file().and_then(|(root, _)| Some((root, self.places.get(root)?)));
        match elsewhere {
            Some((root, uri)) => self.reader_at(root, uri)?.open(handle),
            None => self.here.open(handle),
        }
    }
}

impl SnapshotReader {
    fn reader_at(&self, root: Root, uri: &Uri) -> Result<Arc<FileStateReader>> {
        if let Some(reader) = self.elsewhere.lock().get(&root) {
            return Ok(Arc::clone(reader));
        }
        // Not under the lock: it may take long, and twice is harmless.
        let file_system = self.file_systems.open(uri.as_str()).map_err(|source| {
            StorageError::PlaceNotOpened { uri: uri.to_string(), source: Arc::new(source) }.configuration()
        })?;
        let directory = StateDirectory::new(root, file_system, None);
        let reader = Arc::new(FileStateReader::new(vec![directory]).with_options(self.options.clone()));
        Ok(Arc::clone(self.elsewhere.lock().entry(root).or_insert(reader)))
    }
}
