//! What one setting does to another.

use std::time::Duration;

use super::{
    CheckpointConfig, CheckpointingMode, ConfigLayers, ConfigWarning, Layer, MemorySize, OnSnapshotError, StorageName,
    TolerableFailures,
};
use crate::snapshot::AlignmentPolicy;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn parse(pairs: &[(&str, &str)]) -> CheckpointConfig {
    CheckpointConfig::parse(pairs.iter().copied()).unwrap().config
}

#[test]
fn the_pause_raises_the_interval_and_not_the_one_during_backlog() {
    let config = CheckpointConfig::builder().interval(secs(1)).min_pause(secs(5));
    let with_backlog = config.clone().interval_during_backlog(secs(2)).build().unwrap();
    let config = config.build().unwrap();
    assert_eq!((config.interval(), config.base_interval()), (Some(secs(1)), Some(secs(5))));
    assert_eq!((config.backlog_interval(), with_backlog.backlog_interval()), (Some(secs(5)), Some(secs(2))));
    let config = CheckpointConfig::builder().interval(secs(1)).interval_during_backlog(Duration::ZERO).build().unwrap();
    assert_eq!((config.base_interval(), config.backlog_interval()), (Some(secs(1)), None));
}

#[test]
fn the_interval_during_backlog_is_not_shorter_than_the_interval_wherever_each_is_from() {
    let layers = ConfigLayers::new().with_cluster([("execution.checkpointing.interval-during-backlog", "999 ms")]);
    let error = layers.unwrap().with_code(CheckpointConfig::builder().interval(secs(1))).resolve().unwrap_err();
    assert_eq!(
        error.to_string(),
        "execution.checkpointing.interval-during-backlog = '999 ms' in the cluster's configuration is refused beside \
         execution.checkpointing.interval = '1 s' in code: during a backlog checkpoints must not be more frequent \
         than else; write at least the interval, or 0 for no periodic checkpoints during a backlog"
    );
    let config = CheckpointConfig::builder().interval(secs(1));
    assert!(config.interval_during_backlog(secs(1)).build().is_ok());
}

#[test]
fn without_an_interval_in_code_there_are_no_periodic_checkpoints_whatever_else_is_configured() {
    let cluster = [
        ("execution.checkpointing.interval", "1 s"),
        ("execution.checkpointing.interval-during-backlog", "2 s"),
        ("execution.checkpointing.min-pause", "1 s"),
    ];
    let layers = ConfigLayers::new().with_cluster(cluster).unwrap();
    let resolved = layers.with_code(CheckpointConfig::builder().without_interval()).resolve().unwrap();
    let config = &resolved.config;
    assert_eq!((config.interval(), config.base_interval(), config.backlog_interval()), (None, None, None));
    let keys = resolved.warnings.iter().map(|warning| (warning.key(), warning.layer())).collect::<Vec<_>>();
    assert_eq!(keys, [cluster[1], cluster[2]].map(|(key, _)| (key, Some(Layer::Cluster))));
    assert_eq!(
        resolved.warnings[0].to_string(),
        "execution.checkpointing.interval-during-backlog in the cluster's configuration has no effect: \
         execution.checkpointing.interval is not set"
    );
    // In code alone it is a mistake, as everything without effect.
    assert!(CheckpointConfig::builder().interval_during_backlog(secs(2)).build().is_err());
}

#[test]
fn unaligned_checkpoints_are_taken_one_at_a_time() {
    let config = CheckpointConfig::builder().unaligned(true);
    assert!(config.clone().max_concurrent(1).build().is_ok());
    assert_eq!(
        config.clone().max_concurrent(2).build().unwrap_err().to_string(),
        "execution.checkpointing.max-concurrent-checkpoints = '2' in code is refused beside \
         execution.checkpointing.unaligned.enabled = 'true' in code: what is in flight can be kept for one checkpoint at \
         a time only; write 1, or turn unaligned checkpoints off"
    );
    // At least once there are no unaligned ones.
    let config = config.max_concurrent(2).mode(CheckpointingMode::AtLeastOnce);
    let resolved = ConfigLayers::new().with_code(config).resolve().unwrap();
    assert_eq!(resolved.config.max_concurrent(), 2);
}

