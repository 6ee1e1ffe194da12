//! Reading state from the page cache: how much verification adds to bare `pread` calls, by whichever way it is read.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use ckpt_benches::{Bar, Bench, Work, processor_time_of};
use ckpt_core::Result;
use ckpt_core::state::{Root, StateHandle};
use ckpt_streams::file_system::Durability;
use ckpt_streams::{FileStateReader, ReadOptions, StateReader, StateScope, StreamFactory, Verification};

use crate::{failed, file_streams, state_directory};

/// Larger than any cache of a processor, so that each byte comes from memory.
const LARGE: usize = 1 << 30;
/// What it is read in.
const READ: usize = 256 << 10;

/// Every line about reading.
pub(crate) fn all(bench: &Bench, piece: &[u8], directory: &Path) -> Result<()> {
    const NAMES: [&str; 2] = [
        "streams: read 1 GiB from a file, verified, in reads of 256 KiB",
        "streams: read 1 GiB from a file, not verified, in reads of 256 KiB",
    ];
    if !NAMES.iter().any(|name| bench.takes(name)) {
        return Ok(());
    }
    let handle = stored(piece, directory)?;
    let plain = directory.join("plain");
    let mut file = File::create_new(&plain).map_err(failed)?;
    (0..LARGE / piece.len()).try_for_each(|_| file.write_all(piece)).map_err(failed)?;
    let file = File::open(&plain).map_err(failed)?;
    let reader = |verification| {
        let directories = vec![state_directory(Root::ThisSnapshot, directory)?];
        Ok::<_, ckpt_core::Error>(
            FileStateReader::new(directories).with_options(ReadOptions::default().with_verification(verification)),
        )
    };
    let (verified, bare) = (reader(Verification::Always)?, reader(Verification::Off)?);
    let preads = || preads(&file, READ);
    let faster = bench.bar(Bar::RatioAtMost(1.0 / 0.8));
    let large = || whole(&verified, &handle, READ);
    let not_verified = || whole(&bare, &handle, READ);
    pairs(&faster, NAMES[0], "pread calls of 256 KiB", &large, &preads);
    pairs(&faster, NAMES[0], "the same, not verified", &large, &not_verified);
    pairs(bench, NAMES[1], "pread calls of 256 KiB", &not_verified, &preads);
    Ok(())
}

/// Interleaved pairs. Who goes first changes, so that neither always finds the other's leavings.
fn pairs(
    bench: &Bench,
    name: &str,
    baseline_name: &str,
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
        Ok(pairs) => bench.compare_durations(name, baseline_name, Work::Bytes(LARGE), pairs),
        Err(error) => eprintln!("{name}: {error}"),
    }
}

/// The processor time of reading it, opening included.
fn whole(reader: &FileStateReader, handle: &StateHandle, read_bytes: usize) -> Result<Duration> {
    let mut buffer = vec![0; read_bytes];
    let (taken, read) = processor_time_of(|| {
        let mut stream = reader.open(handle)?;
        let mut left = LARGE;
        while left > 0 {
            let take = left.min(read_bytes);
            stream.read_exact(&mut buffer[..take]).map_err(failed)?;
            left -= take;
        }
        Ok(buffer[0])
    });
    read.map(|_: u8| taken)
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
