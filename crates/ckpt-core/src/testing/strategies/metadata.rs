//! The metadata of checkpoints.

use std::collections::BTreeMap;
use std::convert::Infallible;

use bytes::Bytes;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::descriptor::any_state_descriptor;
use super::id::{any_digest, any_job_id, any_operator_id, any_timestamp};
use super::key_group::any_max_parallelism;
use super::snapshot::{any_checkpoint_identity, any_checkpoint_properties};
use super::state::{any_handle, any_subtask_state};
use crate::digest::Digest;
use crate::id::{LeaderEpoch, OperatorId, Writer, WriterId};
use crate::key_group::KeyGroupRange;
use crate::metadata::{CheckpointDescription, CheckpointMetadata, MasterState, OperatorDescription};
use crate::state::{
    ClaimId, FileRef, IncrementalState, KeyedState, Place, Places, Root, SharedFile, StateHandle, SubtaskState,
};
use crate::time::Timestamp;
use crate::uri::Uri;

/// What an operator of the checkpoint is to be.
#[derive(Clone, Debug)]
struct Operator {
    description: OperatorDescription,
    is_finished: bool,
    /// By subtask: that it has none, that it had finished, or its state.
    subtasks: Vec<Option<Option<SubtaskState>>>,
}

/// The metadata of any checkpoint or savepoint, with every kind of section and of state.
///
/// What a snapshot cannot name is made what it can: keyed state lies within the key groups of its subtask, files are
/// written ones, and those of a savepoint lie in its own directory.
pub fn any_checkpoint_metadata() -> BoxedStrategy<CheckpointMetadata> {
    (any_description(), btree_map(any_operator_id(), any_operator(), 0..4), any_timestamp())
        .prop_map(|(description, operators, completed_at)| {
            let is_savepoint = description.properties.kind().is_savepoint() && !description.properties.is_unclaimed();
            build(description, operators, is_savepoint, completed_at).expect("metadata that keeps the rules")
        })
        .boxed()
}

fn any_description() -> BoxedStrategy<CheckpointDescription> {
    let of = (any_job_id(), any_checkpoint_identity(), any_checkpoint_properties(), option::of(any_digest()));
    let master = (any::<u32>(), vec(any::<u8>(), 0..20))
        .prop_map(|(version, bytes)| MasterState::new(version, Bytes::from(bytes)));
    (of, btree_map("[a-zä-]{1,9}", master, 0..3))
        .prop_map(|((job, identity, properties, digest), masters)| {
            let mut description = CheckpointDescription::new(job, identity, properties);
            description.graph_digest = digest;
            description.master_states = masters;
            description.places = every_place();
            description
        })
        .boxed()
}

/// A place for each of the roots that strategies of state name.
pub(super) fn every_place() -> Places {
    let uri = |text: String| Uri::new(text).expect("a place without secrets");
    let claimed = (1..4_u64).map(|number| (Root::Claimed(ClaimId::new(number)), uri(format!("s3://claimed/{number}"))));
    let borrowed = (0..4_u16).map(|number| (Root::Borrowed(number), uri(format!("file:///borrowed/{number}"))));
    Places::new(claimed.chain(borrowed).collect()).expect("each root once")
}

fn any_operator() -> BoxedStrategy<Operator> {
    let texts = ("[a-zA-Zä ]{1,20}", option::of("[a-z]{1,9}"));
    let of = (any_max_parallelism(), 1..5_u32, option::of(any_handle()), prop::bool::weighted(0.1));
    let descriptors = btree_map("[a-z]{1,3}", any_state_descriptor(), 0..3);
    let subtask = prop_oneof![
        1 => Just(None),
        1 => Just(Some(None)),
        4 => any_subtask_state().prop_map(|state| Some(Some(state))),
    ];
    (texts, of, descriptors, vec(subtask, 4))
        .prop_map(|((name, uid), (max, parallelism, coordinator_state, is_finished), descriptors, mut subtasks)| {
            let parallelism = parallelism.min(max.get().into());
            subtasks.truncate(parallelism as usize);
            // Were all of them finished, so would be the operator.
            if subtasks.iter().all(|subtask| matches!(subtask, Some(None))) {
                subtasks[0] = None;
            }
            let mut description = OperatorDescription::new(OperatorId::new([0; 16]), name, parallelism, max);
            description.uid = uid;
            description.coordinator_state = coordinator_state.filter(|_| !is_finished);
            let by_name: BTreeMap<_, _> = descriptors.into_values().map(|it| (it.name().to_owned(), it)).collect();
            description.descriptors = by_name.into_values().collect();
            Operator { description, is_finished, subtasks }
        })
        .boxed()
}

