//! The values of all settings.

use std::fmt;
use std::time::Duration;

use super::settings;
use super::value::{CheckpointingMode, LocalDirectories, MemorySize, SpaceAmplification, StorageName};
use crate::head::ClaimMode;
use crate::id::CheckpointId;
use crate::snapshot::RetentionPolicy;
use crate::uri::StoragePath;

/// The values of all settings; `None` where none is set. Each field is the [slot](super::setting::Slot) of one setting.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Values {
    pub(super) interval: Option<Option<Duration>>,
    pub(super) interval_during_backlog: Option<Option<Duration>>,
    pub(super) timeout: Option<Duration>,
    pub(super) min_pause: Option<Duration>,
    pub(super) max_concurrent: Option<i64>,
    pub(super) mode: Option<CheckpointingMode>,
    pub(super) unaligned: Option<bool>,
    pub(super) unaligned_forced: Option<bool>,
    pub(super) interruptible_timers: Option<bool>,
    pub(super) max_subtasks_per_channel_state_file: Option<i64>,
    pub(super) aligned_timeout: Option<Duration>,
    pub(super) checkpoints_after_tasks_finish: Option<bool>,
    pub(super) tolerable_failures: Option<i64>,
    pub(super) fail_on_checkpointing_errors: Option<Option<bool>>,
    pub(super) retention: Option<RetentionPolicy>,
    pub(super) num_retained: Option<i64>,
    pub(super) parallel_cleaner: Option<bool>,
    pub(super) history_size: Option<i64>,
    pub(super) storage: Option<Option<StorageName>>,
    pub(super) checkpoint_dir: Option<Option<StoragePath>>,
    pub(super) savepoint_dir: Option<Option<StoragePath>>,
    pub(super) create_subdir: Option<bool>,
    pub(super) incremental: Option<bool>,
    pub(super) inline_threshold: Option<MemorySize>,
    pub(super) write_buffer_bytes: Option<i64>,
    pub(super) file_merging: Option<bool>,
    pub(super) merging_across_checkpoints: Option<bool>,
    pub(super) max_merged_file_size: Option<MemorySize>,
    pub(super) merging_pool_blocks: Option<bool>,
    pub(super) max_subtasks_per_merged_file: Option<i64>,
    pub(super) max_space_amplification: Option<SpaceAmplification>,
    pub(super) local_backup: Option<bool>,
    pub(super) local_backup_dirs: Option<LocalDirectories>,
    pub(super) recover_from_local: Option<bool>,
    pub(super) recovery_path: Option<Option<StoragePath>>,
    pub(super) ignore_unclaimed_state: Option<bool>,
    pub(super) claim_mode: Option<ClaimMode>,
    pub(super) without_channel_state_of: Option<Option<CheckpointId>>,
}

/// What is set, by its key. Secrets are left out.
impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changed = settings::ALL.iter().filter(|setting| setting.is_changed(self));
        f.debug_map().entries(changed.map(|setting| (setting.names().key, setting.shown(self)))).finish()
    }
}