#[test]
fn only_exactly_once_is_unaligned() {
    let pairs = |mode| [("execution.checkpointing.unaligned", "true"), ("execution.checkpointing.mode", mode)];
    let parsed = CheckpointConfig::parse(pairs("AT_LEAST_ONCE")).unwrap();
    assert!(!parsed.config.is_unaligned());
    assert_eq!(parsed.config.alignment_policy(), AlignmentPolicy::AtLeastOnce);
    assert_eq!(
        parsed.warnings[1].to_string(),
        "execution.checkpointing.unaligned.enabled in the job's configuration has no effect: checkpoints are unaligned \
         only with EXACTLY_ONCE in execution.checkpointing.mode"
    );
    let config = parse(&pairs("EXACTLY_ONCE"));
    let policy = |aligned_timeout| AlignmentPolicy::Unaligned { aligned_timeout };
    assert_eq!(config.alignment_policy(), policy(Duration::ZERO));
    let config = CheckpointConfig::builder().unaligned(true).aligned_timeout(secs(3)).build().unwrap();
    assert_eq!(config.alignment_policy(), policy(secs(3)));
}

#[test]
fn the_mode_is_reported_as_flink_does_and_kept_for_what_is_asked_for() {
    let config = CheckpointConfig::default();
    assert_eq!(config.mode(), CheckpointingMode::ExactlyOnce);
    assert_eq!(config.reported_mode(), CheckpointingMode::AtLeastOnce);
    let config = CheckpointConfig::builder().interval(secs(1)).build().unwrap();
    assert_eq!(config.reported_mode(), CheckpointingMode::ExactlyOnce);
}

#[test]
fn fail_on_checkpointing_errors_is_a_number_of_failures_and_what_a_task_does() {
    let builder = CheckpointConfig::builder;
    for (config, tolerable, fails, on_error) in [
        (builder(), TolerableFailures::AtMost(0), true, OnSnapshotError::FailTask),
        (builder().fail_on_checkpointing_errors(true), TolerableFailures::AtMost(0), true, OnSnapshotError::FailTask),
        (builder().fail_on_checkpointing_errors(false), TolerableFailures::Unlimited, false, OnSnapshotError::Decline),
        (
            builder().tolerable_failures(TolerableFailures::AtMost(2)),
            TolerableFailures::AtMost(2),
            false,
            OnSnapshotError::FailTask,
        ),
        (
            builder().tolerable_failures(TolerableFailures::Unlimited),
            TolerableFailures::Unlimited,
            false,
            OnSnapshotError::FailTask,
        ),
    ] {
        let config = config.build().unwrap();
        assert_eq!(config.tolerable_failures(), tolerable);
        assert_eq!((config.fails_on_checkpointing_errors(), config.on_snapshot_error()), (fails, on_error));
    }
}

#[test]
fn a_number_of_tolerable_failures_wins_whichever_is_set_first_and_wherever() {
    let number = ("execution.checkpointing.tolerable-failed-checkpoints", "2");
    for fail_on in [true, false] {
        let code = CheckpointConfig::builder().fail_on_checkpointing_errors(fail_on);
        let both = code.clone().tolerable_failures(TolerableFailures::AtMost(2));
        for layers in
            [ConfigLayers::new().with_code(both), ConfigLayers::new().with_code(code).with_cluster([number]).unwrap()]
        {
            let resolved = layers.resolve().unwrap();
            assert_eq!(resolved.config.tolerable_failures(), TolerableFailures::AtMost(2));
            assert_eq!(resolved.config.on_snapshot_error(), OnSnapshotError::FailTask);
            let [warning] = &resolved.warnings[..] else { panic!("{:?}", resolved.warnings) };
            assert_eq!(
                (warning.key(), warning.layer()),
                ("execution.checkpointing.fail-on-checkpointing-errors", Some(Layer::Code))
            );
            assert!(warning.to_string().contains("tolerable-failed-checkpoints is set"), "{warning}");
        }
    }
}

#[test]
fn failures_in_a_row_exceed_what_is_tolerable() {
    assert!(TolerableFailures::AtMost(0).is_exceeded_by(1));
    assert!(!TolerableFailures::AtMost(2).is_exceeded_by(2));
    assert!(TolerableFailures::AtMost(2).is_exceeded_by(3));
    assert!(!TolerableFailures::Unlimited.is_exceeded_by(u32::MAX));
    assert_eq!(TolerableFailures::Unlimited.to_string(), "any number");
}

#[test]
fn the_storage_follows_the_directory() {
    let dir = ("execution.checkpointing.dir", "/chk");
    assert_eq!(parse(&[]).storage(), &StorageName::Memory);
    assert_eq!(parse(&[dir]).storage(), &StorageName::FileSystem);
    assert_eq!(parse(&[dir, ("execution.checkpointing.storage", "JobManager")]).storage(), &StorageName::Memory);
    let files = ("state.checkpoint-storage", "FILESYSTEM");
    assert_eq!(parse(&[files, dir]).storage(), &StorageName::FileSystem);
    assert_eq!(
        CheckpointConfig::parse([files]).unwrap_err().to_string(),
        "execution.checkpointing.storage = 'filesystem' in the job's configuration is refused beside \
         execution.checkpointing.dir = 'none': files need a directory to lie in; set execution.checkpointing.dir, or \
         write jobmanager to keep checkpoints in memory"
    );
}

