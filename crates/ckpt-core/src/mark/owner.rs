//! Who owns a savepoint.

use bytes::Bytes;

use super::MAX_BYTES;
use crate::error::Result;
use crate::head::Nonce;
use crate::id::{JobId, LeaderEpoch};
use crate::state::ClaimId;
use crate::time::Timestamp;
use crate::wire::{Record, Subject, decode, put_mirror, v1};

/// The claim of a savepoint: its files are those of one job from now on, to be deleted when that no longer needs them.
/// A savepoint is in no HEAD that could be swapped for this, so the record is a file in its directory that is created
/// without replacing, before the claiming job's HEAD names the claim.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnerRecord {
    /// The job that owns it.
    pub job: JobId,
    /// The leader that claimed it.
    pub epoch: LeaderEpoch,
    /// Under which number the job's HEAD holds the claim.
    pub claim: ClaimId,
    /// The leader's nonce, which tells this claim from that of another leader of the same epoch.
    pub nonce: Nonce,
    /// When, for people.
    pub claimed_at: Timestamp,
}

const SUBJECT: Subject = Subject::Owner;
const RECORD: Record = Record { subject: SUBJECT, magic: *b"CKPTOWNR", version: 1, max_bytes: MAX_BYTES };

impl OwnerRecord {
    /// Its name in the snapshot's directory.
    pub const FILE_NAME: &str = "OWNER";

    /// The claim of that job.
    pub const fn new(job: JobId, epoch: LeaderEpoch, claim: ClaimId, nonce: Nonce, claimed_at: Timestamp) -> Self {
        Self { job, epoch, claim, nonce, claimed_at }
    }

    /// Whether this is the same claim: an earlier try of the same write, whatever the time.
    pub fn is_same_claim(&self, other: &Self) -> bool {
        (self.job, self.epoch, self.claim, self.nonce) == (other.job, other.epoch, other.claim, other.nonce)
    }

    /// The whole file. The same record always gives the same bytes.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when it could not be read again.
    pub fn encode(&self) -> Result<Bytes> {
        let mirror = v1::Owner::of(self).map_err(|invalid| invalid.writing(SUBJECT))?;
        Ok(RECORD.encode(|body| put_mirror(body, SUBJECT, &mirror))?)
    }

    /// Reads a whole file, every byte of which is verified.
    ///
    /// # Errors
    ///
    /// `Corrupt`, with what was expected and what was found; `Configuration` when a newer program wrote it.
    pub fn decode(file: &[u8]) -> Result<Self> {
        let decoded: v1::Owner = decode(SUBJECT, RECORD.body(file)?)?;
        Ok(decoded.into_domain().map_err(|invalid| invalid.reading(SUBJECT))?)
    }
}
