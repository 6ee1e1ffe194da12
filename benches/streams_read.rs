//! Reading state from the page cache: how much verification adds to bare `pread` calls, by whichever way it is read.

use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ckpt_benches::{Bar, Bench, Work, processor_time_of};
use ckpt_core::key_group::{KeyGroup, KeyGroupRange};
use ckpt_core::state::{KeyGroupsState, Place, Root, StateHandle};
use ckpt_core::{Error, Result};
use ckpt_streams::file_system::Durability;
use ckpt_streams::{
    FileStateReader, KeyGroupSections, Pool, PoolOptions, ReadAhead, ReadOptions, StateReader, StateScope,
    StreamFactory, Verification,
};

use rustix::fs::{Advice, fadvise};

use crate::{failed, file_streams, state_directory};

/// Larger than any cache of a processor, so that each byte comes from memory.
const LARGE: usize = 1 << 30;
/// What it is read in.
const READ: usize = 256 << 10;
/// What a decoder asks for at a time.
const SMALL_READ: usize = 100;
const GROUPS: u16 = 128;
const PART: usize = 16;
/// Decoding takes longer than reading.
const DECODED: usize = LARGE / 4;
const NOT_AHEAD: &str = "the same, not read ahead";
const LARGE_PART: usize = LARGE / PART;

/// Every line about reading.
pub(crate) fn all(bench: &Bench, piece: &[u8], directory: &Path) -> Result<()> {
    const NAMES: [&str; 6] = [
        "streams: read 1 GiB from a file, verified, in reads of 256 KiB",
        "streams: read 1 GiB from a file, not verified, in reads of 256 KiB",
        "streams: read 1 GiB from a file, verified, in reads of 100 B",
        "streams: read 1/16 of 1 GiB by key groups, verified",
        "streams: read and decode 256 MiB that is in the page cache, read ahead by two jobs, on the wall",
        "streams: read and decode 256 MiB that is not in memory, read ahead by two jobs, on the wall",
    ];
    if !NAMES.iter().any(|name| bench.takes(name)) {
        return Ok(());
    }
    let handle = stored(piece, directory)?;
    // The same file for both sides: how its pages lie in memory makes a difference of its own.
    let file = place(&handle, directory)?;
    let reader = |verification| {
        let directories = vec![state_directory(Root::ThisSnapshot, directory)?];
        Ok::<_, Error>(
            FileStateReader::new(directories).with_options(ReadOptions::default().with_verification(verification)),
        )
    };
    let (verified, bare) = (reader(Verification::Always)?, reader(Verification::Off)?);
    let preads = || preads(&file, READ);
    let large = || whole(&verified, &handle, READ);
    let not_verified = || whole(&bare, &handle, READ);
    let faster = bench.bar(Bar::RatioAtMost(1.0 / 0.8));
    pairs(&faster, NAMES[0], "pread calls of 256 KiB", Work::Bytes(LARGE), &large, &preads);
    pairs(&faster, NAMES[0], "the same, not verified", Work::Bytes(LARGE), &large, &not_verified);
    pairs(bench, NAMES[1], "pread calls of 256 KiB", Work::Bytes(LARGE), &not_verified, &preads);
    let small = || whole(&verified, &handle, SMALL_READ);
    let buffered = || in_small_reads(BufReader::with_capacity(piece.len(), place(&handle, directory)?));
    pairs(bench, NAMES[2], "a buffered reader of 64 KiB", Work::Bytes(LARGE), &small, &buffered);
    let state = keyed(handle.clone())?;
    let groups = || part(&verified, &state);
    let share = || large().map(|taken| taken / PART as u32);
    let bar = bench.bar(Bar::RatioAtMost(1.15));
    pairs(&bar, NAMES[3], "1/16 of reading it all", Work::Bytes(LARGE_PART), &groups, &share);
    let ahead = ReadAhead::new(Arc::new(Pool::new(PoolOptions::new(2, 16))?), 8 * READ);
    let ahead = reader(Verification::Always)?.with_options(ReadOptions::default().with_read_ahead(ahead));
    let kept = |reader| decoded(reader, &handle, None);
    pairs(bench, NAMES[4], NOT_AHEAD, Work::Bytes(DECODED), &|| kept(&ahead), &|| kept(&verified));
    let dropped = |reader| decoded(reader, &handle, Some(&file));
    pairs(bench, NAMES[5], NOT_AHEAD, Work::Bytes(DECODED), &|| dropped(&ahead), &|| dropped(&verified));
    Ok(())
}

/// The file in which it is.
fn place(handle: &StateHandle, directory: &Path) -> Result<File> {
    match handle.place() {
        Place::File { file, .. } => File::open(directory.join(file.to_string())).map_err(failed),
        place => Err(failed(format!("{place:?} is no file"))),
    }
}

