//! `ckpt flink dump` of every fixture that Flink made, held against what Flink's own loader read from it.
//!
//! It takes Python, and the fixtures with `compare.py` beside them: they lie beside the source tree, or where
//! `CKPT_FLINK_FIXTURES` says.

use std::ffi::OsString;
use std::fs;
use std::io::{Write as _, stderr};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

#[test]
fn every_fixture_is_dumped_as_flink_read_it() {
    let Some(fixtures) = fixtures() else {
        return skipped("there are no fixtures beside the source tree; CKPT_FLINK_FIXTURES may say where they are");
    };
    let compare = fixtures.join("../compare.py");
    if !compare.exists() {
        return skipped("compare.py does not lie beside the fixtures");
    }
    let truths = truths(&fixtures);
    let mut command = Command::new("python3");
    command.arg(compare).args(truths.iter().map(|(fixture, _)| fixture)).arg("--");
    command.args([env!("CARGO_BIN_EXE_ckpt"), "flink", "dump", "--strict"]);
    let mut snapshots = 0;
    for (fixture, truth) in &truths {
        snapshots += truth["snapshots"].as_object().unwrap().len();
        // Flink tells where a relative handle lies, and it did so where the job had run.
        let mut map = OsString::from(truth["absoluteBase"].as_str().unwrap());
        map.push("=");
        map.push(fixture);
        command.arg("--map-root").arg(map);
    }
    let Ok(output) = command.output() else { return skipped("python3 cannot be started") };
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(snapshots > 0, "{} has no snapshot", fixtures.display());
    assert_eq!(said, format!("{snapshots} passed, 0 failed\n"));
}

fn fixtures() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CKPT_FLINK_FIXTURES") {
        return Some(path.into());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    ["../shared/flink/fixtures", "../../shared/flink/fixtures"]
        .map(|place| root.join(place))
        .into_iter()
        .find(|it| it.exists())
}

/// Each fixture's directory, with what is known of it.
fn truths(fixtures: &Path) -> Vec<(PathBuf, Value)> {
    let directories = |path: &Path| {
        let mut paths: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.is_dir());
        paths.sort();
        paths
    };
    let fixtures = directories(&fixtures.canonicalize().unwrap());
    let fixtures = fixtures.iter().flat_map(|version| directories(version));
    fixtures
        .map(|fixture| {
            let truth = fs::read(fixture.join("truth.json")).unwrap();
            (fixture, serde_json::from_slice(&truth).unwrap())
        })
        .collect()
}

/// Said past the test's own output, which nobody sees of a test that passes.
fn skipped(why: &str) {
    let _ = writeln!(stderr(), "skipped: {why}");
}
