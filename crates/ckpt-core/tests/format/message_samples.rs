//! Messages to encode: those of the golden frames, one of each kind and variant.

use std::time::Duration;

use bytes::Bytes;
use ckpt_core::id::{LeaderEpoch, OperatorId, Writer, WriterId};
use ckpt_core::message::{
    AbortedMetrics, Acknowledge, Decline, DeclineReason, InitializationMetrics, InitializationOutcome, Marker,
    ToCoordinator, ToTask,
};
use ckpt_core::snapshot::{
    AfterSavepoint, Alignment, AlignmentTimeout, CheckpointBarrier, CheckpointMetrics, CheckpointMetricsBuilder,
    CheckpointOptions, LocationReference, SavepointFormat, SnapshotKind,
};
use ckpt_core::state::{
    ChannelMapping, ChannelRescaling, FileRef, InFlightRescaling, OperatorRestore, Place, Root, StateHandle,
    TaskRestore, TaskSnapshot,
};
use ckpt_core::{Digest, Timestamp};

use crate::samples::{checkpoint, fixed_attempt, fixed_identity, fixed_state, places, range, savepoint, with_reused};

pub(crate) fn fixed_to_task() -> [(&'static str, ToTask); 3] {
    let target = LocationReference::at(Bytes::from_static(b"place")).unwrap();
    let options = CheckpointOptions::aligned(savepoint(SavepointFormat::Native, AfterSavepoint::Terminate), target);
    let (epoch, id) = (LeaderEpoch::new(3), checkpoint(1234));
    [
        ("to-task-trigger", ToTask::Trigger(CheckpointBarrier::new(fixed_identity(), options))),
        ("to-task-completed", ToTask::Completed { epoch, id, subsumed_upto: Some(checkpoint(1233)) }),
        ("to-task-aborted", ToTask::Aborted { epoch, id, latest_completed: Some(checkpoint(1235)) }),
    ]
}

pub(crate) fn fixed_to_coordinator() -> [(&'static str, ToCoordinator); 5] {
    let (epoch, id, attempt) = (LeaderEpoch::new(3), checkpoint(1234), fixed_attempt());
    let mut acknowledge = Acknowledge::new(epoch, id, attempt, WriterId::new(0xab), fixed_snapshot());
    acknowledge.metrics = fixed_metrics();
    let file = FileRef::Ours(Writer::new(epoch, WriterId::new(0xab)).file(7));
    let place = Place::File { root: Root::ThisSnapshot, file };
    let handle = StateHandle::assume_durable(place, 2_000_000, Some(Digest::of(b"spilled")));
    let spilled = acknowledge.clone().spilled(handle).unwrap();
    let decline = Decline::new(epoch, id, attempt, DeclineReason::SnapshotFailed, "the disk is full");
    let (at, total) = (Timestamp::from_millis(1_767_225_600_000), Duration::from_secs(8));
    let mut started = InitializationMetrics::new(epoch, attempt, InitializationOutcome::Completed, at, total);
    started.from = Some(checkpoint(1200));
    started.thread_start = Some(Duration::from_millis(1));
    started.download = Some(Duration::from_millis(2));
    started.restore = Some(Duration::from_millis(3));
    started.read_output = Some(Duration::ZERO);
    started.restored_bytes = 1 << 33;
    [
        ("to-coordinator-acknowledge", ToCoordinator::Acknowledge(acknowledge)),
        ("to-coordinator-decline", ToCoordinator::Decline(decline)),
        ("to-coordinator-acknowledge-spilled", ToCoordinator::AcknowledgeSpilled(spilled)),
        (
            "to-coordinator-aborted-metrics",
            ToCoordinator::AbortedMetrics(AbortedMetrics::new(epoch, id, attempt, fixed_metrics())),
        ),
        ("to-coordinator-initialization-metrics", ToCoordinator::InitializationMetrics(started)),
    ]
}

pub(crate) fn fixed_snapshot() -> TaskSnapshot {
    TaskSnapshot::new([(OperatorId::new([0x22; 16]), with_reused(fixed_state()))].into()).finished()
}

fn fixed_metrics() -> CheckpointMetrics {
    let mut metrics = CheckpointMetricsBuilder::new();
    metrics.set_start_delay(Duration::from_millis(12));
    metrics.alignment_ended(Duration::from_millis(7), Some(65_536)).unwrap();
    metrics.set_persisted_during_alignment_bytes(300);
    metrics.set_async_duration(Duration::from_nanos(1));
    metrics.set_persisted_bytes(1 << 20);
    metrics.set_total_bytes(1 << 33);
    metrics.build().unwrap()
}

/// A barrier of each alignment but the plain one.
pub(crate) fn fixed_barriers() -> [(&'static str, Marker); 5] {
    let timeout = AlignmentTimeout::new(Duration::from_secs(30)).ok();
    [
        ("at-least-once", Alignment::AtLeastOnce),
        ("aligned-timeout", Alignment::Aligned { timeout }),
        ("unaligned", Alignment::Unaligned),
        ("forced-aligned", Alignment::ForcedAligned { timeout: None }),
        ("forced-aligned-timeout", Alignment::ForcedAligned { timeout }),
    ]
    .map(|(name, alignment)| {
        let options = CheckpointOptions::new(SnapshotKind::FullCheckpoint, LocationReference::Default, alignment);
        (name, Marker::Barrier(CheckpointBarrier::new(fixed_identity(), options.unwrap())))
    })
}

pub(crate) fn fixed_markers() -> [(&'static str, Marker); 3] {
    let options = CheckpointOptions::aligned(SnapshotKind::Checkpoint, LocationReference::Default);
    let barrier = CheckpointBarrier::new(fixed_identity(), options);
    [
        ("marker-barrier", Marker::Barrier(barrier.clone())),
        ("marker-cancel", Marker::Cancel { epoch: LeaderEpoch::new(3), id: checkpoint(1234) }),
        ("marker-announcement", Marker::Announcement { barrier, sequence: 300 }),
    ]
}

pub(crate) fn fixed_restore() -> TaskRestore {
    let mut restore = TaskRestore::fresh(fixed_attempt(), Writer::new(LeaderEpoch::new(4), WriterId::new(0xcd)));
    restore.from = Some(checkpoint(1234));
    restore.places = places();
    restore.operators.insert(OperatorId::new([0x22; 16]), OperatorRestore::new(range(2, 127), fixed_state()));
    let mapping = ChannelMapping::new([2, 0, 1], [4, 300, 4]).unwrap();
    let rescaling = ChannelRescaling::new([0, 2, 5], [2], mapping).unwrap();
    let as_it_was = ChannelRescaling::new([1], [], ChannelMapping::default()).unwrap();
    let inputs = [(0_u32, rescaling.clone()), (3, as_it_was)];
    restore.in_flight = InFlightRescaling::new(inputs.into(), [(1_u32, rescaling)].into()).unwrap();
    restore.finished = true;
    restore
}
