//! Damage of every kind is found, and named.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::state::{FileRef, Place, RelPath, Root, StateHandle};
use ckpt_core::state_file::BLOCK_BYTES;
use ckpt_core::{Digest, Error, ErrorKind, Result};

use crate::file_system::{FileSystem, LocalFileSystem};
use crate::read::stored_test::{Stored, payload, read, store, write_foreign};
use crate::{
    FileStateReader, ReadOptions, StateDirectory, StateInputStream, StateReader as _, Verification, read_section,
};

fn assert_corrupt(stored: &Stored, damage: &str) {
    let (path, handle) = &stored.files[0];
    let (found, error) = read(&stored.reader, handle);
    let error = error.unwrap_or_else(|| panic!("{damage} was not found"));
    // A flipped bit of the format version reads as that of a newer program.
    assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Configuration), "{damage}: {error}");
    assert!(error.to_string().contains(path.file_name().unwrap().to_str().unwrap()), "{damage}: {error}");
    assert!(payload(handle.length_bytes() as usize).starts_with(&found), "{damage}: wrong bytes were yielded");
}

#[test]
fn every_flipped_bit_and_every_length_is_found() {
    let stored = store(&[50]);
    let path = &stored.files[0].0;
    let good = std::fs::read(path).unwrap();
    assert_eq!(good.len(), 50 + 8 + 32);
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(path, bad).unwrap();
        assert_corrupt(&stored, &format!("bit {bit}"));
    }
    for length in 0..good.len() {
        std::fs::write(path, &good[..length]).unwrap();
        assert_corrupt(&stored, &format!("length {length}"));
    }
    std::fs::write(path, [&good[..], &[0]].concat()).unwrap();
    assert_corrupt(&stored, "a trailing byte");
    std::fs::write(path, &good).unwrap();
    assert_eq!(read(&stored.reader, &stored.files[0].1).0, payload(50));
}

fn with_source(error: &dyn std::error::Error) -> String {
    format!("{error}: {}", error.source().unwrap())
}

