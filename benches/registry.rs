//! What the registry of shared files costs, in time and in memory.
//!
//! The baseline of most lines is the plainest registry that keeps the same rules: a map from each file's name to what it
//! holds and the set of checkpoints that name it.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use cap::Cap;
use ckpt_benches::{Bar, Bench, Work, processor_time_of};
use ckpt_core::head::{ClaimedHead, Collected, Head, Nonce, RetainedSnapshot, WrittenHead};
use ckpt_core::id::{CheckpointId, FileName, JobId, LeaderEpoch, ReservedIds, Writer, WriterId};
use ckpt_core::shared::SharedStateRegistry;
use ckpt_core::snapshot::{CheckpointIdentity, SnapshotKind};
use ckpt_core::state::{FileRef, Place, ReusedFile, Root, StateHandle};
use ckpt_core::{Digest, Timestamp};

#[global_allocator]
static ALLOCATOR: Cap<std::alloc::System> = Cap::new(std::alloc::System, usize::MAX);

type AnyError = Box<dyn std::error::Error>;

const WRITERS: u64 = 100;
const FILES: u32 = 1_000_000;
/// Nanoseconds for a file that is named as before.
const UNTOUCHED: Bar = Bar::AtMost(5.0);
/// Nanoseconds for a file that is new or dies.
const TOUCHED: Bar = Bar::AtMost(200.0);

fn main() -> Result<(), AnyError> {
    let bench = Bench::from_arguments();
    if bench.takes("core: shared files") {
        memory(&bench)?;
        time(&bench)?;
    }
    Ok(())
}

/// First, so that the highest that was ever allocated is what the ten million need.
fn memory(bench: &Bench) -> Result<(), AnyError> {
    const MANY: u32 = 10_000_000;
    const GIB: f64 = (1 << 30) as f64;
    let names = names_of(MANY);
    let before = ALLOCATOR.allocated();
    let many = Job::new(names)?;
    let (held, highest) = (ALLOCATOR.allocated() - before, ALLOCATOR.max_allocated() - before);
    drop(many);
    bench.bar(Bar::AtMost(2.0)).compare_sizes(
        "core: shared files, 10,000,000, at the highest",
        "what they may take",
        "GiB",
        (highest as f64 / GIB, 2.0),
    );
    bench.compare_sizes(
        "core: shared files, 10,000,000, memory of each",
        "its name, length and digest",
        "B",
        (held as f64 / f64::from(MANY), (size_of::<FileName>() + 16) as f64),
    );
    let names = names_of(FILES);
    let before = ALLOCATOR.allocated();
    let job = Job::new(names)?;
    let ours = ALLOCATOR.allocated() - before;
    let before = ALLOCATOR.allocated();
    let mut plain = Plain::default();
    plain.commit(CheckpointId::FIRST, &job.files, None);
    let theirs = ALLOCATOR.allocated() - before;
    bench.compare_sizes(
        "core: shared files, 1,000,000, memory of each",
        "map of names to sets of checkpoints",
        "B",
        (ours as f64 / f64::from(FILES), theirs as f64 / f64::from(FILES)),
    );
    Ok(())
}

