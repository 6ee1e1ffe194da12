//! Every truncation, every flipped bit and every byte too many of every golden file is told.

use std::collections::BTreeSet;
use std::fs;

use bytes::Bytes;
use ckpt_core::head::Head;
use ckpt_core::id::OperatorId;
use ckpt_core::mark::{DisposalMark, OwnerRecord, SavepointMark};
use ckpt_core::message::{FrameKind, FrameReader, Marker, Received, ToCoordinator, ToTask};
use ckpt_core::metadata::{CheckpointMetadata, MetadataSummary};
use ckpt_core::snapshot::LocationReference;
use ckpt_core::state::{TaskRestore, TaskSnapshot};
use ckpt_core::testing::{Envelope, MetadataSection, MetadataSections};
use ckpt_core::{Error, ErrorKind, Result, state_file};

use crate::{golden, samples, sections};

const LIMIT: usize = 4096;

/// What a golden file holds, and the error of whoever reads all of it.
type Format = (&'static str, fn(&[u8]) -> Option<Error>);

fn failure<T>(read: Result<T>) -> Option<Error> {
    read.err()
}

/// The format of that golden file, by what it begins with; that of the one file which begins with somebody's state, by its
/// name.
fn format_of(name: &str, golden: &[u8]) -> Option<Format> {
    if let Ok(Received::Frame { kind, .. }) = FrameReader::new(LIMIT).next(golden) {
        return Some(match kind {
            FrameKind::ToTask => ("a message to a task", |bytes| failure(ToTask::decode(bytes, LIMIT))),
            FrameKind::ToCoordinator => {
                ("a message to the coordinator", |bytes| failure(ToCoordinator::decode(bytes, LIMIT)))
            }
            FrameKind::Marker => ("a marker", |bytes| failure(Marker::decode(bytes, LIMIT))),
            FrameKind::TaskRestore => ("a restore", |bytes| failure(TaskRestore::decode(bytes, LIMIT))),
            FrameKind::TaskSnapshot => ("a snapshot", |bytes| failure(TaskSnapshot::decode(bytes, LIMIT))),
            _ => return None,
        });
    }
    Some(match golden.get(..4)? {
        b"CKPL" => ("a location reference", |bytes| {
            failure(LocationReference::at(Bytes::copy_from_slice(bytes)).and_then(|reference| reference.to_uri()))
        }),
        _ if name == "state-file" => ("a state file", |bytes| {
            let (name, content) = samples::fixed_state_file();
            failure(state_file::payload(bytes, &name, content.len() as u64, samples::FIXED_STATE_FILE_DIGEST))
        }),
        _ => match golden.get(..8)? {
            b"CKPTMETA" => ("metadata", |bytes| failure(CheckpointMetadata::decode(Bytes::copy_from_slice(bytes)))),
            b"CKPTHEAD" => ("HEAD", |bytes| failure(Head::decode(bytes))),
            b"CKPTOWNR" => ("OWNER", |bytes| failure(OwnerRecord::decode(bytes))),
            b"CKPTSAVE" => ("the mark of a savepoint", |bytes| failure(SavepointMark::decode(bytes))),
            b"CKPTDISP" => ("the mark of a disposal", |bytes| failure(DisposalMark::decode(bytes))),
            _ => return None,
        },
    })
}

/// Every golden file there is: whoever adds one need not add it here.
fn golden_files() -> impl Iterator<Item = (String, Vec<u8>)> {
    let names = fs::read_dir(golden::path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.map(|name| (name.clone(), golden::read(&name)))
}

fn every_damage(name: &str, golden: &[u8], decode: fn(&[u8]) -> Option<Error>) {
    assert!(decode(golden).is_none(), "{name} cannot be read");
    let expect = |bytes: &[u8], damage: &dyn Fn() -> String| {
        let error = decode(bytes).unwrap_or_else(|| panic!("{name} is read in spite of {}", damage()));
        // A flipped bit of the format version reads as that of a newer program.
        let kinds = [ErrorKind::Corrupt, ErrorKind::Configuration];
        assert!(kinds.contains(&error.kind()), "{name}, {}: {error:?}", damage());
    };
    for length in 0..golden.len() {
        expect(&golden[..length], &|| format!("its truncation to {length} bytes"));
    }
    for more in [&[0][..], &[1], golden] {
        expect(&[golden, more].concat(), &|| format!("{} bytes too many", more.len()));
    }
    let mut damaged = golden.to_vec();
    for bit in 0..golden.len() * 8 {
        damaged[bit / 8] ^= 1 << (bit % 8);
        expect(&damaged, &|| format!("bit {} of byte {} flipped", bit % 8, bit / 8));
        damaged[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn every_damage_to_every_golden_file_is_told() {
    let mut formats = BTreeSet::new();
    for (name, golden) in golden_files() {
        let (format, decode) = format_of(&name, &golden)
            .unwrap_or_else(|| panic!("{name} is of a format that no test damages: name it in format_of"));
        every_damage(&name, &golden, decode);
        formats.insert(format);
    }
    assert_eq!(formats.len(), 12, "{formats:?}");
}

/// What a later version adds is verified as well, though it means nothing yet.
#[test]
fn damage_to_a_section_that_is_skipped_is_told() {
    for operator in [None, Some(OperatorId::new([0x22; 16]))] {
        let file = sections::changed(|all| {
            let mut later = MetadataSection::new(77, b"of a later version".to_vec());
            (later.critical, later.operator) = (false, operator);
            all.insert(0, later);
        });
        every_damage("metadata of a later version", &file, |bytes| {
            failure(CheckpointMetadata::decode(Bytes::copy_from_slice(bytes)))
        });
        let mut damaged = file;
        damaged[12] ^= 1;
        let error = CheckpointMetadata::decode(Bytes::from(damaged)).unwrap_err().to_string();
        let expected = "the digest of the section at byte 12 of checkpoint metadata, of a kind that is skipped, is";
        assert!(error.starts_with(expected), "{error}");
    }
}

/// A damaged part does not spoil what is read without it, and a summary is never another one.
#[test]
fn a_damaged_metadata_file_has_its_summary_or_none() {
    let files = golden_files().filter(|(_, golden)| golden.starts_with(b"CKPTMETA"));
    for (name, golden) in files {
        let summary = |bytes: &[u8]| MetadataSummary::read(Bytes::copy_from_slice(bytes));
        let whole = summary(&golden).unwrap();
        let (mut same, mut told) = (0, 0);
        let mut damaged = golden.clone();
        for bit in 0..golden.len() * 8 {
            damaged[bit / 8] ^= 1 << (bit % 8);
            match summary(&damaged) {
                Ok(found) => {
                    assert_eq!(found, whole, "{name}, bit {} of byte {}", bit % 8, bit / 8);
                    same += 1;
                }
                Err(_) => told += 1,
            }
            damaged[bit / 8] ^= 1 << (bit % 8);
        }
        assert!(same > 0 && told > 0, "{name}: {same} bits of parts, {told} of what comes with the summary");
    }
}

/// What is sealed again for other tests is what a writer writes.
#[test]
fn golden_files_are_sealed_again_to_the_same_bytes() {
    let mut opened = 0;
    for (name, golden) in golden_files() {
        let envelopes = Envelope::ALL.into_iter().filter_map(|it| it.open(&golden).map(|body| it.seal(body)));
        for again in envelopes.chain(MetadataSections::open(&golden).map(|file| file.seal())) {
            assert_eq!(again, golden, "{name}");
            opened += 1;
        }
    }
    // All but the location reference and the state file.
    assert_eq!(opened, golden_files().count() - 2);
}
