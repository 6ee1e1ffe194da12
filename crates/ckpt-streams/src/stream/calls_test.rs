//! How often the system is called for a state file: the figures of `docs/durability.md`.

use std::sync::Arc;

use super::stream_test::{options, snapshot_of, stage, target};
use crate::file_system::{Durability, FileSystem};
use crate::testing::{Disk, FailingCalls, Failure, Fault, Injection, RefusingSpawn};
use crate::{FileStreams, FileStreamsOptions, StateScope, StreamFactory as _};

/// Calls that the fault meets, none of which fails: for each file of 64 KiB, and for each batch.
fn calls(durability: Durability, fault: Fault) -> (u64, u64) {
    const FILES: u64 = 10;
    let calls = FailingCalls::on(&Disk::new(), Injection::new(fault, u64::MAX, Failure::Once));
    let file_system: Arc<dyn FileSystem> = Arc::new(calls.open("/base/job").unwrap());
    let options = FileStreamsOptions { durability, ..options(0) };
    let streams = FileStreams::new(target(&file_system, Arc::new(RefusingSpawn::new())), options);
    let batch = |files: u64| {
        let before = calls.met();
        let staged = (0..files).map(|_| stage(streams.create(StateScope::Exclusive).unwrap(), &[7; 64 << 10]));
        streams.seal(snapshot_of(staged.collect())).unwrap();
        calls.met() - before
    };
    // The first one makes the directory.
    batch(1);
    let (one, more) = (batch(1), batch(1 + FILES));
    assert_eq!((more - one) % FILES, 0);
    let of_file = (more - one) / FILES;
    (of_file, one - of_file)
}

#[test]
fn calls_of_a_file_are_those_that_are_documented() {
    let documented = include_str!("../../../../docs/durability.md");
    for (durability, syncs, which) in [
        (Durability::None, (0, 0), "open, its mode, 2 writes, close"),
        (Durability::Full, (1, 1), "open, its mode, 2 writes, sync, close"),
    ] {
        // Whatever may be interrupted is every call.
        let (of_file, of_batch) = calls(durability, Fault::Interrupted);
        let row = format!("| `{durability:?}` | {of_file} | {which} | {of_batch} |");
        assert!(documented.contains(&row), "{row}");
        assert_eq!(calls(durability, Fault::SyncFails), syncs);
        assert_eq!(calls(durability, Fault::WriteFails), (2, 0));
        assert_eq!(calls(durability, Fault::CloseFails), (1, 0));
        assert_eq!(calls(durability, Fault::TooManyOpenFiles), (1, syncs.1));
    }
}
