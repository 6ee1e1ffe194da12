//! What a snapshot is to its job, in both words.

use ckpt_core::snapshot::{
    Admission, AfterSavepoint, CheckpointProperties as OurProperties, CheckpointType, JobEnd, RetentionPolicy,
    SavepointFormat as OurFormat, SnapshotKind,
};

use super::change::{ChangeKind, Changes};
use crate::properties::{
    CheckpointProperties, PostCheckpointAction, SavepointFormat, SharingFilesStrategy, SnapshotType, StoredProperties,
};

/// What the snapshot is to its job. A savepoint of Flink's is nobody's here: its files lie below borrowed roots, and none
/// of ours has such.
pub(super) fn from_flink(stored: Option<&StoredProperties>, changes: &mut Changes) -> OurProperties {
    let Some((stored, properties)) = stored.and_then(|stored| Some((stored, stored.properties()?))) else {
        changes.add(ChangeKind::UnknownProperties);
        return OurProperties::unclaimed();
    };
    let ours = match &properties.checkpoint_type {
        SnapshotType::Savepoint { .. } => OurProperties::unclaimed(),
        SnapshotType::Checkpoint { sharing_files, .. } => {
            let retention = match properties {
                CheckpointProperties { discard_cancelled: false, .. } => RetentionPolicy::RetainOnCancellation,
                CheckpointProperties { discard_failed: false, .. } => RetentionPolicy::RetainOnFailure,
                _ => RetentionPolicy::NeverRetainAfterTermination,
            };
            OurProperties::checkpoint(retention).requested_as(match sharing_files {
                SharingFilesStrategy::ForwardBackward => CheckpointType::Configured,
                SharingFilesStrategy::Forward | SharingFilesStrategy::NoSharing => CheckpointType::Full,
            })
        }
    };
    let back = to_flink(ours);
    let flags = |of: &CheckpointProperties| CheckpointProperties {
        checkpoint_type: back.checkpoint_type.clone(),
        ..of.clone()
    };
    changes.add_if(back.checkpoint_type != properties.checkpoint_type, ChangeKind::SnapshotKind);
    changes.add_if(flags(&back) != flags(properties), ChangeKind::DiscardFlags);
    let encoded = StoredProperties::new(properties.clone());
    changes.add_if(encoded.as_bytes() != stored.as_bytes(), ChangeKind::PropertiesBytes);
    ours
}

/// As Flink's own profiles are.
pub(super) fn to_flink(ours: OurProperties) -> CheckpointProperties {
    let checkpoint_type = match ours.kind() {
        SnapshotKind::FullCheckpoint => SnapshotType::full_checkpoint(),
        SnapshotKind::Savepoint { format, then } => {
            let format = match format {
                OurFormat::Native => SavepointFormat::Native,
                _ => SavepointFormat::Canonical,
            };
            SnapshotType::savepoint(
                format,
                match then {
                    AfterSavepoint::Suspend => PostCheckpointAction::Suspend,
                    AfterSavepoint::Terminate => PostCheckpointAction::Terminate,
                    _ => PostCheckpointAction::None,
                },
            )
        }
        _ => SnapshotType::checkpoint(),
    };
    let is_savepoint = ours.kind().is_savepoint();
    CheckpointProperties {
        discard_cancelled: ours.discards_on(JobEnd::Cancelled),
        discard_failed: ours.discards_on(JobEnd::Failed),
        discard_finished: ours.discards_on(JobEnd::Finished),
        discard_subsumed: ours.discards_on_subsumption(),
        // Flink discards what is not retained when the job is cancelled at its suspension too.
        discard_suspended: !is_savepoint && ours.discards_on(JobEnd::Cancelled),
        forced: ours.admission() == Admission::Forced,
        unclaimed: ours.is_unclaimed(),
        ..CheckpointProperties::new(checkpoint_type)
    }
}
