//! Streams into files whose path is known before anything is written.

use std::io::Read as _;
use std::sync::Arc;

use ckpt_core::ErrorKind;
use ckpt_core::id::{FileName, LeaderEpoch, Writer, WriterId};
use ckpt_core::state::{FileRef, Place, RelPath, Root};

use super::stream_test::{directories, files_below, options, pattern, stage, target};
use crate::file_system::{FileSystem, LocalFileSystem};
use crate::testing::RefusingSpawn;
use crate::{FileStateReader, FileStreams, StateReader as _, StateScope, StreamFactory as _};

fn name(number: u32) -> FileName {
    Writer::new(LeaderEpoch::new(1), WriterId::new(9)).file(number)
}

/// A factory that would keep in its handle all that is written here, a reader of it, and where its files are.
fn local() -> (FileStreams, FileStateReader, tempfile::TempDir) {
    let scratch = tempfile::tempdir().unwrap();
    let file_system: Arc<dyn FileSystem> = Arc::new(LocalFileSystem::open(scratch.path()).unwrap());
    let streams = FileStreams::new(target(&file_system, Arc::new(RefusingSpawn::new())), options(1 << 20));
    (streams, FileStateReader::new(directories(&file_system).into()), scratch)
}

#[test]
fn a_fixed_path_holds_what_was_written_however_little() {
    let (streams, reader, scratch) = local();
    for (number, length) in [1, 100, 65_536, 300_000].into_iter().enumerate() {
        let name = name(number as u32);
        let stream = streams.create_at(StateScope::Shared, name).unwrap();
        // It is there before anything is written.
        assert!(files_below(scratch.path()).contains(&format!("shared/{name}")));
        let handle = streams.seal_piece(stage(stream, &pattern(length))).unwrap();
        assert_eq!(*handle.place(), Place::File { root: Root::JobShared, file: FileRef::Ours(name) });
        let mut found = Vec::new();
        reader.open(&handle).unwrap().read_to_end(&mut found).unwrap();
        assert!(found == pattern(length), "{length}");
    }
    assert_eq!(files_below(scratch.path()).len(), 4);
}

#[test]
fn a_fixed_path_of_no_bytes_is_no_state_and_no_file() {
    let (streams, _, scratch) = local();
    let mut stream = streams.create_at(StateScope::Exclusive, name(1)).unwrap();
    stream.write_all(b"").unwrap();
    stream.flush().unwrap();
    assert_eq!(files_below(scratch.path()).len(), 1);
    assert!(stream.finish().unwrap().is_none());
    assert_eq!(files_below(scratch.path()), [""; 0]);
    assert_eq!(streams.counts().dropped, 0);
}

#[test]
fn a_fixed_path_that_is_given_up_deletes_its_file_and_no_other() {
    let (streams, _, scratch) = local();
    let local = LocalFileSystem::open(scratch.path()).unwrap();
    let theirs = RelPath::new(format!("chk-1/{}", name(7))).unwrap();
    let mut writer = local.create_new(&theirs, crate::file_system::Visible::AtOnce).unwrap();
    writer.write_all(b"theirs").unwrap();
    let _ = writer.finish(crate::file_system::Durability::None);
    // A file that is there already is neither replaced nor removed.
    let error = streams.create_at(StateScope::Exclusive, name(7)).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
    assert!(error.to_string().contains(&theirs.to_string()), "{error}");
    let mut given_up = streams.create_at(StateScope::Exclusive, name(8)).unwrap();
    given_up.write_all(&[1; 200_000]).unwrap();
    drop(streams.create_at(StateScope::Exclusive, name(9)).unwrap());
    given_up.abort().unwrap();
    drop(stage(streams.create_at(StateScope::Exclusive, name(10)).unwrap(), b"dropped"));
    assert_eq!(files_below(scratch.path()), [theirs.to_string()]);
    assert_eq!(streams.counts().dropped, 1);
}

#[test]
fn a_fixed_path_is_cancelled_with_its_factory() {
    let (streams, _, scratch) = local();
    let mut held = streams.create_at(StateScope::Exclusive, name(1)).unwrap();
    held.write_all(&[1; 100]).unwrap();
    streams.cancel().wait().unwrap();
    assert_eq!(files_below(scratch.path()), [""; 0]);
    assert_eq!(held.finish().unwrap_err().kind(), ErrorKind::Cancelled);
    let error = streams.create_at(StateScope::Exclusive, name(2)).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(files_below(scratch.path()), [""; 0]);
}
