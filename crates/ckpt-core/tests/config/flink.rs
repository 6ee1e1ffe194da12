//! Keys, types, defaults, setters and behaviour against what Flink 2.2.1 itself says.

use std::collections::{BTreeMap, BTreeSet};

use ckpt_core::config::{CheckpointConfig, CheckpointingMode, ConfigWarning, Key, TolerableFailures, keys};
use ckpt_core::snapshot::RetentionPolicy;

/// The fields of each line of a file of facts.
fn facts(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('|').collect())
}

fn options() -> impl Iterator<Item = Vec<&'static str>> {
    facts(include_str!("../../testdata/flink/options.txt"))
}

/// Ours has no key in Flink.
const OURS: &str = "execution.checkpointing.fail-on-checkpointing-errors";

#[test]
fn every_option_of_flink_is_a_setting_or_is_ignored_with_a_reason() {
    let settings: BTreeMap<&str, Key> = keys().map(|key| (key.key, key)).collect();
    let mut found = BTreeSet::from([OURS]);
    for option in options() {
        let [key, kind, default, others] = option[..] else { panic!("{option:?}") };
        let others: Vec<(&str, &str)> =
            others.split(',').filter(|other| !other.is_empty()).map(|other| other.split_once(':').unwrap()).collect();
        let Some(setting) = settings.get(key) else {
            for name in others.iter().map(|(_, name)| name).chain([&key]) {
                let parsed = CheckpointConfig::parse([(name, "x")]).unwrap();
                assert!(
                    matches!(parsed.warnings[..], [ConfigWarning::Ignored { .. }]),
                    "{name}: {:?}",
                    parsed.warnings
                );
            }
            continue;
        };
        found.insert(key);
        let named = |which| others.iter().filter(|(it, _)| *it == which).map(|(_, name)| *name).collect::<Vec<_>>();
        assert_eq!((&setting.old_names, &setting.fallbacks), (&named("deprecated"), &named("fallback")), "{key}");
        assert_eq!(setting.kind, our_kind(key, kind), "{key}");
        assert_eq!(setting.default == "none", default == "none", "{key}");
        for default in [default, &setting.default].into_iter().filter(|default| *default != "none") {
            let parsed = CheckpointConfig::parse([(key, default)]).unwrap();
            assert_eq!((parsed.config, parsed.warnings), (CheckpointConfig::default(), vec![]), "{key} = {default}");
        }
    }
    assert_eq!(found, settings.keys().copied().collect());
}

