//! Every fault at every operation: of a file system, and of the calls below the local one.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::id::{FileName, LeaderEpoch, OperatorId, Writer, WriterId};
use ckpt_core::state::{OperatorState, RelPath, Root, StateHandle, SubtaskState, TaskSnapshot};
use ckpt_core::{Error, ErrorKind, Result};

use crate::file_system::{CasOutcome, Durability, Expect, FileSystem, LocalFileSystem, Visible};
use crate::testing::{Disk, FailingCalls, FailingFileSystem, Failure, Fault, Injection, RefusingSpawn, sweep_faults};
use crate::{
    FileNames, FileStateReader, FileStreams, FileStreamsOptions, FileStreamsTarget, MetadataTarget, Pool, PoolOptions,
    Spawn, StateDirectory, StateReader as _, StateScope, StreamFactory as _, into_error,
};

/// Where the faults are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Level {
    Operations,
    Calls,
}

/// Is given the disk, to look at it past the faults.
pub(super) type Test<'a, T> = dyn Fn(&Disk, Arc<dyn FileSystem>) -> Result<T> + 'a;

/// What a test did: whether it met the fault, and what became of it.
struct Outcome<T> {
    met: bool,
    result: Result<T>,
}

/// Runs a test on a fresh disk, with that fault.
fn run<T>(level: Level, injection: Injection, test: &Test<'_, T>) -> Outcome<T> {
    let disk = Disk::new();
    let outcome = match level {
        Level::Operations => {
            let failing = Arc::new(FailingFileSystem::new(Arc::new(open(&disk)), injection));
            let result = test(&disk, Arc::clone(&failing) as Arc<dyn FileSystem>);
            Outcome { met: failing.has_failed(), result }
        }
        Level::Calls => {
            let calls = FailingCalls::on(&disk, injection);
            let result = calls.open(ROOT).and_then(|local| test(&disk, Arc::new(local)));
            Outcome { met: calls.has_failed(), result }
        }
    };
    assert_eq!(disk.descriptors(), 0, "{level:?}, {injection:?}");
    outcome
}

const ROOT: &str = "/base/job";

/// Without faults.
pub(super) fn open(disk: &Disk) -> LocalFileSystem {
    disk.open(ROOT).unwrap()
}

/// The bytes of a file, if it is there.
fn bytes_of(disk: &Disk, name: &str) -> Option<Vec<u8>> {
    let file = open(disk).open(&path(name)).ok()?;
    let mut bytes = vec![0; usize::try_from(file.length_bytes()).unwrap()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    Some(bytes)
}

fn write(disk: &Disk, name: &str, bytes: &[u8]) {
    let mut writer = open(disk).create_new(&path(name), Visible::AtOnce).unwrap();
    writer.write_all(bytes).unwrap();
    assert!(matches!(writer.finish(Durability::Full), CasOutcome::Done(_)));
}

/// Runs a test with every fault at both levels. An error is typed, names a path, and comes only if something went wrong;
/// and it must come of the faults that nobody may pass over.
pub(super) fn sweep<T>(kinds: &[ErrorKind], must_fail: &dyn Fn(Injection) -> bool, test: &Test<'_, T>) -> u64 {
    let mut runs = 0;
    for level in [Level::Operations, Level::Calls] {
        runs += sweep_faults(&mut |injection| {
            let Outcome { met, result } = run(level, injection, test);
            let case = format!("{level:?}, {injection:?}");
            assert!(!met || result.is_err() || !must_fail(injection), "{case}: was passed over");
            if let Err(error) = result {
                assert!(met && !injection.fault.is_harmless(), "{case}: {error}");
                assert!(kinds.contains(&error.kind()), "{case}: {:?}: {error}", error.kind());
                let text = format!("{error:#} {error:?}");
                assert!(text.contains('\'') || text.contains("job"), "{case}: {text}");
            }
            met
        });
    }
    runs
}

/// Whether nobody may go on as if it had not been: what was written is not as it should be.
pub(super) fn is_final(injection: Injection) -> bool {
    use Fault::{CloseFails, DiskFull, QuotaExceeded, ReadOnly, SyncFails, WriteFails};
    matches!(injection.fault, DiskFull | QuotaExceeded | ReadOnly | WriteFails | SyncFails | CloseFails)
}

/// Names below the root, of a file system that does not fail.
pub(super) fn files_on(disk: &Disk) -> Vec<RelPath> {
    open(disk).list(None, None, usize::MAX).unwrap().into_iter().map(|entry| entry.path).collect()
}

pub(super) fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

pub(super) fn directories(file_system: &Arc<dyn FileSystem>) -> [StateDirectory; 2] {
    let of = |root, name| StateDirectory::new(root, Arc::clone(file_system), Some(path(name)));
    [of(Root::ThisSnapshot, "chk-1"), of(Root::JobShared, "shared")]
}

fn streams(file_system: &Arc<dyn FileSystem>, spawn: &Arc<dyn Spawn>, durability: Durability) -> FileStreams {
    let [exclusive, shared] = directories(file_system);
    let names = Arc::new(FileNames::new(Writer::new(LeaderEpoch::new(1), WriterId::new(2))));
    let options = FileStreamsOptions { inline_threshold_bytes: 100, durability, ..FileStreamsOptions::default() };
    FileStreams::new(FileStreamsTarget::new(exclusive, shared, names, Arc::clone(spawn)), options)
}

/// Three pieces of state, two of them in files, one of those in several writes.
fn write_and_seal(streams: &FileStreams) -> Result<Vec<StateHandle>> {
    let mut staged = Vec::new();
    for (scope, length) in [(StateScope::Exclusive, 140_000), (StateScope::Shared, 300), (StateScope::Exclusive, 5)] {
        let mut stream = streams.create(scope)?;
        for half in [length / 2, length - length / 2] {
            stream.write_all(&vec![1; half]).map_err(|error| into_error(error, ErrorKind::FailJob))?;
        }
        staged.extend(stream.finish()?);
    }
    let operators = staged.into_iter().enumerate().map(|(number, staged)| {
        let state = OperatorState::new(Default::default(), staged);
        (OperatorId::new((number as u128).to_be_bytes()), SubtaskState::new(Vec::new(), vec![state]))
    });
    Ok(streams.seal(TaskSnapshot::new(operators.collect()))?.handles().cloned().collect())
}

/// Sealed state is there and whole.
fn assert_readable(disk: &Disk, handles: &[StateHandle]) {
    let file_system: Arc<dyn FileSystem> = Arc::new(open(disk));
    let reader = FileStateReader::new(directories(&file_system).to_vec());
    for handle in handles {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut reader.open(handle).unwrap(), &mut bytes).unwrap();
        assert_eq!(bytes, vec![1; usize::try_from(handle.length_bytes()).unwrap()]);
    }
}

