//! Reads that fail, are interrupted or come short, by every way of reading.

use std::collections::BTreeSet;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::{Arc, LazyLock};

use ckpt_core::id::{LeaderEpoch, Writer, WriterId};
use ckpt_core::key_group::{KeyGroup, KeyGroupRange};
use ckpt_core::state::{KeyGroupsState, Root, StateHandle};
use ckpt_core::state_file::BLOCK_BYTES;
use ckpt_core::{Error, ErrorKind, Result};

use crate::file_system::FileSystem;
use crate::read::stored_test::payload;
use crate::testing::{Disk, FailingCalls, FailingFileSystem, Failure, Fault, Injection, RefusingSpawn, sweep_faults};
use crate::{
    FileNames, FileStateReader, FileStreams, FileStreamsOptions, FileStreamsTarget, KeyGroupSections, StateDirectory,
    StateReader, StateScope, StreamFactory as _, into_error,
};

const LENGTH: usize = 6 * BLOCK_BYTES + 300;
const ROOT: &str = "/base";

static STATE: LazyLock<Vec<u8>> = LazyLock::new(|| payload(LENGTH));

fn directory(file_system: Arc<dyn FileSystem>) -> StateDirectory {
    StateDirectory::new(Root::ThisSnapshot, file_system, None)
}

fn stored(disk: &Disk) -> StateHandle {
    let directory = directory(Arc::new(disk.open(ROOT).unwrap()));
    let names = Arc::new(FileNames::new(Writer::new(LeaderEpoch::new(1), WriterId::new(1))));
    let target = FileStreamsTarget::new(directory.clone(), directory, names, Arc::new(RefusingSpawn::new()));
    let streams = FileStreams::new(target, FileStreamsOptions::default());
    let mut stream = streams.create(StateScope::Exclusive).unwrap();
    stream.write_all(&STATE).unwrap();
    streams.seal_piece(stream.finish().unwrap().unwrap()).unwrap()
}

/// Takes what a read left in the buffer, which was full of sevens: the bytes of the state, or zeros where nothing is known.
fn assert_left(buffer: &[u8], at: usize, read: usize) {
    let state = &*STATE;
    assert!(state[at..].starts_with(&buffer[..read]), "other bytes than those of the state at {at}");
    let behind = buffer[read..].iter().zip(state[at + read..].iter().chain(std::iter::repeat(&0)));
    assert!(behind.into_iter().all(|(found, right)| [0, 7, *right].contains(found)), "unknown bytes are left");
}

/// Reads all of it; an error is told to `failed`, and the same is tried again.
type Way = fn(&dyn StateReader, &StateHandle, &mut dyn FnMut(Error) -> Result<()>) -> Result<()>;

fn ours(error: io::Error) -> Error {
    into_error(error, ErrorKind::FailJob)
}

fn in_reads_of<const READ: usize>(
    reader: &dyn StateReader,
    handle: &StateHandle,
    failed: &mut dyn FnMut(Error) -> Result<()>,
) -> Result<()> {
    let mut stream = reader.open(handle)?;
    let mut at = 0;
    while at < LENGTH {
        let mut buffer = vec![7; READ];
        let read = stream.read(&mut buffer);
        assert_left(&buffer, at, *read.as_ref().unwrap_or(&0));
        match read {
            Ok(read) => at += read,
            Err(error) => {
                assert_eq!(stream.stream_position().unwrap(), at as u64, "the position stays");
                failed(ours(error))?;
            }
        }
    }
    Ok(())
}

fn from_positions<const READ: usize>(
    reader: &dyn StateReader,
    handle: &StateHandle,
    failed: &mut dyn FnMut(Error) -> Result<()>,
) -> Result<()> {
    let mut stream = reader.open(handle)?;
    // Backwards, so that nothing is read in order.
    let mut end = LENGTH;
    while end > 0 {
        let begin = end.saturating_sub(READ);
        let mut buffer = vec![7; end - begin];
        let read = stream.read_exact_at(&mut buffer, begin as u64);
        assert_left(&buffer, begin, if read.is_ok() { end - begin } else { 0 });
        match read {
            Ok(()) => end = begin,
            Err(error) => failed(error)?,
        }
    }
    stream.seek(SeekFrom::Start(0)).map(drop).map_err(ours)
}

