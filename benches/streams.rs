//! What state streams add to the bare system calls beneath them: names, digests of every block, verification.

#[path = "streams_flink.rs"]
mod flink;
#[path = "streams_read.rs"]
mod read;
#[path = "streams_write.rs"]
mod write;

use std::path::Path;
use std::sync::Arc;

use ckpt_benches::Bench;
use ckpt_core::id::{LeaderEpoch, Writer, WriterId};
use ckpt_core::state::Root;
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_streams::file_system::{Durability, FileSystems};
use ckpt_streams::{FileNames, FileStreams, FileStreamsOptions, FileStreamsTarget, Pool, PoolOptions, StateDirectory};

/// What a state backend typically hands over at once.
const PIECE: usize = 64 * 1024;

fn main() -> Result<()> {
    let bench = Bench::from_arguments();
    let piece: Vec<u8> = (0..PIECE as u32).map(|number| number.wrapping_mul(0x9e37_79b9) as u8).collect();
    let directory = tempfile::tempdir().map_err(failed)?;
    write::all(&bench, &piece, directory.path())?;
    read::all(&bench, &piece, directory.path())?;
    flink::all(&bench, &piece)
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

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::FailJob, error)
}