/// Nothing of ours is left but what the streams know to be left, and that has our name form.
fn assert_nothing_left(disk: &Disk, streams: &FileStreams, sealed: usize) {
    let left = files_on(disk);
    assert!(left.iter().all(|left| left.file_name().parse::<FileName>().is_ok()), "{left:?}");
    assert_eq!(left.len() as u64, sealed as u64 + streams.counts().left_behind, "{left:?}");
}

#[test]
fn streams_leave_nothing_and_name_their_error() {
    let pool: Arc<dyn Spawn> = Arc::new(Pool::new(PoolOptions::new(2, 8)).unwrap());
    let refusing: Arc<dyn Spawn> = Arc::new(RefusingSpawn::new());
    for (spawn, durability) in [(&refusing, Durability::Full), (&refusing, Durability::None), (&pool, Durability::Full)]
    {
        let runs = sweep(&[ErrorKind::AbortCheckpoint, ErrorKind::Configuration], &is_final, &|disk, file_system| {
            let streams = streams(&file_system, spawn, durability);
            let sealed = write_and_seal(&streams);
            // A job may have a file in its hands that was dropped, and removes it when it is done with it.
            streams.cancel().wait()?;
            match &sealed {
                Ok(handles) => {
                    assert_readable(disk, handles);
                    assert_nothing_left(disk, &streams, 2);
                }
                Err(_) => assert_nothing_left(disk, &streams, 0),
            }
            sealed.map(drop)
        });
        assert!(runs > 200, "only {runs} runs");
    }
}

#[test]
fn a_link_whose_answer_is_lost_was_made() {
    let injection = Injection::new(Fault::LinkAnswerLost, 1, Failure::FromThereOn);
    let state = ["s/0000000000000001-0000000000000002-00000001", "t/0000000000000001-0000000000000002-00000002"];
    let outcome = run(Level::Calls, injection, &|disk, file_system| {
        write(disk, state[0], b"bytes");
        let copied = file_system.duplicate(&path(state[0]), &path(state[1]), Durability::Full);
        assert!(matches!(copied, CasOutcome::Done(_)), "{copied:?}");
        let mut writer = file_system.create_new(&path("d/whole"), Visible::WholeAtFinish)?;
        writer.write_all(b"whole").unwrap();
        let published = writer.finish(Durability::Full);
        assert!(matches!(published, CasOutcome::Done(_)), "{published:?}");
        let recorded = file_system.put_record(&path("head/HEAD"), Bytes::from("one"), Expect::Absent);
        assert!(matches!(recorded, CasOutcome::Done(_)), "{recorded:?}");
        assert_eq!(bytes_of(disk, state[1]).unwrap(), b"bytes");
        assert_eq!(bytes_of(disk, "d/whole").unwrap(), b"whole");
        Ok(())
    });
    assert!(outcome.met && outcome.result.is_ok());
}

