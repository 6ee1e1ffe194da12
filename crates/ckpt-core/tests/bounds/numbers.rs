//! Every number of every golden file made too large.

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use ckpt_core::testing::{Envelope, MetadataSection, MetadataSections, sealed_metadata};

use crate::measure::Reader;
use crate::reading::{read, read_location, read_metadata};

/// As postcard writes them: 2^31 - 1, 2^32 - 1, 2^63 - 1 and 2^64 - 1; and a million, which a file could have.
const LARGE: [&[u8]; 5] = [
    &[0xff, 0xff, 0xff, 0xff, 0x07],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0xc0, 0x84, 0x3d],
];

/// Counts of elements of 1, 3, 7 and 22 bytes, which the zeros that follow could be.
const COUNTED: [(&[u8], usize); 4] =
    [(&[0xc0, 0xb8, 0x02], 40_000), (&[0x95, 0x68], 40_000), (&[0xd1, 0x2c], 40_000), (&[0x9a, 0x0e], 40_000)];

fn golden_files() -> impl Iterator<Item = (String, Vec<u8>)> {
    let directory: PathBuf = [env!("CARGO_MANIFEST_DIR"), "testdata", "v1"].iter().collect();
    fs::read_dir(directory).unwrap().map(|entry| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    })
}

/// The body with each of its bytes in the place of which a large number stands, and with each that counts zeros which are
/// there.
fn each_number_changed(body: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    let changed = |at: usize, number: &[u8], zeros: usize, rest: &[u8]| {
        (at, [&body[..at], number, &vec![0; zeros], rest].concat())
    };
    (0..body.len()).flat_map(move |at| {
        let large = LARGE.into_iter().map(move |number| changed(at, number, 0, &body[at + 1..]));
        large.chain(COUNTED.into_iter().map(move |(number, zeros)| changed(at, number, zeros, &body[at + 1..])))
    })
}

#[test]
fn large_numbers_in_small_files_and_frames() {
    let (reader, mut bodies) = (Reader::of_messages(), 0);
    for (name, golden) in golden_files() {
        for envelope in Envelope::ALL {
            let Some(body) = envelope.open(&golden) else { continue };
            bodies += 1;
            for (at, changed) in each_number_changed(body) {
                let sealed = envelope.seal(&changed);
                let what = format_args!("{name}, the number at byte {at} of its body");
                let _ = reader.read(&what, sealed.len(), || read(envelope, &sealed));
            }
        }
    }
    assert!(bodies >= 22, "{bodies} golden files were changed");
}

#[test]
fn large_numbers_in_location_references() {
    let reader = Reader::new();
    let (_, golden) = golden_files().find(|(name, _)| name == "location-uri").unwrap();
    for (at, changed) in each_number_changed(&golden[..golden.len() - 8]) {
        let what = format_args!("a location reference, the number at byte {at}");
        let _ = reader.read(&what, changed.len(), || read_location(&changed));
    }
}

#[test]
fn large_numbers_in_metadata() {
    let (reader, mut sections) = (Reader::new(), 0);
    let files = golden_files().filter_map(|(name, golden)| Some((name, MetadataSections::open(&golden)?)));
    for (name, file) in files {
        for index in 0..file.sections.len() {
            sections += 1;
            for (at, body) in each_number_changed(&file.sections[index].body) {
                let mut file = file.clone();
                file.sections[index].body = body;
                let sealed = Bytes::from(file.seal());
                let what = format_args!("{name}, the number at byte {at} of section {index}");
                let _ = reader.read(&what, sealed.len(), || read_metadata(sealed.clone()));
            }
        }
        let bodies: Vec<u8> = file.sections.iter().flat_map(|section| section.body.clone()).collect();
        for (at, index) in each_number_changed(&index_of(&file.sections)) {
            let sealed = Bytes::from(sealed_metadata(&bodies, &index, 12 + bodies.len() as u64));
            let what = format_args!("{name}, the number at byte {at} of its index");
            let _ = reader.read(&what, sealed.len(), || read_metadata(sealed.clone()));
        }
        for offset in [0, 11, 12, 13, 1 << 31, u64::MAX - 56, u64::MAX] {
            let sealed = Bytes::from(sealed_metadata(&bodies, &index_of(&file.sections), offset));
            let what = format_args!("{name}, whose index is said to begin at {offset}");
            reader.read(&what, sealed.len(), || read_metadata(sealed.clone())).unwrap_err();
        }
    }
    assert!(sections >= 4, "{sections} sections were changed");
}

fn index_of(sections: &[MetadataSection]) -> Vec<u8> {
    let (mut index, mut offset) = (Vec::new(), 12);
    for section in sections {
        section.put_entry(offset, &mut index);
        offset += section.body.len() as u64;
    }
    index
}
