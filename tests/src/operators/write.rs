//! Writing operator state.

use std::io::Write;

use ckpt_core::id::OperatorId;
use ckpt_core::state::{OperatorState, Partitions, Redistribution, SubtaskState, TaskSnapshot};
use ckpt_core::{ErrorKind, Result};
use ckpt_streams::{Staged, StateScope, StreamFactory, into_error};

/// Writes partitions of one length as the only state of an operator. Without any there is no state.
pub(super) fn write_state<const BYTES: usize>(
    streams: &dyn StreamFactory,
    operator: OperatorId,
    name: &str,
    partitions: &[[u8; BYTES]],
    redistribution: Redistribution,
) -> Result<TaskSnapshot<Staged>> {
    let mut stream = streams.create(StateScope::Exclusive)?;
    stream.write_all(partitions.as_flattened()).map_err(|error| into_error(error, ErrorKind::AbortCheckpoint))?;
    let mut states = Vec::new();
    if let Some(staged) = stream.finish()? {
        let ranges = (0..partitions.len() as u64).map(|index| index * BYTES as u64..(index + 1) * BYTES as u64);
        let partitions = Partitions::new(ranges, redistribution)?;
        states.push(OperatorState::new([(name, partitions)].into(), staged));
    }
    Ok(TaskSnapshot::new([(operator, SubtaskState::new(Vec::new(), states))].into()))
}
