//! Every fault at every operation of every kind of stream.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use ckpt_core::id::FileName;
use ckpt_core::key_group::{KeyGroup, KeyGroupRange};
use ckpt_core::state::{Root, StateHandle, SubtaskStateParts};
use ckpt_core::{ErrorKind, Result};

use super::sweep_test::{files_on, is_final, open, path, sweep};
use crate::file_system::FileSystem;
use crate::stream::kinds_test::{Copies, Kind};
use crate::stream::{options, target};
use crate::testing::{Disk, FailingFileSystem, Injection, ObjectStoreFileSystem, RefusingSpawn, sweep_faults};
use crate::{
    FileStateReader, FileStreams, LocalCopy, RawStateStreams, SnapshotStream, StateDirectory, StateReader as _,
    StateScope, StreamFactory, into_error,
};

/// What a stream of files may fail with.
const KINDS: [ErrorKind; 2] = [ErrorKind::AbortCheckpoint, ErrorKind::Configuration];

fn streams(file_system: &Arc<dyn FileSystem>) -> FileStreams {
    FileStreams::new(target(file_system, Arc::new(RefusingSpawn::new())), options(100))
}

fn sound(disk: &Disk) -> Arc<dyn FileSystem> {
    Arc::new(open(disk))
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

/// In several writes, of which one fills the buffer.
fn write(stream: &mut dyn std::io::Write, length: usize) -> Result<()> {
    let bytes = pattern(length);
    let (first, rest) = bytes.split_at(length / 3);
    let mut writes = [first, rest].into_iter();
    writes.try_for_each(|piece| stream.write_all(piece)).map_err(|error| into_error(error, ErrorKind::FailJob))
}

fn write_and_seal(kind: Kind, streams: &FileStreams, copies: &Copies) -> Result<StateHandle> {
    let mut stream = kind.begin(streams, copies)?;
    if let Err(error) = write(&mut *stream, 70_000) {
        // What failed once goes on failing.
        assert!(stream.write_all(b"x").is_err());
        let _ = stream.abort();
        return Err(error);
    }
    streams.seal_piece(stream.finish()?.expect("something was written"))
}

/// Nothing of ours is left in a directory but so many sealed files and what the streams know to be left.
fn assert_left(disk: &Disk, directory: &str, streams: &FileStreams, sealed: usize) {
    let mut left = files_on(disk);
    left.retain(|left| left.parent() == Some(path(directory)));
    assert!(left.iter().all(|left| left.file_name().parse::<FileName>().is_ok()), "{left:?}");
    assert_eq!(left.len() as u64, sealed as u64 + streams.counts().left_behind, "{left:?}");
    assert_eq!(streams.counts().dropped, 0, "whoever fails ends its streams");
}

fn assert_readable(disk: &Disk, directory: &str, handle: &StateHandle, length: usize) {
    let file_system = sound(disk);
    let directory = StateDirectory::new(Root::ThisSnapshot, file_system, Some(path(directory)));
    let mut found = Vec::new();
    FileStateReader::new(vec![directory]).open(handle).unwrap().read_to_end(&mut found).unwrap();
    assert!(found == pattern(length));
}

#[test]
fn every_kind_of_stream_leaves_nothing_and_names_its_error() {
    for kind in Kind::ALL {
        // What befalls a copy alone fails nothing.
        let must_fail = |injection: Injection| is_final(injection) && !kind.has_copy();
        let runs = sweep(&KINDS, &must_fail, &|disk, file_system| {
            let (streams, copies) = (streams(&file_system), Copies::new(&file_system));
            let sealed = write_and_seal(kind, &streams, &copies);
            if let Ok(handle) = &sealed {
                assert_readable(disk, "chk-1", handle, 70_000);
            }
            assert_left(disk, "chk-1", &streams, usize::from(sealed.is_ok()));
            assert_left(disk, "local", &copies.streams, 0);
            sealed.map(drop)
        });
        assert!(runs > 80, "{kind:?}: only {runs} runs");
    }
}

#[test]
fn every_kind_of_stream_leaves_nothing_of_an_upload() {
    for kind in Kind::ALL {
        let runs = sweep_faults(&mut |injection| {
            let store = ObjectStoreFileSystem::new().with_part_bytes(20_000);
            let failing = Arc::new(FailingFileSystem::new(Arc::new(store.clone()), injection));
            let file_system: Arc<dyn FileSystem> = Arc::clone(&failing) as Arc<dyn FileSystem>;
            let (streams, copies) =
                (streams(&file_system), Copies::new(&(Arc::new(store.clone()) as Arc<dyn FileSystem>)));
            let sealed = write_and_seal(kind, &streams, &copies);
            let case = format!("{kind:?}, {injection:?}");
            match &sealed {
                Ok(handle) => assert_eq!(handle.length_bytes(), 70_000),
                Err(error) => {
                    assert!(failing.has_failed() && !injection.fault.is_harmless(), "{case}: {error}");
                    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint, "{case}: {error}");
                }
            }
            assert!(sealed.is_err() || !failing.has_failed() || !is_final(injection), "{case}: was passed over");
            let objects = store.list(None, None, usize::MAX).unwrap().len();
            assert_eq!((objects, store.open_uploads()), (usize::from(sealed.is_ok()), 0), "{case}");
            failing.has_failed()
        });
        assert!(runs > 80, "{kind:?}: only {runs} runs");
    }
}

