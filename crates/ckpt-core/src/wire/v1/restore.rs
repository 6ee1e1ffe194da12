//! What a task is given at its deployment.

use serde::{Deserialize, Serialize};

use super::message::Attempt;
use super::state::{Visit, put_range, put_state, read_range};
use super::stored::Places;
use super::task_snapshot::{LEAST_OPERATOR, ReadLimits, read_operators};
use super::{Body, epoch, optional_checkpoint, readable};
use crate::id::{Writer, WriterId};
use crate::key_group::KeyGroupRange;
use crate::state::{
    ChannelMapping, ChannelRescaling, HandleView, InFlightRescaling, OperatorRestore, ReusedView, Root, SortedMap,
    TaskRestore,
};
use crate::wire::{Flaw, Input, Invalid, Subject, WireError, put_mirror, put_u64};

/// All but the state, which follows.
#[derive(Debug, Serialize, Deserialize)]
struct Head<'a> {
    attempt: Attempt,
    epoch: u64,
    writer: u64,
    from: Option<u64>,
    finished: bool,
    #[serde(borrow)]
    places: Places<'a>,
}

/// The fewest bytes of a range of key groups.
const LEAST_RANGE: usize = 2;

impl Body for TaskRestore {
    fn put(&self, subject: Subject, out: &mut Vec<u8>) -> Result<(), WireError> {
        let head = Head {
            attempt: Attempt::of(self.attempt),
            epoch: readable(self.writer.epoch).map_err(|invalid| invalid.writing(subject))?,
            writer: self.writer.id.get(),
            from: self.from.map(|id| id.get()),
            finished: self.finished,
            places: Places::of(&self.places),
        };
        put_mirror(out, subject, &head)?;
        put_rescaling(out, self.in_flight.inputs());
        put_rescaling(out, self.in_flight.outputs());
        put_u64(out, self.operators.len() as u64);
        let roots = self.places.roots();
        for (operator, given) in &self.operators {
            out.extend_from_slice(&operator.bytes());
            put_range(out, given.key_groups);
            let mut rules = Rules { roots: &roots, key_groups: given.key_groups };
            put_state(out, &given.state, &mut rules).map_err(|invalid| invalid.writing(subject))?;
        }
        Ok(())
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Flaw> {
        let head: Head<'_> = input.mirror()?;
        let places = head.places.into_domain()?;
        let roots = places.roots();
        let in_flight = InFlightRescaling::new(read_rescaling(input)?, read_rescaling(input)?)
            .map_err(|error| Invalid::Refused { field: "the data in flight", error })?;
        // State stands last, so that all of a long frame is checked before memory is taken for it.
        let limits = ReadLimits { least_bytes: LEAST_OPERATOR + LEAST_RANGE, unchecked_bytes: 0 };
        let rules = |key_groups: &KeyGroupRange| Rules { roots: &roots, key_groups: *key_groups };
        let operators = read_operators(input, limits, read_range, rules, OperatorRestore::new)?;
        Ok(Self {
            attempt: head.attempt.into_domain(),
            writer: Writer::new(epoch("the epoch", head.epoch)?, WriterId::new(head.writer)),
            from: optional_checkpoint("the restored checkpoint", head.from)?,
            places,
            operators: operators.into_iter().collect(),
            in_flight,
            finished: head.finished,
        })
    }
}

/// What holds of state that a task is given: it can be found and verified, and some of it is the task's.
struct Rules<'a> {
    /// The claimed and borrowed roots whose place is given, ascending.
    roots: &'a [Root],
    key_groups: KeyGroupRange,
}

impl Visit for Rules<'_> {
    fn keyed(&mut self, range: KeyGroupRange) -> Result<(), Invalid> {
        if range.intersection(self.key_groups).is_some() {
            return Ok(());
        }
        let expected = format!("one with some of {}, the key groups that count", self.key_groups);
        Err(Invalid::value("a range of key groups", range, expected))
    }

    fn handle(&mut self, handle: &HandleView<'_>) -> Result<(), Invalid> {
        match handle.file() {
            Some((root @ (Root::Claimed(_) | Root::Borrowed(_)), _)) if self.roots.binary_search(&root).is_err() => {
                Err(Invalid::value("the root of a handle", root, "one whose place is given"))
            }
            _ => Ok(()),
        }
    }

    fn reused(&mut self, reused: &ReusedView<'_>) -> Result<(), Invalid> {
        let found = format!("{} without a handle", reused.to_reused());
        Err(Invalid::value("a shared file", found, "one with the handle it was written with"))
    }
}

/// The fewest bytes of a gate: its number and the counts of four empty lists.
const LEAST_GATE: usize = 5;

fn put_rescaling(out: &mut Vec<u8>, gates: &SortedMap<u32, ChannelRescaling>) {
    put_u64(out, gates.len() as u64);
    for (gate, rescaling) in gates {
        put_u64(out, (*gate).into());
        let mapping = rescaling.mapping();
        for numbers in [rescaling.old_subtasks(), rescaling.ambiguous(), mapping.counts(), mapping.targets()] {
            put_u64(out, numbers.len() as u64);
            for number in numbers {
                put_u64(out, (*number).into());
            }
        }
    }
}

fn read_rescaling(input: &mut Input<'_>) -> Result<SortedMap<u32, ChannelRescaling>, Flaw> {
    let count = input.count(LEAST_GATE)?;
    // A gate takes more memory than bytes here, so they are bounded before anything is allocated for them.
    if count > InFlightRescaling::MAX_GATES {
        let expected = format!("at most {}", InFlightRescaling::MAX_GATES);
        return Err(Invalid::value("the number of gates or partitions", count, expected).into());
    }
    let mut gates: Vec<(u32, ChannelRescaling)> = Vec::with_capacity(count);
    for _ in 0..count {
        let gate = input.u32()?;
        if let Some((last, _)) = gates.last().filter(|(last, _)| *last >= gate) {
            let found = format!("{gate} after {last}");
            return Err(Invalid::value("a gate or partition", found, "numbers that ascend").into());
        }
        let refused = |error| Invalid::Refused { field: "the data in flight", error };
        let (old_subtasks, ambiguous) = (read_numbers(input)?, read_numbers(input)?);
        let (counts, targets) = (read_numbers(input)?, read_numbers(input)?);
        if counts.last() == Some(&0) {
            let expected = "one that leads to a present channel";
            return Err(Invalid::value("the last of the former channels", "one that leads nowhere", expected).into());
        }
        let mapping = ChannelMapping::new(counts, targets).map_err(refused)?;
        gates.push((gate, ChannelRescaling::new(old_subtasks, ambiguous, mapping).map_err(refused)?));
    }
    Ok(SortedMap::from_ascending(gates))
}

fn read_numbers(input: &mut Input<'_>) -> Result<Vec<u32>, Flaw> {
    let count = input.count(1)?;
    let mut numbers = Vec::with_capacity(count);
    for _ in 0..count {
        numbers.push(input.u32()?);
    }
    Ok(numbers)
}
