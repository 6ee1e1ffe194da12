//! What a task is given at its deployment.

use serde::{Deserialize, Serialize};

use super::message::Attempt;
use super::state::{put_range, put_state, read_range, take_state};
use super::stored::Places;
use super::task_snapshot::{LEAST_OPERATOR, read_operators};
use super::{Body, epoch, optional_checkpoint};
use crate::id::{Writer, WriterId};
use crate::state::{OperatorRestore, TaskRestore};
use crate::wire::{Flaw, Input, Subject, WireError, put_mirror, put_u64};

/// All but the state, which follows.
#[derive(Debug, Serialize, Deserialize)]
struct Head<'a> {
    attempt: Attempt,
    epoch: u64,
    writer: u64,
    from: Option<u64>,
    #[serde(borrow)]
    places: Places<'a>,
}

/// The fewest bytes of a range of key groups.
const LEAST_RANGE: usize = 2;

impl Body for TaskRestore {
    fn put(&self, subject: Subject, out: &mut Vec<u8>) -> Result<(), WireError> {
        let head = Head {
            attempt: Attempt::of(self.attempt),
            epoch: self.writer.epoch.get(),
            writer: self.writer.id.get(),
            from: self.from.map(|id| id.get()),
            places: Places::of(&self.places),
        };
        put_mirror(out, subject, &head)?;
        put_u64(out, self.operators.len() as u64);
        for (operator, given) in &self.operators {
            out.extend_from_slice(&operator.bytes());
            put_range(out, given.key_groups);
            put_state(out, &given.state).map_err(|invalid| invalid.writing(subject))?;
        }
        Ok(())
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Flaw> {
        let head: Head<'_> = input.mirror()?;
        let operators = read_operators(input, LEAST_OPERATOR + LEAST_RANGE, |input| {
            Ok(OperatorRestore::new(read_range(input)?, take_state(input)?))
        })?;
        Ok(Self {
            attempt: head.attempt.into_domain(),
            writer: Writer::new(epoch("the epoch", head.epoch)?, WriterId::new(head.writer)),
            from: optional_checkpoint("the restored checkpoint", head.from)?,
            places: head.places.into_domain()?,
            operators: operators.into_iter().collect(),
        })
    }
}
