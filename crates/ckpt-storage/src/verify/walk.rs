//! Reading every file, by several threads.

use std::collections::{BTreeMap, VecDeque};
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::state::Root;
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_streams::{Budget, FileStateReader, Spawn, StateFlaw, StateProof, StateVerdict};
use parking_lot::{Condvar, Mutex};

use super::finding::{Finding, FindingKind};
use super::index::FileIndex;
use super::options::{Cancellation, VerifyDepth, VerifyOptions};
use super::report::{VerifyObserver, VerifyProgress, VerifyReport};
use crate::context::StorageContext;
use crate::error::StorageError;

/// Jobs begin no further file while so many flaws wait to be told.
const MOST_UNTOLD: usize = 256;

/// A verification under way, which the calling thread and jobs share.
struct Walk {
    index: Arc<FileIndex>,
    reader: FileStateReader,
    depth: VerifyDepth,
    /// Charged for each file that is being read. Who waits for it holds nothing else.
    budget: Arc<Budget>,
    cancellation: Cancellation,
    read_bytes: AtomicU64,
    state: Mutex<State>,
    /// A file is done, or a job has ended.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Where the next file begins in the index.
    next: usize,
    /// Files that are being read.
    reading: usize,
    /// Jobs that were spawned and have not ended.
    jobs: usize,
    done: u64,
    with_digest: u64,
    without_digest: u64,
    whole: BTreeMap<Root, u64>,
    untold: VecDeque<Untold>,
    /// A job has panicked over a file.
    lost: bool,
}

/// A flaw that the observer does not know of yet.
struct Untold {
    file: Range<usize>,
    flaw: StateFlaw,
    error: Error,
}

/// What a file was found to be.
enum Outcome {
    Whole(StateProof),
    Flawed(StateFlaw, Error),
    Stopped,
}

/// Who called for it, and goes on itself.
struct Caller<'a> {
    walk: &'a Arc<Walk>,
    metadata: &'a CheckpointMetadata,
    spawn: &'a dyn Spawn,
    observer: &'a mut dyn VerifyObserver,
}

/// Reads all files of `index` and tells `observer` what is wrong with them.
///
/// # Errors
///
/// `Cancelled`; `FailJob` when a job has panicked.
pub(super) fn walk(
    metadata: &CheckpointMetadata,
    (index, reader): (Arc<FileIndex>, FileStateReader),
    context: &StorageContext,
    options: &VerifyOptions,
    observer: &mut dyn VerifyObserver,
) -> Result<VerifyReport> {
    let walk = Arc::new(Walk {
        index,
        reader,
        depth: options.depth,
        budget: Arc::clone(&context.budget),
        cancellation: options.cancellation.clone(),
        read_bytes: AtomicU64::new(0),
        state: Mutex::default(),
        changed: Condvar::new(),
    });
    // Jobs read no further when this ends, in whatever way.
    let _ending = Ending(&walk);
    Caller { walk: &walk, metadata, spawn: &*context.spawn, observer }.run(options.files_at_once.get())
}

/// Has jobs begin no further file when it is dropped.
struct Ending<'a>(&'a Walk);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.state.lock().next = usize::MAX;
    }
}

impl Caller<'_> {
    fn run(mut self, files_at_once: usize) -> Result<VerifyReport> {
        let mut report =
            VerifyReport { files: self.walk.index.files, inline: self.walk.index.inline, ..VerifyReport::default() };
        let mut buffer = Vec::new();
        loop {
            self.spawn_jobs(files_at_once);
            let claimed = self.walk.claim();
            let is_end = claimed.is_none();
            if let Some(claimed) = claimed {
                let observer = &mut *self.observer;
                let outcome =
                    self.walk.read(&claimed.file, &mut buffer, &mut |walk| observer.progress(walk.progress()));
                claimed.done(outcome);
            }
            if self.walk.cancellation.is_cancelled() {
                return Err(StorageError::VerificationCancelled.kind(ErrorKind::Cancelled));
            }
            report.flawed += self.tell();
            if is_end && self.wait() {
                break;
            }
        }
        let mut state = self.walk.state.lock();
        if state.lost {
            return Err(StorageError::VerificationPanicked.kind(ErrorKind::FailJob));
        }
        (report.with_digest, report.without_digest) = (state.with_digest, state.without_digest);
        report.whole = std::mem::take(&mut state.whole);
        drop(state);
        report.read_bytes = self.walk.read_bytes.load(Ordering::Relaxed);
        Ok(report)
    }

    /// Has jobs read as well, as many as are to, while there is something left for them.
    fn spawn_jobs(&self, files_at_once: usize) {
        loop {
            let mut state = self.walk.state.lock();
            let is_wanted = state.jobs + 1 < files_at_once && self.walk.index.file_from(state.next).is_some();
            if !is_wanted || state.untold.len() >= MOST_UNTOLD {
                return;
            }
            state.jobs += 1;
            drop(state);
            let job = RunningJob(Arc::clone(self.walk));
            // Without one the caller reads alone.
            if self.spawn.spawn("verify state", Box::new(move || job.run())).is_err() {
                return;
            }
        }
    }

    /// Tells what is wrong, and how many files are.
    fn tell(&mut self) -> u64 {
        let untold = std::mem::take(&mut self.walk.state.lock().untold);
        let told = untold.len() as u64;
        for Untold { file: range, flaw, error } in untold {
            if let Some((root, file)) = self.walk.index.file(&range) {
                let (file, kind) = (Some(file.clone()), FindingKind::State(flaw));
                let owners = self.walk.index.owners(range, self.metadata);
                self.observer.found(Finding { root, file, name: None, kind, error: Some(error), owners });
            }
        }
        self.observer.progress(self.walk.progress());
        told
    }

    /// Waits until there is something to tell. Whether all files were read and told.
    fn wait(&self) -> bool {
        let mut state = self.walk.state.lock();
        while state.reading > 0 && state.untold.is_empty() {
            self.walk.changed.wait(&mut state);
        }
        state.reading == 0 && state.untold.is_empty() && self.walk.index.file_from(state.next).is_none()
    }
}

