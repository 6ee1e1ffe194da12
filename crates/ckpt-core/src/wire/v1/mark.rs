//! Marks beside a snapshot.

use serde::{Deserialize, Serialize};

use super::stored::Digest;
use super::{Id, checkpoint, epoch};
use crate::head::Nonce;
use crate::id::JobId;
use crate::mark;
use crate::state::ClaimId;
use crate::time::Timestamp;
use crate::wire::Invalid;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Owner {
    job: Id,
    epoch: u64,
    claim: u64,
    nonce: [u8; 16],
    claimed_at: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Disposal {
    job: Id,
    id: u64,
    metadata_bytes: u64,
    index_digest: Digest,
    nonce: [u8; 16],
    began_at: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Savepoint {
    job: Id,
    id: u64,
    epoch: u64,
    nonce: [u8; 16],
    began_at: u64,
}

impl Owner {
    pub(crate) fn of(owner: &mark::OwnerRecord) -> Result<Self, Invalid> {
        let (epoch, claim) = (epoch("the epoch", owner.epoch.get())?.get(), check_claim(owner.claim)?.get());
        let (nonce, claimed_at) = (owner.nonce.bytes(), owner.claimed_at.millis());
        Ok(Self { job: owner.job.bytes(), epoch, claim, nonce, claimed_at })
    }

    pub(crate) fn into_domain(self) -> Result<mark::OwnerRecord, Invalid> {
        Ok(mark::OwnerRecord::new(
            JobId::new(self.job),
            epoch("the epoch", self.epoch)?,
            check_claim(ClaimId::new(self.claim))?,
            Nonce::new(self.nonce),
            Timestamp::from_millis(self.claimed_at),
        ))
    }
}

/// Numbers of claims begin with 1.
fn check_claim(claim: ClaimId) -> Result<ClaimId, Invalid> {
    if claim < ClaimId::FIRST {
        Err(Invalid::value("the claim", claim.get(), "a number of 1 or more"))
    } else {
        Ok(claim)
    }
}

impl Disposal {
    pub(crate) fn of(mark: &mark::DisposalMark) -> Self {
        Self {
            job: mark.job.bytes(),
            id: mark.id.get(),
            metadata_bytes: mark.metadata_bytes,
            index_digest: Digest::of(mark.index_digest),
            nonce: mark.nonce.bytes(),
            began_at: mark.began_at.millis(),
        }
    }

    pub(crate) fn into_domain(self) -> Result<mark::DisposalMark, Invalid> {
        Ok(mark::DisposalMark::new(
            (JobId::new(self.job), checkpoint("the snapshot", self.id)?),
            self.metadata_bytes,
            self.index_digest.into_domain()?,
            Nonce::new(self.nonce),
            Timestamp::from_millis(self.began_at),
        ))
    }
}

impl Savepoint {
    pub(crate) fn of(mark: &mark::SavepointMark) -> Result<Self, Invalid> {
        let epoch = epoch("the epoch", mark.epoch.get())?.get();
        let (nonce, began_at) = (mark.nonce.bytes(), mark.began_at.millis());
        Ok(Self { job: mark.job.bytes(), id: mark.id.get(), epoch, nonce, began_at })
    }

    pub(crate) fn into_domain(self) -> Result<mark::SavepointMark, Invalid> {
        Ok(mark::SavepointMark::new(
            JobId::new(self.job),
            checkpoint("the savepoint", self.id)?,
            epoch("the epoch", self.epoch)?,
            Nonce::new(self.nonce),
            Timestamp::from_millis(self.began_at),
        ))
    }
}
