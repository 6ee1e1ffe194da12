//! What state streams add to the bare system calls beneath them: names, digests of every block, verification.

#[path = "streams_write.rs"]
mod write;

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use ckpt_benches::{Bench, Work};
use ckpt_core::id::{LeaderEpoch, OperatorId, Writer, WriterId};
use ckpt_core::key_group::{KeyGroup, KeyGroupRange};
use ckpt_core::state::{KeyGroupsState, KeyedState, Root, StateHandle, SubtaskState, TaskSnapshot};
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_streams::file_system::{Durability, FileSystems};
use ckpt_streams::{
    FileNames, FileStateReader, FileStreams, FileStreamsOptions, FileStreamsTarget, Pool, PoolOptions, Staged,
    StateDirectory, StateReader, StateScope, StreamFactory,
};

/// What a state backend typically hands over at once.
const PIECE: usize = 64 * 1024;
const STATE: usize = 16 << 20;

fn main() -> Result<()> {
    let bench = Bench::from_arguments();
    let piece: Vec<u8> = (0..PIECE as u32).map(|number| number.wrapping_mul(0x9e37_79b9) as u8).collect();
    let directory = tempfile::tempdir().map_err(failed)?;
    let streams = file_streams(directory.path(), Durability::None)?;
    write::all(&bench, &piece, directory.path())?;
    read(&bench, &streams, &piece, directory.path())?;
    Ok(())
}

/// Both read from the page cache.
fn read(bench: &Bench, streams: &FileStreams, piece: &[u8], directory: &Path) -> Result<()> {
    let handle = sealed(streams, written(streams, piece)?)?;
    let reader = FileStateReader::new(vec![state_directory(Root::ThisSnapshot, directory)?]);
    let plain = directory.join("plain");
    plain_file(&plain, piece).map_err(failed)?;
    let file = File::open(&plain).map_err(failed)?;
    let (mut ours, mut theirs) = (vec![0; PIECE], vec![0; PIECE]);
    bench.compare(
        "streams: read state from a file, verified",
        "pread calls of 64 KiB",
        Work::Bytes(STATE),
        || {
            let mut stream = reader.open(&handle)?;
            for _ in 0..STATE / PIECE {
                stream.read_exact(&mut ours).map_err(failed)?;
            }
            Ok::<u8, Error>(ours[PIECE / 2])
        },
        || {
            for number in 0..STATE / PIECE {
                file.read_exact_at(&mut theirs, (number * PIECE) as u64).map_err(failed)?;
            }
            Ok::<u8, Error>(theirs[PIECE / 2])
        },
    );
    Ok(())
}

fn file_streams(directory: &Path, durability: Durability) -> Result<FileStreams> {
    let (exclusive, shared) =
        (state_directory(Root::ThisSnapshot, directory)?, state_directory(Root::JobShared, directory)?);
    let names = Arc::new(FileNames::new(Writer::new(LeaderEpoch::new(1), WriterId::new(1))));
    let target = FileStreamsTarget::new(exclusive, shared, names, Arc::new(Pool::new(PoolOptions::default())?));
    let mut options = FileStreamsOptions::default();
    options.durability = durability;
    Ok(FileStreams::new(target, options))
}

fn state_directory(root: Root, directory: &Path) -> Result<StateDirectory> {
    let file_system = FileSystems::local().open(&directory.to_string_lossy())?;
    Ok(StateDirectory::new(root, file_system, None))
}

/// A whole state, written and not sealed; dropping it removes it.
fn written(streams: &FileStreams, piece: &[u8]) -> Result<Staged> {
    let mut stream = streams.create(StateScope::Exclusive)?;
    for _ in 0..STATE / PIECE {
        stream.write_all(piece).map_err(failed)?;
    }
    stream.finish()?.ok_or_else(|| failed("nothing was written"))
}

fn sealed(streams: &FileStreams, staged: Staged) -> Result<StateHandle> {
    let range = KeyGroupRange::new(KeyGroup::new(0), KeyGroup::new(0))?;
    let state =
        SubtaskState::new(vec![KeyedState::KeyGroups(KeyGroupsState::new(range, vec![0], staged)?)], Vec::new());
    let sealed = streams.seal(TaskSnapshot::new([(OperatorId::new([1; 16]), state)].into()))?;
    sealed.handles().next().cloned().ok_or_else(|| failed("nothing was sealed"))
}

fn plain_file(path: &Path, piece: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    for _ in 0..STATE / PIECE {
        file.write_all(piece)?;
    }
    Ok(())
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::FailJob, error)
}
