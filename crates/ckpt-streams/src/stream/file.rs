//! State that goes into files.

use std::sync::Arc;

use ckpt_core::state::{StateHandle, TaskSnapshot};
use ckpt_core::{Error, ErrorKind, Result};

use crate::file_system::Durability;
use crate::spawn::Spawn;
use crate::stream::names::FileNames;
use crate::stream::staged::Staged;
use crate::stream::{StateOutputStream, StateScope, StreamFactory};
use crate::{Pending, StateDirectory};

/// Streams into state files, for one checkpoint of one writer. Small state stays in its handle and makes no file.
#[derive(Debug)]
pub struct FileStreams {
    target: FileStreamsTarget,
    options: FileStreamsOptions,
}

/// Where the files of a [`FileStreams`] go and how they are named.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileStreamsTarget {
    /// For [`StateScope::Exclusive`].
    pub exclusive: StateDirectory,
    /// For [`StateScope::Shared`].
    pub shared: StateDirectory,
    /// Names files.
    pub names: Arc<FileNames>,
    /// Syncs and removes files side by side. It may refuse: then the caller's thread does everything.
    pub spawn: Arc<dyn Spawn>,
}

/// How a [`FileStreams`] writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileStreamsOptions {
    /// State of at most that many bytes stays in its handle.
    pub inline_threshold_bytes: usize,
    /// Smaller writes are collected until there are that many bytes.
    pub write_buffer_bytes: usize,
    /// What a crash may take of state that was sealed.
    pub durability: Durability,
}

impl FileStreams {
    /// Streams there.
    pub fn new(target: FileStreamsTarget, options: FileStreamsOptions) -> Self {
        Self { target, options }
    }
}

impl FileStreamsTarget {
    /// Both directories, the writer's names and where blocking work runs.
    pub const fn new(
        exclusive: StateDirectory,
        shared: StateDirectory,
        names: Arc<FileNames>,
        spawn: Arc<dyn Spawn>,
    ) -> Self {
        Self { exclusive, shared, names, spawn }
    }
}

impl Default for FileStreamsOptions {
    /// 20 KiB in the handle, 64 KiB of buffer, fully durable.
    fn default() -> Self {
        Self { inline_threshold_bytes: 20 * 1024, write_buffer_bytes: 64 * 1024, durability: Durability::Full }
    }
}

impl StreamFactory for FileStreams {
    fn create(&self, _scope: StateScope) -> Result<Box<dyn StateOutputStream>> {
        Err(Error::new(ErrorKind::AbortCheckpoint, format!("{:?} {:?}", self.target, self.options)))
    }

    fn seal(&self, _snapshot: TaskSnapshot<Staged>) -> Result<TaskSnapshot<StateHandle>> {
        Err(Error::new(ErrorKind::AbortCheckpoint, "nothing can be sealed yet"))
    }

    fn duplicate(&self, _from: &[StateHandle], _scope: StateScope) -> Result<Vec<Staged>> {
        Err(Error::new(ErrorKind::AbortCheckpoint, "nothing can be duplicated yet"))
    }

    fn cancel(&self) -> Pending<()> {
        Pending::ready(())
    }
}