fn time(bench: &Bench) -> Result<(), AnyError> {
    let (mut ours, mut plain) = (Job::new(names_of(FILES))?, Plain::default());
    let files = ours.files.clone();
    plain.commit(CheckpointId::FIRST, &files, None);
    let mut failed = None;
    let mut take = |measured: Result<Duration, AnyError>| {
        measured.unwrap_or_else(|error| {
            failed = Some(error);
            Duration::ZERO
        })
    };
    let all = Work::Operations(FILES as usize);
    let mut last = CheckpointId::FIRST;
    bench.bar(UNTOUCHED).compare_parts(
        "core: shared files, commit of 1,000,000, none new, each",
        "map of names to sets of checkpoints",
        all,
        || take(ours.checkpoint(0, 1).map(|times| times.commit)),
        || plain.take_turns(&mut last, &files),
    );
    let mut slots: Vec<u32> = (0..FILES).collect();
    let mut copy = slots.clone();
    bench.bar(UNTOUCHED).compare_parts(
        "core: shared files, commit of 1,000,000, none new, again",
        "copy of 1,000,000 slots",
        all,
        || take(ours.checkpoint(0, 1).map(|times| times.commit)),
        || {
            slots.rotate_left(1);
            processor_time_of(|| copy.copy_from_slice(&slots)).0
        },
    );
    // A task gives up the files that it has merged, which are neighbours; in the worst case they are none.
    let touched = FILES / 100;
    for (pattern, run) in [("neighbours", 100), ("far apart", 1)] {
        bench.bar(TOUCHED).compare_parts(
            &format!("core: shared files, commit of 1,000,000, 1 % new and 1 % dead, {pattern}, each of these"),
            "map of names to sets of checkpoints",
            Work::Operations(2 * touched as usize),
            || take(ours.checkpoint(touched, run).map(|times| times.written + times.commit)),
            || plain.replace(&mut last, &files, touched, run as usize),
        );
    }
    bench.compare_parts(
        "core: shared files, acknowledgement of 1,000,000, each reused",
        "look-up in the map",
        all,
        || take(ours.checkpoint(0, 1).map(|times| times.reused)),
        || processor_time_of(|| files.iter().filter(|file| plain.files.contains_key(file)).count()).0,
    );
    failed.map_or(Ok(()), Err)
}

/// A job whose every checkpoint names the same number of files.
struct Job {
    head: ClaimedHead,
    ids: ReservedIds,
    registry: SharedStateRegistry,
    /// What the newest checkpoint names, by writer.
    files: Vec<FileName>,
    next_number: u32,
    /// Where the next ones are replaced.
    cursor: usize,
}

/// Of one checkpoint.
struct Times {
    written: Duration,
    reused: Duration,
    commit: Duration,
}

impl Job {
    /// A job whose first checkpoint names those.
    fn new(files: Vec<FileName>) -> Result<Self, AnyError> {
        let written = Head::claim(None, JobId::new([7; 16]), Nonce::new([3; 16]))?.written();
        let WrittenHead { head, reserved: ids, .. } = written;
        let mut registry = SharedStateRegistry::new(head.head().epoch);
        for files in files.chunk_by(|left, right| left.writer == right.writer) {
            registry.start_writer(files[0].writer)?;
        }
        let next_number = files.len() as u32;
        let mut job = Self { head, ids, registry, files: Vec::new(), next_number, cursor: 0 };
        let id = job.begin()?;
        job.write(id, &files)?;
        job.commit(id)?;
        job.files = files;
        Ok(job)
    }

    /// Takes a checkpoint that names what the one before did, except `replaced` files in runs of `run`.
    fn checkpoint(&mut self, replaced: u32, run: u32) -> Result<Times, AnyError> {
        let id = self.begin()?;
        // Of so many runs one is replaced.
        let apart = self.files.len() / replaced.max(1) as usize;
        let (mut new, mut kept) = (Vec::new(), Vec::new());
        for (index, file) in self.files.iter_mut().enumerate() {
            if replaced > 0 && index / run as usize % apart == self.cursor % apart {
                *file = file.writer().file(self.next_number);
                self.next_number += 1;
                new.push(*file);
            } else {
                kept.push(*file);
            }
        }
        self.cursor += 1;
        let written = processor_time_of(|| self.write(id, &new));
        let reused = processor_time_of(|| self.reuse(id, &kept));
        let commit = processor_time_of(|| self.commit(id));
        written.1?;
        reused.1?;
        commit.1?;
        Ok(Times { written: written.0, reused: reused.0, commit: commit.0 })
    }

    fn begin(&mut self) -> Result<CheckpointId, AnyError> {
        let id = self.ids.take().ok_or("no number is left")?;
        let newest = self.head.head().retained.last().map(|newest| newest.id);
        let identity = CheckpointIdentity::new(id, self.head.head().epoch, Timestamp::from_millis(0), newest);
        self.registry.begin(&identity, SnapshotKind::Checkpoint)?;
        Ok(id)
    }

