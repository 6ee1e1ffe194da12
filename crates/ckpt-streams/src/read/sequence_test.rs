//! Any sequence of reads yields the bytes that were written, and what is large goes straight to the caller.

use std::io::{Cursor, Read, Seek, SeekFrom};
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use ckpt_core::Digest;
use ckpt_core::state::{FileRef, Place, RelPath, Root, StateHandle};
use ckpt_core::state_file::BLOCK_BYTES;
use proptest::prelude::*;

use crate::file_system::LocalFileSystem;
use crate::read::file::PIECE_BYTES;
use crate::read::stored_test::{payload, store, write_foreign};
use crate::testing::contract;
use crate::{
    FileStateReader, Pool, PoolOptions, ReadAhead, ReadOptions, Spawn, StateDirectory, StateInputStream,
    StateReader as _, Verification,
};

#[test]
fn a_read_of_blocks_goes_straight_into_the_buffer_of_the_caller() {
    let stored = store(&[9 * BLOCK_BYTES + 10]);
    let mut stream = stored.reader.open(&stored.files[0].1).unwrap();
    let mut buffer = vec![0; 2 * PIECE_BYTES];
    let begin = buffer.as_ptr() as usize;
    let mut straight = |read: &mut dyn FnMut(&mut dyn StateInputStream, &mut [u8]) -> usize, within: usize| {
        stored.reads.lock().clear();
        let taken = read(&mut *stream, &mut buffer[within..]);
        let reads = std::mem::take(&mut *stored.reads.lock());
        let straight = reads.iter().filter(|(.., to)| (begin..begin + 2 * PIECE_BYTES).contains(to));
        (taken, reads.len(), straight.map(|(_, length, _)| length).sum::<usize>())
    };
    let mut read = |stream: &mut dyn StateInputStream, buffer: &mut [u8]| stream.read(buffer).unwrap();
    assert_eq!(straight(&mut read, 0), (PIECE_BYTES, 1, PIECE_BYTES), "a piece at most");
    assert_eq!(straight(&mut read, PIECE_BYTES), (PIECE_BYTES, 1, PIECE_BYTES), "wherever in memory");
    assert_eq!(straight(&mut read, 0), (BLOCK_BYTES + 10, 1, BLOCK_BYTES + 10), "the short block at the end");
    let mut within = |stream: &mut dyn StateInputStream, buffer: &mut [u8]| {
        stream.read_exact_at(&mut buffer[..3 * BLOCK_BYTES], 100).map(|()| 3 * BLOCK_BYTES).unwrap()
    };
    assert_eq!(straight(&mut within, 0), (3 * BLOCK_BYTES, 3, 2 * BLOCK_BYTES), "between the ends");
}

#[test]
fn the_contract_of_readers() {
    let stored = store(&[3, 1000, BLOCK_BYTES, PIECE_BYTES, 2 * PIECE_BYTES + 5]);
    let ahead = ReadAhead::new(Arc::clone(&POOL), PIECE_BYTES);
    let ahead = FileStateReader::new(vec![stored.directory.clone()])
        .with_options(ReadOptions::default().with_read_ahead(ahead));
    for (_, handle) in &stored.files {
        let expected = payload(usize::try_from(handle.length_bytes()).unwrap());
        contract::state_reader(&stored.reader, handle, &expected);
        contract::state_reader(&ahead, handle, &expected);
    }
}

/// One step of whoever reads.
#[derive(Clone, Debug)]
enum Step {
    Read(usize),
    ReadExactAt(u64, usize),
    Seek(SeekFrom),
}

fn lengths() -> impl Strategy<Value = usize> {
    prop_oneof![0..300_usize, Just(BLOCK_BYTES), Just(PIECE_BYTES), BLOCK_BYTES - 2..BLOCK_BYTES + 2, 0..400_000_usize]
}

fn steps(length: u64) -> impl Strategy<Value = Vec<Step>> {
    let positions =
        prop_oneof![0..length + 1, (0..=length / BLOCK_BYTES as u64).prop_map(|block| block * BLOCK_BYTES as u64)];
    let around = length as i64 + 70_000;
    prop::collection::vec(
        prop_oneof![
            4 => lengths().prop_map(Step::Read),
            2 => (positions.clone(), lengths()).prop_map(|(at, length)| Step::ReadExactAt(at, length)),
            1 => positions.prop_map(|at| Step::Seek(SeekFrom::Start(at))),
            1 => (-around..around).prop_map(|by| Step::Seek(SeekFrom::Current(by))),
            1 => (-around..around).prop_map(|by| Step::Seek(SeekFrom::End(by))),
        ],
        1..20,
    )
}

