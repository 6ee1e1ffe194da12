//! Every kind of damage, by every way of reading, under every verification.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use ckpt_core::key_group::{KeyGroup, KeyGroupRange};
use ckpt_core::state::{KeyGroupsState, StateHandle};
use ckpt_core::state_file::{BLOCK_BYTES, BlockDigester};
use ckpt_core::{Error, ErrorKind, Result};

use crate::read::file::PIECE_BYTES;
use crate::read::stored_test::{Stored, payload, store};
use crate::{
    FileStateReader, KeyGroupSections, Pool, PoolOptions, ReadAhead, ReadOptions, Spawn, StateInputStream, StateReader,
    Verification, into_error,
};

/// Nine blocks and a short one: three pieces, the last of which is short.
const LENGTH: usize = 9 * BLOCK_BYTES + 1000;
const TABLE: usize = 10 * 8;
/// What no byte of the state is.
const BAD: u8 = 0xfd;
/// What is in a buffer before it is read into.
const BEFORE: u8 = 0xaa;

/// What is to be found.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Found {
    /// The state, to its end.
    State,
    /// The bytes of the file as they are, to the end of the state.
    AsItIs,
    /// The state up to there, then an error of that kind.
    UpTo(usize, ErrorKind),
    /// The same, and the error may come earlier.
    AtMost(usize, ErrorKind),
    /// An error of that kind when it is opened.
    Refused(ErrorKind),
}

/// Something that happens to a file.
struct Damage {
    name: &'static str,
    make: Box<dyn Fn(&Path) + Sync>,
    /// Always, lengths, off.
    found: [Found; 3],
}

/// A reader that damages the file once it is open.
struct Meddling<'a> {
    inner: FileStateReader,
    path: &'a Path,
    damage: Option<&'a Damage>,
}

impl StateReader for Meddling<'_> {
    fn open(&self, handle: &StateHandle) -> Result<Box<dyn StateInputStream>> {
        let opened = self.inner.open(handle);
        if let Some(damage) = self.damage {
            (damage.make)(self.path);
        }
        opened
    }
}

impl fmt::Debug for Meddling<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// What a way of reading all of a state has yielded, and what ended it.
#[derive(Debug, Default)]
struct Outcome {
    yielded: Vec<u8>,
    error: Option<Error>,
    opened: bool,
}

impl Outcome {
    /// Takes what a read has left in its buffer. Nothing is in it that was to be verified and was not.
    fn take(&mut self, buffer: &[u8], read: Result<usize>) -> bool {
        let length = *read.as_ref().unwrap_or(&0);
        assert!(!buffer[length..].contains(&BAD), "bytes that were not verified are in the buffer");
        self.yielded.extend_from_slice(&buffer[..length]);
        match read {
            Ok(length) => length > 0,
            Err(error) => {
                self.error = Some(error);
                false
            }
        }
    }

    fn open<T>(opened: Result<T>, read: impl FnOnce(T, &mut Self)) -> Self {
        let mut outcome = Self::default();
        match opened {
            Ok(opened) => {
                outcome.opened = true;
                read(opened, &mut outcome);
            }
            Err(error) => outcome.error = Some(error),
        }
        outcome
    }
}

fn ours(error: io::Error) -> Error {
    into_error(error, ErrorKind::Retry)
}

/// Calls of `read`.
fn in_reads_of<const LENGTH: usize>(reader: &dyn StateReader, handle: &StateHandle) -> Outcome {
    Outcome::open(reader.open(handle), |mut stream, outcome| {
        let mut buffer = vec![BEFORE; LENGTH];
        while {
            buffer.fill(BEFORE);
            let read = stream.read(&mut buffer).map_err(ours);
            outcome.take(&buffer, read)
        } {}
    })
}

/// Reads from positions, each of which is sought.
fn sought(reader: &dyn StateReader, handle: &StateHandle) -> Outcome {
    Outcome::open(reader.open(handle), |mut stream, outcome| {
        let mut buffer = vec![BEFORE; 3 * BLOCK_BYTES + 5];
        loop {
            buffer.fill(BEFORE);
            let at = outcome.yielded.len() as u64;
            stream.seek(SeekFrom::End(-1)).unwrap();
            stream.seek(SeekFrom::Start(at)).unwrap();
            let read = stream.read(&mut buffer).map_err(ours);
            if !outcome.take(&buffer, read) {
                return;
            }
        }
    })
}

/// Positional reads; of each that fails nothing counts.
fn positional<const LENGTH: usize>(reader: &dyn StateReader, handle: &StateHandle) -> Outcome {
    Outcome::open(reader.open(handle), |mut stream, outcome| {
        let mut left = stream.length_bytes() as usize;
        while left > 0 {
            let mut buffer = vec![BEFORE; LENGTH.min(left)];
            let read = stream.read_exact_at(&mut buffer, outcome.yielded.len() as u64).map(|()| buffer.len());
            if !outcome.take(&buffer, read) {
                return;
            }
            left -= buffer.len();
        }
    })
}

