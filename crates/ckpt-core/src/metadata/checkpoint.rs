//! A checkpoint's metadata in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use bytes::Bytes;

use super::encoder::NewSection;
use super::operator::OperatorMetadata;
use super::part::Parts;
use super::writer::FileWriter;
use super::{
    CheckpointDescription, MasterState, MetadataBuilder, MetadataReader, MetadataSummary, WrittenMetadata, format,
};
use crate::digest::Digest;
use crate::error::Result;
use crate::id::{FileName, OperatorId};
use crate::state::{FileView, HandleView, Root};
use crate::wire::v1::Visit;
use crate::wire::{Invalid, Subject, WireError};

/// Everything that is needed to restore a checkpoint.
///
/// State is held as it is stored, verified and checked, and decoded for whoever asks: see
/// [`operator`](Self::operator). Two are equal when they say the same, however their state was divided into sections.
#[derive(Clone, Debug)]
pub struct CheckpointMetadata {
    pub(super) summary: MetadataSummary,
    pub(super) encoded_summary: Section,
    pub(super) master_states: BTreeMap<String, MasterState>,
    pub(super) masters: Option<Section>,
    /// By operator.
    pub(super) coordinators: Vec<(OperatorId, Section)>,
    /// By operator and subtask.
    pub(super) parts: Parts,
    /// The first part of each operator, then the end of all.
    pub(super) first_parts: Vec<u32>,
}

/// A section as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) bytes: Bytes,
    pub(super) digest: Digest,
}

impl CheckpointMetadata {
    /// What takes the state of that checkpoint and becomes its metadata.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when the description breaks a rule.
    pub fn builder(description: CheckpointDescription) -> Result<MetadataBuilder> {
        MetadataBuilder::new(description)
    }

    /// What can be read without touching the state of any operator.
    pub const fn summary(&self) -> &MetadataSummary {
        &self.summary
    }

    /// Each operator, by id.
    pub fn operators(&self) -> impl DoubleEndedIterator<Item = OperatorMetadata<'_>> + ExactSizeIterator {
        let at = self.summary.table.iter().enumerate();
        at.map(|(index, summary)| OperatorMetadata::new(self, index, summary))
    }

    /// That operator; `None` when the checkpoint has none of that id.
    pub fn operator(&self, id: OperatorId) -> Option<OperatorMetadata<'_>> {
        let index = self.summary.table.find(id)?;
        Some(OperatorMetadata::new(self, index, self.summary.table.get(index)?))
    }

    /// The state of participants that are not tasks (Flink's master hooks), by name.
    pub const fn master_states(&self) -> &BTreeMap<String, MasterState> {
        &self.master_states
    }

    /// Shows every handle in it to `visit`, without memory for it.
    ///
    /// # Errors
    ///
    /// None in fact: all of it was checked when it was built or read. A flaw would be `Corrupt`.
    pub fn visit_handles(&self, visit: &mut dyn FnMut(&HandleView<'_>)) -> Result<()> {
        struct EachHandle<'a>(&'a mut dyn FnMut(&HandleView<'_>));

        impl Visit for EachHandle<'_> {
            fn handle(&mut self, handle: &HandleView<'_>) -> Result<(), Invalid> {
                (self.0)(handle);
                Ok(())
            }
        }

        self.visit(&mut EachHandle(visit))
    }

    fn visit(&self, visit: &mut impl Visit) -> Result<()> {
        for operator in self.operators() {
            operator.visit(visit)?;
        }
        Ok(())
    }

    /// The files of the job's shared directory that it names.
    ///
    /// # Errors
    ///
    /// None in fact: all of it was checked when it was built or read. A flaw would be `Corrupt`.
    pub fn shared_files(&self) -> Result<BTreeSet<FileName>> {
        let mut files = BTreeSet::new();
        self.visit_handles(&mut |handle| {
            if let Some((Root::JobShared, FileView::Ours(name))) = handle.file() {
                files.insert(name);
            }
        })?;
        Ok(files)
    }

    /// Decodes a whole file, every byte of which is verified.
    ///
    /// What it holds of the file is a slice of `file`, not a copy.
    ///
    /// # Errors
    ///
    /// `Corrupt`, naming the place; `Configuration` when a newer program wrote it.
    pub fn decode(file: Bytes) -> Result<Self> {
        MetadataReader::open(file)?.read_all()
    }

    /// Writes the file front to back, section by section, without a seek.
    ///
    /// The same metadata always gives the same bytes, and its identity (number and epoch) belongs to one completion: so a
    /// retry of a write is recognised by comparing what is there with what would be written.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when `out` fails.
    pub fn write_to(&self, out: &mut dyn io::Write) -> Result<WrittenMetadata> {
        let mut file = FileWriter::new(out);
        if let Some(masters) = &self.masters {
            masters.write_to(Subject::MetadataMasters, format::MASTER_STATES, None, &mut file)?;
        }
        for operator in self.operators() {
            operator.write_to(&mut file)?;
        }
        self.encoded_summary.write_to(Subject::MetadataSummary, format::SUMMARY, None, &mut file)?;
        Ok(file.finish()?)
    }

    /// The whole file, and what HEAD remembers of it.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when a section is too long.
    pub fn encode(&self) -> Result<(Vec<u8>, WrittenMetadata)> {
        let mut bytes = Vec::new();
        let written = self.write_to(&mut bytes)?;
        Ok((bytes, written))
    }
}

impl PartialEq for CheckpointMetadata {
    fn eq(&self, other: &Self) -> bool {
        self.encoded_summary == other.encoded_summary
            && self.masters == other.masters
            && self.coordinators == other.coordinators
            && self.operators().zip(other.operators()).all(|(one, other)| one.has_same_entries(&other))
    }
}

impl Eq for CheckpointMetadata {}

impl Section {
    pub(super) fn new(bytes: Bytes) -> Self {
        let digest = Digest::of(&bytes);
        Self { bytes, digest }
    }

    pub(super) fn write_to(
        &self,
        subject: Subject,
        tag: u32,
        operator: Option<OperatorId>,
        file: &mut FileWriter<'_>,
    ) -> Result<(), WireError> {
        file.verified(NewSection { subject, tag, operator, part: 0, body: &self.bytes }, self.digest)
    }
}
