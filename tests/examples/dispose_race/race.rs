//! Directories are swapped for links while they are disposed of, and what lies outside is watched.
//!
//! One thread exchanges, as fast as it can, a snapshot's directory for a link that leads outside, and its files for links
//! to files outside; others dispose of the snapshot meanwhile, over and over. Outside lies a snapshot like it, of the same
//! names, that is whole: so whatever follows a link deletes it.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ckpt_core::head::Nonce;
use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch, OperatorId, Writer, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::metadata::{CheckpointDescription, CheckpointMetadata, OperatorDescription};
use ckpt_core::snapshot::{CheckpointIdentity, CheckpointProperties, RetentionPolicy};
use ckpt_core::state::{
    FileRef, OperatorState, Partitions, Place, Redistribution, RelPath, Root, StateHandle, SubtaskState,
};
use ckpt_core::{Digest, Timestamp};
use ckpt_storage::{DisposeOptions, StorageContext, dispose};
use ckpt_streams::file_system::{Durability, FileSystems};
use ckpt_streams::testing::local_by_components;
use ckpt_streams::{Pool, PoolOptions};
use rustix::fs::{CWD, RenameFlags, renameat_with};

/// How many files of its own the snapshot has.
const FILES: u32 = 12;

/// How many threads dispose at once.
const THREADS: usize = 2;

/// What came of a race.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// How often something was exchanged.
    pub(crate) swaps: u64,
    /// How many calls disposed of the snapshot.
    pub(crate) disposals: u64,
    /// How many calls found a link, or nothing, and refused.
    pub(crate) refusals: u64,
    /// How many files outside were changed or are gone.
    pub(crate) canaries_touched: u64,
}

/// How paths are resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolving {
    /// As this system can.
    Whole,
    /// One component at a time, as before Linux 5.6.
    ByComponents,
}

/// Races until so many swaps were made and a disposal has come through.
pub(crate) fn race(swaps: u64, resolving: Resolving) -> io::Result<Outcome> {
    let scratch = tempfile::tempdir()?;
    let scene = Scene::new(scratch.path())?;
    let context = context(resolving)?;
    let (made, ended) = (AtomicU64::new(0), AtomicBool::new(false));
    let (disposals, refusals) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let disposing = || {
            let pointer = match resolving {
                Resolving::Whole => scene.directory.display().to_string(),
                Resolving::ByComponents => format!("old://{}", scene.directory.display()),
            };
            while !ended.load(Ordering::Relaxed) {
                // What is not synced is as much deleted, and many more calls meet a swap.
                let options = DisposeOptions::new(Nonce::new([7; 16]), Timestamp::from_millis(1));
                let outcome = dispose(&pointer, &context, &options.with_durability(Durability::None));
                let counted = if outcome.is_ok_and(|done| done.is_complete()) { &disposals } else { &refusals };
                counted.fetch_add(1, Ordering::Relaxed);
            }
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(disposing)).collect();
        let swapped = scene.swap_until(&|| {
            let made = made.fetch_add(1, Ordering::Relaxed) + 1;
            made >= swaps && disposals.load(Ordering::Relaxed) > 0
        });
        ended.store(true, Ordering::Relaxed);
        for thread in threads {
            thread.join().map_err(|_| io::Error::other("a thread that disposed panicked"))?;
        }
        swapped
    })?;
    Ok(Outcome {
        swaps: made.load(Ordering::Relaxed),
        disposals: disposals.load(Ordering::Relaxed),
        refusals: refusals.load(Ordering::Relaxed),
        canaries_touched: scene.touched(),
    })
}

fn context(resolving: Resolving) -> io::Result<StorageContext> {
    let mut file_systems = FileSystems::local();
    if resolving == Resolving::ByComponents {
        let open = |uri: &str| Ok(Arc::new(local_by_components(uri.trim_start_matches("old://"))?) as Arc<_>);
        file_systems.register("old", open).map_err(io::Error::other)?;
    }
    let pool = Pool::new(PoolOptions::default()).map_err(io::Error::other)?;
    Ok(StorageContext::new(Arc::new(file_systems), Arc::new(pool)))
}

/// What is disposed of, and what must stay.
struct Scene {
    /// Where the snapshot is to be found, and now and then a link.
    directory: PathBuf,
    /// A link that leads outside, and now and then the snapshot.
    link: PathBuf,
    /// Links to the files outside.
    file_links: PathBuf,
    outside: PathBuf,
    names: Vec<String>,
    metadata: Vec<u8>,
}

impl Scene {
    fn new(scratch: &Path) -> io::Result<Self> {
        let scratch = scratch.canonicalize()?;
        let outside = scratch.join("outside/savepoint");
        fs::create_dir_all(&outside)?;
        fs::create_dir_all(scratch.join("target"))?;
        let writer = Writer::new(LeaderEpoch::new(1), WriterId::new(1));
        let names = (0..FILES).map(|number| RelPath::from(&writer.file(number)).to_string()).collect();
        let scene = Self {
            directory: scratch.join("target/savepoint"),
            link: scratch.join("target/link"),
            file_links: scratch.join("links"),
            metadata: metadata(writer).map_err(io::Error::other)?,
            outside,
            names,
        };
        symlink(&scene.outside, &scene.link)?;
        fs::create_dir(&scene.file_links)?;
        for name in &scene.names {
            fs::write(scene.outside.join(name), "canary")?;
        }
        fs::write(scene.outside.join("_metadata"), &scene.metadata)?;
        Ok(scene)
    }

