//! Several layers, several names, and what is worth a warning.

use std::time::Duration;

use super::{CheckpointConfig, ConfigLayers, ConfigWarning, Layer};

const INTERVAL: &str = "execution.checkpointing.interval";
const TIMEOUT: &str = "execution.checkpointing.timeout";
const RETAINED: &str = "execution.checkpointing.num-retained";
const OLD_RETAINED: &str = "state.checkpoints.num-retained";

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn code_counts_before_the_job_and_the_job_before_the_cluster() {
    let resolved = ConfigLayers::new()
        .with_cluster([(INTERVAL, "1 s"), (TIMEOUT, "1 s"), (RETAINED, "1")])
        .unwrap()
        .with_code(CheckpointConfig::builder().interval(secs(3)))
        .with_job([(INTERVAL, "2 s"), (TIMEOUT, "2 s")])
        .unwrap()
        .resolve()
        .unwrap();
    assert_eq!((resolved.config.interval(), resolved.origin(INTERVAL)), (Some(secs(3)), Some(Layer::Code)));
    assert_eq!((resolved.config.timeout(), resolved.origin(TIMEOUT)), (secs(2), Some(Layer::Job)));
    assert_eq!((resolved.config.num_retained(), resolved.origin(RETAINED)), (1, Some(Layer::Cluster)));
    assert_eq!(resolved.origin("execution.checkpointing.min-pause"), None);
    assert_eq!(resolved.origin("no.such.key"), None);
    assert_eq!(resolved.warnings, []);
}

#[test]
fn code_can_turn_off_what_the_cluster_turns_on() {
    let layers = ConfigLayers::new().with_cluster([(INTERVAL, "1 s")]).unwrap();
    let resolved = layers.with_code(CheckpointConfig::builder().without_interval()).resolve().unwrap();
    assert_eq!((resolved.config.interval(), resolved.origin(INTERVAL)), (None, Some(Layer::Code)));
}

#[test]
fn an_old_key_of_the_job_counts_before_the_new_one_of_the_cluster() {
    let layers = ConfigLayers::new().with_cluster([(RETAINED, "5")]).unwrap();
    let resolved = layers.with_job([(OLD_RETAINED, "3")]).unwrap().resolve().unwrap();
    assert_eq!(resolved.config.num_retained(), 3);
    assert_eq!(resolved.warnings, [ConfigWarning::OldName { found: OLD_RETAINED, key: RETAINED, layer: Layer::Job }]);
}

#[test]
fn a_wrong_value_is_refused_also_where_another_counts() {
    let layers = ConfigLayers::new().with_cluster([(TIMEOUT, "1 ms")]).unwrap();
    let error = layers.with_code(CheckpointConfig::builder().timeout(secs(1))).resolve().unwrap_err();
    let start = "execution.checkpointing.timeout = '1 ms' in the cluster's configuration is refused: ";
    assert!(error.to_string().starts_with(start), "{error}");
}

#[test]
fn what_should_be_looked_at_is_a_warning() {
    let parse = |pairs: &[(&str, &str)]| CheckpointConfig::parse(pairs.iter().copied()).unwrap();

    let parsed = parse(&[(OLD_RETAINED, "3")]);
    let text = "state.checkpoints.num-retained in the job's configuration is an old name: write \
                execution.checkpointing.num-retained";
    assert_eq!(parsed.warnings[0].to_string(), text);
    assert_eq!((parsed.config.num_retained(), parsed.warnings.len()), (3, 1));

    let parsed = parse(&[(OLD_RETAINED, "3"), (RETAINED, "2")]);
    let text = "state.checkpoints.num-retained in the job's configuration has no effect beside \
                execution.checkpointing.num-retained: remove it";
    assert_eq!(parsed.warnings[0].to_string(), text);
    assert_eq!((parsed.config.num_retained(), parsed.warnings.len()), (2, 1));

    let parsed = parse(&[("state.backend.fs.checkpointdir", "/oldest"), ("state.checkpoints.dir", "/old")]);
    assert_eq!(parsed.config.checkpoint_dir().map(|path| path.as_str()), Some("/old"));
    let keys: Vec<_> = parsed.warnings.iter().map(ConfigWarning::key).collect();
    assert_eq!(keys, ["state.checkpoints.dir", "state.backend.fs.checkpointdir"]);

    for (key, text) in [
        ("execution.checkpointing.intervall", "did you mean execution.checkpointing.interval?"),
        ("Execution.Checkpointing.Interval", "did you mean execution.checkpointing.interval?"),
        ("execution.state-recovery.claim", "no such key is known; check its spelling, or remove it"),
        ("state.checkpoints.dirs", "did you mean execution.checkpointing.dir?"),
        ("execution.checkpoint.interval", "did you mean execution.checkpointing.interval?"),
        ("web.checkpoint.history", "did you mean web.checkpoints.history?"),
        ("execution.savepoint.allow-non-restored", "no such key is known; check its spelling, or remove it"),
        ("execution.checkpointing.é", "no such key is known; check its spelling, or remove it"),
    ] {
        let parsed = parse(&[(key, "1 s")]);
        assert_eq!((&parsed.config, parsed.warnings.len()), (&CheckpointConfig::default(), 1));
        assert!(matches!(&parsed.warnings[0], ConfigWarning::Unknown { layer: Layer::Job, .. }));
        assert_eq!(parsed.warnings[0].key(), key);
        let shown = parsed.warnings[0].to_string();
        assert!(shown.starts_with(&format!("{key} in the job's configuration has no effect: ")), "{shown}");
        assert!(shown.ends_with(text), "{shown}");
    }
}

