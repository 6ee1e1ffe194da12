//! Trees of checkpoints of Flink's: the metadata that Flink wrote, and files as long as it says.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::run::Tree;

/// Where the files of the fixtures are said to lie: nothing is there on any machine.
pub(crate) const BEFORE: &str = "file:/nowhere/fixtures1";

/// The metadata of a fixture, whose files lie there.
pub(crate) fn metadata(fixture: &str) -> Vec<u8> {
    let mut bytes = original(fixture);
    // As long as what it replaces, so that every length stays right.
    replace(&mut bytes, "file:/tmp/ckpt-fixtures", BEFORE);
    bytes
}

/// A text of a file of Flink's, in place of another of the same length.
pub(crate) fn replace(bytes: &mut [u8], from: &str, to: &str) -> usize {
    assert_eq!(from.len(), to.len());
    let places: Vec<_> =
        (0..=bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from.as_bytes())).collect();
    for at in &places {
        bytes[*at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    places.len()
}

/// The metadata of a fixture as Flink wrote it.
pub(crate) fn original(fixture: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ckpt-flink/testdata/fixtures").join(fixture);
    fs::read(path.join("_metadata")).unwrap()
}

/// The names of all fixtures.
pub(crate) fn fixtures() -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ckpt-flink/testdata/fixtures");
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert!(names.len() >= 8, "{names:?}");
    names
}

/// Every handle of a snapshot that is in a file.
pub(crate) fn handles(tree: &Tree, directory: &str) -> Vec<Value> {
    let shown = tree.ckpt(&format!("show --handles --json {directory}")).json();
    let operators = shown["operators"].as_array().unwrap().clone();
    let subtasks = operators.iter().flat_map(|operator| operator["subtasks"].as_array().unwrap().clone());
    let handles = subtasks.flat_map(|subtask| subtask["handles"].as_array().unwrap().clone());
    handles.filter(|handle| !handle["file"].is_null()).collect()
}

/// Puts the fixture there, and the files that it names: relative ones next to it, absolute ones where `place` says.
pub(crate) fn plant(tree: &Tree, fixture: &str, directory: &str, place: impl Fn(&str) -> String) {
    tree.put(&format!("{directory}/_metadata"), &metadata(fixture));
    for handle in handles(tree, directory) {
        let name = handle["file"].as_str().unwrap();
        let path = match name.strip_prefix(BEFORE) {
            Some(below) => tree.join(&place(below.trim_start_matches('/'))),
            None => tree.join(directory).join(name),
        };
        let header = u64::from(handle["role"].as_str().unwrap().starts_with("changes "));
        let length = handle["offsetBytes"].as_u64().unwrap_or(header) + handle["lengthBytes"].as_u64().unwrap();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = fs::File::options().create(true).truncate(false).write(true).open(path).unwrap();
        file.set_len(length.max(file.metadata().unwrap().len())).unwrap();
    }
}

/// A job that has moved from elsewhere: a checkpoint with shared files, and a savepoint.
pub(crate) fn moved_job(tree: &Tree) {
    let job = "checkpoints/f1f1f1f1f1f1f1f100000000168f907b";
    plant(tree, "1.10.3-rocksdb-heaptimers", &format!("{job}/chk-2"), |below| {
        let at = below.find("checkpoints/").unwrap();
        below[at..].to_owned()
    });
    fs::create_dir_all(tree.join(&format!("{job}/chk-3"))).unwrap();
    plant(tree, "1.20.3-savepoint-canonical-hashmap-blob", "savepoints/savepoint-f1f1f1-87eae83dd8ed", |_| {
        unreachable!("it is self-contained")
    });
    tree.settle();
}
