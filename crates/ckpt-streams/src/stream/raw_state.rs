//! The streams into which an operator writes its raw state.

use ckpt_core::Result;
use ckpt_core::key_group::KeyGroupRange;
use ckpt_core::state::SubtaskStateParts;

use crate::stream::error::StreamError;
use crate::stream::key_groups::KeyGroupsStream;
use crate::stream::partitions::PartitionsStream;
use crate::stream::snapshot_stream::SnapshotStream;
use crate::stream::staged::Staged;
use crate::stream::{StateScope, StreamFactory};

/// What an operator is handed to write state of its own (Flink's `StateSnapshotContext`). A stream begins when it is first
/// asked for.
///
/// The operator borrows a stream and cannot end it, and nothing can be ended while it does. Dropping this leaves nothing
/// behind, but is counted and cannot report errors.
#[derive(Debug)]
pub struct RawStateStreams<'a> {
    streams: &'a dyn StreamFactory,
    range: Option<KeyGroupRange>,
    keyed: Option<KeyGroupsStream>,
    operator: Option<PartitionsStream>,
}

impl<'a> RawStateStreams<'a> {
    /// For an operator that holds those key groups, or whose input has no keys.
    pub const fn new(streams: &'a dyn StreamFactory, range: Option<KeyGroupRange>) -> Self {
        Self { streams, range, keyed: None, operator: None }
    }

    /// Where state goes that belongs to keys.
    ///
    /// # Errors
    ///
    /// `Configuration` when the operator's input has no keys; those of [`StreamFactory::create`].
    pub fn keyed(&mut self) -> Result<&mut KeyGroupsStream> {
        let range = self.range.ok_or(StreamError::NoKeys)?;
        let stream = match self.keyed.take() {
            Some(stream) => stream,
            None => KeyGroupsStream::new(create(self.streams)?, range),
        };
        Ok(self.keyed.insert(stream))
    }

    /// Where state goes that belongs to the subtask.
    ///
    /// # Errors
    ///
    /// Those of [`StreamFactory::create`].
    pub fn operator(&mut self) -> Result<&mut PartitionsStream> {
        let stream = match self.operator.take() {
            Some(stream) => stream,
            None => PartitionsStream::new(create(self.streams)?),
        };
        Ok(self.operator.insert(stream))
    }

    /// Ends the streams that were begun and adds what they came to.
    ///
    /// # Errors
    ///
    /// Those of [`StateOutputStream::finish`](crate::StateOutputStream::finish); then nothing was added and nothing is left.
    pub fn finish_into(self, parts: &mut SubtaskStateParts<Staged>) -> Result<()> {
        let keyed = match self.keyed.map(KeyGroupsStream::finish).transpose() {
            Ok(keyed) => keyed.and_then(|keyed| keyed.stored),
            Err(error) => {
                // Its factory counts what it cannot remove; what failed first is what is told.
                let _ = self.operator.map(PartitionsStream::abort);
                return Err(error);
            }
        };
        // An error drops what the other came to, which removes it.
        let operator = self.operator.map(PartitionsStream::finish).transpose()?;
        parts.raw_keyed.extend(keyed);
        parts.raw_operator.extend(operator.and_then(|operator| operator.stored));
        Ok(())
    }

    /// Ends the streams that were begun and leaves nothing behind.
    ///
    /// # Errors
    ///
    /// `Retry` when something may be left.
    pub fn abort(self) -> Result<()> {
        let keyed = self.keyed.map_or(Ok(()), KeyGroupsStream::abort);
        self.operator.map_or(Ok(()), PartitionsStream::abort).and(keyed)
    }
}

fn create(streams: &dyn StreamFactory) -> Result<SnapshotStream> {
    Ok(SnapshotStream::simple(streams.create(StateScope::Exclusive)?))
}
