//! What one task contributes to a snapshot.

use super::Body;
use super::state::{Nobody, Visit, check_state, put_state, take_state};
use crate::id::OperatorId;
use crate::state::{SortedMap, SubtaskState, TaskProgress, TaskSnapshot};
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
            put_state(out, state, &mut Nobody).map_err(|invalid| invalid.writing(subject))?;
        }
        Ok(())
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Flaw> {
        let progress = input.byte()?;
        let limits = ReadLimits { least_bytes: LEAST_OPERATOR, unchecked_bytes: SHORT_BYTES };
        let operators = read_operators(input, limits, |_| Ok(()), |()| Nobody, |(), state| state)?;
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

/// State in memory takes up to some fifty times its bytes here, so no more than this takes a mebibyte at most.
const SHORT_BYTES: usize = 16 << 10;

/// What operators take.
pub(super) struct ReadLimits {
    /// The fewest bytes of one.
    pub(super) least_bytes: usize,
    /// If all of them take more, none is made before all were checked.
    pub(super) unchecked_bytes: usize,
}

/// Reads what each operator has, by id: what `before` reads, then its state.
///
/// Where it is long all of it is checked, and `visit` told of it, before memory is taken for any: what is refused takes none. It is the last in its
/// frame.
pub(super) fn read_operators<T, B, V: Visit>(
    input: &mut Input<'_>,
    limits: ReadLimits,
    before: impl Fn(&mut Input<'_>) -> Result<B, Flaw>,
    visit: impl Fn(&B) -> V,
    make: impl Fn(B, SubtaskState) -> T,
) -> Result<SortedMap<OperatorId, T>, Flaw> {
    let count = input.count(limits.least_bytes)?;
    if input.rest().len() > limits.unchecked_bytes {
        let mut ahead = *input;
        let checked = each_operator(&mut ahead, count, |_, input| {
            let mut visit = visit(&before(input)?);
            check_state(input, &mut visit).map(|_| ())
        });
        // The place of what is wrong is told.
        checked.inspect_err(|_| *input = ahead)?;
        if !ahead.rest().is_empty() {
            // Whoever reads the frame sees that something is left over.
            *input = ahead;
            return Ok(SortedMap::default());
        }
    }
    let mut operators: Vec<(OperatorId, T)> = Vec::with_capacity(count);
    each_operator(input, count, |operator, input| {
        let before = before(input)?;
        operators.push((operator, make(before, take_state(input)?)));
        Ok(())
    })?;
    Ok(SortedMap::from_ascending(operators))
}

/// Reads so many ids, which ascend, and what follows each.
fn each_operator(
    input: &mut Input<'_>,
    count: usize,
    mut each: impl FnMut(OperatorId, &mut Input<'_>) -> Result<(), Flaw>,
) -> Result<(), Flaw> {
    let mut last = None;
    for _ in 0..count {
        let operator = OperatorId::new(input.array()?);
        if let Some(last) = last.replace(operator).filter(|last| *last >= operator) {
            return Err(Invalid::value("the operators", format!("{operator} after {last}"), "keys that ascend").into());
        }
        each(operator, input)?;
    }
    Ok(())
}
