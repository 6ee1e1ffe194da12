//! Actions that block, as jobs.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use ckpt_core::ErrorKind;
use ckpt_core::head::{AbandonedSavepoint, Head, HeadWrite, ReleasedClaim, RemovedSnapshot, TaskOwnedFiles};
use ckpt_core::id::CheckpointId;
use ckpt_core::message::SpilledAcknowledge;
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::shared::{EndedWriters, RemovedFiles};
use ckpt_core::snapshot::CheckpointIdentity;
use ckpt_storage::{CoordinatorView, HeadOutcome, HeadStore, Location};
use ckpt_streams::{Job, Spawn};
use crossbeam_channel::Sender;

use crate::coordinator::{Coordinator, Event, Failure, IoId};
use crate::driver::inbox::Input;
use crate::driver::lane::Lane;
use crate::driver::load::Load;
use crate::observer::{CheckpointObserver, Phase};

/// Runs actions that block as jobs; each is answered exactly once through the inbox, whatever becomes of its job.
#[derive(Debug)]
pub(super) struct Jobs {
    view: Arc<dyn CoordinatorView>,
    head: Arc<dyn HeadStore>,
    spawn: Arc<dyn Spawn>,
    observer: Arc<dyn CheckpointObserver>,
    inbox: Sender<Input>,
    /// What is deleted because it was removed or aborted.
    removals: Lane,
    /// What is looked for, and deleted if it is found; the removals do not wait for it.
    collections: Lane,
    /// Of pending checkpoints, and of the newest aborted ones.
    locations: BTreeMap<CheckpointId, Arc<dyn Location>>,
    aborted: VecDeque<CheckpointId>,
}

impl Jobs {
    pub(super) fn new(
        view: Arc<dyn CoordinatorView>,
        spawn: Arc<dyn Spawn>,
        observer: Arc<dyn CheckpointObserver>,
        inbox: Sender<Input>,
    ) -> Self {
        let head = view.head();
        let [removals, collections] = [(); 2].map(|()| Lane::new(Arc::clone(&spawn)));
        let (locations, aborted) = (BTreeMap::new(), VecDeque::new());
        Self { view, head, spawn, observer, inbox, removals, collections, locations, aborted }
    }

    pub(super) fn located(&mut self, checkpoint: CheckpointId, location: Arc<dyn Location>) {
        self.locations.insert(checkpoint, location);
    }

    /// The place of a committed checkpoint is the storage's business from now on.
    pub(super) fn completed(&mut self, checkpoint: CheckpointId) {
        self.locations.remove(&checkpoint);
    }

    /// The coordinator may ask for the place of an aborted checkpoint for a while.
    pub(super) fn aborted(&mut self, checkpoint: CheckpointId) {
        self.aborted.push_back(checkpoint);
        if self.aborted.len() > 2 * Coordinator::REMEMBERED_ABORTED {
            let forgotten = self.aborted.pop_front();
            forgotten.map(|checkpoint| self.locations.remove(&checkpoint));
        }
    }

    pub(super) fn initialize(&self, io: IoId, identity: CheckpointIdentity) {
        let view = Arc::clone(&self.view);
        self.run("ckpt-initialize", io, move || match view.initialize_checkpoint(&identity) {
            Ok(location) => Input::Located { io, checkpoint: identity.id, location },
            Err(error) => failed(io, Failure::from(&error)),
        });
    }

    /// Reads the file of a spilled acknowledgement; the coordinator hears of the acknowledgement itself, or a refusal.
    /// Only a checkpoint that is pending, or was aborted not long ago, has a place to read from.
    pub(super) fn load(&self, spilled: SpilledAcknowledge) {
        let id = spilled.id;
        let load = Load { spilled: Some(spilled), inbox: self.inbox.clone() };
        let Some(location) = self.locations.get(&id).cloned() else {
            return load.refuse(&format!("the place of checkpoint {id} is not known here"));
        };
        // A job that is refused is dropped, and what it owned answers.
        let _ = self.spawn.spawn("ckpt-load", Box::new(move || load.run(&*location)));
    }

    pub(super) fn publish(&self, io: IoId, metadata: Arc<CheckpointMetadata>) {
        let id = metadata.summary().identity.id;
        let observer = Arc::clone(&self.observer);
        let Some(location) = self.location(io, id) else { return };
        self.run("ckpt-publish", io, move || {
            observer.phase(Phase::Publishing, Some(id));
            match location.publish(&metadata) {
                Ok(snapshot) => Input::Event(Event::MetadataPublished { io, snapshot }),
                Err(error) => failed(io, Failure::from(&error)),
            }
        });
    }

    pub(super) fn write_head(&self, io: IoId, commits: Option<CheckpointId>, write: HeadWrite) {
        let (head, observer) = (Arc::clone(&self.head), Arc::clone(&self.observer));
        self.run("ckpt-head", io, move || {
            observer.phase(Phase::WritingHead, commits);
            match head.write(write) {
                HeadOutcome::Written(written) => Input::Event(Event::HeadWritten { io, written }),
                HeadOutcome::Fenced(error) => {
                    failed(io, Failure::new(ErrorKind::Fenced, Failure::from(&error).message))
                }
                HeadOutcome::Unknown(error) => {
                    failed(io, Failure::new(ErrorKind::Unknown, Failure::from(&error).message))
                }
                // It was certainly not written; the kind says whether trying again may help.
                HeadOutcome::Failed(error) => failed(io, Failure::from(&error)),
                _ => failed(io, Failure::new(ErrorKind::Unknown, "the store gave an answer that is not understood")),
            }
        });
    }

