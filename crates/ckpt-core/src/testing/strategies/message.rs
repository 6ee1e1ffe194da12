//! Messages.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::id::{
    any_checkpoint_id, any_digest, any_epoch, any_operator_id, any_task_attempt, any_timestamp, any_writer, number,
};
use super::key_group::any_key_group_range;
use super::metadata::{every_place, legal_state};
use super::snapshot::{any_barrier, any_checkpoint_metrics, any_uri, duration};
use super::state::{any_subtask_state, any_task_snapshot};
use crate::id::{CheckpointId, WriterId};
use crate::message::{
    AbortedMetrics, Acknowledge, Decline, InitializationMetrics, InitializationOutcome, Marker, SpilledAcknowledge,
    ToCoordinator, ToTask,
};
use crate::state::{
    ChannelMapping, ChannelRescaling, ClaimId, FileRef, InFlightRescaling, OperatorRestore, Place, Places, Root,
    StateHandle, TaskRestore,
};
use crate::testing::every_decline_reason;

/// Whatever the coordinator may say to a task.
pub fn any_to_task() -> BoxedStrategy<ToTask> {
    let completed = (any_epoch(), any_checkpoint_id(), number()).prop_map(|(epoch, id, subsumed)| {
        let subsumed_upto = CheckpointId::new(subsumed % id.get());
        ToTask::Completed { epoch, id, subsumed_upto }
    });
    let aborted =
        (any_epoch(), any_checkpoint_id(), option::of(any_checkpoint_id())).prop_map(|(epoch, id, latest)| {
            let latest_completed = latest.filter(|latest| *latest != id);
            ToTask::Aborted { epoch, id, latest_completed }
        });
    prop_oneof![any_barrier().prop_map(ToTask::Trigger), completed, aborted].boxed()
}

/// Whatever tasks may send each other between records.
pub fn any_marker() -> BoxedStrategy<Marker> {
    prop_oneof![
        any_barrier().prop_map(Marker::Barrier),
        (any_epoch(), any_checkpoint_id()).prop_map(|(epoch, id)| Marker::Cancel { epoch, id }),
        (any_barrier(), number()).prop_map(|(barrier, sequence)| Marker::Announcement { barrier, sequence }),
    ]
    .boxed()
}

/// Whatever a task may say to the coordinator.
pub fn any_to_coordinator() -> BoxedStrategy<ToCoordinator> {
    prop_oneof![
        3 => any_acknowledge().prop_map(ToCoordinator::Acknowledge),
        1 => any_spilled().prop_map(ToCoordinator::AcknowledgeSpilled),
        1 => any_decline().prop_map(ToCoordinator::Decline),
        1 => any_aborted_metrics().prop_map(ToCoordinator::AbortedMetrics),
        1 => any_initialization_metrics().prop_map(ToCoordinator::InitializationMetrics),
    ]
    .boxed()
}

fn any_acknowledge() -> BoxedStrategy<Acknowledge> {
    let of = (any_epoch(), any_checkpoint_id(), any_task_attempt(), number());
    (of, any_task_snapshot(), any_checkpoint_metrics())
        .prop_map(|((epoch, id, attempt, writer), snapshot, metrics)| {
            let mut acknowledge = Acknowledge::new(epoch, id, attempt, WriterId::new(writer), snapshot);
            acknowledge.metrics = metrics;
            acknowledge
        })
        .boxed()
}

fn any_spilled() -> BoxedStrategy<SpilledAcknowledge> {
    let length = 0..=SpilledAcknowledge::MAX_BYTES as u64;
    (any_acknowledge(), any_writer(), any::<u32>(), length, any_digest())
        .prop_map(|(mut acknowledge, writer, number, length_bytes, digest)| {
            (acknowledge.epoch, acknowledge.writer) = (writer.epoch, writer.id);
            let place = Place::File { root: Root::ThisSnapshot, file: FileRef::Ours(writer.file(number)) };
            let spilled = StateHandle::assume_durable(place, length_bytes, Some(digest));
            acknowledge.spilled(spilled).expect("a file of the writer, beside the checkpoint")
        })
        .boxed()
}

fn any_decline() -> BoxedStrategy<Decline> {
    let reason = prop::sample::select(every_decline_reason());
    let message = prop_oneof![8 => any::<String>(), 1 => "ä{2040,2060}"];
    (any_epoch(), any_checkpoint_id(), any_task_attempt(), reason, message)
        .prop_map(|(epoch, id, attempt, reason, message)| Decline::new(epoch, id, attempt, reason, message))
        .boxed()
}