#[test]
fn a_damaged_block_is_named_and_the_others_can_be_read() {
    let length = 3 * BLOCK_BYTES + 10;
    let stored = store(&[length]);
    let (path, handle) = &stored.files[0];
    let mut bad = std::fs::read(path).unwrap();
    bad[BLOCK_BYTES + 5] ^= 1;
    std::fs::write(path, bad).unwrap();
    let (found, error) = read(&stored.reader, handle);
    assert!(found == payload(BLOCK_BYTES), "found {} bytes", found.len());
    let text = with_source(&error.unwrap());
    let begin = format!("state file '{}' is not what was written: block 1 has digest", path.display());
    assert!(text.starts_with(&begin) && text.contains("expected crc64nvme:"), "{text}");
    // A range read verifies the blocks that it touches, and no others.
    let mut stream = stored.reader.open(handle).unwrap();
    let section =
        |stream: &mut dyn StateInputStream, from: usize, to: usize| read_section(stream, from as u64, Some(to as u64));
    let last = section(&mut *stream, 2 * BLOCK_BYTES, length).unwrap();
    assert!(last == payload(length)[2 * BLOCK_BYTES..]);
    let error = section(&mut *stream, BLOCK_BYTES - 1, BLOCK_BYTES + 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(section(&mut *stream, 0, BLOCK_BYTES).is_ok());
}

#[test]
fn a_file_in_the_place_of_another_is_found() {
    let stored = store(&[500, 500]);
    let (first, second) = (&stored.files[0].0, &stored.files[1].0);
    assert_eq!(std::fs::read(first).unwrap(), std::fs::read(second).unwrap());
    // The same bytes, but of another file.
    let swapped = StateHandle::assume_durable(stored.files[0].1.place().clone(), 500, stored.files[1].1.digest());
    let error = stored.reader.open(&swapped).map(drop).unwrap_err();
    let text = with_source(&error);
    assert!(text.contains(first.to_str().unwrap()), "{text}");
    assert!(text.contains("it is not the file that its handle names"), "{text}");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    // Another payload under that name.
    let other = store(&[501]);
    std::fs::copy(&other.files[0].0, first).unwrap();
    assert_corrupt(&stored, "a swapped file");
}

#[test]
fn what_a_handle_cannot_mean_is_a_typed_error() {
    let stored = store(&[50]);
    let (path, handle) = &stored.files[0];
    let open = |place: &Place, length, digest| {
        let handle = StateHandle::assume_durable(place.clone(), length, digest);
        stored.reader.open(&handle).map(drop).unwrap_err()
    };
    let Place::File { file, .. } = handle.place() else { panic!() };
    let shared = Place::File { root: Root::JobShared, file: file.clone() };
    assert_eq!(open(&shared, 50, handle.digest()).kind(), ErrorKind::NotFound);
    assert_eq!(open(handle.place(), u64::MAX, handle.digest()).kind(), ErrorKind::Corrupt);
    assert_eq!(open(handle.place(), 49, handle.digest()).kind(), ErrorKind::Corrupt);
    assert_eq!(open(handle.place(), 50, None).kind(), ErrorKind::Corrupt);
    let beyond = Place::Segment { root: Root::ThisSnapshot, file: file.clone(), offset_bytes: u64::MAX - 50 };
    assert_eq!(open(&beyond, 50, handle.digest()).kind(), ErrorKind::Corrupt);
    let inline = Place::Inline(Bytes::from("state"));
    assert_eq!(open(&inline, 5, Some(Digest::of(b"other"))).kind(), ErrorKind::Corrupt);
    assert_eq!(open(&inline, 6, Some(Digest::of(b"state"))).kind(), ErrorKind::Corrupt);
    assert_eq!(open(&inline, 5, None).kind(), ErrorKind::Corrupt);
    std::fs::remove_file(path).unwrap();
    let missing = stored.reader.open(handle).map(drop).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert!(missing.to_string().starts_with(&format!("state file '{}'", path.display())), "{missing}");
}

#[test]
fn files_of_others_are_verified_as_a_whole_or_only_borrowed() {
    let scratch = tempfile::tempdir().unwrap();
    let content = payload(BLOCK_BYTES + 100);
    write_foreign(scratch.path(), &content);
    let file_system: Arc<dyn FileSystem> = Arc::new(LocalFileSystem::open(scratch.path()).unwrap());
    let reader = FileStateReader::new(
        [Root::Borrowed(1), Root::JobShared]
            .map(|root| StateDirectory::new(root, Arc::clone(&file_system), None))
            .into(),
    );
    let handle = |root, digest| {
        let file = FileRef::Foreign(RelPath::new("000012.sst").unwrap());
        StateHandle::assume_durable(Place::File { root, file }, content.len() as u64, digest)
    };
    let digest = Some(Digest::of(&content));
    for good in [handle(Root::JobShared, digest), handle(Root::Borrowed(1), digest), handle(Root::Borrowed(1), None)] {
        assert!(read(&reader, &good).0 == content);
    }
    assert_eq!(read(&reader, &handle(Root::JobShared, None)).1.unwrap().kind(), ErrorKind::Corrupt);
    // Damage before it is opened, and after.
    let opened = reader.open(&handle(Root::JobShared, digest)).unwrap();
    let mut bad = content.clone();
    bad[3] ^= 1;
    write_foreign(scratch.path(), &bad);
    assert_eq!(read(&reader, &handle(Root::JobShared, digest)).1.unwrap().kind(), ErrorKind::Corrupt);
    let mut opened = opened;
    assert_eq!(opened.read(&mut [0; 10]).unwrap_err().kind(), io::ErrorKind::InvalidData);
}

#[test]
fn a_segment_is_read_as_a_file_of_its_own() {
    let stored = store(&[100, BLOCK_BYTES + 7]);
    let (path, whole) = &stored.files[1];
    let Place::File { root, file } = whole.place().clone() else { panic!("{whole:?}") };
    let segment = |offset_bytes, length_bytes| {
        let place = Place::Segment { root, file: file.clone(), offset_bytes };
        StateHandle::assume_durable(place, length_bytes, whole.digest())
    };
    // Between others, which are not looked at, and whose digests are none.
    let bytes = std::fs::read(path).unwrap();
    let length_bytes = whole.length_bytes();
    let around = [&[1; 333][..], &bytes, &[2; 500]].concat();
    std::fs::write(path, &around).unwrap();
    let read_whole = || {
        let (found, error) = read(&stored.reader, &segment(333, length_bytes));
        assert!(error.is_none() && found == payload(BLOCK_BYTES + 7), "{} bytes, {error:?}", found.len());
    };
    read_whole();
    std::fs::write(path, &around[..333 + bytes.len()]).unwrap();
    read_whole();
    let section = |from: u64, to| {
        let mut stream = stored.reader.open(&segment(333, length_bytes)).unwrap();
        read_section(&mut *stream, from, Some(to)).unwrap()
    };
    assert!(section(BLOCK_BYTES as u64 - 5, BLOCK_BYTES as u64 + 5) == payload(BLOCK_BYTES + 5)[BLOCK_BYTES - 5..]);
    for (wrong, why) in [
        (segment(332, length_bytes), "is not what was written"),
        (segment(334, length_bytes), "is too short"),
        (segment(333, length_bytes - 1), "is not what was written"),
        (segment(u64::MAX, length_bytes), "is too short"),
    ] {
        let (found, error) = read(&stored.reader, &wrong);
        let error = error.unwrap();
        assert_eq!((found, error.kind()), (Vec::new(), ErrorKind::Corrupt), "{wrong:?}");
        let text = error.to_string();
        let Place::Segment { offset_bytes, .. } = wrong.place() else { panic!() };
        let begin = format!("state file '{}, from byte {offset_bytes}' {why}", path.display());
        assert!(text.starts_with(&begin), "{text}");
    }
    std::fs::write(path, &around[..333 + bytes.len() - 1]).unwrap();
    assert_eq!(read(&stored.reader, &segment(333, length_bytes)).1.unwrap().kind(), ErrorKind::Corrupt);
    std::fs::write(path, [&around[..400], &[around[400] ^ 1], &around[401..]].concat()).unwrap();
    assert_eq!(read(&stored.reader, &segment(333, length_bytes)).1.unwrap().kind(), ErrorKind::Corrupt);
}

#[test]
fn a_segment_of_a_file_of_others_is_its_bytes_alone() {
    let scratch = tempfile::tempdir().unwrap();
    let content = payload(1000);
    write_foreign(scratch.path(), &content);
    let file_system: Arc<dyn FileSystem> = Arc::new(LocalFileSystem::open(scratch.path()).unwrap());
    let reader = FileStateReader::new(vec![StateDirectory::new(Root::Borrowed(1), file_system, None)]);
    let segment = |offset_bytes, length_bytes, digest| {
        let file = FileRef::Foreign(RelPath::new("000012.sst").unwrap());
        let place = Place::Segment { root: Root::Borrowed(1), file, offset_bytes };
        read(&reader, &StateHandle::assume_durable(place, length_bytes, digest))
    };
    let digest = Some(Digest::of(&content[10..30]));
    for (length_bytes, digest) in [(20, digest), (990, None)] {
        let (found, error) = segment(10, length_bytes, digest);
        assert!(error.is_none() && found == content[10..10 + length_bytes as usize], "{found:?}, {error:?}");
    }
    for (offset_bytes, length_bytes, digest) in [(11, 20, digest), (10, 21, digest), (10, 991, None), (1001, 1, None)] {
        let (found, error) = segment(offset_bytes, length_bytes, digest);
        assert_eq!((found, error.unwrap().kind()), (Vec::new(), ErrorKind::Corrupt), "{offset_bytes}");
    }
}

/// State that is in no file of ours, each wrong in one way: what is found, always, by lengths, and not at all.
#[test]
fn state_elsewhere_is_compared_as_far_as_it_is_to_be() {
    let scratch = tempfile::tempdir().unwrap();
    let content = payload(BLOCK_BYTES + 100);
    write_foreign(scratch.path(), &content);
    let file_system: Arc<dyn FileSystem> = Arc::new(LocalFileSystem::open(scratch.path()).unwrap());
    let directory = StateDirectory::new(Root::Borrowed(1), file_system, None);
    let file = FileRef::Foreign(RelPath::new("000012.sst").unwrap());
    let whole = Place::File { root: Root::Borrowed(1), file: file.clone() };
    let part = Place::Segment { root: Root::Borrowed(1), file, offset_bytes: 50 };
    let inline = Place::Inline(Bytes::from(content.clone()));
    let length = content.len() as u64;
    let (right, wrong) = (Some(Digest::of(&content)), Some(Digest::of(b"other")));
    let part_digest = Some(Digest::of(&content[50..]));
    let all = Some(content.clone());
    for (place, length_bytes, digest, found) in [
        (&whole, length, right, [all.clone(), all.clone(), all.clone()]),
        (&whole, length, wrong, [None, all.clone(), all.clone()]),
        (&whole, length, None, [all.clone(), all.clone(), all.clone()]),
        (&whole, length - 1, right, [None, None, Some(content[..content.len() - 1].to_vec())]),
        (&whole, length + 1, right, [None, None, None]),
        (
            &part,
            length - 50,
            part_digest,
            [Some(content[50..].to_vec()), Some(content[50..].to_vec()), Some(content[50..].to_vec())],
        ),
        (&part, length - 50, right, [None, Some(content[50..].to_vec()), Some(content[50..].to_vec())]),
        (&part, length - 49, part_digest, [None, None, None]),
        (&inline, length, right, [all.clone(), all.clone(), all.clone()]),
        (&inline, length, wrong, [None, all.clone(), all.clone()]),
        (&inline, length, None, [None, all.clone(), all.clone()]),
        (&inline, length + 1, right, [None, None, all.clone()]),
    ] {
        let handle = StateHandle::assume_durable(place.clone(), length_bytes, digest);
        for (verification, expected) in
            [Verification::Always, Verification::Lengths, Verification::Off].into_iter().zip(found)
        {
            let options = ReadOptions::default().with_verification(verification);
            let reader = FileStateReader::new(vec![directory.clone()]).with_options(options);
            let (found, error) = read(&reader, &handle);
            let case = format!("{verification}, {length_bytes} bytes, {digest:?}, {place:?}");
            match expected {
                Some(expected) => assert!(error.is_none() && found == expected, "{}, {error:?}", &case[..80]),
                None => assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::Corrupt), "{}", &case[..80]),
            }
        }
    }
}

