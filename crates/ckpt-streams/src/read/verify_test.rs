//! What is wrong with state, told apart.

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use ckpt_core::Digest;
use ckpt_core::state::{FileRef, Place, RelPath, Root, StateHandle};
use ckpt_core::state_file::{BLOCK_BYTES, file_bytes};

use crate::read::stored_test::{payload, store, write_foreign};
use crate::{FileStateReader, StateFlaw, StateProof, StateVerdict};

const LENGTH: usize = 9 * BLOCK_BYTES + 1000;

fn verify(reader: &FileStateReader, handle: &StateHandle) -> (StateVerdict, u64) {
    let (mut read, mut buffer) = (0, Vec::new());
    let verdict = reader.verify(handle, &mut buffer, &mut |bytes| {
        read += bytes;
        ControlFlow::Continue(())
    });
    (verdict, read)
}

fn flaw(reader: &FileStateReader, handle: &StateHandle) -> (StateFlaw, String) {
    match verify(reader, handle).0 {
        StateVerdict::Flawed { flaw, error } => (flaw, error.to_string()),
        verdict => panic!("{verdict:?}"),
    }
}

fn flip(path: &Path, at: u64) {
    let file = fs::File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();
}

fn set_length(path: &Path, length: u64) {
    fs::File::options().write(true).open(path).unwrap().set_len(length).unwrap();
}

#[test]
fn whole_state_is_read_once_and_proven() {
    let stored = store(&[LENGTH]);
    let (_, handle) = &stored.files[0];
    let (verdict, read) = verify(&stored.reader, handle);
    assert!(matches!(verdict, StateVerdict::Whole(StateProof::Digest)), "{verdict:?}");
    assert_eq!(read, LENGTH as u64);
    let bytes: usize = stored.reads.lock().iter().map(|(_, length, _)| length).sum();
    assert_eq!(bytes as u64, file_bytes(LENGTH as u64).unwrap());
    let inline = StateHandle::inline(payload(10).into());
    assert!(matches!(verify(&stored.reader, &inline), (StateVerdict::Whole(StateProof::Digest), 10)));
}