fn build(
    description: CheckpointDescription,
    operators: BTreeMap<OperatorId, Operator>,
    is_savepoint: bool,
    completed_at: Timestamp,
) -> crate::Result<CheckpointMetadata> {
    let mut builder = CheckpointMetadata::builder(description)?;
    for (id, Operator { mut description, is_finished, subtasks }) in operators {
        description.id = id;
        description.coordinator_state = description.coordinator_state.map(|handle| legal(handle, is_savepoint));
        if is_finished {
            builder.finished_operator(&description)?;
            continue;
        }
        let OperatorDescription { parallelism, max_parallelism, .. } = description;
        let mut encoder = builder.operator(&description)?;
        for (subtask, state) in (0..).zip(subtasks) {
            match state {
                None => {}
                Some(None) => encoder.finished_subtask(subtask)?,
                Some(Some(state)) => {
                    let own = max_parallelism.range_of(subtask, parallelism)?;
                    encoder.subtask(subtask, &legal_state(state, own, is_savepoint))?;
                }
            }
        }
    }
    builder.finish(completed_at)
}

/// The state as a subtask with those key groups may have it in a completed snapshot.
pub(super) fn legal_state(state: SubtaskState, own: KeyGroupRange, is_savepoint: bool) -> SubtaskState {
    let mut parts = state.into_parts();
    for keyed in [&mut parts.keyed, &mut parts.raw_keyed] {
        *keyed = std::mem::take(keyed).into_iter().filter_map(|keyed| legal_keyed(keyed, own)).collect();
    }
    let moved =
        SubtaskState::from(parts).try_map_handles(&mut |handle| Ok::<_, Infallible>(legal(handle, is_savepoint)));
    match moved {
        Ok(state) => state,
        Err(never) => match never {},
    }
}

fn legal_keyed(keyed: KeyedState, own: KeyGroupRange) -> Option<KeyedState> {
    let files = match keyed {
        KeyedState::KeyGroups(state) => return state.intersection(own).map(KeyedState::KeyGroups),
        KeyedState::Incremental(files) => files,
    };
    let written = files.shared().iter().filter(|(_, file)| matches!(file, SharedFile::Written(_)));
    let shared = written.map(|(name, file)| (name.clone(), file.clone())).collect();
    let range = files.range().intersection(own).unwrap_or(own);
    let written_bytes = files.size().written_bytes;
    let files = IncrementalState::new(files.operator(), range, shared, files.private().clone(), files.meta().clone());
    let state_bytes = files.size().state_bytes();
    let files = files.with_written_bytes(written_bytes.min(state_bytes)).expect("no more than there is");
    Some(KeyedState::Incremental(files))
}

/// The handle as a completed snapshot may name it: that of a savepoint lies in its own directory, under a name of ours.
fn legal(handle: StateHandle, is_savepoint: bool) -> StateHandle {
    if !is_savepoint {
        return handle;
    }
    let root = Root::ThisSnapshot;
    let ours = |file: &FileRef| match file {
        FileRef::Ours(_) => file.clone(),
        FileRef::Foreign(_) => FileRef::Ours(Writer::new(LeaderEpoch::new(1), WriterId::new(1)).file(1)),
    };
    let place = match handle.place() {
        Place::File { file, .. } => Place::File { root, file: ours(file) },
        Place::Segment { file, offset_bytes, .. } => {
            Place::Segment { root, file: ours(file), offset_bytes: *offset_bytes }
        }
        Place::Inline(_) => return handle,
    };
    let digest = handle.digest().unwrap_or(Digest::crc64_nvme(handle.length_bytes()));
    StateHandle::assume_durable(place, handle.length_bytes(), Some(digest))
}