/// By the clock on the wall, with as much work for each piece as decoding it is; the file is dropped from memory first, if
/// it is to come from the device.
fn decoded(reader: &FileStateReader, handle: &StateHandle, dropped: Option<&File>) -> Result<Duration> {
    if let Some(file) = dropped {
        file.sync_all().map_err(failed)?;
        fadvise(file, 0, None, Advice::DontNeed).map_err(failed)?;
    }
    let begin = Instant::now();
    let mut stream = reader.open(handle)?;
    let mut buffer = vec![0; READ];
    let mut decoded = 0_u64;
    for _ in 0..DECODED / READ {
        stream.read_exact(&mut buffer).map_err(failed)?;
        decoded = buffer.chunks_exact(8).fold(decoded, |sum, bytes| {
            bytes.iter().fold(sum, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
        });
    }
    std::hint::black_box(decoded);
    Ok(begin.elapsed())
}

/// Interleaved pairs. Who goes first changes, so that neither always finds the other's leavings.
fn pairs(
    bench: &Bench,
    name: &str,
    baseline_name: &str,
    work: Work,
    ours: &dyn Fn() -> Result<Duration>,
    baseline: &dyn Fn() -> Result<Duration>,
) {
    if !bench.takes(name) {
        return;
    }
    let measured: Result<Vec<_>> = (0..bench.pairs())
        .map(|number| match number % 2 {
            0 => Ok((ours()?, baseline()?)),
            _ => baseline().and_then(|baseline| Ok((ours()?, baseline))),
        })
        .collect();
    match measured {
        Ok(pairs) => bench.compare_durations(name, baseline_name, work, pairs),
        Err(error) => eprintln!("{name}: {error}"),
    }
}

/// The processor time of reading it, opening included.
fn whole(reader: &FileStateReader, handle: &StateHandle, read_bytes: usize) -> Result<Duration> {
    let (taken, read) = processor_time_of(|| all_of(reader.open(handle)?, read_bytes));
    read.map(|()| taken)
}

fn in_small_reads(file: BufReader<File>) -> Result<Duration> {
    let (taken, read) = processor_time_of(|| all_of(file, SMALL_READ));
    read.map(|()| taken)
}

fn all_of(mut from: impl Read, read_bytes: usize) -> Result<()> {
    let mut buffer = vec![0; read_bytes];
    let mut left = LARGE;
    while left > 0 {
        let take = left.min(read_bytes);
        from.read_exact(&mut buffer[..take]).map_err(failed)?;
        left -= take;
    }
    Ok(())
}

/// The processor time of reading 1/16 of the key groups, opening included.
fn part(reader: &FileStateReader, state: &KeyGroupsState) -> Result<Duration> {
    let groups = KeyGroupRange::new(KeyGroup::new(40), KeyGroup::new(40 + GROUPS / PART as u16 - 1))?;
    let mut buffer = vec![0; READ];
    let (taken, read) = processor_time_of(|| {
        let mut sections = KeyGroupSections::open(reader, state, &[groups])?;
        let mut read_bytes = 0;
        while let Some(mut section) = sections.next_section() {
            loop {
                match section.read(&mut buffer).map_err(failed)? {
                    0 => break,
                    read => read_bytes += read,
                }
            }
        }
        Ok::<usize, Error>(read_bytes)
    });
    match read? {
        LARGE_PART => Ok(taken),
        read => Err(failed(format!("expected {LARGE_PART} bytes, found {read}"))),
    }
}

/// Key groups of equal size, none of which begins where a block does.
fn keyed(handle: StateHandle) -> Result<KeyGroupsState> {
    let each = (LARGE / usize::from(GROUPS)) as u64;
    let offsets: Vec<u64> = (0..u64::from(GROUPS)).map(|group| (group * each).saturating_sub(12_345)).collect();
    KeyGroupsState::new(KeyGroupRange::new(KeyGroup::new(0), KeyGroup::new(GROUPS - 1))?, offsets, handle)
}

fn preads(file: &File, read_bytes: usize) -> Result<Duration> {
    let mut buffer = vec![0; read_bytes];
    let (taken, read) = processor_time_of(|| {
        (0..LARGE / read_bytes).try_for_each(|read| file.read_exact_at(&mut buffer, (read * read_bytes) as u64))
    });
    read.map(|()| taken).map_err(failed)
}

fn stored(piece: &[u8], directory: &Path) -> Result<StateHandle> {
    let streams = file_streams(directory, Durability::None)?;
    let mut stream = streams.create(StateScope::Exclusive)?;
    for _ in 0..LARGE / piece.len() {
        stream.write_all(piece).map_err(failed)?;
    }
    let staged = stream.finish()?.ok_or_else(|| failed("nothing was written"))?;
    streams.seal_piece(staged)
}
