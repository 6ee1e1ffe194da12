//! Every truncation, every flipped bit and every byte too many of a golden file is told.

use std::fs;

use ckpt_core::head::Head;
use ckpt_core::message::{Marker, ToCoordinator, ToTask};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::state::TaskRestore;
use ckpt_core::{Error, ErrorKind};

use crate::golden;

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
    every_damage("metadata", |bytes| CheckpointMetadata::decode(bytes).err());
}

#[test]
fn every_damage_to_head_is_told() {
    every_damage("head", |bytes| Head::decode(bytes).err());
}

#[test]
fn every_damage_to_a_message_is_told() {
    let mut frames = 0;
    for entry in fs::read_dir(golden::path("")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let decode: fn(&[u8]) -> Option<Error> = match name.split_once('-').map(|(first, _)| first) {
            Some("to") if name.starts_with("to-task") => |bytes| ToTask::decode(bytes).err(),
            Some("to") => |bytes| ToCoordinator::decode(bytes).err(),
            Some("marker") => |bytes| Marker::decode(bytes).err(),
            Some("task") => |bytes| TaskRestore::decode(bytes).err(),
            _ => continue,
        };
        every_damage(&name, decode);
        frames += 1;
    }
    assert_eq!(frames, 8);
}
