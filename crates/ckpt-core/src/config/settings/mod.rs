//! The settings, topic by topic: what each is called, which rules it has, its setter and its getter.

mod alignment;
mod failure;
mod file_merging;
mod local_backup;
mod path_rules;
mod recovery;
mod retention;
mod schedule;
mod storage;

pub(super) use alignment::{
    ALIGNED_TIMEOUT, INTERRUPTIBLE_TIMERS, MAX_SUBTASKS_PER_CHANNEL_STATE_FILE, UNALIGNED, UNALIGNED_FORCED,
};
use alignment::{CHECKPOINTS_AFTER_TASKS_FINISH, MODE};
pub(super) use failure::FAIL_ON_CHECKPOINTING_ERRORS;
use failure::TOLERABLE_FAILURES;
pub use failure::{OnSnapshotError, TolerableFailures};
use file_merging::FILE_MERGING;
pub(super) use file_merging::{
    MAX_MERGED_FILE_SIZE, MAX_SPACE_AMPLIFICATION, MAX_SUBTASKS_PER_MERGED_FILE, MERGING_ACROSS_CHECKPOINTS,
    MERGING_POOL_BLOCKS,
};
use local_backup::LOCAL_BACKUP;
pub(super) use local_backup::{LOCAL_BACKUP_DIRS, RECOVER_FROM_LOCAL};
use recovery::{CLAIM_MODE, IGNORE_UNCLAIMED_STATE, RECOVERY_PATH, WITHOUT_CHANNEL_STATE_OF};
use retention::{HISTORY_SIZE, NUM_RETAINED, PARALLEL_CLEANER, RETENTION};
use schedule::TIMEOUT;
pub(super) use schedule::{INTERVAL, INTERVAL_DURING_BACKLOG, MAX_CONCURRENT, MIN_PAUSE};
pub(super) use storage::{CHECKPOINT_DIR, STORAGE};
use storage::{CREATE_SUBDIR, INCREMENTAL, INLINE_THRESHOLD, SAVEPOINT_DIR, WRITE_BUFFER_BYTES};

use super::setting::AnySetting;

/// Every setting, in the order of the documentation.
pub(super) static ALL: &[&dyn AnySetting] = &[
    &INTERVAL,
    &INTERVAL_DURING_BACKLOG,
    &TIMEOUT,
    &MIN_PAUSE,
    &MAX_CONCURRENT,
    &MODE,
    &UNALIGNED,
    &UNALIGNED_FORCED,
    &ALIGNED_TIMEOUT,
    &INTERRUPTIBLE_TIMERS,
    &MAX_SUBTASKS_PER_CHANNEL_STATE_FILE,
    &CHECKPOINTS_AFTER_TASKS_FINISH,
    &TOLERABLE_FAILURES,
    &FAIL_ON_CHECKPOINTING_ERRORS,
    &RETENTION,
    &NUM_RETAINED,
    &PARALLEL_CLEANER,
    &HISTORY_SIZE,
    &STORAGE,
    &CHECKPOINT_DIR,
    &SAVEPOINT_DIR,
    &CREATE_SUBDIR,
    &INCREMENTAL,
    &INLINE_THRESHOLD,
    &WRITE_BUFFER_BYTES,
    &FILE_MERGING,
    &MERGING_ACROSS_CHECKPOINTS,
    &MAX_MERGED_FILE_SIZE,
    &MERGING_POOL_BLOCKS,
    &MAX_SUBTASKS_PER_MERGED_FILE,
    &MAX_SPACE_AMPLIFICATION,
    &LOCAL_BACKUP,
    &LOCAL_BACKUP_DIRS,
    &RECOVER_FROM_LOCAL,
    &RECOVERY_PATH,
    &CLAIM_MODE,
    &IGNORE_UNCLAIMED_STATE,
    &WITHOUT_CHANNEL_STATE_OF,
];
