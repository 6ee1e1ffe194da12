//! Reading a whole file.

use bytes::Bytes;
use ckpt_core::Result;

use super::input::reserved;
use super::{BytesSource, FlinkReader, Notes, Source, Trailing};
use crate::model::{FlinkMetadata, InlineBytes, OperatorState, OperatorSubtasks};

/// A whole file as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decoded<D: InlineBytes = Bytes> {
    /// What it says.
    pub metadata: FlinkMetadata<D>,
    /// What follows its end. Flink does not look whether there is anything.
    pub trailing: Option<Trailing>,
    /// What was read and will not be written as it was.
    pub notes: Notes,
}

impl FlinkMetadata {
    /// Reads a file in memory, all of it. Texts and inline state share the file's memory.
    ///
    /// # Errors
    ///
    /// As [`FlinkReader::open`].
    pub fn decode(file: Bytes) -> Result<Decoded> {
        Self::decode_with(BytesSource::new(file))
    }
}

impl<D: InlineBytes> FlinkMetadata<D> {
    /// Reads a file from anywhere, all of it.
    ///
    /// # Errors
    ///
    /// As [`FlinkReader::open`].
    pub fn decode_with(source: impl Source) -> Result<Decoded<D>> {
        let mut reader = FlinkReader::<_, D>::open(source)?;
        let mut metadata = Self::new(reader.version(), reader.checkpoint_id());
        metadata.master_states = reserved(reader.master_states_left());
        while let Some(state) = reader.next_master_state()? {
            metadata.master_states.push(state);
        }
        metadata.operators = reserved(reader.operators_left()?);
        while let Some(description) = reader.next_operator()? {
            let subtasks = if reader.is_fully_finished() {
                OperatorSubtasks::FullyFinished
            } else {
                let mut subtasks = reserved(reader.subtasks_left());
                while let Some(subtask) = reader.next_subtask()? {
                    subtasks.push(subtask);
                }
                OperatorSubtasks::Subtasks(subtasks)
            };
            metadata.operators.push(OperatorState { description, subtasks });
        }
        let ending = reader.finish()?;
        metadata.properties = ending.properties;
        Ok(Decoded { metadata, trailing: ending.trailing, notes: ending.notes })
    }
}
