//! What one task contributes to a snapshot.

use super::Body;
use super::state::{put_state, take_state};
use crate::id::OperatorId;
use crate::state::{SortedMap, TaskProgress, TaskSnapshot};
use crate::wire::{Flaw, Input, Invalid, Subject, WireError, put_u64};

// How far the task had come.
const RUNNING: u8 = 0;
const FINISHED: u8 = 1;
const FINISHED_ON_RESTORE: u8 = 2;

/// The fewest bytes that an operator and its state take: its id and the counts of six empty lists.
pub(super) const LEAST_OPERATOR: usize = 16 + 6;

impl Body for TaskSnapshot {
    fn put(&self, subject: Subject, out: &mut Vec<u8>) -> Result<(), WireError> {
        out.push(match self.progress() {
            TaskProgress::Running => RUNNING,
            TaskProgress::Finished => FINISHED,
            TaskProgress::FinishedOnRestore => FINISHED_ON_RESTORE,
        });
        put_u64(out, self.operators().len() as u64);
        for (operator, state) in self.operators() {
            out.extend_from_slice(&operator.bytes());
            put_state(out, state).map_err(|invalid| invalid.writing(subject))?;
        }
        Ok(())
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Flaw> {
        let progress = input.byte()?;
        let operators = read_operators(input, LEAST_OPERATOR, take_state)?;
        match progress {
            RUNNING => Ok(Self::new(operators)),
            FINISHED => Ok(Self::new(operators).finished()),
            FINISHED_ON_RESTORE if operators.is_empty() => Ok(Self::finished_on_restore()),
            FINISHED_ON_RESTORE => {
                Err(Invalid::value("the state of a task that had nothing left to do", "some", "none").into())
            }
            _ => Err(Flaw::UNKNOWN_VARIANT),
        }
    }
}

/// Something for each of some operators, which ascend.
pub(super) fn read_operators<T>(
    input: &mut Input<'_>,
    least_bytes: usize,
    mut read: impl FnMut(&mut Input<'_>) -> Result<T, Flaw>,
) -> Result<SortedMap<OperatorId, T>, Flaw> {
    let count = input.count(least_bytes)?;
    let mut operators: Vec<(OperatorId, T)> = Vec::with_capacity(count);
    for _ in 0..count {
        let operator = OperatorId::new(input.array()?);
        if let Some((last, _)) = operators.last().filter(|(last, _)| *last >= operator) {
            return Err(Invalid::value("the operators", format!("{operator} after {last}"), "keys that ascend").into());
        }
        operators.push((operator, read(input)?));
    }
    Ok(SortedMap::from_ascending(operators))
}
