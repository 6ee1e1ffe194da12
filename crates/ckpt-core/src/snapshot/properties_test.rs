//! The retention matrix, as data.

use JobEnd::{Cancelled, Failed, Finished, Suspended};

use super::*;

/// profile; then whether it is discarded when subsumed, finished, cancelled, failed, suspended; in Flink's order.
const fn matrix() -> [(CheckpointProperties, [bool; 5]); 7] {
    use AfterSavepoint::{Continue, Suspend, Terminate};
    use RetentionPolicy::{NeverRetainAfterTermination, RetainOnCancellation, RetainOnFailure};
    const fn savepoint(then: AfterSavepoint) -> CheckpointProperties {
        CheckpointProperties::savepoint(SavepointFormat::Native, then, Admission::Forced)
    }
    [
        (CheckpointProperties::checkpoint(NeverRetainAfterTermination), [true, true, true, true, false]),
        (CheckpointProperties::checkpoint(RetainOnFailure), [true, true, true, false, false]),
        (CheckpointProperties::checkpoint(RetainOnCancellation), [true, true, false, false, false]),
        (savepoint(Continue), [false; 5]),
        (savepoint(Suspend), [false; 5]),
        (savepoint(Terminate), [false; 5]),
        (CheckpointProperties::unclaimed(), [false; 5]),
    ]
}

#[test]
fn every_profile_is_discarded_as_the_matrix_says() {
    for (properties, [subsumed, ends @ ..]) in matrix() {
        assert_eq!(properties.discards_on_subsumption(), subsumed, "{properties:?}");
        assert_eq!([Finished, Cancelled, Failed, Suspended].map(|end| properties.discards_on(end)), ends);
        assert_eq!(properties.is_unclaimed(), properties == CheckpointProperties::unclaimed());
    }
}

#[test]
fn suspension_discards_nothing_whatever_the_retention() {
    assert!(matrix().iter().all(|(properties, _)| !properties.discards_on(Suspended)));
}

#[test]
fn savepoints_are_forced_unless_unaligned_checkpoints_are_enabled() {
    let aligned_timeout = std::time::Duration::ZERO;
    for (policy, expected) in [
        (AlignmentPolicy::AtLeastOnce, Admission::Forced),
        (AlignmentPolicy::Aligned, Admission::Forced),
        (AlignmentPolicy::Unaligned { aligned_timeout }, Admission::InTurn),
    ] {
        let admission = Admission::of_savepoint(policy);
        let properties =
            CheckpointProperties::savepoint(SavepointFormat::Canonical, AfterSavepoint::Continue, admission);
        assert_eq!(properties.admission(), expected);
    }
    assert_eq!(CheckpointProperties::checkpoint(RetentionPolicy::default()).admission(), Admission::InTurn);
    assert_eq!(CheckpointProperties::unclaimed().admission(), Admission::InTurn);
}

#[test]
fn a_requested_type_changes_the_kind_of_a_checkpoint_and_nothing_else() {
    use CheckpointType::{Configured, Full, Incremental};
    let configured = CheckpointProperties::checkpoint(RetentionPolicy::RetainOnFailure);
    let full = configured.requested_as(Full);
    for (properties, requested, expected) in [
        (configured, Configured, SnapshotKind::Checkpoint),
        (configured, Full, SnapshotKind::FullCheckpoint),
        (configured, Incremental, SnapshotKind::Checkpoint),
        (full, Configured, SnapshotKind::FullCheckpoint),
        (full, Incremental, SnapshotKind::Checkpoint),
    ] {
        let found = properties.requested_as(requested);
        assert_eq!(found.kind(), expected);
        assert_eq!(found.requested_as(Incremental), configured, "the retention stays");
    }
    for (savepoint, _) in matrix().into_iter().filter(|(properties, _)| properties.kind().is_savepoint()) {
        assert_eq!(savepoint.requested_as(Full), savepoint);
    }
}

#[test]
fn kinds_of_savepoints_are_kept() {
    for format in [SavepointFormat::Canonical, SavepointFormat::Native] {
        for then in [AfterSavepoint::Continue, AfterSavepoint::Suspend, AfterSavepoint::Terminate] {
            let properties = CheckpointProperties::savepoint(format, then, Admission::InTurn);
            assert_eq!(properties.kind(), SnapshotKind::Savepoint { format, then });
        }
    }
    assert!(CheckpointProperties::unclaimed().kind().is_savepoint());
}