/// Sections of key groups, of which one is empty and one begins in the middle of a block.
fn by_key_groups<const LENGTH: usize>(reader: &dyn StateReader, handle: &StateHandle) -> Outcome {
    let range = KeyGroupRange::new(KeyGroup::new(3), KeyGroup::new(6)).unwrap();
    let offsets = [0, 70_000, 70_000, 200_000];
    let state = KeyGroupsState::new(range, offsets, handle.clone()).unwrap();
    Outcome::open(KeyGroupSections::open(reader, &state, &[range]), |mut sections, outcome| {
        let mut buffer = vec![BEFORE; LENGTH];
        while let Some(mut section) = sections.next_section() {
            while {
                buffer.fill(BEFORE);
                let read = section.read(&mut buffer).map_err(ours);
                outcome.take(&buffer, read)
            } {}
            if outcome.error.is_some() {
                return;
            }
        }
    })
}

type Way = fn(&dyn StateReader, &StateHandle) -> Outcome;

/// Whether a way stops at the very block.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stops {
    AtTheBlock,
    Earlier,
}

const WAYS: [(&str, Way, Stops); 10] = [
    ("small reads", in_reads_of::<1000>, Stops::AtTheBlock),
    ("reads of blocks", in_reads_of::<BLOCK_BYTES>, Stops::AtTheBlock),
    ("reads of pieces", in_reads_of::<{ 4 * BLOCK_BYTES }>, Stops::AtTheBlock),
    ("reads of no round number", in_reads_of::<100_001>, Stops::AtTheBlock),
    ("one large read", in_reads_of::<{ 1 << 20 }>, Stops::AtTheBlock),
    ("sought", sought, Stops::AtTheBlock),
    ("positional", positional::<70_001>, Stops::Earlier),
    ("positional, all at once", positional::<LENGTH>, Stops::Earlier),
    ("key groups, small reads", by_key_groups::<777>, Stops::Earlier),
    ("key groups, large reads", by_key_groups::<{ 1 << 20 }>, Stops::Earlier),
];

const VERIFICATIONS: [Verification; 3] = [Verification::Always, Verification::Lengths, Verification::Off];

/// Reads the first file in every way, damaged before it is opened or afterwards.
fn assert_found(stored: &Stored, damage: &Damage, when: When) {
    let (path, handle) = &stored.files[0];
    let sound = fs::read(path).unwrap();
    let state = payload(LENGTH);
    let pool: Arc<dyn Spawn> = Arc::new(Pool::new(PoolOptions::new(2, 16)).unwrap());
    let ahead = [None, Some(ReadAhead::new(pool, 2 * PIECE_BYTES))];
    for (((verification, expected), (way, read, stops)), read_ahead) in VERIFICATIONS
        .iter()
        .zip(damage.found)
        .flat_map(|case| WAYS.map(|way| (case, way)))
        .flat_map(|case| ahead.clone().map(|ahead| (case, ahead)))
    {
        if when == When::Before {
            (damage.make)(path);
        }
        let case = format!("{}, {when:?}, {verification}, {way}, ahead: {}", damage.name, read_ahead.is_some());
        let options = ReadOptions { verification: *verification, read_ahead };
        let inner = FileStateReader::new(vec![stored.directory.clone()]).with_options(options);
        let reader = Meddling { inner, path, damage: (when == When::Opened).then_some(damage) };
        let outcome = read(&reader, handle);
        let Outcome { yielded, error, opened } = &outcome;
        let at = |up_to| yielded.len() == up_to || stops == Stops::Earlier && yielded.len() < up_to;
        let right = state.starts_with(yielded);
        match (expected, error.as_ref().map(Error::kind)) {
            (Found::State, None) => assert!(*yielded == state, "{case}: {} bytes", yielded.len()),
            (Found::AsItIs, None) => assert!(*yielded == fs::read(path).unwrap()[..LENGTH], "{case}"),
            (Found::UpTo(up_to, kind), Some(found)) if kind == found && *opened => {
                assert!(right && at(up_to), "{case}: {} bytes", yielded.len());
            }
            (Found::AtMost(up_to, kind), Some(found)) if kind == found && *opened => {
                assert!(right && yielded.len() <= up_to, "{case}: {} bytes", yielded.len());
            }
            (Found::Refused(kind), Some(found)) if kind == found && !opened => {}
            (expected, _) => panic!("{case}: {expected:?}, found {} bytes, {error:?}", yielded.len()),
        }
        if let Some(error) = error {
            assert!(error.to_string().contains(path.file_name().unwrap().to_str().unwrap()), "{case}: {error}");
        }
        // As a file of its own, for what was replaced.
        let _ = fs::remove_file(path);
        fs::write(path, &sound).unwrap();
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    Before,
    Opened,
}

fn damage(name: &'static str, found: [Found; 3], make: impl Fn(&Path) + Sync + 'static) -> Damage {
    Damage { name, make: Box::new(make), found }
}

fn write_at(path: &Path, at: usize, bytes: &[u8]) {
    OpenOptions::new().write(true).open(path).unwrap().write_all_at(bytes, at as u64).unwrap();
}

fn flip(path: &Path, at: usize) {
    let byte = fs::read(path).unwrap()[at];
    write_at(path, at, &[byte ^ 0x40]);
}

fn cut(path: &Path, length: usize) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(length as u64).unwrap();
}