#[test]
fn each_flaw_is_told_apart() {
    let block = BLOCK_BYTES as u64;
    let whole = file_bytes(LENGTH as u64).unwrap();
    let changed = |first, blocks| StateFlaw::BlocksChanged { first, offset_bytes: first * block, blocks };
    type Damage<'a> = &'a dyn Fn(&Path);
    let cases: [(Damage<'_>, StateFlaw); 10] = [
        (&|path| flip(path, 0), changed(0, 1)),
        (&|path| flip(path, LENGTH as u64 - 1), changed(9, 1)),
        (
            &|path| [2, 3, 7].map(|block_number| flip(path, block_number * block + 5)).into_iter().collect(),
            changed(2, 3),
        ),
        // The table, and the trailer.
        (&|path| flip(path, LENGTH as u64 + 3), StateFlaw::Changed),
        (&|path| flip(path, whole - 3), StateFlaw::Changed),
        (&|path| set_length(path, whole - 1), StateFlaw::TooShort { expected_bytes: whole, found_bytes: whole - 1 }),
        (&|path| set_length(path, 0), StateFlaw::TooShort { expected_bytes: whole, found_bytes: 0 }),
        (&|path| set_length(path, whole + 9), StateFlaw::TooLong { expected_bytes: whole, found_bytes: whole + 9 }),
        (&|path| fs::remove_file(path).unwrap(), StateFlaw::Missing),
        (
            &|path| {
                fs::remove_file(path).unwrap();
                fs::create_dir(path).unwrap();
            },
            StateFlaw::NotAFile,
        ),
    ];
    for (damage, expected) in cases {
        let stored = store(&[LENGTH]);
        let (path, handle) = &stored.files[0];
        damage(path);
        let (found, error) = flaw(&stored.reader, handle);
        assert_eq!(found, expected);
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn a_pipe_is_not_waited_for_and_a_link_is_not_followed() {
    let stored = store(&[LENGTH]);
    let (path, handle) = &stored.files[0];
    let elsewhere = path.with_extension("elsewhere");
    fs::rename(path, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, path).unwrap();
    assert_eq!(flaw(&stored.reader, handle).0, StateFlaw::NotAFile);
    fs::remove_file(path).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    assert_eq!(flaw(&stored.reader, handle).0, StateFlaw::NotAFile);
}

#[test]
fn another_file_in_its_place_and_a_place_that_is_not_known() {
    let stored = store(&[LENGTH, LENGTH + 1]);
    let [(one, handle), (other, _)] = &stored.files[..] else { panic!() };
    fs::copy(other, one).unwrap();
    let whole = file_bytes(LENGTH as u64).unwrap();
    let expected = StateFlaw::TooLong { expected_bytes: whole, found_bytes: whole + 1 };
    assert_eq!(flaw(&stored.reader, handle).0, expected);
    let reader = FileStateReader::new(Vec::new());
    assert_eq!(flaw(&reader, handle).0, StateFlaw::PlaceUnknown);
}

fn foreign(root: Root, content: &[u8], digest: Option<Digest>) -> StateHandle {
    let file = FileRef::Foreign(RelPath::new("000012.sst").unwrap());
    StateHandle::assume_durable(Place::File { root, file }, content.len() as u64, digest)
}

#[test]
fn a_file_of_others_is_read_once() {
    let stored = store(&[1]);
    let directory = stored.files[0].0.parent().unwrap();
    let content = payload(LENGTH);
    write_foreign(directory, &content);
    let handle = foreign(Root::ThisSnapshot, &content, Some(Digest::of(&content)));
    let (verdict, _) = verify(&stored.reader, &handle);
    assert!(matches!(verdict, StateVerdict::Whole(StateProof::Digest)), "{verdict:?}");
    let bytes: usize = stored.reads.lock().iter().map(|(_, length, _)| length).sum();
    assert_eq!(bytes, LENGTH);
    flip(&directory.join("000012.sst"), 70_000);
    assert_eq!(flaw(&stored.reader, &handle).0, StateFlaw::Changed);
    // Without a digest there is its length, below a root of others alone.
    assert_eq!(flaw(&stored.reader, &foreign(Root::ThisSnapshot, &content, None)).0, StateFlaw::NoDigest);
    let borrowed = crate::StateDirectory { root: Root::Borrowed(1), ..stored.directory.clone() };
    let reader = FileStateReader::new(vec![borrowed]);
    let handle = foreign(Root::Borrowed(1), &content, None);
    let (verdict, read) = verify(&reader, &handle);
    assert!(matches!(verdict, StateVerdict::Whole(StateProof::Length)), "{verdict:?}");
    assert_eq!(read, LENGTH as u64);
    set_length(&directory.join("000012.sst"), 7);
    let expected = StateFlaw::TooShort { expected_bytes: LENGTH as u64, found_bytes: 7 };
    assert_eq!(flaw(&reader, &handle).0, expected);
}

#[test]
fn it_stops_when_it_is_told() {
    let stored = store(&[LENGTH]);
    let mut pieces = 0;
    let verdict = stored.reader.verify(&stored.files[0].1, &mut Vec::new(), &mut |_| {
        pieces += 1;
        ControlFlow::Break(())
    });
    assert!(matches!(verdict, StateVerdict::Stopped), "{verdict:?}");
    assert_eq!(pieces, 1);
}

#[test]
fn memory_is_that_of_a_piece_and_the_digests() {
    let stored = store(&[LENGTH, 100]);
    let mut buffer = Vec::new();
    for (_, handle) in &stored.files {
        let _ = stored.reader.verify(handle, &mut buffer, &mut |_| ControlFlow::Continue(()));
    }
    assert!(buffer.capacity() <= 256 << 10, "{}", buffer.capacity());
    assert_eq!(FileStateReader::verification_bytes(&stored.files[0].1), (256 << 10) + 10 * 8);
    assert_eq!(FileStateReader::verification_bytes(&stored.files[1].1), 108);
}
