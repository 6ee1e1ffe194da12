//! Whose a savepoint's directory is.

use bytes::Bytes;

use super::MAX_BYTES;
use crate::error::Result;
use crate::head::Nonce;
use crate::id::{CheckpointId, JobId, LeaderEpoch};
use crate::time::Timestamp;
use crate::wire::{Record, Subject, decode, put_mirror, v1};

/// The mark of a savepoint: the first file in its directory, and the last to go but the directory. Whoever creates it
/// has the directory for that savepoint alone, on any file system, also on one without directories; and what a leader
/// left that died before `_metadata` was there is deleted by the mark alone.
///
/// In the place of `_metadata` it says that the savepoint was given up: nothing can be published there any more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SavepointMark {
    /// The job that takes the savepoint.
    pub job: JobId,
    /// The savepoint.
    pub id: CheckpointId,
    /// The leader that takes it.
    pub epoch: LeaderEpoch,
    /// Random; tells this try to have the directory from every other.
    pub nonce: Nonce,
    /// When the savepoint was triggered, for people.
    pub began_at: Timestamp,
}

const SUBJECT: Subject = Subject::Savepoint;
const RECORD: Record = Record { subject: SUBJECT, magic: *b"CKPTSAVE", version: 1, max_bytes: MAX_BYTES };

impl SavepointMark {
    /// Its name in the savepoint's directory.
    pub const FILE_NAME: &str = "_savepoint";

    /// The directory is that savepoint's.
    pub const fn new(job: JobId, id: CheckpointId, epoch: LeaderEpoch, nonce: Nonce, began_at: Timestamp) -> Self {
        Self { job, id, epoch, nonce, began_at }
    }

    /// Whether it is the mark of that job's savepoint of that number, whichever leader made it: a number is given to one
    /// savepoint in the life of a job.
    pub fn is_of(&self, job: JobId, id: CheckpointId) -> bool {
        (self.job, self.id) == (job, id)
    }

    /// The whole file. The same mark always gives the same bytes.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when it could not be read again.
    pub fn encode(&self) -> Result<Bytes> {
        let mirror = v1::Savepoint::of(self).map_err(|invalid| invalid.writing(SUBJECT))?;
        Ok(RECORD.encode(|body| put_mirror(body, SUBJECT, &mirror))?)
    }

    /// Reads a whole file, every byte of which is verified.
    ///
    /// # Errors
    ///
    /// `Corrupt`, with what was expected and what was found; `Configuration` when a newer program wrote it.
    pub fn decode(file: &[u8]) -> Result<Self> {
        let decoded: v1::Savepoint = decode(SUBJECT, RECORD.body(file)?)?;
        Ok(decoded.into_domain().map_err(|invalid| invalid.reading(SUBJECT))?)
    }
}
