//! Publishing the metadata of a checkpoint: whole, durable, and never in the place of another.

use std::fmt;
use std::io::Write;
use std::sync::Arc;

use ckpt_core::Result;
use ckpt_core::state::RelPath;

use crate::file_system::{Durability, FileSystem};
use crate::stream::metadata::error::MetadataError;
use crate::stream::metadata::stream::Ending;

pub use stream::MetadataStream;

mod error;
#[cfg(all(test, not(ckpt_loom)))]
mod metadata_test;
mod stream;

/// How often a file is sent before it stays unknown whether it was published.
const MOST_TRIES: u32 = 3;

/// The file that metadata is to be, and what must survive.
#[derive(Clone)]
pub struct MetadataTarget {
    file_system: Arc<dyn FileSystem>,
    path: RelPath,
    durability: Durability,
}

impl MetadataTarget {
    /// That file, made durable so.
    pub const fn new(file_system: Arc<dyn FileSystem>, path: RelPath, durability: Durability) -> Self {
        Self { file_system, path, durability }
    }

    /// Publishes what `write` writes, or finds that an earlier try of the same write has.
    ///
    /// When the answer to a try is lost, `write` is called again and must write the same bytes. They are told from those of
    /// every other write by what they say of themselves, as metadata do: no two writes have job, epoch and number of a
    /// checkpoint in common.
    ///
    /// # Errors
    ///
    /// Those of `write`. `AbortCheckpoint` when nothing was published, or something else was before. `Unknown` when it may
    /// have been, or its name may not survive: the same may be published again.
    pub fn publish<T>(&self, write: &mut dyn FnMut(&mut dyn Write) -> Result<T>) -> Result<T> {
        // Once something was sent whose answer is not known, no later failure proves that nothing is there.
        let mut unanswered = None;
        for _ in 0..MOST_TRIES {
            let error = match self.send(write) {
                Ok((written, Ending::Published)) => return Ok(written),
                Ok((_, Ending::Settled(error))) => return Err(error),
                // Whether it was published shows when the same is sent again: it is then, or it is there already.
                Ok((_, Ending::Unanswered(error))) => error,
                Ok((_, Ending::Failed(error))) | Err(error) if unanswered.is_none() => return Err(error),
                Ok((_, Ending::Failed(error))) | Err(error) => error,
            };
            unanswered = Some(error);
        }
        let (path, tries) = (self.shown(), MOST_TRIES);
        Err(MetadataError::Unknown { path, tries, source: unanswered }.into())
    }

    /// Begins the file, to be published once.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when it cannot be made.
    pub fn stream(&self) -> Result<MetadataStream> {
        MetadataStream::begin(self.clone())
    }

    fn send<T>(&self, write: &mut dyn FnMut(&mut dyn Write) -> Result<T>) -> Result<(T, Ending)> {
        let mut stream = self.stream()?;
        match write(&mut stream) {
            Ok(written) => Ok((written, stream.end())),
            Err(error) => {
                // What is left of it is invisible; what failed is what is told.
                let _ = stream.abort();
                Err(error)
            }
        }
    }

    /// The path as people know it.
    fn shown(&self) -> String {
        self.file_system.shown(&self.path)
    }
}

impl fmt::Debug for MetadataTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MetadataTarget({} in {:?})", self.path, self.file_system)
    }
}
