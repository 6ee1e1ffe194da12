//! An operator and its subtasks.

use ckpt_core::Result;
use ckpt_core::metadata::{OperatorMetadata, OperatorStatus};
use ckpt_core::state::{PlaceView, SubtaskReport};

use super::{Conversion, failed};
use crate::convert::change::{ChangeKind, Field, Refusal};
use crate::model::{ByteStream, OperatorDescription, OperatorState, OperatorSubtasks, Subtask};
use crate::text::JavaText;

impl Conversion {
    pub(super) fn operator(&mut self, operator: &OperatorMetadata<'_>) -> Result<OperatorState> {
        let id = operator.id;
        // At most 32,768.
        let parallelism = operator.parallelism as i32;
        let mut description = OperatorDescription::new(id, parallelism, operator.max_parallelism.get().into());
        let has_names = self.version.has_names();
        self.changes.at(Some(id), None, Field::Name);
        if has_names && !operator.name.is_empty() {
            description.name = Some(JavaText::new(operator.name)?);
        }
        self.changes.add_if(!has_names && !operator.name.is_empty(), ChangeKind::OperatorName);
        self.changes.at(Some(id), None, Field::Uid);
        match operator.uid {
            Some(uid) if has_names => description.uid = Some(JavaText::new(uid)?),
            Some(uid) => self.changes.refuse(Refusal::found(ChangeKind::OperatorUid, uid)),
            None => {}
        }
        self.changes.at(Some(id), None, Field::Descriptors);
        self.changes.add_if(!operator.descriptors.is_empty(), ChangeKind::Descriptors);
        self.changes.at(Some(id), None, Field::Coordinator);
        if let Some(state) = operator.coordinator_state()? {
            match state.place() {
                PlaceView::Inline(bytes) if i32::try_from(bytes.len()).is_ok() => {
                    let bytes = bytes::Bytes::copy_from_slice(bytes);
                    description.coordinator = Some(ByteStream::new(self.names.next()?, bytes));
                }
                PlaceView::Inline(_) => self.changes.refuse(Refusal::new(ChangeKind::TooLarge)),
                _ => self.changes.refuse(Refusal::new(ChangeKind::CoordinatorInFile)),
            }
        }
        if operator.status == OperatorStatus::FullyFinished {
            return Ok(OperatorState::new(description, OperatorSubtasks::FullyFinished));
        }
        let mut subtasks = Vec::new();
        for subtask in operator.subtasks() {
            let (subtask, report) = subtask?;
            // Below the parallelism.
            let index = subtask as i32;
            subtasks.push(match report {
                SubtaskReport::Finished => Subtask::finished(index),
                SubtaskReport::State(state) => Subtask::with_state(index, self.state((id, subtask), &state)?),
                other => {
                    let unknown =
                        format!("a report of subtask {subtask} is {other:?}, expected one that is known here");
                    return Err(failed(ckpt_core::Error::new(super::KIND, unknown)));
                }
            });
        }
        Ok(OperatorState::new(description, OperatorSubtasks::Subtasks(subtasks)))
    }
}
