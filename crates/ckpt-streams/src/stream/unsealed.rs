//! The files of one factory that are not sealed, and their cancellation.
//!
//! Every file is registered before it is made. From then on it is in somebody's hands at each instant:
//!
//! ```text
//!            create          finish             seal
//!   (none) ────────▶ Open ──────────▶ Staged ──────────▶ (sealed: nobody's but the checkpoint's)
//!                     │                 │ ▲ early sync
//!                     └───── Busy ◀─────┘ └── Busy
//!                             └──▶ (removed)
//! ```
//!
//! `Busy` means that a thread of this crate is at it and will end it or put it back, without waiting for user code. A
//! cancellation takes every file that is not busy; who is busy looks for it when done. So nothing is left however user
//! code behaves, and no lock is held during I/O. All changes are made here, under one lock: this is what the models
//! check.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc as StdArc;

use ckpt_core::Error;
use ckpt_core::state::RelPath;

use crate::file_system::{FileSystem, FileWriter};
use crate::stream::descriptors::StagedDescriptors;
use crate::stream::early::Step;
use crate::stream::error::StreamError;
use crate::stream::lanes::Apart;
use crate::sync::{AtomicBool, AtomicU64, Condvar, Mutex, Ordering};
use crate::{Pending, Promise};

/// The files of one factory that are not sealed.
pub(crate) struct Unsealed {
    /// Written under the lock only; a write of a stream looks at it without, whatever others do to the files.
    cancelled: Apart<AtomicBool>,
    state: Mutex<State>,
    /// A file is not busy any more, or it was cancelled.
    changed: Condvar,
    dropped: AtomicU64,
    left_behind: AtomicU64,
    descriptors: StdArc<StagedDescriptors>,
}

/// A file among those of its factory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(u64);

/// Where a file is.
// The standard `Arc`, since loom's cannot be made one of a trait object; what it counts is no part of the models.
#[derive(Clone, Debug)]
pub(crate) struct FileAt {
    pub(crate) file_system: StdArc<dyn FileSystem>,
    pub(crate) path: RelPath,
}

/// A file that is in our hands, to be removed or synced.
pub(crate) struct Taken {
    pub(crate) key: Key,
    pub(crate) at: FileAt,
    /// The writer, unless the stream has it or it was synced early.
    pub(crate) writer: Option<Box<dyn FileWriter>>,
}

/// What is to be done once a file is staged.
pub(crate) struct Ahead {
    /// There is work for one more helper, who is counted already.
    pub(crate) helper_is_wanted: bool,
    /// Too many files hold a descriptor: the caller syncs this one and says so to
    /// [`synced_early`](Unsealed::synced_early).
    pub(crate) oldest: Option<Taken>,
}

/// How many jobs help one factory to sync. Beyond that a disk gains nothing.
pub(crate) const HELPERS: usize = 7;

struct State {
    next_key: u64,
    files: BTreeMap<Key, File>,
    /// Files that hold a descriptor though their stream has ended, oldest first.
    with_descriptor: BTreeSet<Key>,
    /// Those of them that nobody has begun to write back.
    to_begin: BTreeSet<Key>,
    /// Counts those with a descriptor, and those of other factories.
    descriptors: StdArc<StagedDescriptors>,
    /// Jobs that do so, and sync the oldest. Each may hold one descriptor more.
    helpers: usize,
    /// Files that were to be synced early and are not there: what lies under their names, if anything does, is another's.
    /// Why, until they are sealed.
    absent: BTreeMap<Key, Error>,
    /// Whoever cancelled, until nothing is left.
    cancelling: Vec<Promise<()>>,
}

struct File {
    at: FileAt,
    phase: Phase,
}

enum Phase {
    /// A thread of ours is at it. `unwanted`: its owner has dropped it in the meantime.
    Busy { unwanted: bool },
    /// A stream writes it and has the writer.
    Open,
    /// Finished.
    Staged(Box<dyn FileWriter>),
    /// Finished and synced early.
    Synced,
    /// It was to be synced early, and what became of it is not known.
    Dead(Error),
}

impl Unsealed {
    pub(crate) fn new(descriptors: StdArc<StagedDescriptors>) -> Self {
        Self {
            cancelled: Apart::new(AtomicBool::new(false)),
            state: Mutex::new(State::new(StdArc::clone(&descriptors))),
            changed: Condvar::new(),
            dropped: AtomicU64::new(0),
            left_behind: AtomicU64::new(0),
            descriptors,
        }
    }

    /// Whether it was cancelled. Without a lock: one who hears of it later is told at the next change of a file.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Registers a file and has it made. It is in the caller's hands then; where it could not be made, whatever lies under
    /// its name is somebody else's and stays.
    pub(crate) fn make<T>(
        &self,
        at: FileAt,
        make: impl FnOnce(&FileAt) -> Result<T, Error>,
    ) -> Result<(Key, T), Error> {
        let key = self.register(at.clone(), Phase::Busy { unwanted: false })?;
        // Nobody waits for a file whose making panicked.
        let ending = Ending { unsealed: self, key };
        let made = make(&at)?;
        std::mem::forget(ending);
        Ok((key, made))
    }

