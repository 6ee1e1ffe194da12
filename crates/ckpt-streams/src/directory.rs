//! A directory of state files.

use std::fmt;
use std::sync::Arc;

use ckpt_core::state::{RelPath, Root};

use crate::file_system::FileSystem;

/// Where the files below one [`Root`] lie: a directory of a file system, or all of it.
#[derive(Clone)]
#[non_exhaustive]
pub struct StateDirectory {
    /// What handles call it.
    pub root: Root,
    /// The file system.
    pub file_system: Arc<dyn FileSystem>,
    /// The directory in it; `None` for its root.
    pub directory: Option<RelPath>,
}

impl StateDirectory {
    /// That directory of that file system.
    pub const fn new(root: Root, file_system: Arc<dyn FileSystem>, directory: Option<RelPath>) -> Self {
        Self { root, file_system, directory }
    }

    /// The path of a file in it, below the root of the file system.
    pub(crate) fn path_of(&self, file: &RelPath) -> RelPath {
        self.directory.as_ref().map_or_else(|| file.clone(), |directory| directory.join(file))
    }
}

impl fmt::Debug for StateDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.directory {
            Some(directory) => write!(f, "{:?} = {directory} in {:?}", self.root, self.file_system),
            None => write!(f, "{:?} = {:?}", self.root, self.file_system),
        }
    }
}