fn any_aborted_metrics() -> BoxedStrategy<AbortedMetrics> {
    (any_epoch(), any_checkpoint_id(), any_task_attempt(), any_checkpoint_metrics())
        .prop_map(|(epoch, id, attempt, metrics)| AbortedMetrics::new(epoch, id, attempt, metrics))
        .boxed()
}

fn any_initialization_metrics() -> BoxedStrategy<InitializationMetrics> {
    let outcome = prop_oneof![Just(InitializationOutcome::Completed), Just(InitializationOutcome::Failed)];
    let of = (any_epoch(), any_task_attempt(), option::of(any_checkpoint_id()), outcome);
    let stages = prop::array::uniform5(option::of(duration()));
    (of, any_timestamp(), duration(), stages, number())
        .prop_map(|((epoch, attempt, from, outcome), started_at, total, stages, restored_bytes)| {
            let mut metrics = InitializationMetrics::new(epoch, attempt, outcome, started_at, total);
            (metrics.from, metrics.restored_bytes) = (from, restored_bytes);
            [metrics.thread_start, metrics.download, metrics.restore, metrics.read_output, metrics.read_input] = stages;
            metrics
        })
        .boxed()
}

/// Whatever a task may be given at its deployment: what it is given of state can be found.
pub fn any_task_restore() -> BoxedStrategy<TaskRestore> {
    let operator = (any_key_group_range(), any_subtask_state())
        .prop_map(|(key_groups, state)| OperatorRestore::new(key_groups, legal_state(state, key_groups, false)));
    let operators = btree_map(any_operator_id(), operator, 0..4);
    let of = (any_task_attempt(), any_writer(), option::of(any_checkpoint_id()), any::<bool>());
    (of, any_places(), operators, any_in_flight_rescaling())
        .prop_map(|((attempt, writer, from, finished), places, operators, in_flight)| {
            let mut restore = TaskRestore::fresh(attempt, writer);
            (restore.from, restore.finished) = (from, finished);
            let named = every_place();
            let others = places.iter().filter(|(root, _)| named.get(*root).is_none());
            let places = others.chain(named.iter()).map(|(root, uri)| (root, uri.clone())).collect();
            restore.places = Places::new(places).expect("roots that differ");
            (restore.operators, restore.in_flight) = (operators, in_flight);
            restore
        })
        .boxed()
}

/// Where claimed and borrowed roots may lie, in any order.
pub fn any_places() -> BoxedStrategy<Places> {
    let root = prop_oneof![
        number().prop_map(|number| Root::Claimed(ClaimId::new(number))),
        any::<u16>().prop_map(Root::Borrowed),
    ];
    btree_map(root, any_uri(), 0..5)
        .prop_map(|places| places.into_iter().collect::<Vec<_>>())
        .prop_shuffle()
        .prop_map(|places| Places::new(places).expect("roots that differ, none of which the reader supplies"))
        .boxed()
}

/// How data in flight may be handed on.
pub fn any_in_flight_rescaling() -> BoxedStrategy<InFlightRescaling> {
    let gates = || vec((any::<u32>(), any_channel_rescaling()), 0..3);
    (gates(), gates())
        .prop_map(|(inputs, outputs)| {
            InFlightRescaling::new(inputs.into_iter().collect(), outputs.into_iter().collect()).expect("a few gates")
        })
        .boxed()
}

fn any_channel_rescaling() -> BoxedStrategy<ChannelRescaling> {
    let old_subtasks = btree_set(0..500_u32, 0..6).prop_map(|subtasks| subtasks.into_iter().collect::<Vec<_>>());
    let ambiguous = |old: Vec<u32>| {
        let among = prop::sample::subsequence(old.clone(), 0..=old.len());
        (Just(old), among)
    };
    let mapping = vec(vec(any::<u32>(), 0..4), 0..4).prop_map(|channels| {
        let counts: Vec<u32> = channels.iter().map(|targets| targets.len() as u32).collect();
        ChannelMapping::new(counts, channels.concat()).expect("as many targets as are counted")
    });
    (old_subtasks.prop_flat_map(ambiguous), mapping)
        .prop_map(|((old, ambiguous), mapping)| {
            ChannelRescaling::new(old, ambiguous, mapping).expect("some of those whose data comes here")
        })
        .boxed()
}