impl Walk {
    /// The next file; `None` when there is none.
    fn claim(&self) -> Option<Claimed<'_>> {
        if self.cancellation.is_cancelled() {
            return None;
        }
        let mut state = self.state.lock();
        let file = self.index.file_from(state.next)?;
        state.next = file.end;
        state.reading += 1;
        Some(Claimed { walk: self, file, outcome: None })
    }

    /// Reads a file in every way in which it is named: it has one content, so if they contradict each other, one fails.
    fn read(&self, file: &Range<usize>, buffer: &mut Vec<u8>, told: &mut dyn FnMut(&Self)) -> Outcome {
        if self.depth == VerifyDepth::Lengths {
            return self.look_at(file);
        }
        let mut proof = StateProof::Digest;
        for handle in self.index.pieces(file.clone()) {
            // Of an account of its own: pieces of one account do not wait for each other.
            let mut charge = match self.budget.account().charge(FileStateReader::verification_bytes(handle)) {
                Ok(charge) => charge,
                Err(_) => return Outcome::Stopped,
            };
            // Nothing but reading is needed for it to be given back.
            charge.sent();
            let verdict = self.reader.verify(handle, buffer, &mut |bytes| {
                self.read_bytes.fetch_add(bytes, Ordering::Relaxed);
                told(self);
                match self.cancellation.is_cancelled() {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            });
            match verdict {
                StateVerdict::Whole(StateProof::Digest) => {}
                StateVerdict::Whole(weaker) => proof = weaker,
                StateVerdict::Flawed { flaw, error } => return Outcome::Flawed(flaw, error),
                _ => return Outcome::Stopped,
            }
        }
        Outcome::Whole(proof)
    }

    /// Whether a file is there and has its length, in every way in which it is named.
    fn look_at(&self, file: &Range<usize>) -> Outcome {
        for handle in self.index.pieces(file.clone()) {
            match self.reader.verify_length(handle) {
                StateVerdict::Whole(_) => {}
                StateVerdict::Flawed { flaw, error } => return Outcome::Flawed(flaw, error),
                _ => return Outcome::Stopped,
            }
        }
        Outcome::Whole(StateProof::Length)
    }

    fn progress(&self) -> VerifyProgress {
        VerifyProgress {
            files: self.state.lock().done,
            all_files: self.index.files,
            read_bytes: self.read_bytes.load(Ordering::Relaxed),
            all_bytes: self.index.state_bytes,
        }
    }
}

/// A file that is being read.
struct Claimed<'a> {
    walk: &'a Walk,
    file: Range<usize>,
    outcome: Option<Outcome>,
}

impl Claimed<'_> {
    fn done(mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        let mut state = self.walk.state.lock();
        state.reading -= 1;
        state.done += 1;
        match self.outcome.take() {
            Some(Outcome::Whole(proof)) => {
                match proof {
                    StateProof::Digest => state.with_digest += 1,
                    _ => state.without_digest += 1,
                }
                if let Some((root, _)) = self.walk.index.file(&self.file) {
                    *state.whole.entry(root).or_default() += 1;
                }
            }
            Some(Outcome::Flawed(flaw, error)) => {
                state.untold.push_back(Untold { file: self.file.clone(), flaw, error })
            }
            Some(Outcome::Stopped) => {}
            None => state.lost = true,
        }
        drop(state);
        self.walk.changed.notify_all();
    }
}

/// A job, which counts until it ends or is dropped.
struct RunningJob(Arc<Walk>);

impl RunningJob {
    fn run(self) {
        let walk = &*self.0;
        let mut buffer = Vec::new();
        // What waits to be told is in memory, and jobs may run on the thread that is to tell it: so none waits for it.
        while walk.state.lock().untold.len() < MOST_UNTOLD {
            let Some(claimed) = walk.claim() else { return };
            let outcome = walk.read(&claimed.file, &mut buffer, &mut |_| {});
            claimed.done(outcome);
        }
    }
}

impl Drop for RunningJob {
    fn drop(&mut self) {
        self.0.state.lock().jobs -= 1;
        self.0.changed.notify_all();
    }
}