#[test]
fn what_is_read_is_right_or_an_error_that_says_to_try_again() {
    let refusing: Arc<dyn Spawn> = Arc::new(RefusingSpawn::new());
    let runs = sweep(&[ErrorKind::Retry, ErrorKind::Configuration], &|_| false, &|disk, file_system| {
        let sound: Arc<dyn FileSystem> = Arc::new(open(disk));
        let handles = write_and_seal(&streams(&sound, &refusing, Durability::Full))?;
        let reader = FileStateReader::new(directories(&file_system).to_vec());
        for handle in &handles {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut reader.open(handle)?, &mut bytes)
                .map_err(|error| into_error(error, ErrorKind::Retry))?;
            assert!(bytes == vec![1; usize::try_from(handle.length_bytes()).unwrap()]);
        }
        assert_eq!(file_system.list(None, None, usize::MAX)?.len(), 2);
        Ok(())
    });
    assert!(runs > 60, "only {runs} runs");
}

#[test]
fn a_failure_of_one_sync_or_close_is_final_for_its_file() {
    let refusing: Arc<dyn Spawn> = Arc::new(RefusingSpawn::new());
    for fault in [Fault::SyncFails, Fault::CloseFails] {
        let injection = Injection::new(fault, if fault == Fault::SyncFails { 3 } else { 1 }, Failure::Once);
        let outcome = run(Level::Calls, injection, &|disk, file_system| {
            let mut writer = file_system.create_new(&path("d/file"), Visible::AtOnce)?;
            writer.write_all(b"bytes").unwrap();
            let finished = writer.finish(Durability::Full);
            assert!(matches!(finished, CasOutcome::Failed(_)), "{fault}: {finished:?}");
            assert_eq!(files_on(disk), []);
            // The next file is another one.
            write_and_seal(&streams(&file_system, &refusing, Durability::Full))
        });
        assert!(outcome.met && outcome.result.is_ok(), "{fault}");
    }
}

/// What was opened before is gone from its server; what is opened by its name again is there.
#[test]
fn a_stale_handle_is_told_by_kind_and_does_not_outlive_its_file() {
    let ours = "chk-1/0000000000000001-0000000000000002-00000001";
    // Each of these calls in its turn, and the second try is of another handle.
    for at in 1.. {
        let injection = Injection::new(Fault::Stale, at, Failure::Once);
        let outcome = run(Level::Calls, injection, &|disk, file_system| {
            write(disk, ours, b"bytes");
            let read = || -> Result<[u8; 5]> {
                let mut bytes = [0; 5];
                let opened = file_system.open(&path(ours))?;
                opened.read_exact_at(&mut bytes, 0).map_err(|error| into_error(error, ErrorKind::Retry))?;
                Ok(bytes)
            };
            let written = |name: &str| -> Result<()> {
                let mut writer = file_system.create_new(&path(name), Visible::AtOnce)?;
                writer.write_all(b"bytes").map_err(|error| into_error(error, ErrorKind::AbortCheckpoint))?;
                match writer.finish(Durability::Full) {
                    CasOutcome::Done(_) => file_system.sync_entries(&[path(name)]),
                    CasOutcome::Failed(error) | CasOutcome::Unknown(error) => Err(error),
                    CasOutcome::Lost => panic!("nobody else writes"),
                }
            };
            let (first, second) = (read(), read());
            let kind = |outcome: &Result<()>| outcome.as_ref().err().map(Error::kind);
            let kinds =
                [kind(&first.map(drop)), kind(&second.map(drop)), kind(&written("chk-1/a")), kind(&written("chk-1/b"))];
            assert!(kinds[..2].iter().flatten().all(|kind| *kind == ErrorKind::Retry), "{at}: {kinds:?}");
            assert!(kinds[2..].iter().flatten().all(|kind| *kind == ErrorKind::AbortCheckpoint), "{at}: {kinds:?}");
            assert!(kinds.iter().flatten().count() <= 1, "{at}: {kinds:?}");
            assert_eq!(bytes_of(disk, ours).unwrap(), b"bytes");
            Ok(())
        });
        // Not those of opening the root: these are configuration.
        assert!(outcome.result.as_ref().err().is_none_or(|error| error.kind() == ErrorKind::Configuration));
        if !outcome.met {
            assert!(at > 8, "only {at}");
            break;
        }
    }
}

