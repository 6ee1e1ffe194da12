//! Operator state, partition after partition.

use std::io::{self, Write};

use ckpt_core::Result;
use ckpt_core::state::{OperatorState, Partitions, Redistribution, SortedMap};

use crate::stream::snapshot_stream::{SnapshotResult, SnapshotStream};
use crate::stream::staged::Staged;

/// Writes the raw state of an operator and notes where each partition begins (Flink's
/// `OperatorStateCheckpointOutputStream`).
///
/// A partition goes to one subtask when the parallelism changes. Who begins none has written one, from the first byte to the
/// last; who begins one after other bytes has written a head that belongs to none.
#[derive(Debug)]
pub struct PartitionsStream {
    stream: SnapshotStream,
    offsets_bytes: Vec<u64>,
}

impl PartitionsStream {
    /// The name of the only state of such a piece (Flink's).
    pub const STATE_NAME: &'static str = "_default_";

    /// The state goes into that stream.
    pub const fn new(stream: SnapshotStream) -> Self {
        Self { stream, offsets_bytes: Vec::new() }
    }

    /// What is written from here on, up to the next call, is one partition (Flink's `startNewPartition`).
    pub fn start_partition(&mut self) {
        self.offsets_bytes.push(self.stream.position());
    }

    /// How many partitions were begun.
    pub fn partitions(&self) -> usize {
        self.offsets_bytes.len()
    }

    /// Payload bytes written so far.
    pub fn position(&self) -> u64 {
        self.stream.position()
    }

    /// Ends it. `None` when nothing was written; state and copy have the same partitions.
    ///
    /// # Errors
    ///
    /// Those of the [stream](SnapshotStream::finish).
    pub fn finish(mut self) -> Result<SnapshotResult<OperatorState<Staged>>> {
        if self.offsets_bytes.is_empty() {
            self.offsets_bytes.push(0);
        }
        let end_bytes = self.stream.position();
        let ends = self.offsets_bytes.iter().skip(1).copied().chain([end_bytes]);
        let ranges_bytes: Vec<_> = self.offsets_bytes.iter().zip(ends).map(|(first, end)| *first..end).collect();
        self.stream.finish()?.try_map(&mut |staged| {
            let partitions = Partitions::new(ranges_bytes.iter().cloned(), Redistribution::Split)?;
            let states = SortedMap::from([(Self::STATE_NAME, partitions)]);
            Ok(OperatorState::new(states, staged))
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

impl Write for PartitionsStream {
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
