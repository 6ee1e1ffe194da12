//! All fixtures that Flink made, where they lie beside the source tree: there are too many to keep in it.

use std::fs;
use std::io::{Write as _, stderr};
use std::path::{Path, PathBuf};

use ckpt_flink::{FlinkMetadata, MetadataVersion};
use serde_json::Value;

use super::describe::describe;
use super::fixtures::read;
use super::truth::differences;

/// Where they are, seen from the source tree, unless the environment says so.
const PLACE: &str = "../shared/flink/fixtures";

fn directory() -> Option<PathBuf> {
    if let Some(directory) = std::env::var_os("CKPT_FLINK_FIXTURES") {
        return Some(directory.into());
    }
    Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(PLACE)).filter(|place| place.is_dir())
}

#[test]
fn all_fixtures_say_what_flink_read_and_are_written_as_they_were() {
    let Some(directory) = directory() else {
        // Past the test's own output, which nobody sees of a test that passes.
        let why = "there are no fixtures beside the source tree; CKPT_FLINK_FIXTURES may say where they are";
        let _ = writeln!(stderr(), "skipped: {why}");
        return;
    };
    let mut snapshots = 0;
    for version in directories(&directory) {
        for fixture in directories(&version) {
            let truth: Value = serde_json::from_slice(&read(&fixture.join("truth.json"))).unwrap();
            for (place, truth) in truth["snapshots"].as_object().unwrap() {
                let file = read(&fixture.join(place).join("_metadata"));
                let decoded = FlinkMetadata::decode(file.clone()).unwrap();
                assert_eq!(differences(truth, &describe(&decoded)), [""; 0], "{} {place}", fixture.display());
                if decoded.metadata.version != MetadataVersion::V2 {
                    assert!(decoded.metadata.encode().unwrap() == file, "{} {place}", fixture.display());
                }
                snapshots += 1;
            }
        }
    }
    assert!(snapshots > 0, "{} has no fixture", directory.display());
    println!("{snapshots} snapshots of {}", directory.display());
}

fn directories(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).collect()
}
