//! What is left of streams that are cancelled or dropped: no file, no directory, no descriptor.
//!
//! One test alone in its process, for what it counts belongs to the whole of it.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ckpt_core::ErrorKind;
use ckpt_core::id::{LeaderEpoch, Writer, WriterId};
use ckpt_core::state::{RelPath, Root, StateHandle};
use ckpt_streams::file_system::{Durability, FileSystem, LocalFileSystem};
use ckpt_streams::{
    FileNames, FileStreams, FileStreamsOptions, FileStreamsTarget, Pool, PoolOptions, Spawn, Staged, StagedDescriptors,
    StateDirectory, StateScope, StreamFactory as _,
};

const PIECE_BYTES: usize = 64 << 10;

/// At how many instants it is cancelled.
const INSTANTS: u64 = 40;

/// Open descriptors of this process: their targets, in no order that counts.
fn descriptors() -> Vec<String> {
    // Collected before they are looked at, so that the one that reads the directory is gone.
    let numbers: Vec<_> = fs::read_dir("/proc/self/fd").unwrap().map(|entry| entry.unwrap().path()).collect();
    let mut targets: Vec<_> = numbers.into_iter().filter_map(|path| fs::read_link(path).ok()).collect();
    targets.sort();
    targets.into_iter().map(|target| target.display().to_string()).collect()
}

/// Everything below a directory, directories too.
fn everything_below(path: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        // Others remove at the same time.
        let Ok(entry) = entry else { continue };
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && entry.path().exists() {
            found.extend(everything_below(&entry.path()));
        }
        found.push(entry.path().display().to_string());
    }
    found
}

struct Job {
    file_system: Arc<dyn FileSystem>,
    names: Arc<FileNames>,
}

impl Job {
    fn new(root: &Path) -> Self {
        let names = Arc::new(FileNames::new(Writer::new(LeaderEpoch::new(1), WriterId::new(1))));
        Self { file_system: Arc::new(LocalFileSystem::open(root).unwrap()), names }
    }

    fn streams(&self, spawn: &Arc<dyn Spawn>, durability: Durability) -> FileStreams {
        let of =
            |root, name| StateDirectory::new(root, Arc::clone(&self.file_system), Some(RelPath::new(name).unwrap()));
        let (exclusive, shared) = (of(Root::ThisSnapshot, "chk-1"), of(Root::JobShared, "shared/a"));
        let target = FileStreamsTarget::new(exclusive, shared, Arc::clone(&self.names), Arc::clone(spawn))
            .with_descriptors(Arc::new(StagedDescriptors::new(8)));
        let mut options = FileStreamsOptions::default();
        options.durability = durability;
        FileStreams::new(target, options)
    }
}

/// Writes one long file until it is cancelled.
fn write_long(streams: &FileStreams) {
    let Ok(mut stream) = streams.create(StateScope::Shared) else { return };
    let piece = vec![7; PIECE_BYTES];
    // More than is written before the last instant.
    let written = (0..(1 << 30) / PIECE_BYTES).try_for_each(|_| stream.write_all(&piece));
    let error = written.expect_err("it is cancelled long before");
    assert_eq!(ckpt_streams::into_error(error, ErrorKind::FailJob).kind(), ErrorKind::Cancelled);
}

/// Writes many files until it is cancelled: seals some, drops some, does not end some, and keeps the others.
fn write_many(streams: &FileStreams, kept: &Mutex<Vec<Staged>>, sealed: &Mutex<Vec<StateHandle>>) {
    let piece = vec![7; PIECE_BYTES];
    let is_cancelled = |kind| assert_eq!(kind, ErrorKind::Cancelled);
    for number in 0.. {
        let mut stream = match streams.create(StateScope::Exclusive) {
            Ok(stream) => stream,
            Err(error) => return is_cancelled(error.kind()),
        };
        if let Err(error) = stream.write_all(&piece) {
            return is_cancelled(ckpt_streams::into_error(error, ErrorKind::FailJob).kind());
        }
        if number % 7 == 0 {
            drop(stream);
            continue;
        }
        let staged = match stream.finish() {
            Ok(staged) => staged.unwrap(),
            Err(error) => return is_cancelled(error.kind()),
        };
        match number % 5 {
            0 => drop(staged),
            1 => match streams.seal_piece(staged) {
                Ok(handle) => sealed.lock().unwrap().push(handle),
                Err(error) => return is_cancelled(error.kind()),
            },
            _ => kept.lock().unwrap().push(staged),
        }
    }
}

