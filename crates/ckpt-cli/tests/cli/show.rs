//! `ckpt show`.

use std::fs;
use std::path::Path;

use ckpt_core::state::Root;
use serde_json::Value;

use super::flink_tree::{self, fixtures, metadata};
use super::our_tree::{self, JOB};
use super::run::Tree;

#[test]
fn a_checkpoint_of_ours_is_shown_from_summary_to_handles() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let path = format!("jobs/{JOB}/chk-3");
    tree.assert_snapshot("show-ours", &[&format!("show {path}"), &format!("show {path}/_metadata --handles")]);
    tree.assert_snapshot("show-ours-json", &[&format!("show --json --handles {path}")]);
}

#[test]
fn a_checkpoint_of_flinks_is_shown_from_summary_to_handles() {
    let tree = Tree::new();
    flink_tree::moved_job(&tree);
    let path = "checkpoints/f1f1f1f1f1f1f1f100000000168f907b/chk-2";
    tree.assert_snapshot(
        "show-flink",
        &[&format!("show {path}"), &format!("show {path} --subtasks"), &format!("show {path} --handles")],
    );
    tree.assert_snapshot("show-flink-json", &["show --json --operators savepoints/savepoint-f1f1f1-87eae83dd8ed"]);
}

/// Every byte that its writer counts lies somewhere, whatever the version and the kinds of handles.
#[test]
fn sizes_by_place_add_up_to_the_size_of_the_state() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let mut paths = vec![format!("jobs/{JOB}/chk-3")];
    for fixture in fixtures() {
        tree.put(&format!("{fixture}/_metadata"), &metadata(&fixture));
        paths.push(fixture);
    }
    for path in paths {
        let shown = tree.ckpt(&format!("show --json --subtasks {path}")).json();
        let operators = shown["operators"].as_array().unwrap();
        assert_adds_up(&shown["size"], operators.iter().map(|operator| &operator["size"]), &path);
        for operator in operators {
            let subtasks = operator["subtasks"].as_array().unwrap();
            assert_adds_up(&operator["size"], subtasks.iter().map(|subtask| &subtask["size"]), &path);
        }
    }
}

fn assert_adds_up<'a>(whole: &Value, parts: impl Iterator<Item = &'a Value>, path: &str) {
    const FIELDS: [&str; 5] = ["stateBytes", "writtenBytes", "inlineBytes", "exclusiveBytes", "sharedBytes"];
    let fields = |size: &Value| FIELDS.map(|field| size[field].as_i64().unwrap());
    let sum = parts.map(fields).fold([0; 5], |sum, part| std::array::from_fn(|at| sum[at] + part[at]));
    assert_eq!(fields(whole), sum, "{path}");
    assert_eq!(sum[0], sum[2] + sum[3] + sum[4], "{path}");
}

/// Sizes that are counted while a file is read are those that its handles have as a whole, which Flink says too.
#[test]
fn sizes_are_those_of_the_dump() {
    let tree = Tree::new();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ckpt-flink/testdata/samples");
    let mut paths = Vec::new();
    for version in 3..=6 {
        let path = format!("meta_v{version}");
        tree.put(&format!("{path}/_metadata"), &fs::read(samples.join(&path).with_extension("bin")).unwrap());
        paths.push(path);
    }
    for fixture in fixtures() {
        tree.put(&format!("{fixture}/_metadata"), &metadata(&fixture));
        paths.push(fixture);
    }
    let mut differ = 0;
    for path in paths {
        let shown = tree.ckpt(&format!("show --json --subtasks {path}")).json();
        let dump = tree.ckpt(&format!("flink dump {path}")).json();
        let (operators, dumped) = (shown["operators"].as_array().unwrap(), dump["operators"].as_array().unwrap());
        assert_eq!(operators.len(), dumped.len());
        for (operator, dumped) in operators.iter().zip(dumped) {
            let sizes = |it: &Value| (it["size"]["stateBytes"].clone(), it["size"]["writtenBytes"].clone());
            let dumped_sizes = |it: &Value| (it["stateSize"].clone(), it["checkpointedSize"].clone());
            assert_eq!(sizes(operator), dumped_sizes(dumped), "{path}");
            for subtask in operator["subtasks"].as_array().unwrap() {
                let Some(index) = subtask["index"].as_u64() else { continue };
                let (state, written) = sizes(subtask);
                differ += usize::from(state != written);
                assert_eq!((state, written), dumped_sizes(&dumped["subtasks"][index.to_string()]), "{path}");
            }
        }
    }
    assert!(differ > 3, "{differ}");
}

/// Both say the same: a number in a table is the number in the JSON.
#[test]
fn each_detail_holds_the_one_before() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let path = format!("jobs/{JOB}/chk-2");
    let shown = |detail: &str| tree.ckpt(&format!("show --json {detail} {path}")).json();
    let mut handles = shown("--handles");
    for subtask in
        handles["operators"].as_array_mut().unwrap().iter_mut().flat_map(|it| it["subtasks"].as_array_mut().unwrap())
    {
        assert!(!subtask.as_object_mut().unwrap().remove("handles").unwrap().as_array().unwrap().is_empty());
    }
    let mut subtasks = shown("--subtasks");
    assert_eq!(handles, subtasks);
    for operator in subtasks["operators"].as_array_mut().unwrap() {
        operator.as_object_mut().unwrap().remove("subtasks").unwrap();
    }
    let mut operators = shown("--operators");
    assert_eq!(subtasks, operators);
    operators.as_object_mut().unwrap().remove("operators").unwrap();
    assert_eq!(operators, shown(""));
}

/// Metadata of ours above 8 MiB is not read as a whole for a summary, which says the same but where files lie.
#[test]
fn large_metadata_of_ours_is_summed_up_without_its_state() {
    let tree = Tree::new();
    for (directory, root) in [("inline", None), ("own", Some(Root::ThisSnapshot)), ("shared", Some(Root::JobShared))] {
        our_tree::plant_large(&tree, directory, 9, root);
        let summary = tree.ckpt(&format!("show --json --operators {directory}")).json();
        let mut whole = tree.ckpt(&format!("show --json --subtasks {directory}")).json();
        assert!(summary["metadataBytes"].as_u64().unwrap() > 8 << 20);
        assert_eq!(summary["finishedSubtasks"], 9);
        let is_known = directory != "shared";
        assert_eq!(summary["size"]["sharedBytes"].is_u64(), is_known);
        let known = |snapshot: &mut Value| {
            let mut sizes = vec![snapshot["size"].take()];
            for operator in snapshot["operators"].as_array_mut().unwrap() {
                operator.as_object_mut().unwrap().remove("subtasks");
                sizes.push(operator["size"].take());
            }
            for size in &mut sizes {
                if !is_known {
                    for field in ["exclusiveBytes", "sharedBytes"] {
                        size[field].take();
                    }
                }
            }
            sizes
        };
        let mut summary = summary;
        for field in ["masterStateCount", "masterStateBytes"] {
            assert_eq!((summary[field].take(), whole[field].take()), (Value::Null, Value::from(0)));
        }
        assert_eq!(known(&mut summary), known(&mut whole), "{directory}");
        assert_eq!(summary, whole, "{directory}");
    }
}