/// Takes the steps in the state and in its bytes in memory.
fn assert_same(stream: &mut dyn StateInputStream, bytes: &[u8], steps: &[Step]) {
    assert_eq!(stream.length_bytes(), bytes.len() as u64);
    let mut plain = Cursor::new(bytes);
    for step in steps {
        match *step {
            Step::Read(length) => {
                let mut found = vec![0; length];
                let read = stream.read(&mut found).unwrap();
                let left = bytes.len().saturating_sub(plain.position() as usize);
                assert_eq!(read == 0, length.min(left) == 0, "nothing is read at the end only");
                let mut expected = vec![0; read];
                plain.read_exact(&mut expected).unwrap();
                assert!(found[..read] == expected);
            }
            Step::ReadExactAt(at, length) => {
                let mut found = vec![7; length];
                let read = stream.read_exact_at(&mut found, at);
                match bytes.get(at as usize..).and_then(|from| from.get(..length)) {
                    Some(expected) => assert!(read.is_ok() && found == expected),
                    None => assert!(read.is_err() && found == vec![7; length], "nothing is touched"),
                }
            }
            Step::Seek(to) => match (stream.seek(to), plain.seek(to)) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (found, expected) => assert!(found.is_err() && expected.is_err()),
            },
        }
        assert_eq!(stream.stream_position().unwrap(), plain.position());
    }
}

static POOL: LazyLock<Arc<dyn Spawn>> = LazyLock::new(|| Arc::new(Pool::new(PoolOptions::new(2, 16)).unwrap()));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_sequence_of_reads_yields_the_bytes(
        (length, steps) in (lengths(), 1..3_usize).prop_flat_map(|(length, times)| {
            let length = 1 + length * times;
            (Just(length), steps(length as u64))
        }),
        verification in prop_oneof![Just(Verification::Always), Just(Verification::Lengths), Just(Verification::Off)],
        ahead: bool,
    ) {
        let stored = store(&[length]);
        let bytes = payload(length);
        let (path, ours) = &stored.files[0];
        let scratch = path.parent().unwrap();
        write_foreign(scratch, &[&[1; 77], &bytes[..], &[2; 3]].concat());
        let Place::File { file, .. } = ours.place() else { panic!() };
        std::fs::write(path.with_extension("segment"), [&[9; 5], &std::fs::read(path).unwrap()[..]].concat()).unwrap();
        let read_ahead = ahead.then(|| ReadAhead::new(Arc::clone(&POOL), 2 * PIECE_BYTES));
        let options = ReadOptions { verification, read_ahead };
        let borrowed = Arc::new(LocalFileSystem::open(scratch).unwrap());
        let directories = vec![stored.directory.clone(), StateDirectory::new(Root::Borrowed(0), borrowed, None)];
        let reader = FileStateReader::new(directories).with_options(options);
        let foreign = FileRef::Foreign(RelPath::new("000012.sst").unwrap());
        let theirs = Place::Segment { root: Root::Borrowed(0), file: foreign, offset_bytes: 77 };
        let length_bytes = length as u64;
        for handle in [
            ours.clone(),
            StateHandle::assume_durable(theirs.clone(), length_bytes, None),
            StateHandle::assume_durable(theirs, length_bytes, Some(Digest::of(&bytes))),
            StateHandle::assume_durable(Place::Inline(Bytes::from(bytes.clone())), length_bytes, Some(Digest::of(&bytes))),
        ] {
            assert_same(&mut *reader.open(&handle).unwrap(), &bytes, &steps);
        }
        // A segment of ours, in the place of the file.
        std::fs::rename(path.with_extension("segment"), path).unwrap();
        let place = Place::Segment { root: Root::ThisSnapshot, file: file.clone(), offset_bytes: 5 };
        let segment = StateHandle::assume_durable(place, length_bytes, ours.digest());
        assert_same(&mut *reader.open(&segment).unwrap(), &bytes, &steps);
    }
}