/// Spins, since sleeping is not that exact.
fn wait(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        thread::yield_now();
    }
}

#[test]
fn whenever_it_is_cancelled_no_file_and_no_descriptor_is_left() {
    let scratch = tempfile::tempdir().unwrap();
    for durability in [Durability::None, Durability::Full] {
        for pool_threads in [1, 4] {
            let mut sealed_at_all = 0;
            for instant in 0..INSTANTS {
                let root = scratch.path().join(format!("{durability:?}-{pool_threads}-{instant}"));
                let before = descriptors();
                let spawn: Arc<dyn Spawn> = Arc::new(Pool::new(PoolOptions::new(pool_threads, 4)).unwrap());
                let job = Job::new(&root);
                let streams = Arc::new(job.streams(&spawn, durability));
                let (kept, sealed) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
                let at_the_answer = thread::scope(|scope| {
                    scope.spawn(|| write_long(&streams));
                    let many = scope.spawn(|| write_many(&streams, &kept, &sealed));
                    // From the first instant to 30 ms later, close together in the beginning.
                    wait(Duration::from_micros(instant * instant * 20));
                    // However slow the machine is, something is sealed before the last one.
                    while instant + 1 == INSTANTS && !many.is_finished() && sealed.lock().unwrap().is_empty() {
                        thread::yield_now();
                    }
                    streams.cancel().wait().unwrap();
                    // Two threads have yet to hear of it, and what they keep does not keep any file.
                    files_below(&root)
                });
                let left = files_below(&root);
                assert_eq!(left, at_the_answer, "{root:?}");
                let sealed = sealed.into_inner().unwrap();
                assert_eq!(left.len(), sealed.len(), "{root:?}: {left:?}");
                sealed_at_all += sealed.len();
                assert_eq!(streams.counts().left_behind, 0);
                // Sealed files are the checkpoint's, and everything else is gone with its descriptors, whoever holds what.
                if sealed.is_empty() && root.exists() {
                    assert_eq!(everything_below(&root), Vec::<String>::new());
                }
                let open: Vec<_> = descriptors().into_iter().filter(|target| target.contains(".tmp")).collect();
                assert!(open.iter().all(|target| Path::new(target) == root), "{open:?}");
                drop((streams, job, spawn, kept));
                assert_eq!(descriptors(), before);
            }
            assert!(sealed_at_all > 0, "{durability:?}: nothing was ever sealed");
        }
        what_is_dropped_leaves_nothing(&scratch.path().join(format!("{durability:?}-dropped")), durability);
    }
}

/// In the orders in which things can be dropped.
fn what_is_dropped_leaves_nothing(root: &Path, durability: Durability) {
    let before = descriptors();
    let spawn: Arc<dyn Spawn> = Arc::new(Pool::new(PoolOptions::new(2, 4)).unwrap());
    let job = Job::new(root);
    let piece = vec![7; PIECE_BYTES];
    for factory_first in [true, false] {
        let streams = job.streams(&spawn, durability);
        let (mut open, mut staged) = (Vec::new(), Vec::new());
        for _ in 0..20 {
            for ends in [true, false] {
                let mut stream = streams.create(StateScope::Exclusive).unwrap();
                stream.write_all(&piece).unwrap();
                if ends {
                    staged.extend(stream.finish().unwrap());
                } else {
                    open.push(stream);
                }
            }
        }
        assert_eq!(files_below(root).len(), 40);
        if factory_first {
            drop(streams);
            assert_eq!(files_below(root).len(), 40);
            drop((open, staged));
        } else {
            drop(open);
            drop(staged);
            assert_eq!(streams.counts().dropped, 20);
            // What a job has in its hands goes with the job.
            streams.cancel().wait().unwrap();
        }
        let begin = Instant::now();
        while !everything_below(root).is_empty() && begin.elapsed() < Duration::from_secs(60) {
            thread::yield_now();
        }
        assert_eq!(everything_below(root), Vec::<String>::new());
    }
    drop((job, spawn));
    assert_eq!(descriptors(), before);
}

fn files_below(root: &Path) -> Vec<RelPath> {
    let listed = LocalFileSystem::open(root).unwrap().list(None, None, usize::MAX).unwrap();
    listed.into_iter().map(|entry| entry.path).collect()
}
