//! HEAD.

use serde::{Deserialize, Serialize};

use super::head_rules;
use super::snapshot::Kind;
use super::stored::Digest;
use super::{Id, checkpoint, epoch, optional_checkpoint};
use crate::head;
use crate::id::{CheckpointId, JobId};
use crate::state::ClaimId;
use crate::wire::{Invalid, List};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Head<'a> {
    job: Id,
    version: u64,
    epoch: u64,
    nonce: Id,
    state: State,
    unreserved_id: u64,
    #[serde(borrow)]
    retained: List<Retained<'a>>,
    restored_from: Option<u64>,
    #[serde(borrow)]
    stopped_at: Option<Retained<'a>>,
    /// Numbers and URIs.
    #[serde(borrow)]
    claims: List<(u64, &'a str)>,
    next_claim: u64,
    /// Numbers and URIs.
    #[serde(borrow)]
    savepoints_in_progress: List<(u64, &'a str)>,
    #[serde(borrow)]
    removed: List<Retained<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
enum State {
    Active,
    Finished,
    Cancelled,
    Failed,
}

#[derive(Debug, Serialize, Deserialize)]
struct Retained<'a> {
    id: u64,
    epoch: u64,
    kind: Kind,
    #[serde(borrow)]
    place: Place<'a>,
    metadata_bytes: u64,
    index_digest: Digest,
    ownership: Ownership,
}

#[derive(Debug, Serialize, Deserialize)]
enum Place<'a> {
    JobDirectory,
    Elsewhere(&'a str),
}

#[derive(Debug, Serialize, Deserialize)]
enum Ownership {
    Job,
    Claimed(u64),
    Borrowed,
}

impl<'a> Head<'a> {
    pub(crate) fn of(head: &'a head::Head) -> Result<Self, Invalid> {
        head_rules::check(head)?;
        let list = |snapshots: &'a [head::RetainedSnapshot]| List(snapshots.iter().map(Retained::of).collect());
        let savepoints = head.savepoints_in_progress.iter();
        Ok(Self {
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
            stopped_at: head.stopped_at.as_ref().map(Retained::of),
            claims: List(head.claims.iter().map(|claim| (claim.id.get(), claim.uri.as_str())).collect()),
            next_claim: head.next_claim.get(),
            savepoints_in_progress: List(savepoints.map(|it| (it.id.get(), it.uri.as_str())).collect()),
            removed: list(&head.removed),
        })
    }

    pub(crate) fn into_domain(self) -> Result<head::Head, Invalid> {
        let list =
            |list: List<Retained<'_>>| list.0.into_iter().map(Retained::into_domain).collect::<Result<Vec<_>, _>>();
        let savepoints = self.savepoints_in_progress.0.into_iter().map(|(id, uri)| {
            Ok(head::SavepointInProgress::new(checkpoint("the number of a savepoint in progress", id)?, uri))
        });
        let head = head::Head {
            job: JobId::new(self.job),
            version: head::HeadVersion::new(self.version)
                .ok_or_else(|| Invalid::value("the version", 0, "a version of 1 or more"))?,
            epoch: epoch("the epoch", self.epoch)?,
            nonce: head::Nonce::new(self.nonce),
            state: match self.state {
                State::Active => head::JobState::Active,
                State::Finished => head::JobState::Finished,
                State::Cancelled => head::JobState::Cancelled,
                State::Failed => head::JobState::Failed,
            },
            unreserved_id: checkpoint("the first unreserved checkpoint", self.unreserved_id)?,
            retained: list(self.retained)?,
            restored_from: optional_checkpoint("the restored checkpoint", self.restored_from)?,
            stopped_at: self.stopped_at.map(Retained::into_domain).transpose()?,
            claims: self.claims.0.into_iter().map(|(id, uri)| head::Claim::new(ClaimId::new(id), uri)).collect(),
            next_claim: ClaimId::new(self.next_claim),
            savepoints_in_progress: savepoints.collect::<Result<_, Invalid>>()?,
            removed: list(self.removed)?,
        };
        head_rules::check(&head)?;
        Ok(head)
    }
}

impl<'a> Retained<'a> {
    fn of(snapshot: &'a head::RetainedSnapshot) -> Self {
        Self {
            id: snapshot.id.get(),
            epoch: snapshot.epoch.get(),
            kind: Kind::of(snapshot.kind),
            place: match &snapshot.place {
                head::SnapshotPlace::JobDirectory => Place::JobDirectory,
                head::SnapshotPlace::Elsewhere(uri) => Place::Elsewhere(uri),
            },
            metadata_bytes: snapshot.metadata_bytes,
            index_digest: Digest::of(snapshot.index_digest),
            ownership: match snapshot.ownership {
                head::Ownership::Job => Ownership::Job,
                head::Ownership::Claimed(claim) => Ownership::Claimed(claim.get()),
                head::Ownership::Borrowed => Ownership::Borrowed,
            },
        }
    }

    fn into_domain(self) -> Result<head::RetainedSnapshot, Invalid> {
        let mut snapshot = head::RetainedSnapshot::new(
            checkpoint("a snapshot", self.id)?,
            epoch("the epoch of a snapshot", self.epoch)?,
            self.kind.into_domain(),
            self.metadata_bytes,
            self.index_digest.into_domain()?,
        );
        snapshot.place = match self.place {
            Place::JobDirectory => head::SnapshotPlace::JobDirectory,
            Place::Elsewhere(uri) => head::SnapshotPlace::Elsewhere(uri.to_owned()),
        };
        snapshot.ownership = match self.ownership {
            Ownership::Job => head::Ownership::Job,
            Ownership::Claimed(claim) => head::Ownership::Claimed(ClaimId::new(claim)),
            Ownership::Borrowed => head::Ownership::Borrowed,
        };
        Ok(snapshot)
    }
}