fn our_kind(key: &str, kind: &'static str) -> &'static str {
    match kind {
        "Boolean" => "boolean",
        "Integer" => "integer",
        "Long" => "long",
        "Float" => "float",
        "Duration" => "duration",
        "MemorySize" => "memory size",
        "CheckpointingMode" => "EXACTLY_ONCE, AT_LEAST_ONCE",
        "RecoveryClaimMode" => "CLAIM, NO_CLAIM",
        "ExternalizedCheckpointRetention" => {
            "DELETE_ON_CANCELLATION, RETAIN_ON_CANCELLATION, NO_EXTERNALIZED_CHECKPOINTS"
        }
        "String" if key.ends_with("storage") => "jobmanager, filesystem, or a name",
        "String" if key.ends_with("dirs") => "list of paths",
        "String" => "path or URI",
        other => other,
    }
}

#[test]
fn setters_are_those_of_flink_and_pyflink() {
    let setters: BTreeSet<&str> = facts(include_str!("../../testdata/flink/setters.txt")).map(|line| line[0]).collect();
    let named = keys().flat_map(|key| [key.flink_setter, key.pyflink_setter]).flatten().collect::<BTreeSet<_>>();
    assert!(named.is_subset(&setters), "{:?}", named.difference(&setters).collect::<Vec<_>>());
    // These set what others set, set it with other words, or set what is ignored here.
    let others = BTreeSet::from([
        "CheckpointConfig.disableCheckpointing",
        "CheckpointConfig.disable_unaligned_checkpoints",
        "CheckpointConfig.enableApproximateLocalRecovery",
        "CheckpointConfig.setCheckpointingMode",
        "CheckpointConfig.set_alignment_timeout",
        "StreamExecutionEnvironment.enableCheckpointing",
        "StreamExecutionEnvironment.enable_checkpointing",
    ]);
    assert_eq!(setters.difference(&named).copied().collect::<BTreeSet<_>>(), others);
}

/// What differs, on purpose, from what Flink's getters say after `configure`.
fn is_different(pairs: &str, getter: &str) -> bool {
    // Flink tells later, when the job's coordinator is made.
    (getter.starts_with("max-subtasks") && (pairs.ends_with("=0") || pairs.ends_with("=-1")))
        || (pairs.contains("unaligned.enabled=true") && pairs.ends_with("max-concurrent-checkpoints=2"))
        // No checkpoint has the number 0.
        || (getter == "without-channel-state" && pairs.ends_with("=0"))
        // The pause is cut where the coordinator would cut it.
        || (getter == "min-pause" && pairs.ends_with("366 d"))
        // What is asked for is taken in the mode that was set, also without an interval.
        || (["unaligned", "interruptible-timers"].contains(&getter) && !pairs.contains("interval="))
        // Without an interval there is nothing to be compared with: a warning says that this has no effect.
        || (getter == "interval-during-backlog"
            && ["backlog=10 ms", "backlog=1 min"].iter().any(|end| pairs.ends_with(end))
            && !pairs.contains("interval="))
}

#[test]
fn checkpoint_config_from_configuration() {
    let (mut compared, mut different) = (0, 0);
    for fact in facts(include_str!("../../testdata/flink/checkpoint_config.txt")) {
        let [pairs, getter, expected] = fact[..] else { panic!("{fact:?}") };
        if is_different(pairs, getter) {
            different += 1;
            continue;
        }
        let split = pairs.split(';').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap());
        let found = CheckpointConfig::parse(split).map_or_else(|_| "refused".to_owned(), |it| get(&it.config, getter));
        assert_eq!(found, expected, "{pairs} {getter}");
        compared += 1;
    }
    assert!(compared > 60 && different < 15, "{compared} compared, {different} different");
}

/// What Flink's getter says, from what ours say.
fn get(config: &CheckpointConfig, getter: &str) -> String {
    const NEVER: &str = "9223372036854775807";
    match getter {
        "enabled" => config.interval().is_some().to_string(),
        "interval" => config.interval().map_or("-1".to_owned(), |it| it.as_millis().to_string()),
        "interval-during-backlog" => {
            config.backlog_interval().map_or(NEVER.to_owned(), |it| it.as_millis().to_string())
        }
        "mode" => match config.reported_mode() {
            CheckpointingMode::ExactlyOnce => "EXACTLY_ONCE".to_owned(),
            other => other.to_string(),
        },
        "timeout" => config.timeout().as_millis().to_string(),
        "min-pause" => config.min_pause().as_millis().to_string(),
        "max-concurrent-checkpoints" => config.max_concurrent().to_string(),
        "tolerable-failed-checkpoints" => match config.tolerable_failures() {
            TolerableFailures::AtMost(most) => most.to_string(),
            _ => i32::MAX.to_string(),
        },
        "unaligned" => config.is_unaligned().to_string(),
        "unaligned.forced" => config.is_unaligned_forced().to_string(),
        "interruptible-timers" => config.has_interruptible_timers().to_string(),
        "retention" => match config.retention() {
            RetentionPolicy::RetainOnFailure => "DELETE_ON_CANCELLATION".to_owned(),
            RetentionPolicy::RetainOnCancellation => "RETAIN_ON_CANCELLATION".to_owned(),
            _ => "NO_EXTERNALIZED_CHECKPOINTS".to_owned(),
        },
        "externalized" => config.is_externalized().to_string(),
        "aligned-timeout-ms" => config.aligned_timeout().as_millis().to_string(),
        "max-subtasks-per-channel-state-file" => config.max_subtasks_per_channel_state_file().to_string(),
        "without-channel-state" => config.without_channel_state_of().map_or("-1".to_owned(), |id| id.to_string()),
        other => panic!("no getter '{other}'"),
    }
}
