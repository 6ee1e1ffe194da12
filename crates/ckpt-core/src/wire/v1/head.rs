//! HEAD.

use serde::{Deserialize, Serialize};

use super::head_parts::{Claim, GoneBack, HandedOver, Origin, Retained, Savepoint};
use super::head_rules;
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
    first_reserved_id: u64,
    unreserved_id: u64,
    #[serde(borrow)]
    retained: List<Retained<'a>>,
    restored_from: Option<u64>,
    #[serde(borrow)]
    stopped_at: Option<Retained<'a>>,
    #[serde(borrow)]
    origin: Option<Origin<'a>>,
    #[serde(borrow)]
    claims: List<Claim<'a>>,
    next_claim: u64,
    #[serde(borrow)]
    released_claims: List<Claim<'a>>,
    #[serde(borrow)]
    savepoints_in_progress: List<Savepoint<'a>>,
    #[serde(borrow)]
    abandoned_savepoints: List<Savepoint<'a>>,
    #[serde(borrow)]
    set_aside: List<Retained<'a>>,
    gone_back: Option<GoneBack>,
    #[serde(borrow)]
    handed_over: List<HandedOver<'a>>,
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

impl<'a> Head<'a> {
    pub(crate) fn of(head: &'a head::Head) -> Result<Self, Invalid> {
        head_rules::check(head)?;
        let list = |snapshots: &'a [head::RetainedSnapshot]| List(snapshots.iter().map(Retained::of).collect());
        let claims = |claims: &'a [head::Claim]| List(claims.iter().map(Claim::of).collect());
        let savepoints =
            |savepoints: &'a [head::SavepointInProgress]| List(savepoints.iter().map(Savepoint::of).collect());
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
            first_reserved_id: head.first_reserved_id.get(),
            unreserved_id: head.unreserved_id.get(),
            retained: list(&head.retained),
            restored_from: head.restored_from.map(CheckpointId::get),
            stopped_at: head.stopped_at.as_ref().map(Retained::of),
            origin: head.origin.as_ref().map(Origin::of),
            claims: claims(&head.claims),
            next_claim: head.next_claim.get(),
            released_claims: claims(&head.released_claims),
            savepoints_in_progress: savepoints(&head.savepoints_in_progress),
            abandoned_savepoints: savepoints(&head.abandoned_savepoints),
            set_aside: list(&head.set_aside),
            gone_back: head.gone_back.as_ref().map(GoneBack::of),
            handed_over: List(head.handed_over.iter().map(HandedOver::of).collect()),
            removed: list(&head.removed),
        })
    }

    pub(crate) fn into_domain(self) -> Result<head::Head, Invalid> {
        let list =
            |list: List<Retained<'_>>| list.0.into_iter().map(Retained::into_domain).collect::<Result<Vec<_>, _>>();
        let claims = |list: List<Claim<'_>>| list.0.into_iter().map(Claim::into_domain).collect::<Result<Vec<_>, _>>();
        let savepoints =
            |list: List<Savepoint<'_>>| list.0.into_iter().map(Savepoint::into_domain).collect::<Result<Vec<_>, _>>();
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
            first_reserved_id: checkpoint("the leader's first checkpoint", self.first_reserved_id)?,
            unreserved_id: checkpoint("the first unreserved checkpoint", self.unreserved_id)?,
            retained: list(self.retained)?,
            restored_from: optional_checkpoint("the restored checkpoint", self.restored_from)?,
            stopped_at: self.stopped_at.map(Retained::into_domain).transpose()?,
            origin: self.origin.map(Origin::into_domain).transpose()?,
            claims: claims(self.claims)?,
            next_claim: ClaimId::new(self.next_claim),
            released_claims: claims(self.released_claims)?,
            savepoints_in_progress: savepoints(self.savepoints_in_progress)?,
            abandoned_savepoints: savepoints(self.abandoned_savepoints)?,
            set_aside: list(self.set_aside)?,
            gone_back: self.gone_back.map(GoneBack::into_domain).transpose()?,
            handed_over: self.handed_over.0.into_iter().map(HandedOver::into_domain).collect::<Result<_, _>>()?,
            removed: list(self.removed)?,
        };
        head_rules::check(&head)?;
        Ok(head)
    }
}
