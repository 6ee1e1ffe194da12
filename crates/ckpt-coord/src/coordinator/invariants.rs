//! What holds after each event.

use std::collections::BTreeSet;

use ckpt_core::id::{CheckpointId, TaskAttempt};
use ckpt_core::state::{FileRef, FileView, Root};

use crate::coordinator::Coordinator;
use crate::coordinator::committed::Removal;
use crate::coordinator::lifecycle::Lifecycle;
use crate::coordinator::outbox::{HeadPurpose, Purpose};
use crate::coordinator::pending::Stage;
use crate::coordinator::tasks::TaskState;

/// A rule that is broken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Violation {
    /// More checkpoints are pending than may be.
    TooManyPending(usize),
    /// A pending checkpoint has a number that is not above everything committed, or was not reserved.
    Number(CheckpointId),
    /// A checkpoint is past acknowledgement though not every task has acknowledged.
    Incomplete(CheckpointId),
    /// Places of two checkpoints are being made at once: triggers could leave out of order.
    TwoTriggers,
    /// HEAD is being written twice at once, or for a checkpoint that is not committing, or is not written for one that is.
    HeadWrites(Vec<HeadPurpose>),
    /// What a pending checkpoint is based on is not kept.
    BaseLost(CheckpointId),
    /// Metadata that was built or read cannot be decoded.
    Undecodable(String),
    /// The metadata of a retained checkpoint is not known.
    MetadataLost(CheckpointId),
    /// Something that is retained, or a base, is being deleted.
    Deleting(CheckpointId),
    /// A shared file that something live names is being deleted.
    DeletingShared(String),
    /// A retained checkpoint names a shared file that the registry believes dead.
    Dead(CheckpointId, String),
    /// A checkpoint that is committed or pending is being discarded.
    Discarding(CheckpointId),
    /// A retained checkpoint names a place that may not be named.
    Names(CheckpointId, Root),
    /// A task was replaced while a checkpoint that its former attempt takes part in may still be committed.
    Replaced(CheckpointId),
    /// Something else than a commit goes on though all tasks are being restored.
    RestoredTooEarly,
    /// Something is left though the coordinator has stopped.
    LeftOver,
    /// Two wait under one token.
    ReplyTwice,
}

impl Coordinator {
    #[cfg(any(test, debug_assertions))]
    pub(super) fn assert_invariants(&self) {
        if let Err(violation) = self.check() {
            panic!("the coordinator broke a rule of its own: {violation:?}");
        }
    }

    pub(super) fn check(&self) -> Result<(), Violation> {
        self.check_pending()?;
        self.check_head_writes()?;
        self.check_deletions()?;
        self.check_committed()?;
        if self.lifecycle.has_stopped() && !(self.pending.is_empty() && self.requests.is_empty()) {
            return Err(Violation::LeftOver);
        }
        Ok(())
    }

    fn check_pending(&self) -> Result<(), Violation> {
        if self.pending.len() > self.settings.max_concurrent() {
            return Err(Violation::TooManyPending(self.pending.len()));
        }
        let head = self.committed.head().head();
        let mut initializing = 0;
        for (id, pending) in &self.pending {
            let base = pending.identity.latest_completed;
            if *id >= head.unreserved_id || base.is_some_and(|base| base >= *id) || pending.identity.epoch != head.epoch
            {
                return Err(Violation::Number(*id));
            }
            let acknowledging = matches!(pending.stage, Stage::Initializing | Stage::Acknowledging);
            if acknowledging == (pending.outstanding() == 0) {
                return Err(Violation::Incomplete(*id));
            }
            initializing += usize::from(matches!(pending.stage, Stage::Initializing));
            if base.is_some_and(|base| !self.shared.knows(base)) || !self.shared.is_pinned(*id) {
                return Err(Violation::BaseLost(*id));
            }
        }
        let replaced = |attempt: TaskAttempt| match self.tasks.state_of(attempt.task) {
            Some(TaskState::Running(present, _)) => present != attempt,
            Some(TaskState::NotDeployed) => matches!(self.lifecycle, Lifecycle::Running),
            _ => false,
        };
        if let Some(pending) = self.pending.values().find(|pending| pending.participants().any(replaced)) {
            return Err(Violation::Replaced(pending.id()));
        }
        if matches!(self.lifecycle, Lifecycle::Restoring { .. }) && !self.pending.values().all(|it| it.is_committing())
        {
            return Err(Violation::RestoredTooEarly);
        }
        let mut tokens = BTreeSet::new();
        let waiting = self.pending.values().filter_map(|pending| pending.reply);
        if !waiting.chain(self.requests.iter().map(|(_, token)| *token)).all(|token| tokens.insert(token)) {
            return Err(Violation::ReplyTwice);
        }
        if initializing > 1 { Err(Violation::TwoTriggers) } else { Ok(()) }
    }

