//! Master states, operators and subtasks.

use bytes::Bytes;

use super::output::Output;
use crate::error::{Write, WriteError};
use crate::model::{MasterState, OperatorState, OperatorSubtasks, Subtask, SubtaskState};
use crate::read::MASTER_STATE_MAGIC;
use crate::tag::stream;
use crate::text::JavaText;
use crate::version::MetadataVersion;

impl Output {
    pub(super) fn master_state(&mut self, state: &MasterState) -> Write {
        let MasterState { version, name, payload } = state;
        self.i32(MASTER_STATE_MAGIC);
        self.count("a master state", 4 + 2 + name.as_bytes().len() + 4 + payload.len())?;
        self.i32(*version);
        self.text(name);
        self.blob("the payload of a master state", payload)
    }

    pub(super) fn operator(&mut self, version: MetadataVersion, operator: &OperatorState) -> Write {
        let OperatorState { description, subtasks } = operator;
        let (parallelism, maximum) = (description.parallelism, description.max_parallelism);
        if parallelism > maximum {
            let expected = format!("at most the maximum of {maximum}");
            return Err(WriteError::invalid("the parallelism", parallelism, expected));
        }
        self.name("the name of an operator", version, description.name.as_ref())?;
        self.name("the uid of an operator", version, description.uid.as_ref())?;
        self.raw(&description.id.bytes());
        self.i32(parallelism);
        self.i32(maximum);
        match &description.coordinator {
            None => self.u8(stream::NONE),
            Some(state) => self.byte_stream(state)?,
        }
        match subtasks {
            OperatorSubtasks::FullyFinished if description.coordinator.is_some() => {
                let expected = "none, since all subtasks are finished";
                Err(WriteError::invalid("the state of the coordinator", "there", expected))
            }
            OperatorSubtasks::FullyFinished => {
                self.i32(-1);
                Ok(())
            }
            OperatorSubtasks::Subtasks(subtasks) => self.list("the list of subtasks", subtasks, |output, subtask| {
                output.subtask(version, parallelism, subtask)
            }),
        }
    }

    fn name(&mut self, what: &'static str, version: MetadataVersion, name: Option<&JavaText>) -> Write {
        match (name, version.has_names()) {
            (Some(name), true) if name.is_empty() => {
                return Err(WriteError::invalid(what, "empty", "none or some text"));
            }
            (Some(name), true) => self.text(name),
            (None, true) => self.text(&JavaText::default()),
            (None, false) => {}
            (Some(_), false) => {
                let needed = MetadataVersion::V5;
                return Err(Box::new(WriteError::NoPlace { what, version, needed }));
            }
        }
        Ok(())
    }

    fn subtask(&mut self, version: MetadataVersion, parallelism: i32, subtask: &Subtask) -> Write {
        let Subtask { index, state } = subtask;
        if !(0..parallelism).contains(index) {
            let expected = format!("at least 0 and below the parallelism of {parallelism}");
            return Err(WriteError::invalid("the index of a subtask", index, expected));
        }
        match state {
            // The index is not negative, so neither of these overflows.
            None => self.i32(-(index + 1)),
            Some(state) => {
                self.i32(*index);
                let written = self.subtask_state(version, state);
                written.map_err(|source| Box::new(WriteError::Subtask { subtask: *index, source }))?;
            }
        }
        Ok(())
    }

    fn subtask_state(&mut self, version: MetadataVersion, state: &SubtaskState<Bytes>) -> Write {
        for handle in [&state.managed_operator, &state.raw_operator] {
            self.i32(handle.is_some().into());
            if let Some(handle) = handle {
                self.operator_handle(handle)?;
            }
        }
        self.keyed_handle(state.managed_keyed.as_deref())?;
        self.keyed_handle(state.raw_keyed.as_deref())?;
        self.channels("the list of input channels", version, &state.input_channels)?;
        self.channels("the list of result subpartitions", version, &state.result_subpartitions)
    }
}