#[test]
fn keys_without_a_meaning_here_are_reported_with_why() {
    for (key, why) in [
        ("state.backend.type", "the engine keeps its state itself"),
        ("state.backend.rocksdb.thread.num", "the engine keeps its state itself"),
        ("state.changelog.enabled", "there is no changelog of state"),
        ("dstl.dfs.base-path", "there is no changelog of state"),
        ("execution.runtime-mode", "the engine knows which jobs are batch jobs"),
        ("execution.checkpointing.snapshot-compression", "state is stored as the engine writes it"),
        ("execution.state-recovery.approximate-local-recovery", "a task that is restored alone has lost records"),
    ] {
        let parsed = ConfigLayers::new().with_cluster([(key, "x")]).unwrap().resolve().unwrap();
        assert!(matches!(&parsed.warnings[..], [ConfigWarning::Ignored { layer: Layer::Cluster, .. }]), "{key}");
        let start = format!("{key} in the cluster's configuration is ignored: {why}");
        assert!(parsed.warnings[0].to_string().starts_with(&start), "{}", parsed.warnings[0]);
    }
}

#[test]
fn keys_of_others_are_left_alone() {
    let others = ["parallelism.default", "statex", "states.dir", "execution.attached", "web.submit.enable", ""];
    let parsed = CheckpointConfig::parse(others.map(|key| (key, "x"))).unwrap();
    assert_eq!((parsed.config, parsed.warnings), (CheckpointConfig::default(), vec![]));
    let flinks = include_str!("../../testdata/flink/other_keys.txt").lines().filter(|line| !line.starts_with('#'));
    let parsed = CheckpointConfig::parse(flinks.clone().map(|key| (key, "x"))).unwrap();
    assert_eq!((parsed.config, parsed.warnings), (CheckpointConfig::default(), vec![]));
    assert!(flinks.count() > 900);
}

#[test]
fn space_around_keys_and_values_does_not_matter() {
    let parsed = CheckpointConfig::parse([(" execution.checkpointing.timeout\t", " 2 min \n")]).unwrap();
    assert_eq!((parsed.config.timeout(), parsed.warnings), (secs(120), vec![]));
}

#[test]
fn a_key_that_stands_there_twice_is_refused() {
    let error = CheckpointConfig::parse([(TIMEOUT, "1 s"), ("other", "x"), (TIMEOUT, "2 s")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "execution.checkpointing.timeout in the job's configuration is refused: it is given both as '1 s' and as \
         '2 s'; keep one of them"
    );
}

#[test]
fn what_would_be_a_warning_is_refused_in_code() {
    let error = CheckpointConfig::builder().num_retained(0).build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the configuration in code is refused: execution.checkpointing.num-retained = '0' in code was replaced by '1': \
         it must be 1 or more, since the newest one is always kept"
    );
    let error = CheckpointConfig::builder().unaligned_forced(true).build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the configuration in code is refused: execution.checkpointing.unaligned.forced in code has no effect: \
         checkpoints are not unaligned, see execution.checkpointing.unaligned.enabled"
    );
    let resolved = ConfigLayers::new().with_code(CheckpointConfig::builder().num_retained(0)).resolve().unwrap();
    assert_eq!(resolved.config, CheckpointConfig::default());
    assert!(matches!(resolved.warnings[..], [ConfigWarning::Replaced { layer: Layer::Code, .. }]));
}

#[test]
fn secrets_are_shown_nowhere() {
    const SECRET: &str = "hunter2";
    let uri = format!("s3://key:{SECRET}@bucket/a");
    let pairs = |key: &'static str| [(key, uri.clone())];
    let mut shown = Vec::new();
    let recovery = "execution.state-recovery.path";
    let key = "execution.checkpointing.dir";
    for key in [key, recovery, "state.savepoints.dir", TIMEOUT, RETAINED, "web.checkpoints.history"] {
        shown.push(CheckpointConfig::parse(pairs(key)).unwrap_err().to_string());
    }
    shown.push(format!("{:#?}", ConfigLayers::new().with_job(pairs(recovery)).unwrap()));
    let key = "execution.checkpointing.storage";
    let parsed = CheckpointConfig::parse(pairs(key)).unwrap();
    shown.push(format!("{parsed:?} {:#?}", ConfigLayers::new().with_job(pairs(key)).unwrap()));
    assert!(parsed.config.to_pairs()[key].contains(SECRET), "another process needs it");
    let builder = CheckpointConfig::builder().checkpoint_dir(uri.as_str()).recovery_path(uri.as_str());
    shown.push(format!("{builder:?} {}", builder.clone().build().unwrap_err()));
    let twice = CheckpointConfig::parse([(TIMEOUT, &uri), (TIMEOUT, &uri)]).unwrap_err();
    shown.push(format!("{twice} {twice:?}"));
    for shown in shown {
        assert!(!shown.contains(SECRET), "{shown}");
        assert!(shown.contains("***"), "{shown}");
    }
}