/// State that says how long it is, and ends before.
#[derive(Debug)]
struct Ends {
    length_bytes: u64,
    present_bytes: u64,
    asked_bytes: u64,
}

impl io::Read for Ends {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        unreachable!("sections are read from their positions")
    }
}

impl io::Seek for Ends {
    fn seek(&mut self, _to: SeekFrom) -> io::Result<u64> {
        Ok(0)
    }
}

impl StateInputStream for Ends {
    fn length_bytes(&self) -> u64 {
        self.length_bytes
    }

    fn read_exact_at(&mut self, buffer: &mut [u8], offset_bytes: u64) -> Result<()> {
        let end_bytes = offset_bytes + buffer.len() as u64;
        assert!(offset_bytes == 50 || offset_bytes % BLOCK_BYTES as u64 == 0, "no block is read twice");
        self.asked_bytes += buffer.len() as u64;
        if end_bytes > self.present_bytes {
            return Err(Error::new(ErrorKind::Corrupt, "it ends before"));
        }
        Ok(())
    }
}

/// What a handle says of a length takes no memory before there are bytes.
#[test]
fn memory_is_taken_as_far_as_there_are_bytes() {
    let mut stream = Ends { length_bytes: 1 << 28, present_bytes: 5 << 20, asked_bytes: 0 };
    assert_eq!(read_section(&mut stream, 50, None).unwrap_err().to_string(), "it ends before");
    assert!(stream.asked_bytes < (5 << 20) + (1 << 20), "{}", stream.asked_bytes);
    stream.asked_bytes = 0;
    assert_eq!(read_section(&mut stream, 50, Some(5 << 20)).unwrap().len(), (5 << 20) - 50);
    assert_eq!(stream.asked_bytes, (5 << 20) - 50);
}