    fn register(&self, at: FileAt, phase: Phase) -> Result<Key, StreamError> {
        let mut state = self.state.lock();
        if self.is_cancelled() {
            return Err(StreamError::Cancelled);
        }
        let key = Key(state.next_key);
        state.next_key += 1;
        state.files.insert(key, File { at, phase });
        Ok(key)
    }

    /// The file was made. Not, when it was cancelled meanwhile: then the caller removes it and [ends](Self::end) it.
    pub(crate) fn opened(&self, key: Key) -> Result<(), StreamError> {
        self.put_back(key, Phase::Open)
    }

    /// A busy file is in its owner's hands again, unless it was cancelled.
    fn put_back(&self, key: Key, phase: Phase) -> Result<(), StreamError> {
        let mut state = self.state.lock();
        if self.is_cancelled() {
            return Err(StreamError::Cancelled);
        }
        match state.files.get_mut(&key) {
            Some(file) if matches!(file.phase, Phase::Busy { unwanted: false }) => file.phase = phase,
            _ => return Err(StreamError::Cancelled),
        }
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// The stream has ended its file, which is to be durable.
    ///
    /// The writer comes back when it was cancelled.
    pub(crate) fn stage(
        &self,
        key: Key,
        writer: Box<dyn FileWriter>,
    ) -> Result<Ahead, (StreamError, Box<dyn FileWriter>)> {
        let mut state = self.state.lock();
        let state = &mut *state;
        match state.files.get_mut(&key) {
            Some(file) if !self.is_cancelled() && matches!(file.phase, Phase::Open) => {
                file.phase = Phase::Staged(writer);
            }
            _ => return Err((StreamError::Cancelled, writer)),
        }
        state.hold_descriptor(key);
        state.to_begin.insert(key);
        let beyond = self.descriptors.held().saturating_sub(self.synced_beyond());
        let helper_is_wanted = state.helpers < beyond.clamp(1, HELPERS);
        state.helpers += usize::from(helper_is_wanted);
        let oldest = match state.with_descriptor.first().copied() {
            Some(oldest) if self.descriptors.held() > self.descriptors.limit() => state.take(oldest),
            _ => None,
        };
        Ok(Ahead { helper_is_wanted, oldest })
    }

    /// Helpers leave that many files their descriptors, so that whoever finishes one more need not sync any.
    fn synced_beyond(&self) -> usize {
        self.descriptors.limit() / 4 * 3
    }

    /// What a helper does next. One that has nothing to do is counted no more.
    pub(crate) fn next_step(&self) -> Option<Step> {
        let mut state = self.state.lock();
        let state = &mut *state;
        if let Some(taken) = state.to_begin.first().copied().and_then(|key| state.take(key)) {
            return Some(Step::Begin(taken));
        }
        if self.descriptors.held() > self.synced_beyond() {
            if let Some(taken) = state.with_descriptor.first().copied().and_then(|key| state.take(key)) {
                return Some(Step::Sync(taken));
            }
        }
        state.helpers -= 1;
        None
    }

    /// A helper has ended early, or never began.
    pub(crate) fn count_out_helper(&self) {
        self.state.lock().helpers -= 1;
    }

    /// A file that [`next_step`](Self::next_step) handed out is being written back. It comes back when nobody wants it any
    /// more: then the caller removes it and [ends](Self::end) it.
    pub(crate) fn begun(&self, taken: Taken) -> Result<(), Taken> {
        let mut state = self.state.lock();
        let state = &mut *state;
        match state.files.get_mut(&taken.key) {
            Some(file) if !self.is_cancelled() && matches!(file.phase, Phase::Busy { unwanted: false }) => {
                file.phase = taken.writer.map_or(Phase::Synced, Phase::Staged);
                state.hold_descriptor(taken.key);
            }
            _ => return Err(taken),
        }
        self.changed.notify_all();
        Ok(())
    }

    /// A file that was handed out to be synced is, or is not and is gone. Not, when nobody wants it any
    /// more: then the caller removes it and [ends](Self::end) it.
    pub(crate) fn synced_early(&self, key: Key, outcome: Result<(), Error>) -> Result<(), StreamError> {
        self.put_back(key, outcome.map_or_else(Phase::Dead, |()| Phase::Synced))
    }

    /// A file that was handed out to be synced is not there, and nothing of it is. Told when it is sealed.
    pub(crate) fn absent(&self, key: Key, error: Error) {
        let mut state = self.state.lock();
        if matches!(state.files.get(&key), Some(File { phase: Phase::Busy { unwanted: false }, .. })) {
            state.absent.insert(key, error);
        }
        drop(state);
        self.end(key);
    }

    /// The owner wants the file no more. It is handed to the caller, who removes it and [ends](Self::end) it; `None`
    /// when somebody else does so already.
    pub(crate) fn give_up(&self, key: Key) -> Option<Taken> {
        let mut state = self.state.lock();
        state.absent.remove(&key);
        match &mut state.files.get_mut(&key)?.phase {
            Phase::Busy { unwanted } => {
                *unwanted = true;
                None
            }
            _ => state.take(key),
        }
    }

    /// Hands out all those files to be sealed, when none of them is busy.
    pub(crate) fn begin_seal(&self, keys: &[Key]) -> Result<Vec<Taken>, Error> {
        let mut state = self.state.lock();
        loop {
            if self.is_cancelled() {
                return Err(StreamError::Cancelled.into());
            }
            let is_busy = |key| matches!(state.files.get(key), Some(File { phase: Phase::Busy { .. }, .. }));
            if !keys.iter().any(is_busy) {
                break;
            }
            self.changed.wait(&mut state);
        }
        for key in keys {
            if let Some(error) = state.absent.remove(key) {
                return Err(error);
            }
            if let Some(File { phase, .. }) = state.files.get_mut(key) {
                if matches!(phase, Phase::Dead(_)) {
                    if let Phase::Dead(error) = std::mem::replace(phase, Phase::Synced) {
                        return Err(error);
                    }
                }
            }
        }
        Ok(keys.iter().filter_map(|key| state.take(*key)).collect())
    }

    /// From here on those files belong to the checkpoint; unless it was cancelled.
    pub(crate) fn sealed(&self, files: &[Taken]) -> Result<(), StreamError> {
        let mut state = self.state.lock();
        if self.is_cancelled() {
            return Err(StreamError::Cancelled);
        }
        for file in files {
            state.files.remove(&file.key);
        }
        Ok(())
    }

    /// Refuses everything from here on and hands out every file that is not busy, to be removed and [ended](Self::end).
    pub(crate) fn cancel(&self) -> (Pending<()>, Vec<Taken>) {
        let (promise, pending) = Pending::channel();
        let mut state = self.state.lock();
        self.cancelled.store(true, Ordering::Release);
        if state.files.is_empty() {
            drop(state);
            promise.keep(());
            return (pending, Vec::new());
        }
        state.cancelling.push(promise);
        let keys: Vec<Key> = state.files.keys().copied().collect();
        let taken = keys.into_iter().filter_map(|key| state.take(key)).collect();
        drop(state);
        self.changed.notify_all();
        (pending, taken)
    }

    /// The file is no more. The last one answers those who cancelled.
    pub(crate) fn end(&self, key: Key) {
        let mut state = self.state.lock();
        state.files.remove(&key);
        let answered = if state.files.is_empty() { std::mem::take(&mut state.cancelling) } else { Vec::new() };
        drop(state);
        self.changed.notify_all();
        for promise in answered {
            promise.keep(());
        }
    }

    /// Streams that were dropped without being finished or aborted.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(crate) fn count_dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Files that could not be removed.
    pub(crate) fn left_behind(&self) -> u64 {
        self.left_behind.load(Ordering::Relaxed)
    }

    /// Removes a file that was handed out and ends it. A file system that panics is one that fails: whoever removes many
    /// goes on with the next.
    pub(crate) fn remove(&self, taken: Taken) -> Result<(), Error> {
        let _ending = Ending { unsealed: self, key: taken.key };
        let Taken { at, writer, .. } = taken;
        let removed = catch_unwind(AssertUnwindSafe(|| match writer {
            Some(writer) => writer.discard(),
            None => at
                .file_system
                .remove(std::slice::from_ref(&at.path))
                .pop()
                .unwrap_or_else(|| Err(StreamError::RemoveUnanswered { path: at.path.to_string() }.into())),
        }));
        let outcome = removed.unwrap_or_else(|_| Err(StreamError::RemovePanicked { path: at.path.to_string() }.into()));
        if outcome.is_err() {
            self.left_behind.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }
}

/// Ends a file when it goes.
struct Ending<'a> {
    unsealed: &'a Unsealed,
    key: Key,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.unsealed.end(self.key);
    }
}

