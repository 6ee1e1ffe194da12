//! Each setting: its names, its setter, its getter, its rules.

use std::collections::BTreeSet;
use std::time::Duration;

use super::error::shown;
use super::{
    CheckpointConfig, CheckpointConfigBuilder, CheckpointingMode, ConfigLayers, ConfigWarning, Layer, MemorySize,
    OnSnapshotError, SpaceAmplification, StorageName, TolerableFailures, keys,
};
use crate::error::ErrorKind;
use crate::head::ClaimMode;
use crate::head::Head;
use crate::id::CheckpointId;
use crate::snapshot::{AlignmentPolicy, LocationReference, RetentionPolicy};

/// A setting, a value that is not its default, the setter that sets it, and what getters show of it.
struct Case {
    key: &'static str,
    text: &'static str,
    method: &'static str,
    set: fn(CheckpointConfigBuilder) -> CheckpointConfigBuilder,
    shows: fn(&CheckpointConfig) -> bool,
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// One case for each setting.
fn cases() -> Vec<Case> {
    macro_rules! case {
        ($key:literal = $text:literal, $method:ident($($argument:expr)?), $shows:expr) => {
            Case {
                key: $key,
                text: $text,
                method: stringify!($method),
                set: |builder| builder.$method($($argument)?),
                shows: $shows,
            }
        };
    }
    vec![
        case!("execution.checkpointing.interval" = "30 s", interval(secs(30)), |c| c.interval() == Some(secs(30))
            && c.base_interval() == Some(secs(30))
            && c.backlog_interval() == Some(secs(30))),
        case!("execution.checkpointing.interval-during-backlog" = "1 min", interval_during_backlog(secs(60)), |c| c
            .backlog_interval()
            == Some(secs(60))),
        case!("execution.checkpointing.timeout" = "90 s", timeout(secs(90)), |c| c.timeout() == secs(90)),
        case!("execution.checkpointing.min-pause" = "5000", min_pause(secs(5)), |c| c.min_pause() == secs(5)),
        case!("execution.checkpointing.max-concurrent-checkpoints" = "3", max_concurrent(3), |c| c.max_concurrent()
            == 3),
        case!("execution.checkpointing.mode" = "at_least_once", mode(CheckpointingMode::AtLeastOnce), |c| c.mode()
            == CheckpointingMode::AtLeastOnce),
        case!("execution.checkpointing.unaligned.enabled" = "TRUE", unaligned(true), |c| c.is_unaligned()),
        case!("execution.checkpointing.unaligned.forced" = "true", unaligned_forced(true), |c| c.is_unaligned_forced()),
        case!("execution.checkpointing.aligned-checkpoint-timeout" = "1 s", aligned_timeout(secs(1)), |c| c
            .aligned_timeout()
            == secs(1)),
        case!(
            "execution.checkpointing.unaligned.interruptible-timers.enabled" = "true",
            interruptible_timers(true),
            |c| c.has_interruptible_timers()
        ),
        case!(
            "execution.checkpointing.unaligned.max-subtasks-per-channel-state-file" = "7",
            max_subtasks_per_channel_state_file(7),
            |c| c.max_subtasks_per_channel_state_file() == 7
        ),
        case!(
            "execution.checkpointing.checkpoints-after-tasks-finish" = "false",
            checkpoints_after_tasks_finish(false),
            |c| !c.checkpoints_after_tasks_finish()
        ),
        case!(
            "execution.checkpointing.tolerable-failed-checkpoints" = "3",
            tolerable_failures(TolerableFailures::AtMost(3)),
            |c| c.tolerable_failures() == TolerableFailures::AtMost(3)
        ),
        case!(
            "execution.checkpointing.fail-on-checkpointing-errors" = "false",
            fail_on_checkpointing_errors(false),
            |c| c.on_snapshot_error() == OnSnapshotError::Decline
        ),
        case!(
            "execution.checkpointing.externalized-checkpoint-retention" = "retain_on_cancellation",
            retention(RetentionPolicy::RetainOnCancellation),
            |c| c.retention() == RetentionPolicy::RetainOnCancellation && c.is_externalized()
        ),
        case!("execution.checkpointing.num-retained" = "4", num_retained(4), |c| c.num_retained() == 4),
        case!("execution.checkpointing.cleaner.parallel-mode" = "false", parallel_cleaner(false), |c| !c
            .parallel_cleaner()),
        case!("web.checkpoints.history" = "0", history_size(0), |c| c.history_size() == 0),
        case!("execution.checkpointing.storage" = "org.Mine", storage(StorageName::Custom("org.Mine".into())), |c| *c
            .storage()
            == StorageName::Custom("org.Mine".into())),
        case!("execution.checkpointing.dir" = "file:///chk", checkpoint_dir("file:///chk"), |c| c
            .checkpoint_dir()
            .is_some_and(|path| path.as_str() == "file:///chk")),
        case!("execution.checkpointing.savepoint-dir" = "/save", savepoint_dir("/save"), |c| c
            .savepoint_dir()
            .is_some_and(|path| path.as_str() == "/save")),
        case!("execution.checkpointing.create-subdir" = "false", create_subdir(false), |c| !c.create_subdir()),
        case!("execution.checkpointing.incremental" = "true", incremental(true), |c| c.is_incremental()),
        case!(
            "execution.checkpointing.data-inline-threshold" = "64 kibibytes",
            inline_threshold(MemorySize::from_kibibytes(64)),
            |c| c.inline_threshold().bytes() == 65_536
        ),
        case!("execution.checkpointing.write-buffer-size" = "100000", write_buffer_bytes(100_000), |c| c
            .write_buffer_bytes()
            == 100_000),
        case!("execution.checkpointing.file-merging.enabled" = "true", file_merging(true), |c| c.merges_files()),
        case!(
            "execution.checkpointing.file-merging.across-checkpoint-boundary" = "true",
            merging_across_checkpoints(true),
            |c| c.merges_across_checkpoints()
        ),
        case!(
            "execution.checkpointing.file-merging.max-file-size" = "64 mb",
            max_merged_file_size(MemorySize::from_mebibytes(64)),
            |c| c.max_merged_file_size() == MemorySize::from_mebibytes(64)
        ),
        case!("execution.checkpointing.file-merging.pool-blocking" = "true", merging_pool_blocks(true), |c| c
            .merging_pool_blocks()),
        case!(
            "execution.checkpointing.file-merging.max-subtasks-per-file" = "9",
            max_subtasks_per_merged_file(9),
            |c| c.max_subtasks_per_merged_file() == 9
        ),
        case!(
            "execution.checkpointing.file-merging.max-space-amplification" = "1.5",
            max_space_amplification(SpaceAmplification::new(1.5).unwrap()),
            |c| c.max_space_amplification().is_some_and(|most| most.factor() == 1.5)
        ),
        case!("execution.checkpointing.local-backup.enabled" = "true", local_backup(true), |c| c.has_local_backup()),
        case!("execution.checkpointing.local-backup.dirs" = "/a,/b", local_backup_dirs(["/a", "/b"]), |c| c
            .local_backup_dirs()
            == ["/a", "/b"]),
        case!("execution.state-recovery.from-local" = "true", recover_from_local(true), |c| c.recovers_from_local()),
        case!("execution.state-recovery.path" = "s3://b/chk-7", recovery_path("s3://b/chk-7"), |c| c
            .recovery_path()
            .is_some_and(|path| path.as_str() == "s3://b/chk-7")),
        case!("execution.state-recovery.claim-mode" = "claim", claim_mode(ClaimMode::Claim), |c| c.claim_mode()
            == ClaimMode::Claim),
        case!("execution.state-recovery.ignore-unclaimed-state" = "true", ignore_unclaimed_state(true), |c| c
            .ignores_unclaimed_state()),
        case!(
            "execution.state-recovery.without-channel-state.checkpoint-id" = "7",
            without_channel_state_of(CheckpointId::new(7).unwrap()),
            |c| c.without_channel_state_of() == CheckpointId::new(7)
        ),
    ]
}

/// What must be set for that setting to have an effect.
fn needs(key: &str) -> Vec<(&'static str, &'static str)> {
    match key {
        "execution.checkpointing.interval-during-backlog" | "execution.checkpointing.min-pause" => {
            vec![("execution.checkpointing.interval", "30 s")]
        }
        "execution.checkpointing.unaligned.forced"
        | "execution.checkpointing.unaligned.interruptible-timers.enabled"
        | "execution.checkpointing.unaligned.max-subtasks-per-channel-state-file"
        | "execution.checkpointing.aligned-checkpoint-timeout" => {
            vec![("execution.checkpointing.unaligned.enabled", "true")]
        }
        "execution.checkpointing.local-backup.dirs" => vec![("execution.checkpointing.local-backup.enabled", "true")],
        "execution.checkpointing.file-merging.enabled" => vec![],
        merging if merging.contains("file-merging.") => vec![("execution.checkpointing.file-merging.enabled", "true")],
        _ => vec![],
    }
}

#[test]
fn every_key_is_set_by_its_setter_and_under_each_of_its_names() {
    let keys: Vec<_> = keys().collect();
    let cases = cases();
    assert_eq!(keys.iter().map(|key| key.key).collect::<Vec<_>>(), cases.iter().map(|it| it.key).collect::<Vec<_>>());
    for (key, case) in keys.iter().zip(&cases) {
        assert_eq!(key.builder_method, case.method);
        let in_code = ConfigLayers::new().with_job(needs(key.key)).unwrap();
        let in_code = in_code.with_code((case.set)(CheckpointConfig::builder())).resolve().unwrap();
        assert!((case.shows)(&in_code.config), "{}", key.key);
        assert!(!(case.shows)(&CheckpointConfig::default()), "{}", key.key);
        assert_eq!(in_code.warnings, []);
        assert_eq!(in_code.origin(key.key), Some(Layer::Code));

        let parse = |name: &'static str| {
            let pairs = needs(key.key).into_iter().chain([(name, case.text)]);
            CheckpointConfig::parse(pairs).unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        let parsed = parse(key.key);
        assert_eq!(parsed.origin(key.key), Some(Layer::Job));
        assert_eq!((parsed.config, parsed.warnings), (in_code.config, vec![]), "{}", key.key);
        for old in &key.old_names {
            let parsed = parse(old);
            assert!((case.shows)(&parsed.config), "{old}");
            let warning = ConfigWarning::OldName { found: old, key: key.key, layer: Layer::Job };
            assert!(parsed.warnings.contains(&warning), "{old}: {:?}", parsed.warnings);
        }
        for fallback in &key.fallbacks {
            let parsed = parse(fallback);
            assert!((case.shows)(&parsed.config), "{fallback}");
            assert_eq!(parsed.warnings, []);
        }
    }
}

#[test]
fn the_documentation_of_each_setter_names_its_key() {
    let sources = [
        include_str!("settings/alignment.rs"),
        include_str!("settings/failure.rs"),
        include_str!("settings/file_merging.rs"),
        include_str!("settings/local_backup.rs"),
        include_str!("settings/recovery.rs"),
        include_str!("settings/retention.rs"),
        include_str!("settings/schedule.rs"),
        include_str!("settings/storage.rs"),
    ];
    for key in keys() {
        let expected = format!("    /// Key: `{}`.\n    pub fn {}", key.key, key.builder_method);
        assert!(sources.iter().any(|source| source.contains(&expected)), "{expected}");
    }
}

#[test]
fn defaults_are_those_of_flink() {
    let config = CheckpointConfig::default();
    let parsed = CheckpointConfig::parse([("parallelism.default", "4")]).unwrap();
    assert_eq!((&parsed.config, parsed.warnings.len()), (&config, 0));
    assert_eq!(CheckpointConfig::builder().build().unwrap(), config);
    assert!(config.to_pairs().is_empty());
    assert_eq!((config.interval(), config.base_interval(), config.backlog_interval()), (None, None, None));
    assert_eq!((config.timeout(), config.min_pause()), (secs(600), Duration::ZERO));
    assert_eq!((config.max_concurrent(), config.num_retained(), config.history_size()), (1, 1, 10));
    assert_eq!(config.mode(), CheckpointingMode::ExactlyOnce);
    assert_eq!(config.reported_mode(), CheckpointingMode::AtLeastOnce, "without periodic checkpoints");
    assert_eq!(config.alignment_policy(), AlignmentPolicy::Aligned);
    assert!(config.checkpoints_after_tasks_finish());
    assert_eq!(config.tolerable_failures(), TolerableFailures::AtMost(0));
    assert!(config.fails_on_checkpointing_errors());
    assert_eq!(config.on_snapshot_error(), OnSnapshotError::FailTask);
    assert_eq!(config.retention(), RetentionPolicy::NeverRetainAfterTermination);
    assert!(!config.is_externalized());
    assert_eq!(config.storage(), &StorageName::Memory);
    assert_eq!(config.inline_threshold(), MemorySize::from_kibibytes(20));
    assert_eq!(config.write_buffer_bytes(), 20_480, "never below the inline threshold");
    assert_eq!(config.max_space_amplification(), Some(SpaceAmplification::TWICE));
    assert_eq!(config.claim_mode(), ClaimMode::NoClaim);
}

/// A key, a value that breaks a rule of it, the rule, and how the remedy begins.
const REFUSED: &[[&str; 4]] = &[
    ["execution.checkpointing.interval", "9 ms", "10 ms or longer", "write 10 ms or more"],
    ["execution.checkpointing.interval-during-backlog", "9 ms", "0, or 10 ms or longer", "write 0"],
    ["execution.checkpointing.timeout", "0 ms", "10 ms or longer", "write 10 ms or more"],
    ["execution.checkpointing.max-concurrent-checkpoints", "0", "1 or more", "write 1"],
    ["execution.checkpointing.max-concurrent-checkpoints", "-1", "1 or more", "write 1"],
    ["execution.checkpointing.unaligned.max-subtasks-per-channel-state-file", "0", "1 or more", "write 1"],
    ["execution.checkpointing.tolerable-failed-checkpoints", "-1", "0 or more", "write 0"],
    ["web.checkpoints.history", "-1", "0 or more", "write 0"],
    ["execution.checkpointing.num-retained", "1025", "1,024 or fewer", "write 1,024 or less"],
    ["execution.checkpointing.write-buffer-size", "-1", "0 or more", "write a number of bytes"],
    ["execution.checkpointing.file-merging.max-file-size", "0 bytes", "more than 0", "write the size"],
    ["execution.checkpointing.file-merging.max-subtasks-per-file", "0", "1 or more", "write 1"],
    ["execution.checkpointing.local-backup.dirs", "/a,b", "absolute paths of this machine", "write each"],
];

/// The same for each of the two directories and for the path to a snapshot.
const REFUSED_PATHS: &[[&str; 3]] = &[
    ["relative", "an absolute path or a URI with a scheme", "write it from the root on"],
    ["file:relative", "an absolute path or a URI with a scheme", "write it from the root on"],
    ["s3://bucket", "a directory, with a path behind scheme and authority", "name a directory"],
    ["s3://bucket/", "below the root", "name a directory of its own"],
    ["///", "below the root", "name a directory of its own"],
    ["/a/../b", "without '..'", "write the path that is meant"],
    ["s3://bucket/a?***", "without user, query and fragment", "give secrets to the file system"],
    ["s3://***@b/x", "without user, query and fragment", "give secrets to the file system"],
    ["//host/a", "an absolute path or a URI with a scheme", "write it from the root on"],
    ["file://host/a", "with a host or bucket that can be one, and without any behind 'file:'", "write three slashes"],
    ["/a%2fb", NO_SEPARATOR, "write '/' between components"],
    ["gs://b/%2e%2e/x", NO_SEPARATOR, "write '/' between components"],
];

const NO_SEPARATOR: &str = "without backslash and percent-encoded dot, slash, backslash or zero";

/// A path of 5000 bytes.
const LONG_PATH: &str = {
    const BYTES: [u8; 5000] = {
        let mut bytes = [b'a'; 5000];
        bytes[0] = b'/';
        bytes
    };
    match str::from_utf8(&BYTES) {
        Ok(path) => path,
        Err(_) => "",
    }
};

/// A key, a value, the one that is taken in its place, and the rule.
const REPLACED: &[[&str; 4]] = &[
    ["execution.checkpointing.min-pause", "31536000001 ms", "365 d", "at most 365 d"],
    ["execution.checkpointing.num-retained", "-7", "1", "1 or more, since the newest one is always kept"],
    ["execution.checkpointing.num-retained", "0", "1", "1 or more, since the newest one is always kept"],
    ["execution.checkpointing.data-inline-threshold", "1048577 bytes", "20 kb", "at most 1 mb"],
];

fn refused() -> Vec<[&'static str; 4]> {
    let (directory, snapshot) = ("at most 3840 bytes as a URI", "at most 4096 bytes as a URI");
    let keys = [
        ("execution.checkpointing.dir", directory),
        ("execution.checkpointing.savepoint-dir", directory),
        ("execution.state-recovery.path", snapshot),
    ];
    let of = |(key, length)| {
        let path = move |[value, rule, remedy]: &[&'static str; 3]| [key, *value, *rule, *remedy];
        REFUSED_PATHS.iter().map(path).chain([[key, LONG_PATH, length, "write a shorter path"]])
    };
    REFUSED.iter().copied().chain(keys.into_iter().flat_map(of)).collect()
}

#[test]
fn as_many_checkpoints_are_kept_as_head_can_name() {
    let of = |retained| CheckpointConfig::builder().num_retained(retained).build();
    assert_eq!(of(Head::MAX_RETAINED).unwrap().num_retained(), Head::MAX_RETAINED);
    assert!(of(Head::MAX_RETAINED + 1).is_err() && of(usize::MAX).is_err());
}

#[test]
fn every_rule_has_a_case() {
    let mut cases = refused().into_iter().map(|[key, _, rule, _]| (key, rule.to_owned())).collect::<BTreeSet<_>>();
    cases.extend(REPLACED.iter().map(|[key, _, taken, rule]| (*key, format!("{rule}, else {taken} with a warning"))));
    let rules = keys().filter(|key| !key.rule.is_empty());
    let rules = rules.flat_map(|key| key.rule.split("; ").map(|rule| (key.key, rule.to_owned())).collect::<Vec<_>>());
    assert_eq!(rules.collect::<BTreeSet<_>>(), cases);
}

#[test]
fn a_rule_that_refuses_names_key_value_layer_rule_and_remedy() {
    for [key, value, rule, remedy] in refused() {
        for (layers, layer) in [
            (ConfigLayers::new().with_job([(key, value)]).unwrap(), "in the job's configuration"),
            (ConfigLayers::new().with_cluster([(key, value)]).unwrap(), "in the cluster's configuration"),
        ] {
            let error = layers.resolve().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            let value = shown(value);
            let start = format!("{key} = '{value}' {layer} is refused: it must be {rule}; {remedy}");
            assert!(error.to_string().starts_with(&start), "{error}\n{start}");
        }
    }
}

#[test]
fn a_rule_that_takes_another_value_says_which() {
    for [key, value, taken, rule] in REPLACED {
        let parse = |value| CheckpointConfig::parse(needs(key).into_iter().chain([(*key, value)])).unwrap();
        let parsed = parse(*value);
        let message =
            format!("{key} = '{value}' in the job's configuration was replaced by '{taken}': it must be {rule}");
        assert_eq!(parsed.warnings[0].to_string(), message);
        let again = parse(*taken);
        assert_eq!((parsed.config, again.warnings), (again.config, vec![]));
    }
}

#[test]
fn a_path_that_is_accepted_has_a_uri_that_head_can_hold() {
    for path in ["S3://b/a", "/a b", "/a//b/", "file:/a", "/100%", "s3://b/a b"] {
        let config = CheckpointConfig::builder().checkpoint_dir(path).savepoint_dir(path).recovery_path(path);
        let config = config.build().unwrap();
        for path in [config.checkpoint_dir(), config.savepoint_dir(), config.recovery_path()] {
            assert!(LocationReference::of_uri(&path.unwrap().to_uri().unwrap()).is_ok(), "{path:?}");
        }
    }
    // A snapshot lies below a directory.
    let below_the_longest = &LONG_PATH[..4000];
    assert!(CheckpointConfig::builder().savepoint_dir(below_the_longest).build().is_err());
    assert!(CheckpointConfig::builder().recovery_path(below_the_longest).build().is_ok());
}

#[test]
fn azures_user_is_no_secret_and_a_password_is_one() {
    let parse = |path: &'static str| CheckpointConfig::parse([("execution.checkpointing.dir", path)]);
    assert!(parse("abfss://container@account.dfs.core.windows.net/checkpoints").is_ok());
    let error = parse("s3://key:secret@bucket/checkpoints").unwrap_err().to_string();
    assert!(error.contains("'s3://***@bucket/checkpoints'") && error.contains("without user"), "{error}");
    // A key may be a secret as well, and a password may hold what ends an authority.
    for path in ["s3://key@bucket/a", "s3://key:sec/ret@bucket/a", "s3://bucket/a#secret", "abfss://c:secret@account/a"]
    {
        assert!(parse(path).is_err(), "{path}");
    }
}

#[test]
fn values_that_cannot_be_read_are_refused_with_how_to_write_them() {
    for (key, value, why) in [
        ("execution.checkpointing.min-pause", "-1", "it does not begin with digits; write a whole number and a unit"),
        ("execution.checkpointing.timeout", "1 parsec", "'parsec' is no unit of it; write a whole number and a unit"),
        (
            "execution.checkpointing.timeout",
            "1.5 s",
            "it has a fraction, and is a whole number of a unit; write a whole number and a unit of d, h, min, s, ms",
        ),
        (
            "execution.checkpointing.data-inline-threshold",
            "1.5 mb",
            "it has a fraction, and is a whole number of a unit; write a whole number and a unit of b, kb, mb",
        ),
        ("execution.checkpointing.timeout", "9223372036854775808", "it is too large; write a whole number"),
        ("execution.checkpointing.num-retained", "many", "it is no whole number; write a whole number of at most 2147"),
        ("execution.checkpointing.incremental", "yes", "it is neither true nor false; write true or false"),
        (
            "execution.checkpointing.mode",
            "exactly-once",
            "it is none of EXACTLY_ONCE, AT_LEAST_ONCE; write one of these",
        ),
        ("execution.checkpointing.data-inline-threshold", "1 byte", "'byte' is no unit of it; write a whole number"),
        ("execution.checkpointing.file-merging.max-space-amplification", "NaN", "it is no decimal number; write a"),
        ("execution.checkpointing.dir", "", "it is empty; write an absolute path, or a URI with a scheme"),
        ("execution.state-recovery.without-channel-state.checkpoint-id", "0", "no checkpoint has that number; write"),
        (
            "execution.state-recovery.claim-mode",
            "LEGACY",
            "with LEGACY nobody owns the snapshot: the job deletes nothing of it and still needs files of it; write \
             CLAIM to hand it over to the job, or NO_CLAIM to keep it",
        ),
    ] {
        let error = CheckpointConfig::parse([(key, value)]).unwrap_err();
        let start = format!("{key} = '{value}' in the job's configuration is refused: {why}");
        assert!(error.to_string().starts_with(&start), "{error}\n{start}");
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
}