const CORRUPT: ErrorKind = ErrorKind::Corrupt;

#[test]
fn a_changed_byte_of_any_block() {
    let stored = store(&[LENGTH]);
    for block in 0..LENGTH.div_ceil(BLOCK_BYTES) {
        let found = [Found::UpTo(block * BLOCK_BYTES, CORRUPT), Found::AsItIs, Found::AsItIs];
        let changed = damage("a changed byte", found, move |path| write_at(path, block * BLOCK_BYTES + 999, &[BAD]));
        assert_found(&stored, &changed, When::Before);
        assert_found(&stored, &changed, When::Opened);
    }
}

#[test]
fn a_file_that_is_cut_off_or_goes_on() {
    use Found::{AtMost, Refused, State, UpTo};
    let stored = store(&[LENGTH]);
    let whole = LENGTH + TABLE + 32;
    for length in [whole - 1, whole - 32, LENGTH + 1, LENGTH] {
        let found = [Refused(CORRUPT), Refused(CORRUPT), State];
        let shorter = damage("a shorter end", found, move |path| cut(path, length));
        assert_found(&stored, &shorter, When::Before);
        let after = damage("a shorter end", [State; 3], move |path| cut(path, length));
        assert_found(&stored, &after, When::Opened);
    }
    for length in [LENGTH - 1, 7 * BLOCK_BYTES + 77, 2 * BLOCK_BYTES, 1, 0] {
        let found = [Refused(CORRUPT), Refused(CORRUPT), UpTo(length, CORRUPT)];
        assert_found(&stored, &damage("cut off", found, move |path| cut(path, length)), When::Before);
        let found = [AtMost(length, CORRUPT); 3];
        assert_found(&stored, &damage("cut off", found, move |path| cut(path, length)), When::Opened);
    }
    let longer = |found| damage("a longer file", found, |path| write_at(path, LENGTH + TABLE + 32, &[0]));
    assert_found(&stored, &longer([Refused(CORRUPT), Refused(CORRUPT), State]), When::Before);
    assert_found(&stored, &longer([State; 3]), When::Opened);
}

#[test]
fn a_wrong_table_or_trailer() {
    use Found::{Refused, State};
    let stored = store(&[LENGTH]);
    let table = |at| damage("a changed table", [Refused(CORRUPT), State, State], move |path| flip(path, LENGTH + at));
    for at in [0, 7, 20, TABLE - 1] {
        assert_found(&stored, &table(at), When::Before);
    }
    // What it says of the table is not looked at where the table is not.
    for at in 24..32 {
        assert_found(&stored, &table(TABLE + at), When::Before);
    }
    for at in (0..8).chain(10..24) {
        let found = [Refused(CORRUPT), Refused(CORRUPT), State];
        assert_found(
            &stored,
            &damage("a changed trailer", found, move |path| flip(path, LENGTH + TABLE + at)),
            When::Before,
        );
    }
    let newer = [Refused(ErrorKind::Configuration), Refused(ErrorKind::Configuration), State];
    for at in [8, 9] {
        let newer = damage("a newer format", newer, move |path| flip(path, LENGTH + TABLE + at));
        assert_found(&stored, &newer, When::Before);
    }
    // All that is looked at of them was looked at.
    assert_found(&stored, &damage("a changed table", [State; 3], |path| flip(path, LENGTH)), When::Opened);
}

#[test]
fn a_file_that_is_replaced_or_missing() {
    use Found::{AsItIs, Refused, State};
    let stored = store(&[LENGTH]);
    let replace = |path: &Path| {
        let other: Vec<u8> = payload(LENGTH).into_iter().rev().collect();
        let mut digests = BlockDigester::new();
        digests.update(&other);
        let name = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
        fs::write(path.with_extension("new"), [other, digests.finish(&name).bytes].concat()).unwrap();
        fs::rename(path.with_extension("new"), path).unwrap();
    };
    // The file of another handle, of the same length, which is sound by itself.
    assert_found(&stored, &damage("replaced", [Refused(CORRUPT), AsItIs, AsItIs], replace), When::Before);
    // The file that was opened is read, whatever has its name.
    assert_found(&stored, &damage("replaced", [State; 3], replace), When::Opened);
    let empty = |path: &Path| {
        fs::write(path.with_extension("new"), []).unwrap();
        fs::rename(path.with_extension("new"), path).unwrap();
    };
    assert_found(&stored, &damage("replaced by nothing", [State; 3], empty), When::Opened);
    let remove = |path: &Path| fs::remove_file(path).unwrap();
    assert_found(&stored, &damage("missing", [Refused(ErrorKind::NotFound); 3], remove), When::Before);
    assert_found(&stored, &damage("removed", [State; 3], remove), When::Opened);
}