impl State {
    fn new(descriptors: StdArc<StagedDescriptors>) -> Self {
        Self {
            next_key: 0,
            files: BTreeMap::new(),
            with_descriptor: BTreeSet::new(),
            descriptors,
            to_begin: BTreeSet::new(),
            helpers: 0,
            absent: BTreeMap::new(),
            cancelling: Vec::new(),
        }
    }

    fn hold_descriptor(&mut self, key: Key) {
        if self.with_descriptor.insert(key) {
            self.descriptors.hold();
        }
    }

    /// Makes a file busy, in the hands of the caller; `None` when it is in somebody's hands, or gone.
    fn take(&mut self, key: Key) -> Option<Taken> {
        let file = self.files.get_mut(&key)?;
        if matches!(file.phase, Phase::Busy { .. }) {
            return None;
        }
        let writer = match std::mem::replace(&mut file.phase, Phase::Busy { unwanted: false }) {
            Phase::Staged(writer) => Some(writer),
            Phase::Busy { .. } | Phase::Open | Phase::Synced | Phase::Dead(_) => None,
        };
        if self.with_descriptor.remove(&key) {
            self.descriptors.release();
        }
        self.to_begin.remove(&key);
        Some(Taken { key, at: file.at.clone(), writer })
    }
}

impl fmt::Debug for Unsealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsealed").field("cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}
