//! What a task is given at its deployment.

use serde::{Deserialize, Serialize};

use super::message::Attempt;
use super::state::{Range, SubtaskState};
use super::stored::Places;
use super::{Id, ascending, epoch, optional_checkpoint};
use crate::id::{OperatorId, Writer, WriterId};
use crate::state;
use crate::wire::{Invalid, List};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TaskRestore<'a> {
    attempt: Attempt,
    epoch: u64,
    writer: u64,
    from: Option<u64>,
    #[serde(borrow)]
    places: Places<'a>,
    operators: List<(Id, OperatorRestore<'a>)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct OperatorRestore<'a> {
    key_groups: Range,
    #[serde(borrow)]
    state: SubtaskState<'a>,
}

impl<'a> TaskRestore<'a> {
    pub(crate) fn of(restore: &'a state::TaskRestore) -> Result<Self, Invalid> {
        let mut operators = Vec::with_capacity(restore.operators.len());
        for (operator, given) in &restore.operators {
            let key_groups = Range::of(given.key_groups);
            operators.push((operator.bytes(), OperatorRestore { key_groups, state: SubtaskState::of(&given.state)? }));
        }
        Ok(Self {
            attempt: Attempt::of(restore.attempt),
            epoch: restore.writer.epoch.get(),
            writer: restore.writer.id.get(),
            from: restore.from.map(|id| id.get()),
            places: Places::of(&restore.places),
            operators: List(operators),
        })
    }

    pub(crate) fn into_domain(self) -> Result<state::TaskRestore, Invalid> {
        let operators = self.operators.0.into_iter().map(|(operator, given)| {
            let given = state::OperatorRestore::new(given.key_groups.into_domain()?, given.state.into_domain()?);
            Ok((OperatorId::new(operator), given))
        });
        Ok(state::TaskRestore {
            attempt: self.attempt.into_domain(),
            writer: Writer::new(epoch("the epoch", self.epoch)?, WriterId::new(self.writer)),
            from: optional_checkpoint("the restored checkpoint", self.from)?,
            places: self.places.into_domain()?,
            operators: ascending("the operators", operators)?,
        })
    }
}
