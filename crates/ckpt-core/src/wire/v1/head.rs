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
    retained: List<Retained<'a>, { head::Head::MAX_RETAINED }>,
    restored_from: Option<u64>,
    #[serde(borrow)]
    stopped_at: Option<Retained<'a>>,
    #[serde(borrow)]
    origin: Option<Origin<'a>>,
    #[serde(borrow)]
    claims: List<Claim<'a>, { head::Head::MAX_CLAIMS }>,
    next_claim: u64,
    #[serde(borrow)]
    released_claims: List<Claim<'a>, { head::Head::MAX_CLAIMS }>,
    #[serde(borrow)]
    savepoints_in_progress: List<Savepoint<'a>, { head::Head::MAX_SAVEPOINTS }>,
    #[serde(borrow)]
    abandoned_savepoints: List<Savepoint<'a>, { head::Head::MAX_SAVEPOINTS }>,
    #[serde(borrow)]
    set_aside: List<Retained<'a>, { head::Head::MAX_SET_ASIDE }>,
    gone_back: Option<GoneBack>,
    #[serde(borrow)]
    handed_over: List<HandedOver<'a>, { head::Head::MAX_HANDED_OVER }>,
    #[serde(borrow)]
    removed: List<Retained<'a>, { head::Head::MAX_REMOVED }>,
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
            retained: List(head.retained.iter().map(Retained::of).collect()),
            restored_from: head.restored_from.map(CheckpointId::get),
            stopped_at: head.stopped_at.as_ref().map(Retained::of),
            origin: head.origin.as_ref().map(Origin::of),
            claims: List(head.claims.iter().map(Claim::of).collect()),
            next_claim: head.next_claim.get(),
            released_claims: List(head.released_claims.iter().map(Claim::of).collect()),
            savepoints_in_progress: List(head.savepoints_in_progress.iter().map(Savepoint::of).collect()),
            abandoned_savepoints: List(head.abandoned_savepoints.iter().map(Savepoint::of).collect()),
            set_aside: List(head.set_aside.iter().map(Retained::of).collect()),
            gone_back: head.gone_back.as_ref().map(GoneBack::of),
            handed_over: List(head.handed_over.iter().map(HandedOver::of).collect()),
            removed: List(head.removed.iter().map(Retained::of).collect()),
        })
    }

    pub(crate) fn into_domain(self) -> Result<head::Head, Invalid> {
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
            retained: each(self.retained.0, Retained::into_domain)?,
            restored_from: optional_checkpoint("the restored checkpoint", self.restored_from)?,
            stopped_at: self.stopped_at.map(Retained::into_domain).transpose()?,
            origin: self.origin.map(Origin::into_domain).transpose()?,
            claims: each(self.claims.0, Claim::into_domain)?,
            next_claim: ClaimId::new(self.next_claim),
            released_claims: each(self.released_claims.0, Claim::into_domain)?,
            savepoints_in_progress: each(self.savepoints_in_progress.0, Savepoint::into_domain)?,
            abandoned_savepoints: each(self.abandoned_savepoints.0, Savepoint::into_domain)?,
            set_aside: each(self.set_aside.0, Retained::into_domain)?,
            gone_back: self.gone_back.map(GoneBack::into_domain).transpose()?,
            handed_over: each(self.handed_over.0, HandedOver::into_domain)?,
            removed: each(self.removed.0, Retained::into_domain)?,
        };
        head_rules::check(&head)?;
        Ok(head)
    }
}

fn each<T, U>(list: Vec<T>, into_domain: impl Fn(T) -> Result<U, Invalid>) -> Result<Vec<U>, Invalid> {
    list.into_iter().map(into_domain).collect()
}