#[test]
fn a_section_that_ends_before_it_begins_is_refused() {
    let stored = store(&[100]);
    let inline = StateHandle::assume_durable(Place::Inline(Bytes::from("state")), 5, Some(Digest::of(b"state")));
    for handle in [&stored.files[0].1, &inline] {
        let mut stream = stored.reader.open(handle).unwrap();
        for (begin, end) in [(2, 1), (5, 0), (u64::MAX, 0), (u64::MAX, u64::MAX)] {
            let error = read_section(&mut *stream, begin, Some(end)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.to_string().starts_with(&format!("section {begin}..{end} is not within the ")), "{error}");
        }
        assert_eq!(read_section(&mut *stream, 2, Some(2)).unwrap(), []);
    }
}

/// A buffer that had other bytes has what is there, and zeros behind it.
#[test]
fn of_a_file_that_was_cut_off_what_is_there_can_be_read_unverified() {
    let stored = store(&[3 * BLOCK_BYTES]);
    let (path, handle) = &stored.files[0];
    let present = BLOCK_BYTES + 100;
    std::fs::write(path, payload(present)).unwrap();
    let options = ReadOptions::default().with_verification(Verification::Off);
    let reader = FileStateReader::new(vec![stored.directory.clone()]).with_options(options);
    for begin in [0, 10, BLOCK_BYTES, BLOCK_BYTES + 5] {
        let mut stream = reader.open(handle).unwrap();
        let mut buffer = vec![0xff; 3 * BLOCK_BYTES - begin];
        assert_eq!(stream.read_exact_at(&mut buffer, begin as u64).unwrap_err().kind(), ErrorKind::Corrupt);
        let (found, behind) = buffer.split_at(present - begin);
        assert!(found == &payload(present)[begin..] && behind.iter().all(|byte| *byte == 0), "{begin}");
        // The same in order.
        let mut found = Vec::new();
        stream.seek(SeekFrom::Start(begin as u64)).unwrap();
        stream.read_to_end(&mut found).unwrap_err();
        assert!(found == payload(present)[begin..], "{begin}");
    }
}

#[test]
fn a_seek_before_the_beginning_is_refused_and_moves_nothing() {
    let stored = store(&[100]);
    let inline = StateHandle::assume_durable(Place::Inline(Bytes::from("state")), 5, Some(Digest::of(b"state")));
    for handle in [&stored.files[0].1, &inline] {
        let mut stream = stored.reader.open(handle).unwrap();
        stream.seek(SeekFrom::Start(3)).unwrap();
        for to in [SeekFrom::Current(-4), SeekFrom::End(-101), SeekFrom::Current(i64::MIN)] {
            let error = stream.seek(to).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            assert_eq!(crate::into_error(error, ErrorKind::Retry).kind(), ErrorKind::FailJob);
            assert_eq!(stream.stream_position().unwrap(), 3);
        }
    }
}
