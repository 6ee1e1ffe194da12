//! Building metadata in memory.

use bytes::Bytes;

use super::checkpoint::Section;
use super::encoder::{Encoder, NewSection, Output};
use super::part::Parts;
use super::{CheckpointDescription, CheckpointMetadata, OperatorDescription, OperatorEncoder, OperatorStatus, format};
use crate::digest::Digest;
use crate::error::Result;
use crate::id::OperatorId;
use crate::time::Timestamp;
use crate::wire::WireError;

/// Takes the state of a checkpoint, operator by operator, and becomes its metadata.
///
/// Each piece is encoded and checked when it is given, once; what the metadata holds in the end is the encoded form.
#[derive(Debug)]
pub struct MetadataBuilder {
    encoder: Encoder,
    sections: Sections,
}

/// The sections of which metadata in memory consists.
#[derive(Debug, Default)]
struct Sections {
    masters: Option<Section>,
    coordinators: Vec<(OperatorId, Section)>,
    parts: Parts,
    /// Of each part.
    operators: Vec<OperatorId>,
}

impl MetadataBuilder {
    pub(super) fn new(description: CheckpointDescription) -> Result<Self> {
        let mut sections = Sections::default();
        let encoder = Encoder::new(description, &mut sections)?;
        Ok(Self { encoder, sections })
    }

    /// Begins the next operator, of which at least one subtask ran. They ascend by id.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when it breaks a rule; the metadata is of no use then.
    pub fn operator(&mut self, description: &OperatorDescription) -> Result<OperatorEncoder<'_>> {
        self.begin(description, OperatorStatus::Running)
    }

    /// Notes an operator of which all subtasks had finished before. Neither they nor its coordinator have state.
    ///
    /// # Errors
    ///
    /// As those of [`operator`](Self::operator).
    pub fn finished_operator(&mut self, description: &OperatorDescription) -> Result<()> {
        self.begin(description, OperatorStatus::FullyFinished).map(drop)
    }

    fn begin(&mut self, description: &OperatorDescription, status: OperatorStatus) -> Result<OperatorEncoder<'_>> {
        Ok(self.encoder.operator(description, status, &mut self.sections)?)
    }

    /// The metadata of the checkpoint, which was complete at that time of the coordinator's wall clock.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when it breaks a rule.
    pub fn finish(self, completed_at: Timestamp) -> Result<CheckpointMetadata> {
        let Self { encoder, mut sections } = self;
        let (summary, body, description) = encoder.finish(completed_at, &mut sections)?;
        let Sections { masters, coordinators, mut parts, operators } = sections;
        parts.shrink();
        let first_parts = summary.table.iter().map(|summary| operators.partition_point(|id| *id < summary.id) as u32);
        Ok(CheckpointMetadata {
            first_parts: first_parts.chain([parts.len() as u32]).collect(),
            encoded_summary: Section::new(Bytes::from(body)),
            summary,
            master_states: description.master_states,
            masters,
            coordinators,
            parts,
        })
    }
}

impl Output for Sections {
    fn section(&mut self, section: NewSection<'_>) -> Result<(), WireError> {
        let bytes = Bytes::copy_from_slice(section.body);
        match (section.tag, section.operator) {
            (format::PART, Some(operator)) => {
                let digest = Digest::of(&bytes);
                self.operators.push(operator);
                return self.parts.push(section.subject, bytes, digest);
            }
            (format::COORDINATOR_STATE, Some(operator)) => self.coordinators.push((operator, Section::new(bytes))),
            _ => self.masters = Some(Section::new(bytes)),
        }
        Ok(())
    }
}
