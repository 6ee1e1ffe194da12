//! What must hold of several settings together.

use std::collections::BTreeMap;

use super::checkpoint::CheckpointConfig;
use super::error::{ConfigError, Shown};
use super::layer::Layer;
use super::setting::AnySetting;
use super::settings::{
    ALIGNED_TIMEOUT, CHECKPOINT_DIR, FAIL_ON_CHECKPOINTING_ERRORS, INTERRUPTIBLE_TIMERS, INTERVAL,
    INTERVAL_DURING_BACKLOG, LOCAL_BACKUP_DIRS, MAX_CONCURRENT, MAX_MERGED_FILE_SIZE, MAX_SPACE_AMPLIFICATION,
    MAX_SUBTASKS_PER_CHANNEL_STATE_FILE, MAX_SUBTASKS_PER_MERGED_FILE, MERGING_ACROSS_CHECKPOINTS, MERGING_POOL_BLOCKS,
    MIN_PAUSE, RECOVER_FROM_LOCAL, STORAGE, UNALIGNED, UNALIGNED_FORCED,
};
use super::value::StorageName;
use super::values::Values;
use super::warning::ConfigWarning;

type Origins = BTreeMap<&'static str, Layer>;

/// The configuration of values that are valid each by itself, once they are found to be valid together. Says which have
/// no effect beside others.
pub(super) fn check(
    mut values: Values,
    origins: &Origins,
    warnings: &mut Vec<ConfigWarning>,
) -> Result<CheckpointConfig, ConfigError> {
    if values.tolerable_failures.is_some() && FAIL_ON_CHECKPOINTING_ERRORS.of(&values).is_some() {
        values.fail_on_checkpointing_errors = None;
        let why = "execution.checkpointing.tolerable-failed-checkpoints is set, which says more: remove one of them";
        warnings.extend(without_effect(&FAIL_ON_CHECKPOINTING_ERRORS, origins, why));
    }
    values.local_backup = values.local_backup.or(values.recover_from_local);
    let config = CheckpointConfig::of(values);
    check_backlog(&config, origins)?;
    check_concurrent(&config, origins)?;
    check_directory(&config, origins)?;
    warnings.extend(ineffective(&config, origins));
    Ok(config)
}

fn check_backlog(config: &CheckpointConfig, origins: &Origins) -> Result<(), ConfigError> {
    let Some(during) = config.get(&INTERVAL_DURING_BACKLOG).filter(|interval| !interval.is_zero()) else {
        return Ok(());
    };
    // Without an interval there are no periodic checkpoints, and so nothing to refuse: that is a warning.
    if config.interval().is_none_or(|interval| during >= interval) {
        return Ok(());
    }
    let rule = "during a backlog checkpoints must not be more frequent than else";
    let remedy = "write at least the interval, or 0 for no periodic checkpoints during a backlog";
    Err(together(config, &INTERVAL_DURING_BACKLOG, &INTERVAL, origins, rule, remedy))
}

fn check_concurrent(config: &CheckpointConfig, origins: &Origins) -> Result<(), ConfigError> {
    if !config.is_unaligned() || config.max_concurrent() == 1 {
        return Ok(());
    }
    let rule = "what is in flight can be kept for one checkpoint at a time only";
    let remedy = "write 1, or turn unaligned checkpoints off";
    Err(together(config, &MAX_CONCURRENT, &UNALIGNED, origins, rule, remedy))
}

fn check_directory(config: &CheckpointConfig, origins: &Origins) -> Result<(), ConfigError> {
    if config.storage() != &StorageName::FileSystem || config.checkpoint_dir().is_some() {
        return Ok(());
    }
    let rule = "files need a directory to lie in";
    let remedy = "set execution.checkpointing.dir, or write jobmanager to keep checkpoints in memory";
    Err(together(config, &STORAGE, &CHECKPOINT_DIR, origins, rule, remedy))
}

/// Settings that were changed and that another leaves without effect.
fn ineffective(config: &CheckpointConfig, origins: &Origins) -> Vec<ConfigWarning> {
    let mut warnings = Vec::new();
    let mut unless = |holds: bool, why: &'static str, settings: &[&'static dyn AnySetting]| {
        for &setting in settings.iter().filter(|setting| !holds && setting.is_changed(config.values())) {
            warnings.extend(without_effect(setting, origins, why));
        }
    };
    let has_interval = config.interval().is_some();
    unless(has_interval, "execution.checkpointing.interval is not set", &[&INTERVAL_DURING_BACKLOG, &MIN_PAUSE]);
    unless(
        config.is_unaligned(),
        "checkpoints are unaligned only with EXACTLY_ONCE in execution.checkpointing.mode",
        &[&UNALIGNED],
    );
    unless(
        config.is_unaligned(),
        "checkpoints are not unaligned, see execution.checkpointing.unaligned.enabled",
        &[&UNALIGNED_FORCED, &ALIGNED_TIMEOUT, &INTERRUPTIBLE_TIMERS, &MAX_SUBTASKS_PER_CHANNEL_STATE_FILE],
    );
    unless(
        config.merges_files(),
        "files are not merged, see execution.checkpointing.file-merging.enabled",
        &[
            &MERGING_ACROSS_CHECKPOINTS,
            &MAX_MERGED_FILE_SIZE,
            &MERGING_POOL_BLOCKS,
            &MAX_SUBTASKS_PER_MERGED_FILE,
            &MAX_SPACE_AMPLIFICATION,
        ],
    );
    unless(
        config.has_local_backup(),
        "there are no local copies, see execution.checkpointing.local-backup.enabled",
        &[&LOCAL_BACKUP_DIRS, &RECOVER_FROM_LOCAL],
    );
    warnings
}

/// Every setting that was changed has an origin.
fn without_effect(setting: &dyn AnySetting, origins: &Origins, why: &'static str) -> Option<ConfigWarning> {
    let key = setting.names().key;
    origins.get(key).map(|&layer| ConfigWarning::WithoutEffect { key, layer, why })
}

fn together(
    config: &CheckpointConfig,
    first: &dyn AnySetting,
    second: &dyn AnySetting,
    origins: &Origins,
    rule: &'static str,
    remedy: &'static str,
) -> ConfigError {
    let shown = |setting: &dyn AnySetting| {
        let key = setting.names().key;
        Shown { key, value: setting.shown(config.values()), layer: origins.get(key).copied() }
    };
    ConfigError::Together { both: Box::new([shown(first), shown(second)]), rule, remedy }
}