    fn check_head_writes(&self) -> Result<(), Violation> {
        let writes = self.outbox.in_flight().filter_map(|purpose| match purpose {
            Purpose::WriteHead(purpose) => Some(*purpose),
            _ => None,
        });
        let writes: Vec<_> = writes.collect();
        let committing: Vec<_> = self.pending.values().filter(|it| it.is_committing()).map(|it| it.id()).collect();
        let fits = match (writes.as_slice(), committing.as_slice()) {
            ([HeadPurpose::Commit(write)], [pending]) => write == pending,
            ([HeadPurpose::Commit(_)], _) => false,
            ([] | [_], []) => true,
            _ => false,
        };
        if fits { Ok(()) } else { Err(Violation::HeadWrites(writes)) }
    }

    fn check_deletions(&self) -> Result<(), Violation> {
        let head = self.committed.head().head();
        let retained = |id| head.retained.iter().any(|snapshot| snapshot.id == id);
        let is_base = |id| self.pending.values().any(|pending| pending.identity.latest_completed == Some(id));
        for purpose in self.outbox.in_flight() {
            match purpose {
                Purpose::Remove(Removal { removed, files }) => {
                    let id = removed.as_ref().map(|removed| removed.snapshot().id);
                    if let Some(id) = id.filter(|id| retained(*id) || is_base(*id)) {
                        return Err(Violation::Deleting(id));
                    }
                    let is_alive = |file| self.shared.is_alive(Root::JobShared, &FileRef::Ours(file));
                    if let Some(file) = files.job_shared().iter().find(|file| is_alive(**file)) {
                        return Err(Violation::DeletingShared(file.to_string()));
                    }
                }
                Purpose::Discard(id) if retained(*id) || self.pending.contains_key(id) => {
                    return Err(Violation::Discarding(*id));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn check_committed(&self) -> Result<(), Violation> {
        let head = self.committed.head().head();
        let ended: Vec<_> = self.outbox.in_flight().filter_map(Purpose::ended_writers).collect();
        for snapshot in &head.retained {
            let Some(metadata) = self.committed.metadata(snapshot.id) else {
                return Err(Violation::MetadataLost(snapshot.id));
            };
            let mut violation = None;
            let visited = metadata.visit_handles(&mut |handle| match handle.file() {
                // Computed anew, so that the registry is held to what it should know.
                Some((root @ (Root::JobShared | Root::Claimed(_)), file)) => {
                    let file = file.to_file();
                    if !self.shared.is_alive(root, &file) {
                        violation = Some(Violation::Dead(snapshot.id, file.to_string()));
                    }
                    if matches!((root, &file), (Root::JobShared, FileRef::Ours(file)) if ended.iter().any(|it| it.has_left(*file)))
                    {
                        violation = Some(Violation::DeletingShared(file.to_string()));
                    }
                }
                // What a former leader took, or another job, went by other rules.
                _ if snapshot.epoch != head.epoch || snapshot.uri().is_some() => {}
                Some((root @ Root::Borrowed(_), _) | (root @ Root::ThisSnapshot, FileView::Foreign(_))) => {
                    violation = Some(Violation::Names(snapshot.id, root));
                }
                _ => {}
            });
            visited.map_err(|error| Violation::Undecodable(error.to_string()))?;
            if let Some(violation) = violation {
                return Err(violation);
            }
        }
        Ok(())
    }
}
