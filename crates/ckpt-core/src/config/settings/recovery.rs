//! What a job is restored from.

use crate::config::builder::CheckpointConfigBuilder;
use crate::config::checkpoint::CheckpointConfig;
use crate::config::key::{Names, OtherName};
use crate::config::setting::{Setting, slot};
use crate::config::settings::path_rules::SNAPSHOT_RULES;
use crate::head::ClaimMode;
use crate::id::CheckpointId;
use crate::uri::StoragePath;

pub(in crate::config) static RECOVERY_PATH: Setting<Option<StoragePath>> = Setting {
    names: Names {
        others: &[OtherName::Old("execution.savepoint.path")],
        ..Names::new(
            "execution.state-recovery.path",
            "recovery_path",
            "the checkpoint or savepoint that the job begins with: its directory, or its `_metadata`",
        )
    },
    default: None,
    rules: SNAPSHOT_RULES,
    slot: slot!(recovery_path),
};

pub(in crate::config) static CLAIM_MODE: Setting<ClaimMode> = Setting {
    names: Names {
        others: &[OtherName::Old("execution.savepoint-restore-mode")],
        ..Names::new("execution.state-recovery.claim-mode", "claim_mode", "who owns that snapshot from then on")
    },
    default: ClaimMode::NoClaim,
    rules: &[],
    slot: slot!(claim_mode),
};

pub(in crate::config) static IGNORE_UNCLAIMED_STATE: Setting<bool> = Setting {
    names: Names {
        others: &[OtherName::Old("execution.savepoint.ignore-unclaimed-state")],
        ..Names::new(
            "execution.state-recovery.ignore-unclaimed-state",
            "ignore_unclaimed_state",
            "state in it that belongs to no operator of the job is left out, instead of refused",
        )
    },
    default: false,
    rules: &[],
    slot: slot!(ignore_unclaimed_state),
};

pub(in crate::config) static WITHOUT_CHANNEL_STATE_OF: Setting<Option<CheckpointId>> = Setting {
    names: Names {
        others: &[OtherName::Old("execution.checkpointing.recover-without-channel-state.checkpoint-id")],
        flink: Some("CheckpointConfig.setCheckpointIdOfIgnoredInFlightData"),
        ..Names::new(
            "execution.state-recovery.without-channel-state.checkpoint-id",
            "without_channel_state_of",
            "what was in flight in the checkpoint of that number is left out of a restore; -1 for none",
        )
    },
    default: None,
    rules: &[],
    slot: slot!(without_channel_state_of),
};

impl CheckpointConfigBuilder {
    /// Begins with that checkpoint or savepoint: an absolute path or a URI.
    ///
    /// Key: `execution.state-recovery.path`.
    pub fn recovery_path(self, path: impl Into<StoragePath>) -> Self {
        self.with(&RECOVERY_PATH, Some(path.into()))
    }

    /// Says who owns that snapshot from then on.
    ///
    /// Key: `execution.state-recovery.claim-mode`.
    pub fn claim_mode(self, mode: ClaimMode) -> Self {
        self.with(&CLAIM_MODE, mode)
    }

    /// Leaves out state that belongs to no operator of the job.
    ///
    /// Key: `execution.state-recovery.ignore-unclaimed-state`.
    pub fn ignore_unclaimed_state(self, ignore_unclaimed_state: bool) -> Self {
        self.with(&IGNORE_UNCLAIMED_STATE, ignore_unclaimed_state)
    }

    /// Leaves out what was in flight in that checkpoint when the job is restored from it.
    ///
    /// Key: `execution.state-recovery.without-channel-state.checkpoint-id`.
    pub fn without_channel_state_of(self, checkpoint: CheckpointId) -> Self {
        self.with(&WITHOUT_CHANNEL_STATE_OF, Some(checkpoint))
    }
}

impl CheckpointConfig {
    /// The checkpoint or savepoint that the job begins with.
    pub fn recovery_path(&self) -> Option<&StoragePath> {
        self.get(&RECOVERY_PATH).as_ref()
    }

    /// Who owns that snapshot from then on. Whoever owned it unless set.
    pub fn claim_mode(&self) -> ClaimMode {
        *self.get(&CLAIM_MODE)
    }

    /// Whether state that belongs to no operator of the job is left out (Flink's `allowNonRestoredState`). It is
    /// refused unless set.
    pub fn ignores_unclaimed_state(&self) -> bool {
        *self.get(&IGNORE_UNCLAIMED_STATE)
    }

    /// The checkpoint of which what was in flight is left out of a restore.
    pub fn without_channel_state_of(&self) -> Option<CheckpointId> {
        *self.get(&WITHOUT_CHANNEL_STATE_OF)
    }
}
