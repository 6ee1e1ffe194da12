//! Streams into real files.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ckpt_core::ErrorKind;
use ckpt_core::id::{LeaderEpoch, OperatorId, Writer, WriterId};
use ckpt_core::state::{OperatorState, Place, RelPath, Root, StateHandle, SubtaskState, TaskSnapshot};

use crate::file_system::{FileSystem, LocalFileSystem};
use crate::testing::{RefusingSpawn, contract};
use crate::{
    FileNames, FileStateReader, FileStreams, FileStreamsOptions, FileStreamsTarget, MemoryStreams, Pool, PoolOptions,
    Spawn, Staged, StateDirectory, StateOutputStream, StateReader as _, StateScope, StreamFactory as _, read_section,
};

pub(crate) fn directories(file_system: &Arc<dyn FileSystem>) -> [StateDirectory; 2] {
    let of = |root, name| StateDirectory::new(root, Arc::clone(file_system), Some(RelPath::new(name).unwrap()));
    [of(Root::ThisSnapshot, "chk-1"), of(Root::JobShared, "shared")]
}

pub(crate) fn target(file_system: &Arc<dyn FileSystem>, spawn: Arc<dyn Spawn>) -> FileStreamsTarget {
    let [exclusive, shared] = directories(file_system);
    let names = Arc::new(FileNames::new(Writer::new(LeaderEpoch::new(1), WriterId::new(2))));
    FileStreamsTarget::new(exclusive, shared, names, spawn)
}

pub(crate) fn options(inline_threshold_bytes: usize) -> FileStreamsOptions {
    FileStreamsOptions { inline_threshold_bytes, ..FileStreamsOptions::default() }
}

/// Each piece of state under an operator of its own.
pub(crate) fn snapshot_of(staged: Vec<Staged>) -> TaskSnapshot<Staged> {
    let operators = staged.into_iter().enumerate().map(|(number, staged)| {
        let state = OperatorState::new(Default::default(), staged);
        (OperatorId::new((number as u128).to_be_bytes()), SubtaskState::new(Vec::new(), vec![state]))
    });
    TaskSnapshot::new(operators.collect())
}

pub(crate) fn handles_of(snapshot: &TaskSnapshot<StateHandle>) -> Vec<StateHandle> {
    snapshot.handles().cloned().collect()
}

pub(crate) fn stage(mut stream: Box<dyn StateOutputStream>, bytes: &[u8]) -> Staged {
    stream.write_all(bytes).unwrap();
    stream.finish().unwrap().expect("something was written")
}

/// Spins until that is so. Fails a test that would hang.
#[track_caller]
pub(crate) fn until(mut is_so: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < limit, "it did not come in time");
        std::thread::yield_now();
    }
}

pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

/// Every file below a directory.
pub(crate) fn files_below(path: &Path) -> Vec<String> {
    let local = LocalFileSystem::open(path).unwrap();
    local.list(None, None, usize::MAX).unwrap().into_iter().map(|entry| entry.path.to_string()).collect()
}

fn local(path: &Path) -> Arc<dyn FileSystem> {
    Arc::new(LocalFileSystem::open(path).unwrap())
}

#[test]
fn state_of_every_size_is_written_sealed_and_read_back() {
    let scratch = tempfile::tempdir().unwrap();
    let file_system = local(&scratch.path().join("job"));
    let pool = Arc::new(Pool::new(PoolOptions::new(2, 8)).unwrap());
    let streams = FileStreams::new(target(&file_system, pool), options(100));
    let sizes = [1, 99, 100, 101, 65_535, 65_536, 65_537, 200_000, 3 << 20];
    let staged = sizes.map(|size| stage(streams.create(StateScope::Exclusive).unwrap(), &pattern(size)));
    let sealed = streams.seal(snapshot_of(staged.into())).unwrap();
    let reader = FileStateReader::new(directories(&file_system).into());
    for (size, handle) in sizes.into_iter().zip(handles_of(&sealed)) {
        assert_eq!(matches!(handle.place(), Place::Inline(_)), size <= 100, "{size}");
        let mut stream = reader.open(&handle).unwrap();
        let mut found = Vec::new();
        stream.read_to_end(&mut found).unwrap();
        assert!(found == pattern(size), "{size}");
        assert_eq!(stream.seek(SeekFrom::End(-1)).unwrap(), size as u64 - 1);
        assert_eq!(stream.read(&mut [0; 8]).unwrap(), 1);
        let middle = size as u64 / 2;
        let section = read_section(&mut *stream, middle, Some(size as u64)).unwrap();
        assert!(section == pattern(size)[size / 2..], "{size}");
        let beyond = read_section(&mut *stream, middle, Some(size as u64 + 1)).unwrap_err();
        assert_eq!(beyond.kind(), ErrorKind::Corrupt);
    }
    assert_eq!(files_below(scratch.path()).len(), 6);
    drop(streams);
    assert_eq!(files_below(scratch.path()).len(), 6);
}

#[test]
fn the_contract_of_stream_factories() {
    let scratch = tempfile::tempdir().unwrap();
    let counter = std::cell::Cell::new(0);
    for inline_threshold_bytes in [0, 500, 5000] {
        contract::stream_factory(&|| {
            counter.set(counter.get() + 1);
            let file_system = local(&scratch.path().join(counter.get().to_string()));
            let target = target(&file_system, Arc::new(RefusingSpawn::new()));
            let streams = FileStreams::new(target, options(inline_threshold_bytes));
            (Arc::new(streams), Arc::new(FileStateReader::new(directories(&file_system).into())))
        });
    }
    contract::stream_factory(&|| (Arc::new(MemoryStreams::new(1000)), Arc::new(FileStateReader::new(Vec::new()))));
}

#[test]
fn the_write_that_crosses_the_limit_of_a_memory_stream_is_refused() {
    let streams = MemoryStreams::new(10);
    let mut stream = streams.create(StateScope::Exclusive).unwrap();
    stream.write_all(&[1; 10]).unwrap();
    let error = stream.write_all(&[1]).unwrap_err().to_string();
    assert!(error.contains("at 10 is refused: state in memory has at most 10 bytes"), "{error}");
    // What was refused is not a shorter state either.
    assert!(stream.finish().is_err());

    let mut exact = streams.create(StateScope::Exclusive).unwrap();
    exact.write_all(&[1; 10]).unwrap();
    assert_eq!(exact.finish().unwrap().unwrap().length_bytes(), 10);
}