    /// Swaps, and makes the snapshot again whenever it is gone, until that is enough.
    fn swap_until(&self, is_enough: &dyn Fn() -> bool) -> io::Result<()> {
        for round in 0_usize.. {
            self.make()?;
            // Where the snapshot is, and where the link: this thread alone swaps them.
            let (mut here, mut there) = (&self.directory, &self.link);
            // Many swaps for each file that is made: the directory there and back, and now and then a file in it.
            for turn in 0..64 {
                let file = &self.names[(round + turn) % self.names.len()];
                let (ours, link) = match turn % 4 {
                    3 => (here.join(file), self.file_links.join(file)),
                    _ => (here.clone(), there.clone()),
                };
                match renameat_with(CWD, &ours, CWD, &link, RenameFlags::EXCHANGE) {
                    // Disposed of.
                    Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => break,
                    exchanged => exchanged?,
                }
                if turn % 4 != 3 {
                    std::mem::swap(&mut here, &mut there);
                }
                if is_enough() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Makes what was disposed of, as far as it is missing.
    fn make(&self) -> io::Result<()> {
        // Wherever the link is now, the other one is the snapshot.
        let is_link = |path: &Path| path.symlink_metadata().is_ok_and(|found| found.is_symlink());
        if !is_link(&self.link) && !is_link(&self.directory) {
            remove(&self.link)?;
            symlink(&self.outside, &self.link)?;
        }
        if is_link(&self.directory) {
            remove(&self.directory)?;
        }
        for name in &self.names {
            let link = self.file_links.join(name);
            remove(&link)?;
            symlink(self.outside.join(name), &link)?;
        }
        if !is_link(&self.link) {
            remove(&self.link)?;
            symlink(&self.outside, &self.link)?;
        }
        // Made apart, so that nobody finds half of it.
        let new = self.directory.with_file_name("new");
        let _ = fs::remove_dir_all(&new);
        fs::create_dir(&new)?;
        for name in &self.names {
            fs::write(new.join(name), "state")?;
        }
        fs::write(new.join("_metadata"), &self.metadata)?;
        match fs::rename(&new, &self.directory) {
            // Some of the last one is left, which is disposed of as it is.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            renamed => renamed,
        }
    }

    /// How many files outside are not what they were.
    fn touched(&self) -> u64 {
        let mut touched = 0;
        let canaries = self.names.iter().map(|name| (name.as_str(), &b"canary"[..]));
        let mut expected: Vec<(&str, &[u8])> = canaries.chain([("_metadata", &*self.metadata)]).collect();
        expected.sort_unstable();
        for (name, bytes) in &expected {
            let is_whole = fs::read(self.outside.join(name)).is_ok_and(|found| found == *bytes);
            touched += u64::from(!is_whole);
        }
        // Nothing came to lie there either; a directory that is gone was counted with its files.
        let found = fs::read_dir(&self.outside).map_or(0, |entries| entries.count() as u64);
        touched + found.saturating_sub(expected.len() as u64)
    }
}

/// Whatever it is.
fn remove(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => match fs::remove_dir_all(path) {
            // Others delete in it as well.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        },
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Metadata that list the files of that writer.
fn metadata(writer: Writer) -> ckpt_core::Result<Vec<u8>> {
    let identity = CheckpointIdentity::new(
        CheckpointId::new(1).unwrap_or(CheckpointId::FIRST),
        LeaderEpoch::new(1),
        Timestamp::from_millis(1),
        None,
    );
    let properties = CheckpointProperties::checkpoint(RetentionPolicy::RetainOnCancellation);
    let mut builder =
        CheckpointMetadata::builder(CheckpointDescription::new(JobId::new([1; 16]), identity, properties))?;
    let operator = OperatorDescription::new(OperatorId::new([7; 16]), "operator", 1, MaxParallelism::new(128)?);
    let state = |number| {
        let place = Place::File { root: Root::ThisSnapshot, file: FileRef::Ours(writer.file(number)) };
        let partitions = Partitions::new(std::iter::once(0..1), Redistribution::Split)?;
        let handle = StateHandle::assume_durable(place, 5, Some(Digest::of(b"state")));
        Ok(OperatorState::new([("state", partitions)].into(), handle))
    };
    let state = (0..FILES).map(state).collect::<ckpt_core::Result<_>>()?;
    builder.operator(&operator)?.subtask(0, &SubtaskState::new(Vec::new(), state))?;
    Ok(builder.finish(Timestamp::from_millis(2))?.encode()?.0)
}