    fn write(&mut self, id: CheckpointId, files: &[FileName]) -> Result<(), AnyError> {
        for files in files.chunk_by(|left, right| left.writer == right.writer) {
            let mut acknowledged = self.registry.acknowledge(id, files[0].writer)?;
            for file in files {
                let (length_bytes, digest) = content_of(*file);
                let place = Place::File { root: Root::JobShared, file: FileRef::Ours(*file) };
                acknowledged.written(&StateHandle::assume_durable(place, length_bytes, Some(digest)))?;
            }
            acknowledged.accept();
        }
        Ok(())
    }

    fn reuse(&mut self, id: CheckpointId, files: &[FileName]) -> Result<(), AnyError> {
        for files in files.chunk_by(|left, right| left.writer == right.writer) {
            let mut acknowledged = self.registry.acknowledge(id, files[0].writer)?;
            for file in files {
                std::hint::black_box(acknowledged.reused(&ReusedFile::whole(Root::JobShared, FileRef::Ours(*file)))?);
            }
            acknowledged.accept();
        }
        Ok(())
    }

    /// All that a coordinator does with the registry once `_metadata` is published, and the little that it does with HEAD.
    fn commit(&mut self, id: CheckpointId) -> Result<(), AnyError> {
        let epoch = self.head.head().epoch;
        let snapshot = RetainedSnapshot::new(id, epoch, SnapshotKind::Checkpoint, 1, Digest::of(b""));
        let removed: Vec<_> = self.head.head().removed.iter().map(|removed| removed.id).collect();
        let mut collected = Collected::none();
        collected.snapshots = removed;
        let written = self.head.commit(snapshot, 1, &collected)?.written();
        self.registry.head_written(&written);
        for removed in &written.removed {
            std::hint::black_box(self.registry.remove(removed));
        }
        self.head = written.head;
        self.ids.append(written.reserved);
        Ok(())
    }
}

/// The registry as anyone would write it first.
#[derive(Default)]
struct Plain {
    files: HashMap<FileName, (u64, Digest, BTreeSet<CheckpointId>)>,
}

impl Plain {
    fn commit(&mut self, id: CheckpointId, files: &[FileName], subsumed: Option<(CheckpointId, &[FileName])>) {
        for file in files {
            let (length_bytes, digest) = content_of(*file);
            self.files.entry(*file).or_insert((length_bytes, digest, BTreeSet::new())).2.insert(id);
        }
        let Some((subsumed, files)) = subsumed else { return };
        for file in files {
            if let Some((.., named_by)) = self.files.get_mut(file) {
                named_by.remove(&subsumed);
                if named_by.is_empty() {
                    self.files.remove(file);
                }
            }
        }
    }

    /// A checkpoint that names the same as the one before, which goes.
    fn take_turns(&mut self, last: &mut CheckpointId, files: &[FileName]) -> Duration {
        let next = last.next().unwrap_or(CheckpointId::FIRST);
        let taken = processor_time_of(|| self.commit(next, files, Some((*last, files)))).0;
        *last = next;
        taken
    }

    /// A checkpoint in which so many files are new and as many go; only those are looked at, which is more than the plain
    /// one could do by itself. Afterwards, not measured, all is as it was.
    fn replace(&mut self, last: &mut CheckpointId, files: &[FileName], replaced: u32, run: usize) -> Duration {
        let apart = files.len() / replaced as usize;
        let gone: Vec<_> = files.chunks(run).step_by(apart).flatten().copied().collect();
        let epoch = LeaderEpoch::new(2);
        let new: Vec<_> = gone.iter().map(|file| FileName { epoch, ..*file }).collect();
        let taken = processor_time_of(|| self.commit(*last, &new, Some((*last, &gone)))).0;
        self.commit(*last, &gone, Some((*last, &new)));
        taken
    }
}

/// So many names, of writers whose numbers are as random as those of an engine.
fn names_of(files: u32) -> Vec<FileName> {
    let writer = |index: u64| WriterId::new((index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut names = Vec::new();
    names.reserve_exact(files as usize);
    for index in 0..WRITERS {
        let writer = Writer::new(LeaderEpoch::new(1), writer(index));
        names.extend((0..files / WRITERS as u32).map(|number| writer.file(number)));
    }
    names
}

fn content_of(file: FileName) -> (u64, Digest) {
    (u64::from(file.number) + 1, Digest::crc64_nvme(u64::from(file.number).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}
