//! A stream of state, with a local copy or without.

use std::io::{self, Write};

use ckpt_core::{Error, Result};

use crate::stream::StateOutputStream;
use crate::stream::duplicating::DuplicatingStream;
use crate::stream::staged::Staged;

/// A stream of state and, if there is to be one, of its local copy (Flink's `CheckpointStreamWithResultProvider`).
///
/// ```
/// # use std::sync::Arc;
/// # use ckpt_core::id::{LeaderEpoch, Writer, WriterId};
/// # use ckpt_core::state::Root;
/// # use ckpt_streams::file_system::{FileSystem, LocalFileSystem};
/// # use ckpt_streams::{
/// #     FileNames, FileStreams, FileStreamsOptions, FileStreamsTarget, LocalCopy, Pool, PoolOptions, SnapshotStream,
/// #     StateDirectory, StateScope, StreamFactory,
/// # };
/// # let scratch = tempfile::tempdir()?;
/// # let names = Arc::new(FileNames::new(Writer::new(LeaderEpoch::new(1), WriterId::new(1))));
/// # let pool = Arc::new(Pool::new(PoolOptions::new(1, 8))?);
/// # let streams = |path: &str| -> ckpt_core::Result<FileStreams> {
/// #     let disk: Arc<dyn FileSystem> = Arc::new(LocalFileSystem::open(&scratch.path().join(path))?);
/// #     let directory = StateDirectory::new(Root::ThisSnapshot, disk, None);
/// #     let target = FileStreamsTarget::new(directory.clone(), directory, names.clone(), pool.clone());
/// #     Ok(FileStreams::new(target, FileStreamsOptions::default()))
/// # };
/// // One factory where the checkpoint lies, and one on a disk of this machine.
/// let (remote, local) = (streams("remote")?, streams("local")?);
/// let copy = local.create_at(StateScope::Exclusive, names.next()?);
/// let mut stream = SnapshotStream::with_copy(remote.create(StateScope::Exclusive)?, copy);
/// std::io::Write::write_all(&mut stream, b"state")?;
/// let result = stream.finish()?;
///
/// // The checkpoint is sealed, and so is the copy, by the factory of each. Only the former must succeed.
/// let stored = remote.seal_piece(result.stored.expect("something was written"))?;
/// let LocalCopy::Written(copy) = result.local else { panic!("this disk works") };
/// assert_eq!(local.seal_piece(copy)?.length_bytes(), stored.length_bytes());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SnapshotStream(Kind);

#[derive(Debug)]
enum Kind {
    Simple(Box<dyn StateOutputStream>),
    Duplicating(DuplicatingStream),
    /// There should have been a copy.
    WithoutCopy(Box<dyn StateOutputStream>, Error),
}

/// State that was written, and its copy on a disk of the machine (Flink's `SnapshotResult`).
#[derive(Debug)]
#[non_exhaustive]
pub struct SnapshotResult<T> {
    /// What the checkpoint is made of. `None` when nothing was written.
    pub stored: Option<T>,
    /// What a restore on this machine may read instead.
    pub local: LocalCopy<T>,
}

/// A copy of state on a disk of the machine, which nothing depends on.
#[derive(Debug)]
#[non_exhaustive]
pub enum LocalCopy<T> {
    /// None was asked for, or there is no state.
    None,
    /// It has the same bytes.
    Written(T),
    /// It could not be made, and nothing is left of it.
    Failed(Error),
}

impl SnapshotStream {
    /// Without a local copy.
    pub const fn simple(stream: Box<dyn StateOutputStream>) -> Self {
        Self(Kind::Simple(stream))
    }

    /// With a local copy, if its stream could be made; else the [result](LocalCopy::Failed) says why not.
    pub fn with_copy(stream: Box<dyn StateOutputStream>, copy: Result<Box<dyn StateOutputStream>>) -> Self {
        Self(match copy {
            Ok(copy) => Kind::Duplicating(DuplicatingStream::new(stream, copy)),
            Err(error) => Kind::WithoutCopy(stream, error),
        })
    }

    /// Payload bytes written so far.
    pub fn position(&self) -> u64 {
        match &self.0 {
            Kind::Simple(stream) | Kind::WithoutCopy(stream, _) => stream.position(),
            Kind::Duplicating(stream) => stream.position(),
        }
    }

    /// Ends it. Both parts are [`Staged`]: each is sealed by the factory that made its stream.
    ///
    /// # Errors
    ///
    /// Those of the state's own [stream](StateOutputStream::finish); then no copy is left either.
    pub fn finish(self) -> Result<SnapshotResult<Staged>> {
        let (stored, local) = match self.0 {
            Kind::Simple(stream) => (stream.finish()?, LocalCopy::None),
            Kind::WithoutCopy(stream, error) => (stream.finish()?, LocalCopy::Failed(error)),
            Kind::Duplicating(stream) => {
                let both = stream.finish_both()?;
                (both.primary, both.secondary.map_or_else(LocalCopy::Failed, LocalCopy::from))
            }
        };
        // Without state there is nothing to copy, and so nothing that failed.
        let local = if stored.is_some() { local } else { LocalCopy::None };
        Ok(SnapshotResult { stored, local })
    }

    /// Ends it and leaves nothing behind.
    ///
    /// # Errors
    ///
    /// `Retry` when something may be left.
    pub fn abort(self) -> Result<()> {
        match self.0 {
            Kind::Simple(stream) | Kind::WithoutCopy(stream, _) => stream.abort(),
            Kind::Duplicating(stream) => Box::new(stream).abort(),
        }
    }

    fn stream(&mut self) -> &mut dyn StateOutputStream {
        match &mut self.0 {
            Kind::Simple(stream) | Kind::WithoutCopy(stream, _) => &mut **stream,
            Kind::Duplicating(stream) => stream,
        }
    }
}

impl Write for SnapshotStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream().write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream().write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream().flush()
    }
}

impl<T> SnapshotResult<T> {
    /// The same with what both parts are made into.
    ///
    /// # Errors
    ///
    /// The first of `map`.
    pub fn try_map<U>(self, map: &mut dyn FnMut(T) -> Result<U>) -> Result<SnapshotResult<U>> {
        let stored = self.stored.map(&mut *map).transpose()?;
        let local = match self.local {
            LocalCopy::None => LocalCopy::None,
            LocalCopy::Written(copy) => LocalCopy::Written(map(copy)?),
            LocalCopy::Failed(error) => LocalCopy::Failed(error),
        };
        Ok(SnapshotResult { stored, local })
    }
}

impl<T> From<Option<T>> for LocalCopy<T> {
    fn from(copy: Option<T>) -> Self {
        copy.map_or(Self::None, Self::Written)
    }
}
