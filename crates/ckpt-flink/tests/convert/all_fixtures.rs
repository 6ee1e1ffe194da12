//! All fixtures that Flink made, where they lie beside the source tree.

use std::fs;
use std::path::{Path, PathBuf};

use ckpt_flink::FlinkMetadata;

use super::round_trip::there_and_back;
use super::{shared, skipped};

#[test]
fn what_comes_back_is_what_went_in_but_for_what_is_listed() {
    let Some(directory) = shared("fixtures") else {
        skipped("there are no fixtures beside the source tree; CKPT_FLINK_FIXTURES may say where they are");
        return;
    };
    let files = metadata_below(&directory);
    assert!(!files.is_empty(), "{} has no fixture", directory.display());
    let mut left_out = 0;
    for path in &files {
        let metadata = FlinkMetadata::decode(fs::read(path).unwrap().into()).unwrap().metadata;
        let round_trip = there_and_back(&path.display().to_string(), &metadata);
        for change in round_trip.there.not_carried().chain(round_trip.back.not_carried()) {
            let path = path.strip_prefix(&directory).unwrap().display();
            assert!(path.to_string().contains("changelog"), "{path}: {change}");
            left_out += 1;
        }
    }
    println!("{} snapshots of {}, {left_out} changelogs left out", files.len(), directory.display());
}

pub(crate) fn metadata_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(metadata_below(&path));
        } else if path.file_name().is_some_and(|name| name == "_metadata") {
            files.push(path);
        }
    }
    files.sort();
    files
}
