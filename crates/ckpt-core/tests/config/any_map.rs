//! Whatever a map holds: an answer or a typed refusal.

use ckpt_core::ErrorKind;
use ckpt_core::config::{CheckpointConfig, ConfigLayers, ignored_keys, keys};

use crate::random::Random;

/// Pieces that values are made of.
const PIECES: [&str; 38] = [
    "",
    " ",
    "0",
    "1",
    "-1",
    "9",
    "10",
    "999999999999999999999999",
    "9223372036854775807",
    "2147483648",
    "ms",
    "kb",
    "min",
    "d",
    "tb",
    "p",
    "t",
    "pt1h",
    ".",
    "e",
    "E38",
    "nan",
    "true",
    "FALSE",
    "exactly_once",
    "LEGACY",
    "claim",
    "/",
    "//",
    "..",
    ":",
    "s3://",
    "@",
    "?",
    ",",
    "\u{0}",
    "é",
    "𝕏",
];

fn names() -> Vec<String> {
    let settings = keys().flat_map(|key| [vec![key.key], key.old_names, key.fallbacks].concat());
    settings.chain(ignored_keys().map(|key| key.key)).map(str::to_owned).collect()
}

fn value(random: &mut Random) -> String {
    (0..random.below(5)).map(|_| random.pick(&PIECES)).collect()
}

/// A key that is known, or one that is nearly.
fn key(random: &mut Random, names: &[String]) -> String {
    let mut key: Vec<char> = random.pick(names).chars().collect();
    match random.below(8) {
        0 => key.truncate(random.below(key.len() as u64 + 1) as usize),
        1 => key.insert(random.below(key.len() as u64 + 1) as usize, random.pick(&['.', 'x', 'é', '\u{0}', 'A'])),
        _ => {}
    }
    key.into_iter().collect()
}

#[test]
fn any_map_is_answered() {
    let (names, mut accepted, mut refused) = (names(), 0, 0);
    for seed in 0..2_000 {
        let random = &mut Random::new(seed);
        let mut map =
            || (0..random.below(4)).map(|_| (key(random, &names), value(random))).collect::<Vec<(String, String)>>();
        let (job, cluster) = (map(), map());
        let layers = ConfigLayers::new().with_job(job.clone()).and_then(|layers| layers.with_cluster(cluster.clone()));
        match layers.and_then(ConfigLayers::resolve) {
            Ok(resolved) => {
                accepted += 1;
                let again = CheckpointConfig::parse(resolved.config.to_pairs()).unwrap();
                assert_eq!(again.config, resolved.config, "seed {seed}: {job:?} {cluster:?}");
                assert!(resolved.warnings.iter().all(|warning| !warning.to_string().is_empty()));
            }
            Err(error) => {
                refused += 1;
                assert_eq!(error.kind(), ErrorKind::Configuration);
                assert!(error.to_string().len() < 2_000, "seed {seed}: {error}");
            }
        }
    }
    assert!(accepted > 200 && refused > 200, "{accepted} accepted, {refused} refused");
}

#[test]
fn long_keys_long_values_and_many_keys_are_answered_shortly() {
    let long = "9".repeat(1 << 20);
    for key in keys() {
        let answer = CheckpointConfig::parse([(key.key, &long)]);
        assert!(answer.map_or_else(|error| error.to_string(), |it| format!("{:?}", it.warnings)).len() < 2_000);
        let answer = CheckpointConfig::parse([(format!("{}{long}", key.key), &long)]).unwrap();
        assert!(format!("{:?}", answer.warnings).len() < 2_000);
    }
    let unknown = (0..1_000).map(|number| (format!("execution.checkpointing.x{number}"), ""));
    assert_eq!(CheckpointConfig::parse(unknown).unwrap().warnings.len(), 1_000);
}