#[test]
fn what_is_published_is_whole_or_absent() {
    let content = vec![7; 600_000];
    let runs = sweep(
        &[ErrorKind::AbortCheckpoint, ErrorKind::Unknown, ErrorKind::Configuration],
        &is_final,
        &|disk, file_system| {
            let name = path("chk-1/_metadata");
            let target = MetadataTarget::new(Arc::clone(&file_system), name.clone(), Durability::Full);
            let published = target.publish(&mut |out| {
                content.chunks(300_000).try_for_each(|half| {
                    out.write_all(half).map_err(|error| into_error(error, ErrorKind::AbortCheckpoint))
                })
            });
            match bytes_of(disk, "chk-1/_metadata") {
                Some(there) => {
                    assert!(there == content);
                    // Nobody is told that it is certainly not there.
                    assert!(published.as_ref().err().is_none_or(|error| error.kind() == ErrorKind::Unknown));
                }
                None => assert!(published.is_err()),
            }
            // What an interrupted one left goes with the name.
            assert!(open(disk).remove(std::slice::from_ref(&name))[0].is_ok());
            assert_eq!(files_on(disk), []);
            published
        },
    );
    assert!(runs > 80, "only {runs} runs");
}

#[test]
fn a_copy_is_whole_or_absent_whichever_way_it_is_made() {
    let ours =
        ["chk-1/0000000000000001-0000000000000002-00000001", "shared/0000000000000001-0000000000000002-00000002"];
    let theirs = ["chk-1/000012.sst", "shared/000012.sst"];
    for ([from, to], shares_bytes) in [(ours, false), (ours, true), (theirs, false), (theirs, true)] {
        let kinds = [ErrorKind::AbortCheckpoint, ErrorKind::Configuration, ErrorKind::Retry];
        let runs = sweep(&kinds, &|_| false, &|disk, file_system| {
            write(disk, from, &[3; 20_000]);
            if shares_bytes {
                disk.share_bytes();
            }
            let outcome = file_system.duplicate(&path(from), &path(to), Durability::Full);
            match (bytes_of(disk, to), &outcome) {
                (Some(there), CasOutcome::Done(_)) => assert!(there == [3; 20_000]),
                // One who does not know removes it.
                (_, CasOutcome::Unknown(_)) => assert!(open(disk).remove(&[path(to)])[0].is_ok()),
                (None, CasOutcome::Failed(_)) => {}
                (there, _) => panic!("{outcome:?}, {} bytes", there.map_or(0, |there| there.len())),
            }
            assert!(bytes_of(disk, from).unwrap() == [3; 20_000]);
            match outcome {
                CasOutcome::Failed(error) | CasOutcome::Unknown(error) => Err(error),
                CasOutcome::Done(_) | CasOutcome::Lost => Ok(()),
            }
        });
        assert!(runs > 30, "only {runs} runs");
    }
}

#[test]
fn a_record_is_the_old_version_or_the_new_one() {
    let head = path("head/HEAD");
    let kinds = [ErrorKind::Retry, ErrorKind::Unknown, ErrorKind::Configuration, ErrorKind::AbortCheckpoint];
    let runs = sweep(&kinds, &|_| false, &|disk, file_system| {
        let tag = match open(disk).put_record(&head, Bytes::from("old"), Expect::Absent) {
            CasOutcome::Done(tag) => tag,
            other => panic!("{other:?}"),
        };
        let read = file_system.read_record(&head)?;
        assert_eq!(read, Some((Bytes::from("old"), tag.clone())));
        let outcome = file_system.put_record(&head, Bytes::from("new"), Expect::Version(&tag));
        let found = open(disk).read_record(&head).unwrap().unwrap().0;
        let bodies: BTreeSet<&str> = match &outcome {
            CasOutcome::Done(_) => ["new"].into(),
            CasOutcome::Failed(_) => ["old"].into(),
            CasOutcome::Unknown(_) => ["old", "new"].into(),
            CasOutcome::Lost => panic!("nobody else writes"),
        };
        assert!(bodies.contains(std::str::from_utf8(&found).unwrap()), "{outcome:?}, found {found:?}");
        match outcome {
            CasOutcome::Failed(error) | CasOutcome::Unknown(error) => Err::<(), Error>(error),
            _ => Ok(()),
        }
    });
    assert!(runs > 80, "only {runs} runs");
}
