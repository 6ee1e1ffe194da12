//! Jobs on the threads that an async runtime keeps for what blocks: [`Spawn`] over tokio's `spawn_blocking`.
//!
//! What is waited for is a [`Pending`](ckpt_streams::Pending), which is a future too:
//!
//! ```text
//! cargo run -p ckpt-streams --example tokio_spawn
//! ```

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use ckpt_core::id::{LeaderEpoch, Writer, WriterId};
use ckpt_core::state::{RelPath, Root, StateHandle};
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_streams::file_system::{FileSystem, LocalFileSystem};
use ckpt_streams::{
    FileNames, FileStateReader, FileStreams, FileStreamsOptions, FileStreamsTarget, Job, Pending, Rejected, Spawn,
    StateDirectory, StateReader as _, StateScope, StreamFactory,
};
use tokio::runtime::{Builder, Handle};

/// Runs jobs on the blocking threads of a runtime.
#[derive(Debug)]
struct TokioSpawn(Handle);

impl Spawn for TokioSpawn {
    /// Never refused here. A runtime that is shut down drops the job, and whoever waits for it hears so.
    fn spawn(&self, _name: &'static str, job: Job) -> Result<(), Rejected> {
        // The handle of the task is not needed: jobs answer by themselves.
        drop(self.0.spawn_blocking(job));
        Ok(())
    }
}

/// Runs what blocks as a job, and gives what can be awaited.
fn job<T: Send + 'static>(spawn: &dyn Spawn, work: impl FnOnce() -> T + Send + 'static) -> Pending<T> {
    let (promise, pending) = Pending::channel();
    // The promise of a job that is dropped is broken, so an error needs no look.
    let _ = spawn.spawn("write state", Box::new(move || promise.keep(work())));
    pending
}

/// Writes and seals one piece of state. Blocks.
fn write(streams: &dyn StreamFactory, state: &[u8]) -> Result<StateHandle> {
    let mut stream = streams.create(StateScope::Exclusive)?;
    stream.write_all(state).map_err(|error| ckpt_streams::into_error(error, ErrorKind::AbortCheckpoint))?;
    match stream.finish()? {
        Some(staged) => streams.seal_piece(staged),
        None => Err(Error::new(ErrorKind::AbortCheckpoint, "the state is empty")),
    }
}

/// Three tasks write their state below `home` at once; then what was written is read back.
async fn checkpoint(home: &Path) -> Result<Vec<Vec<u8>>> {
    let spawn: Arc<dyn Spawn> = Arc::new(TokioSpawn(Handle::current()));
    let file_system: Arc<dyn FileSystem> = Arc::new(LocalFileSystem::open(home)?);
    let directory = StateDirectory::new(Root::ThisSnapshot, file_system, Some(RelPath::new("chk-1")?));
    let names = Arc::new(FileNames::new(Writer::new(LeaderEpoch::new(1), WriterId::new(1))));
    let target = FileStreamsTarget::new(directory.clone(), directory.clone(), names, Arc::clone(&spawn));
    let streams = Arc::new(FileStreams::new(target, FileStreamsOptions::default()));

    let written: Vec<_> = (1..=3_u8)
        .map(|task| {
            let streams = Arc::clone(&streams);
            job(&*spawn, move || write(&*streams, &vec![task; 100_000]))
        })
        .collect();
    let reader = Arc::new(FileStateReader::new(vec![directory]));
    let mut states = Vec::new();
    for handle in written {
        let (handle, reader) = (handle.await??, Arc::clone(&reader));
        let read = job(&*spawn, move || {
            let mut state = Vec::new();
            let read = reader.open(&handle)?.read_to_end(&mut state);
            read.map_err(|error| ckpt_streams::into_error(error, ErrorKind::Retry)).map(|_| state)
        });
        states.push(read.await??);
    }
    // What is sealed stays; whatever was not would be gone when this is answered.
    streams.cancel().await?;
    Ok(states)
}

fn main() -> Result<()> {
    let home = tempfile::tempdir().map_err(|error| Error::new(ErrorKind::Retry, error))?;
    let runtime = Builder::new_current_thread().build().map_err(|error| Error::new(ErrorKind::FailJob, error))?;
    for state in runtime.block_on(checkpoint(home.path()))? {
        println!("{} bytes were written, sealed and read", state.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_write_on_the_threads_of_a_runtime() {
        let home = tempfile::tempdir().unwrap();
        let runtime = Builder::new_current_thread().build().unwrap();
        let states = runtime.block_on(checkpoint(home.path())).unwrap();
        assert_eq!(states, [1, 2, 3].map(|task| vec![task; 100_000]));
    }

    #[test]
    fn a_runtime_that_is_shut_down_breaks_its_promises() {
        let runtime = Builder::new_current_thread().build().unwrap();
        let spawn = TokioSpawn(runtime.handle().clone());
        drop(runtime);
        assert!(job(&spawn, || ()).wait().is_err());
    }
}
