//! HEAD.

use serde::{Deserialize, Serialize};

use super::snapshot::Kind;
use super::stored::Digest;
use super::{Id, checkpoint, epoch, optional_checkpoint};
use crate::head;
use crate::id::{CheckpointId, JobId, LeaderEpoch};
use crate::wire::{Invalid, List};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Head {
    job: Id,
    version: u64,
    epoch: u64,
    nonce: Id,
    state: State,
    unreserved_id: u64,
    retained: List<Retained>,
    restored_from: Option<u64>,
    removed: List<Retained>,
}

#[derive(Debug, Serialize, Deserialize)]
enum State {
    Active,
    Finished,
    Cancelled,
    Failed,
}

#[derive(Debug, Serialize, Deserialize)]
struct Retained {
    id: u64,
    epoch: u64,
    kind: Kind,
    metadata_bytes: u64,
    index_digest: Digest,
}

impl Head {
    pub(crate) fn of(head: &head::Head) -> Self {
        let list = |snapshots: &[head::RetainedSnapshot]| List(snapshots.iter().map(Retained::of).collect());
        Self {
            job: head.job.bytes(),
            version: head.version.get(),
            epoch: head.epoch.get(),
            nonce: head.nonce.bytes(),
            state: match head.state {
                head::JobState::Active => State::Active,
                head::JobState::Finished => State::Finished,
                head::JobState::Cancelled => State::Cancelled,
                head::JobState::Failed => State::Failed,
            },
            unreserved_id: head.unreserved_id.get(),
            retained: list(&head.retained),
            restored_from: head.restored_from.map(CheckpointId::get),
            removed: list(&head.removed),
        }
    }

    pub(crate) fn into_domain(self) -> Result<head::Head, Invalid> {
        let version = head::HeadVersion::new(self.version)
            .ok_or_else(|| Invalid::value("the version", 0, "a version of 1 or more"))?;
        let epoch = epoch("the epoch", self.epoch)?;
        let unreserved_id = checkpoint("the first unreserved checkpoint", self.unreserved_id)?;
        let list = |list: List<Retained>| list.0.into_iter().map(Retained::into_domain).collect::<Result<Vec<_>, _>>();
        let (removed, retained) = (list(self.removed)?, list(self.retained)?);
        // What was removed was older than all that stayed, so both lists are one history.
        check_history(removed.iter().chain(&retained), epoch, unreserved_id)?;
        let restored_from = optional_checkpoint("the restored checkpoint", self.restored_from)?;
        if let Some(id) = restored_from.filter(|id| *id >= unreserved_id) {
            return Err(Invalid::value("the restored checkpoint", id, format!("one below {unreserved_id}")));
        }
        Ok(head::Head {
            job: JobId::new(self.job),
            version,
            epoch,
            nonce: head::Nonce::new(self.nonce),
            state: match self.state {
                State::Active => head::JobState::Active,
                State::Finished => head::JobState::Finished,
                State::Cancelled => head::JobState::Cancelled,
                State::Failed => head::JobState::Failed,
            },
            unreserved_id,
            retained,
            restored_from,
            removed,
        })
    }
}

fn check_history<'a>(
    history: impl Iterator<Item = &'a head::RetainedSnapshot>,
    epoch: LeaderEpoch,
    unreserved: CheckpointId,
) -> Result<(), Invalid> {
    let mut before: Option<&head::RetainedSnapshot> = None;
    for snapshot in history {
        if let Some(before) = before.filter(|before| before.id >= snapshot.id || before.epoch > snapshot.epoch) {
            let found =
                format!("{} (epoch {}) after {} (epoch {})", snapshot.id, snapshot.epoch, before.id, before.epoch);
            return Err(Invalid::value("a snapshot", found, "numbers that ascend and epochs that never descend"));
        }
        if snapshot.id >= unreserved || snapshot.epoch > epoch {
            let found = format!("{} (epoch {})", snapshot.id, snapshot.epoch);
            let expected = format!("a number below {unreserved} and an epoch of at most {epoch}");
            return Err(Invalid::value("a snapshot", found, expected));
        }
        before = Some(snapshot);
    }
    Ok(())
}

impl Retained {
    fn of(snapshot: &head::RetainedSnapshot) -> Self {
        Self {
            id: snapshot.id.get(),
            epoch: snapshot.epoch.get(),
            kind: Kind::of(snapshot.kind),
            metadata_bytes: snapshot.metadata_bytes,
            index_digest: Digest::of(snapshot.index_digest),
        }
    }

    fn into_domain(self) -> Result<head::RetainedSnapshot, Invalid> {
        Ok(head::RetainedSnapshot::new(
            checkpoint("a snapshot", self.id)?,
            epoch("the epoch of a snapshot", self.epoch)?,
            self.kind.into_domain(),
            self.metadata_bytes,
            self.index_digest.into_domain()?,
        ))
    }
}