#[test]
fn the_write_buffer_is_never_smaller_than_the_inline_threshold() {
    let config = CheckpointConfig::builder().inline_threshold(MemorySize::from_kibibytes(900));
    assert_eq!(config.write_buffer_bytes(1024).build().unwrap().write_buffer_bytes(), 900 << 10);
}

#[test]
fn there_are_local_copies_where_they_are_to_be_restored_from() {
    let (enabled, from_local, old) = (
        "execution.checkpointing.local-backup.enabled",
        "execution.state-recovery.from-local",
        "state.backend.local-recovery",
    );
    for (pairs, copies, restored) in [
        (vec![(from_local, "true")], true, true),
        (vec![(enabled, "false"), (from_local, "true")], false, true),
        (vec![(enabled, "true"), (from_local, "false")], true, false),
        (vec![(old, "true")], true, true),
        (vec![(old, "true"), (from_local, "false")], false, false),
        (vec![(enabled, "true"), (old, "false")], true, false),
    ] {
        let config = parse(&pairs);
        assert_eq!((config.has_local_backup(), config.recovers_from_local()), (copies, restored), "{pairs:?}");
        assert_eq!(CheckpointConfig::parse(config.to_pairs()).unwrap().config, config);
    }
    // A value of any layer counts before that of another setting.
    let layers = ConfigLayers::new().with_job([(from_local, "true")]).unwrap();
    let resolved = layers.with_cluster([(enabled, "false")]).unwrap().resolve().unwrap();
    assert!(!resolved.config.has_local_backup());
    assert!(CheckpointConfig::builder().recover_from_local(true).build().unwrap().has_local_backup());
}

#[test]
fn merged_files_may_grow_without_bound_below_one() {
    let most = |text| {
        let enabled = ("execution.checkpointing.file-merging.enabled", "true");
        let config = parse(&[enabled, ("execution.checkpointing.file-merging.max-space-amplification", text)]);
        config.max_space_amplification().map(super::SpaceAmplification::factor)
    };
    assert_eq!((most("0.99"), most("-1"), most("1"), most("3f")), (None, None, Some(1.0), Some(3.0)));
}

#[test]
fn a_setting_that_another_leaves_without_effect_is_a_warning() {
    for (key, value, why) in [
        ("execution.checkpointing.interval-during-backlog", "0", "execution.checkpointing.interval is not set"),
        ("execution.checkpointing.min-pause", "1 s", "execution.checkpointing.interval is not set"),
        ("execution.checkpointing.unaligned.forced", "true", "checkpoints are not unaligned"),
        ("execution.checkpointing.unaligned.max-subtasks-per-channel-state-file", "1", "checkpoints are not unaligned"),
        ("execution.checkpointing.aligned-checkpoint-timeout", "1 s", "checkpoints are not unaligned"),
        ("execution.checkpointing.unaligned.interruptible-timers.enabled", "true", "checkpoints are not unaligned"),
        ("execution.checkpointing.file-merging.across-checkpoint-boundary", "true", "files are not merged"),
        ("execution.checkpointing.file-merging.max-file-size", "1 mb", "files are not merged"),
        ("execution.checkpointing.file-merging.pool-blocking", "true", "files are not merged"),
        ("execution.checkpointing.file-merging.max-subtasks-per-file", "1", "files are not merged"),
        ("execution.checkpointing.file-merging.max-space-amplification", "1", "files are not merged"),
        ("execution.checkpointing.local-backup.dirs", "/a", "there are no local copies"),
    ] {
        let parsed = CheckpointConfig::parse([(key, value)]).unwrap();
        assert!(matches!(parsed.warnings[..], [ConfigWarning::WithoutEffect { .. }]), "{:?}", parsed.warnings);
        let start = format!("{key} in the job's configuration has no effect: {why}");
        assert!(parsed.warnings[0].to_string().starts_with(&start), "{}", parsed.warnings[0]);
    }
    let enabled = ("execution.checkpointing.local-backup.enabled", "false");
    let parsed = CheckpointConfig::parse([enabled, ("execution.state-recovery.from-local", "true")]).unwrap();
    let [warning] = &parsed.warnings[..] else { panic!("{:?}", parsed.warnings) };
    assert!(warning.to_string().starts_with(
        "execution.state-recovery.from-local in the job's configuration has no effect: there are no local copies"
    ));
    // The default where it has no effect is not worth a word.
    let merging = "execution.checkpointing.file-merging.max-file-size";
    assert_eq!(CheckpointConfig::parse([(merging, "32 mb")]).unwrap().warnings, []);
}