    pub(super) fn discard(&self, io: IoId, checkpoint: CheckpointId) {
        let Some(location) = self.location(io, checkpoint) else { return };
        self.removals.run(
            "ckpt-discard",
            self.answered(io, move || match location.discard() {
                Ok(()) => Input::Event(Event::LocationDiscarded { io }),
                Err(error) => failed(io, Failure::from(&error)),
            }),
        );
    }

    pub(super) fn remove_files(&self, io: IoId, files: RemovedFiles) {
        let view = Arc::clone(&self.view);
        self.removals.run(
            "ckpt-remove",
            self.answered(io, move || match view.remove_files(&files) {
                Ok(()) => Input::Event(Event::FilesRemoved { io }),
                Err(error) => failed(io, Failure::from(&error)),
            }),
        );
    }

    pub(super) fn release_claim(&self, io: IoId, released: ReleasedClaim) {
        let view = Arc::clone(&self.view);
        self.removals.run(
            "ckpt-release",
            self.answered(io, move || match view.release_claim(&released) {
                Ok(()) => Input::Event(Event::ClaimReleased { io }),
                Err(error) => failed(io, Failure::from(&error)),
            }),
        );
    }

    pub(super) fn remove(&self, io: IoId, removed: RemovedSnapshot, files: RemovedFiles) {
        let (view, observer) = (Arc::clone(&self.view), Arc::clone(&self.observer));
        self.removals.run(
            "ckpt-remove",
            self.answered(io, move || {
                observer.phase(Phase::Collecting, Some(removed.snapshot().id));
                match view.remove(&removed, &files) {
                    Ok(()) => Input::Event(Event::SnapshotRemoved { io }),
                    Err(error) => failed(io, Failure::from(&error)),
                }
            }),
        );
    }

    pub(super) fn remove_savepoint(&self, io: IoId, abandoned: AbandonedSavepoint) {
        let (view, observer) = (Arc::clone(&self.view), Arc::clone(&self.observer));
        self.removals.run(
            "ckpt-remove",
            self.answered(io, move || {
                observer.phase(Phase::Collecting, Some(abandoned.savepoint().id));
                match view.remove_abandoned(&abandoned) {
                    // Either way nothing is left to do for it.
                    Ok(_) => Input::Event(Event::SavepointRemoved { io }),
                    Err(error) => failed(io, Failure::from(&error)),
                }
            }),
        );
    }

    pub(super) fn remove_task_owned(&self, io: IoId, files: TaskOwnedFiles) {
        let (view, observer) = (Arc::clone(&self.view), Arc::clone(&self.observer));
        self.run("ckpt-remove", io, move || {
            observer.phase(Phase::Collecting, None);
            match view.remove_task_owned(&files) {
                Ok(_) => Input::Event(Event::FilesRemoved { io }),
                Err(error) => failed(io, Failure::from(&error)),
            }
        });
    }

    pub(super) fn collect_orphans(&self, io: IoId, claimed: Box<Head>, retained: Vec<Arc<CheckpointMetadata>>) {
        let (view, observer) = (Arc::clone(&self.view), Arc::clone(&self.observer));
        self.collections.run(
            "ckpt-orphans",
            self.answered(io, move || {
                observer.phase(Phase::Collecting, None);
                match view.collect_orphans(&claimed, &retained) {
                    Ok(files) => Input::Event(Event::OrphansCollected { io, files }),
                    Err(error) => failed(io, Failure::from(&error)),
                }
            }),
        );
    }

    pub(super) fn collect_ended(&self, io: IoId, ended: EndedWriters) {
        let (view, observer) = (Arc::clone(&self.view), Arc::clone(&self.observer));
        self.collections.run(
            "ckpt-ended",
            self.answered(io, move || {
                observer.phase(Phase::Collecting, None);
                match view.collect_ended(&ended) {
                    Ok(files) => Input::Event(Event::OrphansCollected { io, files }),
                    Err(error) => failed(io, Failure::from(&error)),
                }
            }),
        );
    }

    /// The place of a checkpoint; without one the action is answered here.
    fn location(&self, io: IoId, checkpoint: CheckpointId) -> Option<Arc<dyn Location>> {
        let location = self.locations.get(&checkpoint).cloned();
        if location.is_none() {
            let message = format!("the place of checkpoint {checkpoint} is not known any more");
            let _ = self.inbox.send(failed(io, Failure::new(ErrorKind::NotFound, message)));
        }
        location
    }

    fn run(&self, name: &'static str, io: IoId, job: impl FnOnce() -> Input + Send + 'static) {
        // A job that is refused is dropped, and what it owned answers.
        let _ = self.spawn.spawn(name, self.answered(io, job));
    }

    /// A job that answers, whatever becomes of it.
    fn answered(&self, io: IoId, job: impl FnOnce() -> Input + Send + 'static) -> Job {
        let mut due = Due { io, inbox: self.inbox.clone(), begun: false, answered: false };
        Box::new(move || {
            due.begun = true;
            let answer = job();
            due.answered = true;
            // A driver that has stopped needs no answer.
            let _ = due.inbox.send(answer);
        })
    }
}

/// The duty to answer. It answers by itself when its job never ran, or panicked.
struct Due {
    io: IoId,
    inbox: Sender<Input>,
    begun: bool,
    answered: bool,
}

impl Drop for Due {
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        let failure = if self.begun {
            Failure::new(ErrorKind::Unknown, "the job ended without an answer")
        } else {
            Failure::new(ErrorKind::Retry, "the job was refused: the pool is full or shut down")
        };
        let _ = self.inbox.send(failed(self.io, failure));
    }
}

const fn failed(io: IoId, failure: Failure) -> Input {
    Input::Event(Event::IoFailed { io, failure })
}