#[test]
fn a_copy_that_fails_disturbs_nothing_and_leaves_nothing() {
    let runs = sweep(&[], &|_| false, &|disk, file_system| {
        let (streams, copies) = (streams(&sound(disk)), Copies::new(&file_system));
        let mut stream = SnapshotStream::with_copy(streams.create(StateScope::Exclusive)?, copies.create());
        write(&mut stream, 70_000)?;
        stream.flush().unwrap();
        let result = stream.finish()?;
        let stored = streams.seal_piece(result.stored.expect("something was written"))?;
        assert_readable(disk, "chk-1", &stored, 70_000);
        let copy = match result.local {
            LocalCopy::Written(copy) => copies.streams.seal_piece(copy),
            LocalCopy::Failed(error) => Err(error),
            LocalCopy::None => panic!("one was asked for"),
        };
        match &copy {
            Ok(copy) => assert_readable(disk, "local", copy, 70_000),
            Err(error) => assert!(KINDS.contains(&error.kind()), "{error:?}"),
        }
        assert_left(disk, "local", &copies.streams, usize::from(copy.is_ok()));
        Ok(())
    });
    assert!(runs > 80, "only {runs} runs");
}

#[test]
fn state_that_fails_takes_its_copy_with_it() {
    let runs = sweep(&KINDS, &is_final, &|disk, file_system| {
        let (streams, copies) = (streams(&file_system), Copies::new(&sound(disk)));
        let write_and_seal = || {
            let mut stream = SnapshotStream::with_copy(streams.create(StateScope::Exclusive)?, copies.create());
            if let Err(error) = write(&mut stream, 70_000) {
                let _ = stream.abort();
                return Err(error);
            }
            let result = stream.finish()?;
            let stored = streams.seal_piece(result.stored.expect("something was written"))?;
            let LocalCopy::Written(copy) = result.local else { panic!("the local disk works") };
            Ok((stored, copies.streams.seal_piece(copy)?))
        };
        let sealed = write_and_seal();
        if let Ok((stored, copy)) = &sealed {
            assert_readable(disk, "chk-1", stored, 70_000);
            assert_readable(disk, "local", copy, 70_000);
        }
        assert_left(disk, "chk-1", &streams, usize::from(sealed.is_ok()));
        assert_left(disk, "local", &copies.streams, usize::from(sealed.is_ok()));
        sealed.map(drop)
    });
    assert!(runs > 80, "only {runs} runs");
}

#[test]
fn raw_state_is_sealed_whole_or_not_at_all() {
    let range = KeyGroupRange::new(KeyGroup::new(0), KeyGroup::new(1)).unwrap();
    let runs = sweep(&KINDS, &is_final, &|disk, file_system| {
        let streams = streams(&file_system);
        let write_and_seal = || {
            let mut raw = RawStateStreams::new(&streams, Some(range));
            let written = (|| {
                let keyed = raw.keyed()?;
                keyed.start_key_group(range.first())?;
                write(keyed, 70_000)?;
                write(raw.operator()?, 300)
            })();
            if let Err(error) = written {
                let _ = raw.abort();
                return Err(error);
            }
            let mut parts = SubtaskStateParts::default();
            raw.finish_into(&mut parts)?;
            let operator = ckpt_core::id::OperatorId::new([1; 16]);
            let snapshot = ckpt_core::state::TaskSnapshot::new([(operator, parts.into())].into());
            Ok(streams.seal(snapshot)?.handles().cloned().collect::<Vec<_>>())
        };
        let sealed = write_and_seal();
        if let Ok(handles) = &sealed {
            assert_readable(disk, "chk-1", &handles[0], 70_000);
            assert_readable(disk, "chk-1", &handles[1], 300);
        }
        assert_left(disk, "chk-1", &streams, sealed.as_ref().map_or(0, Vec::len));
        sealed.map(drop)
    });
    assert!(runs > 80, "only {runs} runs");
}
