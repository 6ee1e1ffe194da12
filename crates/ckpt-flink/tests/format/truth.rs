//! Holds what was read against what Flink read.

use serde_json::Value;

/// What a truth may say beyond what is in the file: how it was made, what lies in other files, and what Flink derives from
/// the rest or makes up while it reads.
const BEYOND: &[&str] = &[
    "accepted",
    "loadedByFlink",
    "metadataFile",
    "metadataLength",
    "metadataSha256",
    "magic",
    "streamStateHandleId",
    "contentLength",
    "contentSha256",
    "sha256",
    "hex",
    "stateSize",
    "checkpointedSize",
    "isSavepoint",
    "isSynchronous",
    "shouldAdvanceToEndOfTime",
];

/// The same, of these classes only.
const BEYOND_OF_CLASS: &[(&str, &[&str])] = &[
    ("RelativeFileStateHandle", &["path"]),
    ("EmptySegmentFileStateHandle", &["path", "startPos", "scope", "logicalFileId"]),
    ("CheckpointType", &["name"]),
    ("SavepointType", &["name"]),
    ("KeyGroupsSavepointStateHandle", &["stateHandleId"]),
    (
        "FinishedOperatorSubtaskState",
        &[
            "managedOperatorState",
            "rawOperatorState",
            "managedKeyedState",
            "rawKeyedState",
            "inputChannelState",
            "resultSubpartitionState",
        ],
    ),
];

/// Each thing that was read is in the truth and equal, and whatever else is there is beyond the file.
pub(crate) fn differences(truth: &Value, read: &Value) -> Vec<String> {
    let (mut truth, mut read, mut found) = (truth.clone(), read.clone(), Vec::new());
    if truth["version"].as_i64().is_some_and(|version| version <= 3) {
        sort_files(&mut truth);
        sort_files(&mut read);
    }
    compare(&truth, &read, "", &mut found);
    found
}

/// The Flinks of versions 2 and 3 put the files of a database into a hash table, and told them in its order.
fn sort_files(value: &mut Value) {
    match value {
        Value::Object(object) => object.values_mut().for_each(sort_files),
        Value::Array(array) => {
            array.iter_mut().for_each(sort_files);
            if array.iter().all(|file| file.get("localPath").is_some()) {
                array.sort_by_key(|file| file["localPath"].to_string());
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn compare(truth: &Value, read: &Value, path: &str, found: &mut Vec<String>) {
    match (truth, read) {
        (Value::Object(truth), Value::Object(read)) => {
            let class = truth.get("class").and_then(Value::as_str).unwrap_or_default();
            let of_class = BEYOND_OF_CLASS.iter().find(|(name, _)| *name == class).map_or(&[][..], |(_, keys)| keys);
            for (key, truth) in truth {
                match read.get(key) {
                    Some(read) => compare(truth, read, &format!("{path}/{key}"), found),
                    None if BEYOND.contains(&key.as_str()) || of_class.contains(&key.as_str()) => {}
                    None => found.push(format!("{path}/{key} is not there")),
                }
            }
            let more = read.keys().filter(|key| !truth.contains_key(*key));
            found.extend(more.map(|key| format!("{path}/{key} is not in the truth")));
        }
        (Value::Array(truth), Value::Array(read)) if truth.len() == read.len() => {
            for (index, (truth, read)) in truth.iter().zip(read).enumerate() {
                compare(truth, read, &format!("{path}[{index}]"), found);
            }
        }
        (truth, read) if truth == read => {}
        (truth, read) => found.push(format!("{path} is {read}, Flink read {truth}")),
    }
}

#[test]
fn a_difference_is_found_wherever_it_is() {
    let truth = serde_json::json!({"a": [{"class": "CheckpointType", "name": "x", "b": 1}], "magic": "0x1"});
    let read = |read: Value| differences(&truth, &read);
    assert_eq!(read(serde_json::json!({"a": [{"class": "CheckpointType", "b": 1}]})), [""; 0]);
    assert_eq!(read(serde_json::json!({"a": [{"class": "CheckpointType", "b": 2}]})), ["/a[0]/b is 2, Flink read 1"]);
    assert_eq!(read(serde_json::json!({"a": [{"class": "CheckpointType"}]})), ["/a[0]/b is not there"]);
    assert_eq!(read(serde_json::json!({"a": []})).len(), 1);
    assert_eq!(read(serde_json::json!({"a": truth["a"], "c": 0})), ["/c is not in the truth"]);
}
