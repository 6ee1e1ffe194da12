//! What a step of a leader may touch.

use std::sync::atomic::{AtomicU64, Ordering};

use ckpt_core::id::CheckpointId;

use crate::history::History;
use crate::rules::Rules;
use crate::store::Store;

/// What a step of a leader may touch.
pub(crate) struct Scene<'a> {
    pub(crate) store: &'a mut Store,
    pub(crate) history: &'a mut History,
    pub(crate) rules: &'a Rules,
    pub(crate) events: &'a Events,
    /// How many checkpoints the job retains.
    pub(crate) retained: usize,
}

/// Something worth reaching: a model that never gets there proves nothing about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    SecondLeaderCommits,
    AnswerLost,
    LateWriteLanded,
    LateWriteRefused,
    ZombieFenced,
    LateClaimLanded,
    PastRead,
    BaseReused,
    KeptFileNamed,
    RemovalWaitsForABase,
    RemovedByALaterLeader,
    OrphanCollected,
    OwnWriteFound,
    SavepointKeptOut,
    SavepointMarkGone,
    SavepointAbandoned,
    PublishedSavepointKept,
    Stopped,
    RestoredFromSavepoint,
    Ended,
    CollectedAfterTheEnd,
    Claimed,
    SecondOwnerRefused,
    ClaimedDeleted,
    FileOfTheFormerOwnerKept,
    FileOfAnotherJobKept,
    HandedBack,
}

/// How often each was reached, by all threads.
#[derive(Debug)]
pub(crate) struct Events([AtomicU64; EVENTS]);

const EVENTS: usize = Event::HandedBack as usize + 1;

impl Default for Events {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Events {
    pub(crate) fn hit(&self, event: Event) {
        self.0[event as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn has(&self, event: Event) -> bool {
        self.0[event as usize].load(Ordering::Relaxed) > 0
    }
}

impl Scene<'_> {
    pub(crate) fn hit(&self, event: Event) {
        self.events.hit(event);
    }

    /// The tasks are told that the checkpoint is complete.
    pub(crate) fn announce(&mut self, id: CheckpointId) {
        self.history.announced.insert(id);
        let others = |head: &ckpt_core::head::Head| head.retained.iter().any(|one| one.epoch != head.epoch);
        if self.store.present().is_some_and(|head| head.epoch.get() > 1 && !others(&head)) {
            self.hit(Event::SecondLeaderCommits);
        }
    }

    /// The directory of a savepoint is made, perhaps by a leader that does not know that it was given up.
    pub(crate) fn savepoint_made(&mut self, id: CheckpointId) {
        let head = self.store.present();
        let goes_on = head.is_some_and(|head| head.savepoints_in_progress.iter().any(|savepoint| savepoint.id == id));
        if !goes_on && self.history.savepoints_listed.contains(&id) {
            self.history.savepoints_made_late.insert(id);
        }
    }
}
