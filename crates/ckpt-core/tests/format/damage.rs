//! Every truncation, every flipped bit and every byte too many of a golden file is told.

use std::collections::HashSet;
use std::fs;

use bytes::Bytes;
use ckpt_core::head::Head;
use ckpt_core::mark::{DisposalMark, OwnerRecord};
use ckpt_core::message::{FrameKind, FrameReader, Marker, Received, ToCoordinator, ToTask};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::state::{TaskRestore, TaskSnapshot};
use ckpt_core::{Error, ErrorKind, state_file};

use crate::{golden, samples};

fn every_damage(name: &str, decode: fn(&[u8]) -> Option<Error>) {
    let golden = golden::read(name);
    assert!(decode(&golden).is_none());
    let expect = |bytes: &[u8], damage: &dyn Fn() -> String| {
        let error = decode(bytes).unwrap_or_else(|| panic!("{name} is read in spite of {}", damage()));
        // A flipped bit of the format version reads as that of a newer program.
        let kinds = [ErrorKind::Corrupt, ErrorKind::Configuration];
        assert!(kinds.contains(&error.kind()), "{name}, {}: {error:?}", damage());
    };
    for length in 0..golden.len() {
        expect(&golden[..length], &|| format!("its truncation to {length} bytes"));
    }
    for more in [&[0][..], &[1], &golden] {
        expect(&[&golden, more].concat(), &|| format!("{} bytes too many", more.len()));
    }
    let mut damaged = golden.clone();
    for bit in 0..golden.len() * 8 {
        damaged[bit / 8] ^= 1 << (bit % 8);
        expect(&damaged, &|| format!("bit {} of byte {} flipped", bit % 8, bit / 8));
        damaged[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn every_damage_to_metadata_is_told() {
    every_damage("metadata", |bytes| CheckpointMetadata::decode(Bytes::copy_from_slice(bytes)).err());
}

#[test]
fn every_damage_to_head_is_told() {
    for name in ["head", "head-ended"] {
        every_damage(name, |bytes| Head::decode(bytes).err());
    }
}

#[test]
fn every_damage_to_a_state_file_is_told() {
    every_damage("state-file", |bytes| {
        let (name, content) = samples::fixed_state_file();
        state_file::payload(bytes, &name, content.len() as u64, samples::FIXED_STATE_FILE_DIGEST).err()
    });
}

#[test]
fn every_damage_to_a_mark_is_told() {
    every_damage("owner", |bytes| OwnerRecord::decode(bytes).err());
    every_damage("disposing", |bytes| DisposalMark::decode(bytes).err());
}

#[test]
fn every_damage_to_a_message_is_told() {
    const LIMIT: usize = 4096;
    let (mut frames, mut kinds) = (0, HashSet::new());
    for entry in fs::read_dir(golden::path("")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Ok(Received::Frame { kind, .. }) = FrameReader::new(LIMIT).next(&golden::read(&name)) else { continue };
        every_damage(
            &name,
            match kind {
                FrameKind::ToTask => |bytes| ToTask::decode(bytes, LIMIT).err(),
                FrameKind::ToCoordinator => |bytes| ToCoordinator::decode(bytes, LIMIT).err(),
                FrameKind::Marker => |bytes| Marker::decode(bytes, LIMIT).err(),
                FrameKind::TaskRestore => |bytes| TaskRestore::decode(bytes, LIMIT).err(),
                FrameKind::TaskSnapshot => |bytes| TaskSnapshot::decode(bytes, LIMIT).err(),
                other => panic!("{name} is of the kind {other}, which no test damages"),
            },
        );
        frames += 1;
        kinds.insert(kind);
    }
    assert_eq!((frames, kinds.len()), (18, 5));
}
