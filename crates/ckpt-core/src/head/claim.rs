//! How a leader takes a job over.

use std::collections::BTreeSet;

use super::error::TransitionError;
use super::write::Draft;
use super::{
    Claim, ClaimMode, ForeignSnapshot, GoneBack, Head, HeadVersion, HeadWrite, JobState, Nonce, Origin, Ownership,
    RetainedSnapshot, SnapshotPlace, SnapshotRoot,
};
use crate::error::Result;
use crate::id::{CheckpointId, JobId, LeaderEpoch};
use crate::state::{ClaimId, Root};

impl Head {
    /// How many checkpoint numbers a leader reserves with one write.
    pub const ID_BLOCK: u64 = 1000;

    /// The write by which a new leader takes over: the next epoch, a block of numbers, and everything else as it was, but
    /// that savepoints which the former leader was taking are abandoned. Without a HEAD it begins the job, from nothing.
    ///
    /// # Errors
    ///
    /// `Configuration` when HEAD is of another job, or the job has ended; `FailJob` when numbers are used up.
    pub fn claim(current: Option<&Self>, job: JobId, nonce: Nonce) -> Result<HeadWrite> {
        let mut draft = Self::taken_over(current, job, nonce)?;
        draft.reserve()?;
        Ok(draft.propose())
    }

    /// The write by which a job's first leader begins it from a snapshot that the job did not take itself, and by which
    /// every later leader takes it over that is started in the same way: `snapshot` is looked at by the first only.
    ///
    /// Each root that the snapshot names is called anew, once: with [`ClaimMode::Claim`] its directory, the shared
    /// directory of its job and the places that its job had claimed become claims of this job; everything else is
    /// borrowed. Numbers go on above that of the snapshot.
    ///
    /// # Errors
    ///
    /// As [`claim`](Self::claim), and `Configuration` when the job has begun from something else, or can restore something
    /// else already; or the snapshot names more places, or longer ones, than HEAD may hold, or one twice. `FailJob` when
    /// a savepoint that a former leader began, and that is not collected yet, has the number of the snapshot.
    pub fn claim_from(
        current: Option<&Self>,
        job: JobId,
        nonce: Nonce,
        snapshot: &ForeignSnapshot,
        mode: ClaimMode,
    ) -> Result<HeadWrite> {
        let mut draft = Self::taken_over(current, job, nonce)?;
        if let Some(origin) = &draft.next.origin {
            if !origin.is(snapshot, mode) {
                let (id, uri) = (origin.id, origin.uri.clone());
                return Err(TransitionError::OtherOrigin { job, id, uri, other: snapshot.uri.clone() }.into());
            }
            draft.reserve()?;
            return Ok(draft.propose());
        }
        if let Some(newest) = draft.next.restore_point() {
            return Err(TransitionError::BegunAlready { job, newest: newest.id, other: snapshot.uri.clone() }.into());
        }
        draft.next.begin_from(snapshot, mode)?;
        draft.reserve()?;
        Ok(draft.propose())
    }

    /// The write by which a new leader takes over and goes back to the older snapshot `to`. HEAD records it; what is newer
    /// is set aside, as evidence, and nothing is deleted. Checkpoints of former leaders can be committed no more.
    ///
    /// # Errors
    ///
    /// As [`claim`](Self::claim), and `Configuration` when `to` is not retained or nothing is newer, or too much is set
    /// aside already.
    pub fn claim_going_back(current: &Self, job: JobId, nonce: Nonce, to: CheckpointId) -> Result<HeadWrite> {
        let mut draft = Self::taken_over(Some(current), job, nonce)?;
        let next = &mut draft.next;
        let Some(from) = next.restored_from.filter(|from| *from != to) else {
            return Err(TransitionError::NothingNewer { to }.into());
        };
        let Some(position) = next.retained.iter().position(|snapshot| snapshot.id == to) else {
            return Err(TransitionError::NotRetained { id: to }.into());
        };
        next.set_aside.extend(next.retained.drain(position + 1..));
        next.set_aside.sort_by_key(|snapshot| snapshot.id);
        if next.set_aside.len() > Self::MAX_SET_ASIDE {
            let what = "snapshots that are set aside";
            return Err(TransitionError::TooMany { what, limit: Self::MAX_SET_ASIDE }.into());
        }
        next.stopped_at = None;
        next.restored_from = Some(to);
        next.gone_back = Some(GoneBack::new(from, to, next.epoch));
        draft.reserve()?;
        Ok(draft.propose())
    }

    /// The write by which somebody takes over a job that has ended, to collect what it removed, to discard what it retains
    /// or to hand that over to another job. The job stays ended.
    ///
    /// # Errors
    ///
    /// `Configuration` when HEAD is of another job, or the job goes on; `FailJob` when numbers are used up.
    pub fn claim_ended(current: &Self, job: JobId, nonce: Nonce) -> Result<HeadWrite> {
        if current.state == JobState::Active {
            return Err(TransitionError::NotEnded { job }.into());
        }
        Ok(current.next_epoch(job, nonce)?.propose())
    }

