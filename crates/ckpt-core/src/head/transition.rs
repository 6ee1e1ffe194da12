//! How HEAD changes.

use crate::error::{Error, ErrorKind, Result};
use crate::head::{Head, HeadVersion, JobState, Nonce, RetainedSnapshot};
use crate::id::{CheckpointId, JobId, LeaderEpoch};

/// HEAD as its present leader last wrote it. Only its holder may propose the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedHead(Head);

/// The next HEAD, not written yet. Becomes a [`WrittenHead`] when the store says that it was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "nothing has changed until it is written"]
pub struct HeadWrite {
    next: Head,
    removes: Vec<RetainedSnapshot>,
}

/// What a HEAD that was written allows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrittenHead {
    /// HEAD, from which the next change proceeds.
    pub head: ClaimedHead,
    /// What this write removed: its files may be deleted now.
    pub removed: Vec<RemovedSnapshot>,
}

/// A snapshot that no HEAD retains any more. Only a HEAD that was written yields one, so nothing can be deleted before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovedSnapshot(RetainedSnapshot);

impl Head {
    /// How many checkpoint numbers a leader reserves with one write.
    pub const ID_BLOCK: u64 = 1000;

    /// The write by which a new leader takes over: the next epoch, a block of numbers, and everything else as it was.
    ///
    /// # Errors
    ///
    /// `Configuration` when HEAD is of another job, or the job has ended; `FailJob` when numbers are used up.
    pub fn claim(current: Option<&Self>, job: JobId, nonce: Nonce) -> Result<HeadWrite> {
        let Some(current) = current else {
            let next = Self {
                job,
                version: HeadVersion::FIRST,
                epoch: LeaderEpoch::new(1),
                nonce,
                state: JobState::Active,
                unreserved_id: block_after(CheckpointId::FIRST)?,
                retained: Vec::new(),
                restored_from: None,
                removed: Vec::new(),
            };
            return Ok(HeadWrite { next, removes: Vec::new() });
        };
        if current.job != job {
            return Err(Error::new(
                ErrorKind::Configuration,
                format!("HEAD belongs to job {}, expected job {job}", current.job),
            ));
        }
        if current.state != JobState::Active {
            return Err(Error::new(
                ErrorKind::Configuration,
                format!("job {job} has ended ({:?}): there is nothing to go on with", current.state),
            ));
        }
        let next = Self {
            version: next_version(current)?,
            epoch: current.epoch.next().ok_or_else(|| used_up("leader epochs"))?,
            nonce,
            unreserved_id: block_after(current.unreserved_id)?,
            restored_from: current.newest().map(|newest| newest.id),
            ..current.clone()
        };
        Ok(HeadWrite { next, removes: Vec::new() })
    }
}

impl ClaimedHead {
    /// What HEAD says.
    pub const fn head(&self) -> &Head {
        &self.0
    }

    /// The numbers that this leader's first claim reserved: from here up to, but without, `head().unreserved_id`.
    pub fn first_reserved_id(&self) -> CheckpointId {
        // A claim always moves the boundary up by one block, so it cannot lie below the block.
        CheckpointId::new(self.0.unreserved_id.get() - Head::ID_BLOCK).unwrap_or(CheckpointId::FIRST)
    }

    /// The write that commits `completed` and in the same step moves the oldest retained ones beyond `retain` to the
    /// removed; it also drops `collected`, whose files are gone, from the list of the removed, and reserves another
    /// block of numbers when fewer than half a block are left above `completed`.
    ///
    /// # Errors
    ///
    /// `FailJob` when `completed` is not newer than everything retained, or is of another epoch, or `retain` is zero.
    pub fn commit(&self, completed: RetainedSnapshot, retain: usize, collected: &[CheckpointId]) -> Result<HeadWrite> {
        let current = &self.0;
        let refuse = |message: String| Err(Error::new(ErrorKind::FailJob, message));
        if retain == 0 {
            return refuse("at least one checkpoint must be retained".to_owned());
        }
        if completed.epoch != current.epoch || completed.id >= current.unreserved_id {
            return refuse(format!(
                "checkpoint {} of {:?} cannot be committed under {:?} with numbers below {}",
                completed.id, completed.epoch, current.epoch, current.unreserved_id
            ));
        }
        if let Some(newest) = current.newest().filter(|newest| newest.id >= completed.id) {
            return refuse(format!("checkpoint {} cannot be committed after {}", completed.id, newest.id));
        }
        let mut next = Head { version: next_version(current)?, ..current.clone() };
        if current.unreserved_id.get() - completed.id.get() < Head::ID_BLOCK / 2 {
            next.unreserved_id = block_after(current.unreserved_id)?;
        }
        next.removed.retain(|removed| !collected.contains(&removed.id));
        next.retained.push(completed);
        let excess = next.retained.len().saturating_sub(retain);
        let removes: Vec<_> = next.retained.drain(..excess).collect();
        next.removed.extend(removes.iter().cloned());
        Ok(HeadWrite { next, removes })
    }

    /// The write that ends the job. With `discard_retained` every retained checkpoint is removed.
    ///
    /// # Errors
    ///
    /// `FailJob` when the state is `Active`, which is no end.
    pub fn end(&self, state: JobState, retention: AtEnd, collected: &[CheckpointId]) -> Result<HeadWrite> {
        if state == JobState::Active {
            return Err(Error::new(ErrorKind::FailJob, "a job cannot end as active"));
        }
        let mut next = Head { version: next_version(&self.0)?, state, ..self.0.clone() };
        next.removed.retain(|removed| !collected.contains(&removed.id));
        let removes = match retention {
            AtEnd::Retain => Vec::new(),
            AtEnd::Discard => std::mem::take(&mut next.retained),
        };
        next.removed.extend(removes.iter().cloned());
        Ok(HeadWrite { next, removes })
    }
}

/// What becomes of the retained checkpoints when a job ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AtEnd {
    /// They stay.
    Retain,
    /// They are removed.
    Discard,
}

impl HeadWrite {
    /// What is to be written.
    pub const fn head(&self) -> &Head {
        &self.next
    }

    /// The store says that it was written. Claiming that of a write that failed breaks every promise.
    pub fn written(self) -> WrittenHead {
        WrittenHead { head: ClaimedHead(self.next), removed: self.removes.into_iter().map(RemovedSnapshot).collect() }
    }
}

impl WrittenHead {
    /// Everything that may be deleted: what this write removed and what earlier ones did and is still listed.
    pub fn all_removed(&self) -> Vec<RemovedSnapshot> {
        self.head.0.removed.iter().cloned().map(RemovedSnapshot).collect()
    }
}

impl RemovedSnapshot {
    /// What HEAD said of it while it was retained.
    pub const fn snapshot(&self) -> &RetainedSnapshot {
        &self.0
    }
}

fn next_version(current: &Head) -> Result<HeadVersion> {
    current.version.next().ok_or_else(|| used_up("versions of HEAD"))
}

fn block_after(first: CheckpointId) -> Result<CheckpointId> {
    first.get().checked_add(Head::ID_BLOCK).and_then(CheckpointId::new).ok_or_else(|| used_up("checkpoint numbers"))
}

fn used_up(what: &str) -> Error {
    Error::new(ErrorKind::FailJob, format!("all {what} are used up"))
}
