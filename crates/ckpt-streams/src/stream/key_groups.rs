//! Keyed state, key group after key group.

use std::io::{self, Write};

use ckpt_core::Result;
use ckpt_core::key_group::{KeyGroup, KeyGroupRange};
use ckpt_core::state::{KeyGroupsState, KeyedState};

use crate::stream::error::StreamError;
use crate::stream::snapshot_stream::{SnapshotResult, SnapshotStream};
use crate::stream::staged::Staged;

/// Writes keyed state and notes where each key group begins (Flink's `KeyedStateCheckpointOutputStream`).
///
/// Groups are begun in ascending order, none of them twice; a group that is not begun has no bytes. What is written before
/// the first group belongs to none: a head, for whoever reads the piece as a whole.
///
/// Who writes an operator's raw state borrows the stream and cannot end it, and whoever ends it has it back:
///
/// ```
/// # use std::io::Write as _;
/// # use ckpt_streams::KeyGroupsStream;
/// fn operator(stream: &mut KeyGroupsStream) -> Result<(), Box<dyn std::error::Error>> {
///     stream.start_key_group(stream.range().first())?;
///     stream.write_all(b"values")?;
///     Ok(())
/// }
/// ```
///
/// ```compile_fail,E0507
/// # use std::io::Write as _;
/// # use ckpt_streams::KeyGroupsStream;
/// fn operator(stream: &mut KeyGroupsStream) -> Result<(), Box<dyn std::error::Error>> {
///     stream.start_key_group(stream.range().first())?;
///     stream.write_all(b"values")?;
///     stream.finish()?;
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct KeyGroupsStream {
    stream: SnapshotStream,
    range: KeyGroupRange,
    current: Option<KeyGroup>,
    /// One for each group that was begun, and for those before it that were not.
    offsets_bytes: Vec<u64>,
}

impl KeyGroupsStream {
    /// The state of those groups goes into that stream.
    pub const fn new(stream: SnapshotStream, range: KeyGroupRange) -> Self {
        Self { stream, range, current: None, offsets_bytes: Vec::new() }
    }

    /// The groups.
    pub const fn range(&self) -> KeyGroupRange {
        self.range
    }

    /// The group that is being written; `None` before the first.
    pub const fn current_key_group(&self) -> Option<KeyGroup> {
        self.current
    }

    /// What is written from here on belongs to that group (Flink's `startNewKeyGroup`).
    ///
    /// # Errors
    ///
    /// `Configuration` when the group is outside of the range, or is not after the one before. Nothing has changed then.
    pub fn start_key_group(&mut self, group: KeyGroup) -> Result<()> {
        let Some(index) = self.range.index_of(group) else {
            return Err(StreamError::GroupOutside { group, range: self.range }.into());
        };
        if let Some(current) = self.current.filter(|current| group <= *current) {
            return Err(StreamError::GroupNotAfter { group, current }.into());
        }
        // Groups that were left out have no bytes: they begin where the next one does.
        self.offsets_bytes.resize(index + 1, self.stream.position());
        self.current = Some(group);
        Ok(())
    }

    /// Payload bytes written so far.
    pub fn position(&self) -> u64 {
        self.stream.position()
    }

    /// Ends it. `None` when nothing was written; state and copy have the same offsets.
    ///
    /// # Errors
    ///
    /// Those of the [stream](SnapshotStream::finish).
    pub fn finish(mut self) -> Result<SnapshotResult<KeyedState<Staged>>> {
        self.offsets_bytes.resize(self.range.count(), self.stream.position());
        let (range, offsets_bytes) = (self.range, self.offsets_bytes);
        self.stream.finish()?.try_map(&mut |staged| {
            Ok(KeyedState::KeyGroups(KeyGroupsState::new(range, offsets_bytes.as_slice(), staged)?))
        })
    }

    /// Ends it and leaves nothing behind.
    ///
    /// # Errors
    ///
    /// `Retry` when something may be left.
    pub fn abort(self) -> Result<()> {
        self.stream.abort()
    }
}

impl Write for KeyGroupsStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
