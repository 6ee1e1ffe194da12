//! The count: how often each word has come.

use std::io::Write;

use ckpt_coord::task::{CapturedState, CheckpointedTask};
use ckpt_core::id::OperatorId;
use ckpt_core::key_group::{KeyGroup, KeyGroupRange};
use ckpt_core::message::Marker;
use ckpt_core::snapshot::CheckpointBarrier;
use ckpt_core::state::{SubtaskState, TaskRestore, TaskSnapshot};
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_storage::WorkerView;
use ckpt_streams::{KeyGroupsStream, SnapshotStream, Staged, StateScope, StreamFactory, into_error};

use crate::error::Fault;
use crate::exchange::{Batch, Inbox, Output, Tail};
use crate::operators::receiving::ReceivingTask;
use crate::operators::restore::Restored;
use crate::operators::word_table::WordTable;
use crate::text::key_hash;

/// One subtask of the count: for each word that comes it sends the line `word<TAB>count` on. Its state is a table for each
/// key group that it owns.
#[derive(Debug)]
pub(crate) struct CountTask {
    operator: OperatorId,
    range: KeyGroupRange,
    tables: Vec<WordTable>,
    inbox: Inbox,
    output: Output,
}

/// The tables as they were at a barrier, in the form in which they are stored.
#[derive(Debug)]
struct CapturedTables {
    operator: OperatorId,
    range: KeyGroupRange,
    /// Where each table ends.
    ends_bytes: Vec<usize>,
    bytes: Vec<u8>,
}

impl CountTask {
    pub(crate) const NAME: &'static str = "count";

    /// A subtask that owns those key groups and begins with what is restored of them.
    pub(crate) fn restore(
        operator: OperatorId,
        range: KeyGroupRange,
        inbox: Inbox,
        output: Output,
        restore: &TaskRestore,
        view: &dyn WorkerView,
    ) -> Result<Self> {
        let mut tables = vec![WordTable::default(); range.count()];
        Restored::new(Self::NAME, operator, restore, view)?.key_groups(|group, section| {
            let table = range.index_of(group).and_then(|index| tables.get_mut(index));
            table.ok_or_else(|| not_ours(group, range))?.decode(section, key_hash)
        })?;
        Ok(Self { operator, range, tables, inbox, output })
    }
}

/// A record that came to the wrong subtask would split its key's count in two.
fn not_ours(group: KeyGroup, range: KeyGroupRange) -> Error {
    Fault::State { operator: CountTask::NAME, what: format!("{group:?} is none of the {range:?} of this subtask") }
        .into()
}

/// Adds `word<TAB>count<LF>`. Formatting by `write!` would cost more than the counting.
#[inline]
fn push_line(to: &mut Vec<u8>, word: &[u8], count: u64) {
    let mut digits = [0; 20];
    let mut begin = digits.len();
    let mut rest = count;
    loop {
        begin -= 1;
        digits[begin] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    to.extend_from_slice(word);
    to.push(b'\t');
    to.extend_from_slice(&digits[begin..]);
    to.push(b'\n');
}

impl ReceivingTask for CountTask {
    fn inbox(&mut self) -> &mut Inbox {
        &mut self.inbox
    }

    fn process(&mut self, batch: &Batch) -> Result<()> {
        let first = self.range.first().get();
        for (hash, group, word) in batch.records() {
            let table = group.get().checked_sub(first).and_then(|index| self.tables.get_mut(usize::from(index)));
            let count = table.ok_or_else(|| not_ours(group, self.range))?.increment(hash, word);
            push_line(&mut self.output.batch()?.bytes, word, count);
            self.output.send_if_full()?;
        }
        Ok(())
    }

    fn all_inputs_ended(&mut self) -> Result<()> {
        self.output.send_tail(Tail::End)
    }
}

impl CheckpointedTask for CountTask {
    fn capture_bytes(&self) -> u64 {
        self.tables.iter().map(|table| table.most_encoded_bytes() as u64).sum()
    }

    fn capture(&mut self, _barrier: &CheckpointBarrier) -> Result<Box<dyn CapturedState>> {
        let mut ends_bytes = Vec::with_capacity(self.tables.len());
        let mut bytes = Vec::new();
        for table in &self.tables {
            table.encode(&mut bytes);
            ends_bytes.push(bytes.len());
        }
        Ok(Box::new(CapturedTables { operator: self.operator, range: self.range, ends_bytes, bytes }))
    }

    fn forward(&mut self, marker: &Marker) -> Result<()> {
        self.output.send_tail(Tail::Marker(marker.clone()))
    }

    fn block(&mut self, input: u32) {
        self.inbox.block(input);
    }

    fn unblock_all(&mut self) {
        self.inbox.unblock_all();
    }
}

impl CapturedState for CapturedTables {
    fn write(self: Box<Self>, streams: &dyn StreamFactory) -> Result<TaskSnapshot<Staged>> {
        let failed = |error| into_error(error, ErrorKind::AbortCheckpoint);
        let stream = SnapshotStream::simple(streams.create(StateScope::Exclusive)?);
        let mut stream = KeyGroupsStream::new(stream, self.range);
        let mut written_bytes = 0;
        for (group, end_bytes) in self.range.iter().zip(self.ends_bytes) {
            stream.start_key_group(group)?;
            stream.write_all(&self.bytes[written_bytes..end_bytes]).map_err(failed)?;
            written_bytes = end_bytes;
        }
        // Nothing was counted, nothing is stored.
        let keyed = stream.finish()?.stored.into_iter().collect();
        Ok(TaskSnapshot::new([(self.operator, SubtaskState::new(keyed, Vec::new()))].into()))
    }
}
