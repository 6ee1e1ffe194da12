//! Metadata that are published, once and again, against others and without answers.

use std::io::Write as _;
use std::sync::Arc;

use ckpt_core::state::RelPath;
use ckpt_core::{Error, ErrorKind};

use super::{MOST_TRIES, MetadataTarget};
use crate::file_system::{Durability, FileSystem, LocalFileSystem, MemoryFileSystem};
use crate::testing::{
    FailingFileSystem, Failure, Fault, Injection, ObjectStoreFileSystem, OperationKind, RecordingFileSystem, Reply,
};

fn path() -> RelPath {
    RelPath::new("chk-1/_metadata").unwrap()
}

fn target(file_system: &Arc<dyn FileSystem>) -> MetadataTarget {
    MetadataTarget::new(Arc::clone(file_system), path(), Durability::Full)
}

fn publish(file_system: &Arc<dyn FileSystem>, bytes: &[u8]) -> ckpt_core::Result<()> {
    target(file_system)
        .publish(&mut |out| out.write_all(bytes).map_err(|error| crate::into_error(error, ErrorKind::Retry)))
}

/// What is there under the name.
fn found(file_system: &dyn FileSystem) -> Option<Vec<u8>> {
    let file = file_system.open(&path()).ok()?;
    let mut bytes = vec![0; usize::try_from(file.length_bytes()).unwrap()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    Some(bytes)
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

/// How often that was done.
fn count(recording: &RecordingFileSystem, kind: OperationKind) -> usize {
    recording.operations().iter().filter(|operation| operation.kind == kind).count()
}

#[test]
fn metadata_of_every_size_appear_whole_at_the_end_and_durable() {
    for (length, piece) in
        [(1, 1), (1000, 1), (262_143, 4096), (262_144, 262_144), (900_000, 70_000), (900_000, 900_000)]
    {
        let scratch = tempfile::tempdir().unwrap();
        let file_system: Arc<dyn FileSystem> = Arc::new(LocalFileSystem::open(scratch.path()).unwrap());
        let recording = Arc::new(RecordingFileSystem::new(Arc::clone(&file_system)));
        let watched: Arc<dyn FileSystem> = Arc::clone(&recording) as Arc<dyn FileSystem>;
        let bytes = pattern(length);
        let mut stream = target(&watched).stream().unwrap();
        for (number, piece_bytes) in bytes.chunks(piece).enumerate() {
            assert_eq!(stream.position(), (number * piece) as u64);
            stream.write_all(piece_bytes).unwrap();
            stream.flush().unwrap();
        }
        assert_eq!((stream.position(), found(&*file_system)), (length as u64, None));
        stream.finish().unwrap();
        assert!(found(&*file_system).unwrap() == bytes, "{length} bytes");
        let kinds: Vec<OperationKind> = recording.operations().iter().map(|operation| operation.kind).collect();
        assert_eq!(kinds, [OperationKind::CreateNew, OperationKind::Sync, OperationKind::SyncEntries]);
    }
}

/// Such bytes all have one digest, whatever stands in them.
#[test]
fn bytes_that_end_in_their_own_digest_are_told_from_others() {
    let sealed = |byte| {
        let content = [byte; 40];
        [content.as_slice(), &ckpt_core::Digest::of(&content).value().to_le_bytes()].concat()
    };
    assert_eq!(ckpt_core::Digest::of(&sealed(1)), ckpt_core::Digest::of(&sealed(2)));
    let file_system: Arc<dyn FileSystem> = Arc::new(MemoryFileSystem::new());
    publish(&file_system, &sealed(1)).unwrap();
    publish(&file_system, &sealed(1)).unwrap();
    assert_eq!(publish(&file_system, &sealed(2)).unwrap_err().kind(), ErrorKind::AbortCheckpoint);
}

#[test]
fn metadata_that_are_given_up_leave_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let file_system: Arc<dyn FileSystem> = Arc::new(LocalFileSystem::open(scratch.path()).unwrap());
    let begun = |length| {
        let mut stream = target(&file_system).stream().unwrap();
        stream.write_all(&pattern(length)).unwrap();
        stream
    };
    begun(10).abort().unwrap();
    begun(600_000).abort().unwrap();
    drop(begun(600_000));
    let refusal = target(&file_system).publish(&mut |out| {
        out.write_all(&pattern(600_000)).unwrap();
        Err::<(), Error>(Error::new(ErrorKind::FailJob, "the state is too large"))
    });
    assert_eq!(refusal.unwrap_err().kind(), ErrorKind::FailJob);
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[test]
fn metadata_of_another_are_never_replaced() {
    let ours = pattern(300_000);
    let mut one_byte = ours.clone();
    *one_byte.last_mut().unwrap() ^= 1;
    // The same end, for which the digest alone tells.
    let mut first_byte = ours.clone();
    *first_byte.first_mut().unwrap() ^= 1;
    for theirs in [b"theirs".to_vec(), pattern(299_999), pattern(300_001), one_byte, first_byte, Vec::new()] {
        let file_system: Arc<dyn FileSystem> = Arc::new(MemoryFileSystem::new());
        // Theirs come between the beginning of ours and its end.
        let mut stream = target(&file_system).stream().unwrap();
        stream.write_all(&ours).unwrap();
        publish(&file_system, &theirs).unwrap();
        let error = stream.finish().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AbortCheckpoint, "{error}");
        assert!(error.to_string().contains("'chk-1/_metadata' exists with other content"), "{error}");
        // And before.
        assert_eq!(publish(&file_system, &ours).unwrap_err().kind(), ErrorKind::AbortCheckpoint);
        assert!(found(&*file_system).unwrap() == theirs);
    }
}

#[test]
fn the_same_write_is_recognised_and_its_name_synced_again() {
    for length in [1, 700_000] {
        let recording = Arc::new(RecordingFileSystem::new(Arc::new(MemoryFileSystem::new())));
        let file_system: Arc<dyn FileSystem> = Arc::clone(&recording) as Arc<dyn FileSystem>;
        for times in 1..=3 {
            publish(&file_system, &pattern(length)).unwrap();
            assert_eq!(count(&recording, OperationKind::SyncEntries), times);
        }
        assert!(found(&*file_system).unwrap() == pattern(length));
    }
}

#[test]
fn a_publication_whose_answer_is_lost_is_sent_again() {
    use Reply::{Arrives, Late, LostAfterApplied, LostBeforeApplied};
    let cases: [(&[Reply], Option<ErrorKind>); 6] = [
        (&[LostAfterApplied], None),
        (&[LostBeforeApplied], None),
        (&[Late, LostBeforeApplied, Arrives], None),
        (&[LostAfterApplied, LostBeforeApplied, LostBeforeApplied], Some(ErrorKind::Unknown)),
        (&[LostBeforeApplied; 3], Some(ErrorKind::Unknown)),
        (&[Late; 3], Some(ErrorKind::Unknown)),
    ];
    for (replies, expected) in cases {
        let store = ObjectStoreFileSystem::new();
        let file_system: Arc<dyn FileSystem> = Arc::new(store.clone());
        store.answer_next(replies.iter().copied());
        let outcome = publish(&file_system, &pattern(5_000));
        assert_eq!(outcome.as_ref().err().map(Error::kind), expected, "{replies:?}: {outcome:?}");
        if let Err(error) = outcome {
            assert!(error.to_string().contains(&format!("in {MOST_TRIES} tries")), "{error}");
            // It may be published again, whatever lands in the meantime.
            store.answer_next([Arrives; 3]);
            publish(&file_system, &pattern(5_000)).unwrap();
        }
        store.land();
        assert!(found(&*file_system).unwrap() == pattern(5_000), "{replies:?}");
        assert_eq!(publish(&file_system, &pattern(5_001)).unwrap_err().kind(), ErrorKind::AbortCheckpoint);
    }
}

#[test]
fn what_may_be_there_stays_unknown_whatever_fails_afterwards() {
    // Both meet the second try: it cannot be made, or cannot be written.
    for (fault, at) in [(Fault::TooManyOpenFiles, 2), (Fault::WriteFails, 2)] {
        let store = ObjectStoreFileSystem::new();
        let injection = Injection::new(fault, at, Failure::FromThereOn);
        let file_system: Arc<dyn FileSystem> = Arc::new(FailingFileSystem::new(Arc::new(store.clone()), injection));
        store.answer_next([Reply::LostAfterApplied]);
        let error = publish(&file_system, b"metadata").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unknown, "{error}");
        assert_eq!(found(&store).unwrap(), b"metadata");
    }
}