    fn taken_over(current: Option<&Self>, job: JobId, nonce: Nonce) -> Result<Draft, TransitionError> {
        match current {
            None => Ok(Draft::of(Self::first(job, nonce))),
            Some(current) => {
                let mut draft = current.next_epoch(job, nonce)?;
                current.refuse_ended()?;
                draft.next.first_reserved_id = current.unreserved_id;
                draft.next.restored_from = current.restore_point().map(|snapshot| snapshot.id);
                Ok(draft)
            }
        }
    }

    fn first(job: JobId, nonce: Nonce) -> Self {
        Self {
            job,
            version: HeadVersion::FIRST,
            epoch: LeaderEpoch::new(1),
            nonce,
            state: JobState::Active,
            first_reserved_id: CheckpointId::FIRST,
            unreserved_id: CheckpointId::FIRST,
            retained: Vec::new(),
            restored_from: None,
            stopped_at: None,
            origin: None,
            claims: Vec::new(),
            next_claim: ClaimId::FIRST,
            released_claims: Vec::new(),
            savepoints_in_progress: Vec::new(),
            abandoned_savepoints: Vec::new(),
            set_aside: Vec::new(),
            gone_back: None,
            handed_over: Vec::new(),
            removed: Vec::new(),
        }
    }

    /// The same, under another leader. What the former one was taking nobody goes on with.
    fn next_epoch(&self, job: JobId, nonce: Nonce) -> Result<Draft, TransitionError> {
        if self.job != job {
            return Err(TransitionError::OtherJob { found: self.job, expected: job });
        }
        let next = Self {
            version: self.next_version()?,
            epoch: self.epoch.next().ok_or(TransitionError::UsedUp { what: "leader epochs" })?,
            nonce,
            ..self.clone()
        };
        let mut draft = Draft::of(next);
        draft.abandon(|_| true);
        Ok(draft)
    }

    /// Enters the snapshot that the job begins from, and calls its roots anew.
    fn begin_from(&mut self, snapshot: &ForeignSnapshot, mode: ClaimMode) -> Result<(), TransitionError> {
        let ForeignSnapshot { job, id, epoch, kind, metadata_bytes, index_digest, .. } = *snapshot;
        let uri = &snapshot.uri;
        if self.names(id) {
            return Err(TransitionError::Used { id });
        }
        if snapshot.roots.len() >= Self::MAX_ROOTS {
            return Err(TransitionError::TooMany { what: "roots of a snapshot", limit: Self::MAX_ROOTS });
        }
        let named = [(Root::ThisSnapshot, uri.clone())].into_iter().chain(snapshot.roots.iter().cloned());
        let (mut roots, mut given) = (Vec::new(), BTreeSet::new());
        let mut borrowed = 0..u16::MAX;
        for (root, uri) in named {
            let twice = roots.iter().any(|other: &SnapshotRoot| other.named == root);
            if twice || !given.insert(uri.clone()) {
                return Err(TransitionError::RootTwice { root, uri });
            }
            let is_claimed = match root {
                Root::ThisSnapshot | Root::JobShared | Root::Claimed(_) => mode == ClaimMode::Claim,
                // The tasks of that job managed the life of these, and nobody owned those.
                Root::JobTaskOwned | Root::Borrowed(_) => false,
            };
            let here = if is_claimed {
                let claim = self.next_claim;
                let next = claim.get().checked_add(1).ok_or(TransitionError::UsedUp { what: "numbers of claims" })?;
                self.next_claim = ClaimId::new(next);
                self.claims.push(Claim::new(claim, uri.clone()));
                Root::Claimed(claim)
            } else {
                Root::Borrowed(borrowed.next().ok_or(TransitionError::UsedUp { what: "numbers of borrowed roots" })?)
            };
            roots.push(SnapshotRoot::new(root, here, uri));
        }
        if self.claims.len() > Self::MAX_CLAIMS {
            return Err(TransitionError::TooMany { what: "claims", limit: Self::MAX_CLAIMS });
        }
        let ownership = match roots.first().map(|own| own.here) {
            Some(Root::Claimed(claim)) => Ownership::Claimed(claim),
            _ => Ownership::Borrowed,
        };
        let above = id.next().ok_or(TransitionError::UsedUp { what: "checkpoint numbers" })?;
        self.first_reserved_id = self.first_reserved_id.max(above);
        self.unreserved_id = self.unreserved_id.max(above);
        let claims = self.claims.iter().map(|claim| claim.id).collect();
        let place = SnapshotPlace::Elsewhere(uri.clone());
        self.retained.push(RetainedSnapshot {
            id,
            epoch,
            kind,
            place,
            metadata_bytes,
            index_digest,
            ownership,
            claims,
        });
        self.restored_from = Some(id);
        self.origin = Some(Origin { job, id, uri: uri.clone(), metadata_bytes, index_digest, mode, roots });
        self.refuse_long_uris()
    }

    pub(super) fn refuse_long_uris(&self) -> Result<(), TransitionError> {
        let bytes: usize = self.uris().map(|uri| uri.as_str().len()).sum();
        match bytes > Self::MAX_URI_BYTES {
            true => Err(TransitionError::LongUris { bytes }),
            false => Ok(()),
        }
    }
}
