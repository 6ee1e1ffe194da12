//! `ckpt flink dump`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::flink_tree::{BEFORE, fixtures, metadata, original};
use super::our_tree::{self, JOB};
use super::run::Tree;

/// What only says how the truth was made, lies in other files, or is drawn at random while Flink loads.
const NOT_COMPARED: [&str; 8] = [
    "accepted",
    "loadedByFlink",
    "metadataFile",
    "metadataLength",
    "metadataSha256",
    "streamStateHandleId",
    "contentLength",
    "contentSha256",
];

#[test]
fn each_fixture_says_what_flink_read() {
    let mut relative = 0;
    for fixture in fixtures() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ckpt-flink/testdata/fixtures").join(&fixture);
        let truth: Value = serde_json::from_slice(&fs::read(path.join("truth.json")).unwrap()).unwrap();
        let before = truth["metadataFile"].as_str().map(|file| file.trim_end_matches("/_metadata").to_owned());
        let tree = Tree::new();
        tree.put("chk-1/_metadata", &original(&fixture));
        let mut line = "flink dump --strict chk-1".to_owned();
        if let Some(before) = before {
            line += &format!(" --map-root file:{before}=chk-1");
        }
        let run = tree.ckpt(&line);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{fixture}");
        relative += usize::from(run.stdout.contains("\"relativePath\""));
        let mut found = Vec::new();
        compare(&truth, &run.json(), "", &mut found);
        assert_eq!(found, [""; 0], "{fixture}");
    }
    assert!(relative > 0);
}

fn compare(truth: &Value, dumped: &Value, path: &str, found: &mut Vec<String>) {
    match (truth, dumped) {
        (Value::Object(truth), Value::Object(dumped)) => {
            let class = truth.get("class").and_then(Value::as_str).unwrap_or_default();
            for (key, truth) in truth {
                let of_type = class.ends_with("Type")
                    && ["name", "isSynchronous", "shouldAdvanceToEndOfTime"].contains(&key.as_str());
                let random = class == "KeyGroupsSavepointStateHandle" && key == "stateHandleId";
                if NOT_COMPARED.contains(&key.as_str()) || of_type || random {
                    continue;
                }
                match dumped.get(key) {
                    Some(dumped) => compare(truth, dumped, &format!("{path}/{key}"), found),
                    None if truth.is_null() => {}
                    None => found.push(format!("{path}/{key} is not there")),
                }
            }
        }
        (Value::Array(truth), Value::Array(dumped)) if truth.len() == dumped.len() => {
            for (index, (truth, dumped)) in truth.iter().zip(dumped).enumerate() {
                compare(truth, dumped, &format!("{path}[{index}]"), found);
            }
        }
        (truth, dumped) if truth == dumped => {}
        (truth, dumped) => found.push(format!("{path} is {dumped}, Flink read {truth}")),
    }
}

#[test]
fn each_kind_of_handle_is_dumped() {
    let tree = Tree::new();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ckpt-flink/testdata/samples/meta_v6.bin");
    tree.put("sample/_metadata", &fs::read(sample).unwrap());
    tree.assert_snapshot("dump-sample", &["flink dump sample/_metadata"]);
}

#[test]
fn metadata_of_ours_has_no_terms_of_flinks() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let run = tree.ckpt(&format!("flink dump jobs/{JOB}/chk-3"));
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("is metadata of ours, expected Flink's: look into it with `ckpt show`"), "{run:?}");
}

#[test]
fn a_relative_path_is_resolved_where_the_snapshot_is_or_was() {
    let tree = Tree::new();
    let savepoint = "moved/savepoint-f1f1f1-87eae83dd8ed";
    tree.put(&format!("{savepoint}/_metadata"), &metadata("1.20.3-savepoint-canonical-hashmap-blob"));
    let here = tree.ckpt(&format!("flink dump {savepoint}"));
    assert!(here.stdout.contains(&format!("\"path\": \"file:/data/{savepoint}/")), "{}", here.stdout);
    let before = tree.ckpt(&format!("flink dump {savepoint} --map-root {BEFORE}/x=moved"));
    assert!(before.stdout.contains(&format!("\"path\": \"{BEFORE}/x/savepoint-f1f1f1-87eae83dd8ed/")));
}
