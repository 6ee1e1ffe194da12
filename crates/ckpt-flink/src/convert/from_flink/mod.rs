//! From Flink's metadata to ours.

mod channel;
mod keyed;
mod operator;
mod operator_state;
mod piece;
mod survey;

use std::collections::BTreeMap;

use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch};
use ckpt_core::metadata::OperatorDescription as OurOperator;
use ckpt_core::metadata::{CheckpointDescription, CheckpointMetadata, MasterState as OurMasterState};
use ckpt_core::snapshot::CheckpointIdentity;
use ckpt_core::uri::Uri;
use ckpt_core::{Result, Timestamp};

pub(super) use channel::OurChannel;

use super::change::{ChangeKind, Changes, Converted, Field, Refusal};
use super::error::ConvertError;
use super::paths::Directories;
use super::properties;
use crate::model::{FlinkMetadata, MasterState, OperatorState};
use survey::Survey;

/// What Flink's metadata does not say of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConversionContext {
    /// The job that took the snapshot.
    pub job: JobId,
    /// The directory that the `_metadata` lies in: relative paths begin there.
    pub directory: Uri,
    /// When the snapshot was taken and complete, as far as the caller knows it.
    pub taken_at: Timestamp,
}

impl ConversionContext {
    /// A snapshot of that job, in that directory, taken at the beginning of 1970.
    pub const fn new(job: JobId, directory: Uri) -> Self {
        Self { job, directory, taken_at: Timestamp::from_millis(0) }
    }
}

/// One conversion in progress.
#[derive(Debug)]
struct Conversion {
    changes: Changes,
    directories: Directories,
    survey: Survey,
}

/// Makes metadata of ours of Flink's, in which every file lies below a borrowed root: relative ones below that of the
/// directory of the `_metadata`, which is the first, absolute ones each below that of their directory. So nothing of it is
/// ever deleted. No file has a digest, since Flink has none.
///
/// # Errors
///
/// `Configuration` when there are more directories, operators or handles than metadata can name. What else cannot be
/// carried is left out, and [listed](Converted::not_carried).
pub fn to_checkpoint(metadata: &FlinkMetadata, context: &ConversionContext) -> Result<Converted<CheckpointMetadata>> {
    let mut survey = Survey::of(metadata);
    let (directories, places) = Directories::new(&context.directory, &std::mem::take(&mut survey.directories))?;
    let mut conversion = Conversion { changes: Changes::default(), directories, survey };
    let mut description = conversion.description(metadata, context);
    description.places = places;
    let metadata = conversion.metadata(metadata, description, context.taken_at);
    let metadata = metadata.map_err(|source| ConvertError::FromFlink { source })?;
    Ok(Converted { metadata, changes: conversion.changes.into_all() })
}

impl Conversion {
    fn description(&mut self, metadata: &FlinkMetadata, context: &ConversionContext) -> CheckpointDescription {
        let changes = &mut self.changes;
        changes.at(None, None, Field::Identity);
        changes.add(ChangeKind::MadeUpIdentity);
        let id = u64::try_from(metadata.checkpoint_id).ok().and_then(CheckpointId::new);
        changes.add_if(id.is_none(), ChangeKind::CheckpointIdZero);
        let epoch = LeaderEpoch::new(1);
        let id = id.unwrap_or(CheckpointId::FIRST);
        let identity = CheckpointIdentity::new(id, epoch, context.taken_at, None);
        changes.at(None, None, Field::Properties);
        let properties = properties::from_flink(metadata.properties.as_ref(), changes);
        changes.at(None, None, Field::MasterStates);
        let mut description = CheckpointDescription::new(context.job, identity, properties);
        for state in &metadata.master_states {
            if let Err(refusal) = master_state(state, &mut description.master_states, changes) {
                changes.refuse_part(refusal);
            }
        }
        let names = metadata.master_states.iter().map(|state| state.name.as_bytes());
        changes.add_if(!names.is_sorted(), ChangeKind::Order);
        // It was in memory already, all of it.
        description.inline_limit_bytes = u64::MAX;
        description
    }

    fn metadata(
        &mut self,
        metadata: &FlinkMetadata,
        description: CheckpointDescription,
        taken_at: Timestamp,
    ) -> Result<CheckpointMetadata> {
        let mut builder = CheckpointMetadata::builder(description)?;
        let mut operators: Vec<&OperatorState> = metadata.operators.iter().collect();
        self.changes.at(None, None, Field::Operators);
        self.changes.add_if(!operators.is_sorted_by_key(|operator| operator.description.id), ChangeKind::Order);
        // Stable: of two of one id the first comes first.
        operators.sort_by_key(|operator| operator.description.id);
        let mut last = None;
        for operator in operators {
            let id = operator.description.id;
            if last.replace(id) == Some(id) {
                self.changes.at(Some(id), None, Field::Operators);
                self.changes.refuse(Refusal::new(ChangeKind::DuplicateOperator));
                continue;
            }
            self.operator(operator, &mut builder)?;
        }
        builder.finish(taken_at)
    }
}

fn master_state(
    state: &MasterState,
    states: &mut BTreeMap<String, OurMasterState>,
    changes: &mut Changes,
) -> Result<(), Refusal> {
    let refused = || Refusal::found(ChangeKind::MasterStateName, &state.name);
    let name = state.name.as_str().ok_or_else(refused)?;
    if name.trim().is_empty() || name.len() > OurOperator::MAX_NAME_BYTES || name.contains(char::is_control) {
        return Err(refused());
    }
    if states.contains_key(&*name) {
        return Err(Refusal::found(ChangeKind::DuplicateMasterState, name));
    }
    if states.len() == CheckpointDescription::MAX_MASTER_STATES {
        return Err(Refusal::found(ChangeKind::MasterStateName, "more participants than there may be"));
    }
    changes.add_text(&state.name);
    changes.add_if(state.version < 0, ChangeKind::MasterStateVersion);
    states.insert(name.into_owned(), OurMasterState::new(state.version as u32, state.payload.clone()));
    Ok(())
}
