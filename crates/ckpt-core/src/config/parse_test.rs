//! Settings from key/value pairs.

use std::time::Duration;

use crate::config::{CheckpointConfig, ConfigWarning};
use crate::error::ErrorKind;

fn refusal(pairs: &[(&str, &str)]) -> String {
    let error = CheckpointConfig::parse(pairs.iter().copied()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    error.to_string()
}

#[test]
fn defaults_are_those_of_flink() {
    let parsed = CheckpointConfig::parse([("state.backend.type", "rocksdb")]).unwrap();
    assert_eq!((parsed.config.clone(), parsed.warnings.len()), (CheckpointConfig::default(), 0));
    let config = parsed.config;
    assert_eq!(config.interval(), None);
    assert_eq!(config.base_interval(), None);
    assert_eq!(config.timeout(), Duration::from_secs(600));
    assert_eq!(config.min_pause(), Duration::ZERO);
    assert_eq!((config.max_concurrent(), config.num_retained()), (1, 1));
}

#[test]
fn every_key_is_read() {
    let parsed = CheckpointConfig::parse([
        ("execution.checkpointing.interval", "100"),
        ("execution.checkpointing.timeout", "2 min"),
        ("execution.checkpointing.min-pause", " 5 s "),
        ("execution.checkpointing.max-concurrent-checkpoints", "3"),
        ("execution.checkpointing.num-retained", "4"),
    ])
    .unwrap();
    assert_eq!(parsed.warnings, []);
    let expected = CheckpointConfig::default().with_interval(Duration::from_millis(100)).unwrap();
    let expected = expected.with_timeout(Duration::from_secs(120)).unwrap().with_min_pause(Duration::from_secs(5));
    assert_eq!(parsed.config, expected.with_max_concurrent(3).unwrap().with_num_retained(4).unwrap());
    assert_eq!(parsed.config.base_interval(), Some(Duration::from_secs(5)), "the pause raises the interval");
}

#[test]
fn a_refusal_names_key_value_rule_and_remedy() {
    for (key, value, expected) in [
        (
            "interval",
            "9 ms",
            "execution.checkpointing.interval = '9ms' is refused: it must be 10 ms or longer; write 10 ms or more, or \
             leave it away for no periodic checkpoints",
        ),
        (
            "timeout",
            "0",
            "execution.checkpointing.timeout = '0ns' is refused: it must be 10 ms or longer; write 10 ms or more, or \
             leave it away for 10 min",
        ),
        (
            "min-pause",
            "-1",
            "execution.checkpointing.min-pause = '-1' is refused: a duration begins with digits; write a whole number \
             and a unit of d, h, min, s, ms, µs or ns",
        ),
        (
            "max-concurrent-checkpoints",
            "0",
            "execution.checkpointing.max-concurrent-checkpoints = '0' is refused: it must be 1 or more; write 1, or \
             leave it away for 1",
        ),
        (
            "max-concurrent-checkpoints",
            "-1",
            "execution.checkpointing.max-concurrent-checkpoints = '-1' is refused: it must be from 1 to 2147483647; \
             write 1, or leave it away for 1",
        ),
        (
            "num-retained",
            "many",
            "execution.checkpointing.num-retained = 'many' is refused: it is no whole number; write a whole number of \
             at most 2147483647",
        ),
    ] {
        assert_eq!(refusal(&[(&format!("execution.checkpointing.{key}"), value)]), expected);
    }
    let twice = refusal(&[("execution.checkpointing.timeout", "1 s"), ("execution.checkpointing.timeout", "2 s")]);
    assert!(twice.contains("'1 s'") && twice.contains("'2 s'"), "{twice}");
}

#[test]
fn what_should_be_looked_at_is_a_warning() {
    let warnings = |pairs: &[(&str, &str)]| CheckpointConfig::parse(pairs.iter().copied()).unwrap();
    let (old, new) = ("state.checkpoints.num-retained", "execution.checkpointing.num-retained");

    let parsed = warnings(&[(old, "3")]);
    assert_eq!(parsed.warnings, [ConfigWarning::OldName { found: old, key: new }]);
    assert_eq!(parsed.config.num_retained(), 3);

    let parsed = warnings(&[(old, "3"), (new, "2")]);
    assert_eq!(parsed.warnings, [ConfigWarning::Overridden { found: old, key: new }]);
    assert_eq!(parsed.config.num_retained(), 2);

    let parsed = warnings(&[(new, "-7")]);
    assert_eq!(
        parsed.warnings[0].to_string(),
        "execution.checkpointing.num-retained = '-7' was replaced by '1': at least one checkpoint is kept"
    );
    assert_eq!(parsed.config.num_retained(), 1);

    let parsed = warnings(&[("execution.checkpointing.intervall", "1 s")]);
    assert_eq!(parsed.warnings, [ConfigWarning::NoEffect { key: "execution.checkpointing.intervall".to_owned() }]);
}

#[test]
fn setters_refuse_what_parsing_refuses() {
    let config = CheckpointConfig::default;
    assert!(config().with_interval(Duration::from_nanos(9_999_999)).is_err());
    assert!(config().with_interval(CheckpointConfig::SHORTEST).is_ok());
    assert!(config().with_timeout(Duration::ZERO).is_err());
    assert!(config().with_max_concurrent(0).is_err());
    assert!(config().with_num_retained(0).is_err());
    assert_eq!(config().with_min_pause(Duration::MAX).min_pause(), CheckpointConfig::LONGEST_PAUSE);
    assert_eq!(config().with_interval(Duration::from_secs(1)).unwrap().without_interval(), config());
}
