//! Which checkpoint, how it is taken, what it is to its job, what was measured.

use std::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::id::{any_checkpoint_id, any_epoch, any_timestamp, number};
use crate::id::CheckpointId;
use crate::snapshot::{
    Admission, AfterSavepoint, Alignment, AlignmentTimeout, CheckpointBarrier, CheckpointIdentity, CheckpointMetrics,
    CheckpointMetricsBuilder, CheckpointOptions, CheckpointProperties, CheckpointType, LocationReference,
    RetentionPolicy, SavepointFormat, SnapshotKind,
};
use crate::uri::Uri;

/// Any kind of snapshot.
pub fn any_snapshot_kind() -> BoxedStrategy<SnapshotKind> {
    let savepoint = (any_savepoint_format(), any_after_savepoint())
        .prop_map(|(format, then)| SnapshotKind::Savepoint { format, then });
    prop_oneof![Just(SnapshotKind::Checkpoint), Just(SnapshotKind::FullCheckpoint), savepoint].boxed()
}

fn any_savepoint_format() -> BoxedStrategy<SavepointFormat> {
    prop_oneof![Just(SavepointFormat::Canonical), Just(SavepointFormat::Native)].boxed()
}

fn any_after_savepoint() -> BoxedStrategy<AfterSavepoint> {
    prop_oneof![Just(AfterSavepoint::Continue), Just(AfterSavepoint::Suspend), Just(AfterSavepoint::Terminate)].boxed()
}

/// Any checkpoint, triggered at any time by any leader.
pub fn any_checkpoint_identity() -> BoxedStrategy<CheckpointIdentity> {
    (any_checkpoint_id(), any_epoch(), any_timestamp(), number())
        .prop_map(|(id, epoch, triggered_at, latest)| {
            CheckpointIdentity::new(id, epoch, triggered_at, CheckpointId::new(latest % id.get()))
        })
        .boxed()
}

/// Any URI that may be written down.
pub fn any_uri() -> BoxedStrategy<Uri> {
    let scheme = prop_oneof![Just("file:///"), Just("s3://bucket/"), Just("hdfs://host:8020/"), Just("x-y+1.z:/")];
    (scheme, vec("[a-zA-Z0-9_ä=,-]{1,9}", 1..5))
        .prop_map(|(scheme, path)| Uri::new(scheme.to_owned() + &path.join("/")).expect("a place without secrets"))
        .boxed()
}

/// Any place for a snapshot's state.
pub fn any_location_reference() -> BoxedStrategy<LocationReference> {
    let bytes = vec(any::<u8>(), 1..60).prop_map(|bytes| LocationReference::at(Bytes::from(bytes)));
    let uri = any_uri().prop_map(|uri| LocationReference::of_uri(&uri));
    let named = prop_oneof![bytes, uri].prop_map(|reference| reference.expect("neither empty nor too long"));
    prop_oneof![1 => Just(LocationReference::Default), 2 => named].boxed()
}

fn any_alignment() -> BoxedStrategy<Alignment> {
    let timeout = || option::of(number().prop_map(|nanos| timeout(nanos.max(1))));
    prop_oneof![
        Just(Alignment::AtLeastOnce),
        Just(Alignment::Unaligned),
        timeout().prop_map(|timeout| Alignment::Aligned { timeout }),
        timeout().prop_map(|timeout| Alignment::ForcedAligned { timeout }),
    ]
    .boxed()
}

fn timeout(nanos: u64) -> AlignmentTimeout {
    AlignmentTimeout::new(Duration::from_nanos(nanos)).expect("longer than zero, and 64 bits of nanoseconds")
}

/// Any way to take a checkpoint or a savepoint.
pub fn any_checkpoint_options() -> BoxedStrategy<CheckpointOptions> {
    (any_snapshot_kind(), any_location_reference(), any_alignment())
        .prop_map(|(kind, target, alignment)| {
            // What a savepoint cannot be, it is aligned instead.
            CheckpointOptions::new(kind, target.clone(), alignment)
                .unwrap_or_else(|_| CheckpointOptions::aligned(kind, target))
        })
        .boxed()
}

/// Any barrier.
pub fn any_barrier() -> BoxedStrategy<CheckpointBarrier> {
    (any_checkpoint_identity(), any_checkpoint_options())
        .prop_map(|(identity, options)| CheckpointBarrier::new(identity, options))
        .boxed()
}

/// What any snapshot is to its job.
pub fn any_checkpoint_properties() -> BoxedStrategy<CheckpointProperties> {
    let retention = prop_oneof![
        Just(RetentionPolicy::NeverRetainAfterTermination),
        Just(RetentionPolicy::RetainOnFailure),
        Just(RetentionPolicy::RetainOnCancellation),
    ];
    let kind = prop_oneof![Just(CheckpointType::Configured), Just(CheckpointType::Full)];
    let admission = prop_oneof![Just(Admission::InTurn), Just(Admission::Forced)];
    prop_oneof![
        4 => (retention, kind)
            .prop_map(|(retention, kind)| CheckpointProperties::checkpoint(retention).requested_as(kind)),
        4 => (any_savepoint_format(), any_after_savepoint(), admission)
            .prop_map(|(format, then, admission)| CheckpointProperties::savepoint(format, then, admission)),
        1 => Just(CheckpointProperties::unclaimed()),
    ]
    .boxed()
}

pub(super) fn duration() -> BoxedStrategy<Duration> {
    number().prop_map(Duration::from_nanos).boxed()
}

/// Whatever a task may have measured, of a part that was taken or given up.
pub fn any_checkpoint_metrics() -> BoxedStrategy<CheckpointMetrics> {
    let durations = (option::of(duration()), option::of(duration()), option::of(duration()));
    let alignment = option::of((duration(), option::of(number())));
    let unaligned = (option::of(number()), any::<bool>());
    (durations, alignment, unaligned, number(), number())
        .prop_map(|((delay, sync, asynchronous), alignment, (in_flight, is_unaligned), persisted, total)| {
            let mut metrics = CheckpointMetricsBuilder::new();
            delay.into_iter().for_each(|delay| metrics.set_start_delay(delay));
            sync.into_iter().for_each(|duration| metrics.set_sync_duration(duration));
            asynchronous.into_iter().for_each(|duration| metrics.set_async_duration(duration));
            in_flight.into_iter().for_each(|bytes| metrics.set_persisted_during_alignment_bytes(bytes));
            if let Some((duration, processed)) = alignment {
                metrics.alignment_ended(duration, processed).expect("the first end of the alignment");
            }
            if is_unaligned {
                metrics.set_unaligned();
            }
            metrics.set_persisted_bytes(persisted);
            metrics.set_total_bytes(total);
            metrics.build_incomplete()
        })
        .boxed()
}