fn by_key_groups(
    reader: &dyn StateReader,
    handle: &StateHandle,
    failed: &mut dyn FnMut(Error) -> Result<()>,
) -> Result<()> {
    let range = KeyGroupRange::new(KeyGroup::new(0), KeyGroup::new(1)).unwrap();
    let state = KeyGroupsState::new(range, [0, 1000], handle.clone()).unwrap();
    let mut sections = KeyGroupSections::open(reader, &state, &[range])?;
    let mut at = 0;
    while let Some(mut section) = sections.next_section() {
        while section.left_bytes() > 0 {
            let mut buffer = vec![7; 100_000];
            let read = section.read(&mut buffer);
            assert_left(&buffer, at, *read.as_ref().unwrap_or(&0));
            match read {
                Ok(read) => at += read,
                Err(error) => failed(ours(error))?,
            }
        }
    }
    assert_eq!(at, LENGTH);
    Ok(())
}

const WAYS: [Way; 5] = [
    in_reads_of::<60_000>,
    in_reads_of::<{ 4 * BLOCK_BYTES }>,
    from_positions::<70_000>,
    from_positions::<{ 3 * BLOCK_BYTES }>,
    by_key_groups,
];

#[derive(Clone, Copy, Debug)]
enum Level {
    Operations,
    Calls,
}

/// Whatever fails once can be read when it is tried again; what is harmless is not noticed.
#[test]
fn a_read_that_fails_says_so_and_can_be_tried_again() {
    let disk = Disk::new();
    let handle = stored(&disk);
    let mut seen = BTreeSet::new();
    let mut run = |level: Level, way: Way, injection: Injection| {
        let mut errors = Vec::new();
        // A second error in a row ends it.
        let mut read = |reader: FileStateReader| {
            let mut last = None;
            way(&reader, &handle, &mut |error| {
                let known = last.replace(error.to_string());
                errors.push(error);
                match known {
                    None => Ok(()),
                    Some(text) => Err(Error::new(ErrorKind::Retry, text)),
                }
            })
        };
        let reader = |file_system| FileStateReader::new(vec![directory(file_system)]);
        let (met, outcome) = match level {
            Level::Operations => {
                let failing = Arc::new(FailingFileSystem::new(Arc::new(disk.open(ROOT).unwrap()), injection));
                let outcome = read(reader(Arc::clone(&failing) as Arc<dyn FileSystem>));
                (failing.has_failed(), outcome)
            }
            Level::Calls => {
                let calls = FailingCalls::on(&disk, injection);
                let outcome = calls.open(ROOT).and_then(|local| read(reader(Arc::new(local))));
                (calls.has_failed(), outcome)
            }
        };
        let case = format!("{level:?}, {injection:?}");
        let harmless = injection.fault.is_harmless() || !met;
        assert!(!harmless || outcome.is_ok() && errors.is_empty(), "{case}: {outcome:?}, {errors:?}");
        for error in outcome.as_ref().err().into_iter().chain(&errors) {
            assert!(matches!(error.kind(), ErrorKind::Retry | ErrorKind::Configuration), "{case}: {error:?}");
            let text = format!("{error:#} {error:?}");
            assert!(text.contains(ROOT) || text.contains("0000000000000001-"), "{case}: {text}");
        }
        // What failed once and was tried again has gone on.
        assert!(errors.len() != 1 || injection.failure == Failure::Once && outcome.is_ok(), "{case}: {outcome:?}");
        if met {
            seen.insert((injection.fault, errors.len()));
        }
        assert_eq!(disk.descriptors(), 0, "{case}");
        met
    };
    let mut runs = 0;
    for (level, way) in [Level::Operations, Level::Calls].iter().flat_map(|level| WAYS.map(|way| (*level, way))) {
        runs += sweep_faults(&mut |injection| run(level, way, injection));
    }
    assert!(runs > 300, "only {runs} runs");
    for reached in [(Fault::ReadFails, 1), (Fault::ReadFails, 2), (Fault::ShortRead, 0), (Fault::Interrupted, 0)] {
        assert!(seen.contains(&reached), "{reached:?} was not reached: {seen:?}");
    }
}
