//! Flink's own loader as the judge of files that we write: byte for byte as they were, and converted.
//!
//! It takes Java, Flink's jars and the harness that lies beside the source tree: `get-flink.sh 2.2.1 DIR` there brings the
//! jars, and `CKPT_FLINK_LIB=DIR/lib-2.2.1` says where they are. `CKPT_FLINK_HARNESS` is the harness where it lies elsewhere.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ckpt_core::state::Root;
use ckpt_flink::{FlinkMetadata, FlinkTarget, MetadataVersion, RootPath, to_checkpoint, to_flink};

use super::all_fixtures::metadata_below;
use super::describe::describe;
use super::from_flink::files;
use super::round_trip::{context, there_and_back};
use super::truth::differences;
use super::{shared, skipped};

/// The harness and the jars; says so where they are not.
fn flink() -> Option<(PathBuf, OsString)> {
    let found = shared("harness").zip(std::env::var_os("CKPT_FLINK_LIB"));
    if found.is_none() {
        skipped("CKPT_FLINK_LIB does not say where Flink's jars are, or the harness is not there");
    }
    found
}

fn empty_directory(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&directory);
    directory
}

#[test]
fn flink_accepts_what_we_write() {
    let Some((harness, jars)) = flink() else { return };
    let directory = empty_directory("flinks_own");
    let fixtures = shared("fixtures").map(|fixtures| metadata_below(&fixtures)).unwrap_or_default();
    let fixtures = fixtures.into_iter().map(|path| (path.display().to_string(), fs::read(path).unwrap().into()));
    let (mut same, mut converted) = (0, 0);
    for (number, (name, file)) in files().into_iter().chain(fixtures).enumerate() {
        let metadata = FlinkMetadata::decode(bytes::Bytes::clone(&file)).unwrap().metadata;
        if metadata.version > MetadataVersion::V2 {
            let written = metadata.encode().unwrap();
            assert!(written == file, "{name}");
            same += accepted(&harness, &jars, &directory.join(format!("{number}-same")), &metadata);
        }
        // In its own version, and in the newest, with its relative paths made absolute.
        let back = there_and_back(&name, &metadata).back.metadata;
        converted += accepted(&harness, &jars, &directory.join(format!("{number}-back")), &back);
        let ours = to_checkpoint(&metadata, &context()).unwrap().metadata;
        let absolute = |_: Root| None::<RootPath>;
        let newest = to_flink(&ours, &FlinkTarget::new(MetadataVersion::LATEST, &absolute)).unwrap().metadata;
        converted += accepted(&harness, &jars, &directory.join(format!("{number}-newest")), &newest);
    }
    println!("Flink accepted {same} files as they were and {converted} converted ones");
}

/// Flink starts the job of each fixture of its newest version from metadata that was ours in between, and finds all of its state.
#[test]
fn flink_restores_what_was_converted() {
    let (Some((harness, jars)), Some(fixtures)) = (flink(), shared("fixtures")) else { return };
    let directory = empty_directory("flinks_own_restored");
    let (mut restored, mut left) = (0, 0);
    for (number, path) in metadata_below(&fixtures.join("2.2.1")).into_iter().enumerate() {
        let name = path.strip_prefix(fixtures.join("2.2.1")).unwrap().components().next().unwrap();
        let file = fs::read(&path).unwrap();
        let round_trip =
            there_and_back(&path.display().to_string(), &FlinkMetadata::decode(file.into()).unwrap().metadata);
        let back = round_trip.back.metadata.encode().unwrap();
        // Where the jobs ran, and absolute paths lead.
        let base = b"file:/tmp/ckpt-fixtures/";
        let needs_base = back.windows(base.len()).any(|window| window == base);
        if round_trip.there.not_carried().next().is_some() || needs_base && !Path::new("/tmp/ckpt-fixtures").exists() {
            left += 1;
            continue;
        }
        let snapshot = directory.join(number.to_string());
        fs::create_dir_all(&snapshot).unwrap();
        for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), snapshot.join(entry.file_name())).unwrap();
        }
        fs::write(snapshot.join("_metadata"), back).unwrap();
        let mut command = Command::new("bash");
        command.arg(harness.join("run.sh")).arg(&jars).arg("restore").arg(name).arg(&snapshot);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", path.display());
        restored += 1;
    }
    println!("Flink restored {restored} converted snapshots; {left} have changelogs or lead to where they are not");
}

/// Has Flink read it: it finds what was written.
fn accepted(harness: &Path, jars: &OsStr, directory: &Path, metadata: &FlinkMetadata) -> usize {
    fs::create_dir_all(directory).unwrap();
    fs::write(directory.join("_metadata"), metadata.encode().unwrap()).unwrap();
    let mut command = Command::new("bash");
    command.arg(harness.join("run.sh")).arg(jars).arg("dump").arg(directory).arg("--no-content");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", directory.display());
    let mut found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    if metadata.version < MetadataVersion::V5 {
        // A newer Flink asks for what an older file has no place for.
        for operator in found["operators"].as_array_mut().unwrap() {
            operator.as_object_mut().unwrap().retain(|key, _| key != "name" && key != "uid");
        }
    }
    let decoded = FlinkMetadata::decode(metadata.encode().unwrap().into()).unwrap();
    let mut differences = differences(&found, &describe(&decoded));
    // It makes up the ids that older handles do not have.
    differences.retain(|difference| !difference.ends_with("/stateHandleId is not there"));
    assert_eq!(differences, [""; 0], "{}", directory.display());
    1
}