#[test]
fn a_name_that_could_not_be_synced_stays_unknown_and_is_not_synced_again() {
    let files = MemoryFileSystem::new();
    // The first sync is that of the bytes.
    let injection = Injection::new(Fault::SyncFails, 2, Failure::Once);
    let failing = Arc::new(FailingFileSystem::new(Arc::new(files.clone()), injection));
    let recording = Arc::new(RecordingFileSystem::new(failing));
    let file_system: Arc<dyn FileSystem> = Arc::clone(&recording) as Arc<dyn FileSystem>;
    let error = publish(&file_system, b"metadata").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unknown, "{error}");
    assert_eq!((count(&recording, OperationKind::SyncEntries), files.paths()), (1, vec![path()]));
}

#[test]
fn after_a_write_that_failed_nothing_is_left_and_nothing_works() {
    let files = MemoryFileSystem::new();
    let injection = Injection::new(Fault::DiskFull, 2, Failure::Once);
    let file_system: Arc<dyn FileSystem> = Arc::new(FailingFileSystem::new(Arc::new(files.clone()), injection));
    let mut stream = target(&file_system).stream().unwrap();
    let error = stream.write_all(&pattern(300_000)).unwrap_err();
    assert_eq!(crate::into_error(error, ErrorKind::Retry).kind(), ErrorKind::AbortCheckpoint);
    let again = stream.write_all(b"x").unwrap_err().to_string();
    assert!(again.contains("an earlier write of 'chk-1/_metadata' failed"), "{again}");
    assert_eq!(stream.finish().unwrap_err().kind(), ErrorKind::AbortCheckpoint);
    assert_eq!(files.paths(), []);
    // The disk has room again, and the name is free.
    publish(&file_system, b"metadata").unwrap();
}
