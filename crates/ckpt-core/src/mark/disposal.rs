//! A snapshot that is being deleted.

use bytes::Bytes;

use super::MAX_BYTES;
use crate::digest::Digest;
use crate::error::Result;
use crate::head::Nonce;
use crate::id::{CheckpointId, JobId};
use crate::time::Timestamp;
use crate::wire::{Record, Subject, decode, put_mirror, v1};

/// The mark of a snapshot that is being deleted: from its creation on nobody may begin from the snapshot, and whoever
/// finds it may finish the work. It is deleted last but the directory, after `_metadata`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DisposalMark {
    /// The job whose snapshot it is.
    pub job: JobId,
    /// The snapshot.
    pub id: CheckpointId,
    /// How long its `_metadata` is: only what that very file lists is deleted.
    pub metadata_bytes: u64,
    /// The digest of its index.
    pub index_digest: Digest,
    /// Random; tells this disposal from another.
    pub nonce: Nonce,
    /// When it was begun, for people.
    pub began_at: Timestamp,
}

const SUBJECT: Subject = Subject::Disposal;
const RECORD: Record = Record { subject: SUBJECT, magic: *b"CKPTDISP", version: 1, max_bytes: MAX_BYTES };

impl DisposalMark {
    /// Its name in the snapshot's directory.
    pub const FILE_NAME: &str = "_disposing";

    /// The disposal of the snapshot with that `_metadata`.
    pub const fn new(
        (job, id): (JobId, CheckpointId),
        metadata_bytes: u64,
        index_digest: Digest,
        nonce: Nonce,
        began_at: Timestamp,
    ) -> Self {
        Self { job, id, metadata_bytes, index_digest, nonce, began_at }
    }

    /// Whether a `_metadata` of that length and digest of its index is the one that was there when the disposal began.
    pub fn is_of(&self, metadata_bytes: u64, index_digest: Digest) -> bool {
        (self.metadata_bytes, self.index_digest) == (metadata_bytes, index_digest)
    }

    /// The whole file. The same mark always gives the same bytes.
    ///
    /// # Errors
    ///
    /// None today; `AbortCheckpoint` should it become one that could not be read again.
    pub fn encode(&self) -> Result<Bytes> {
        Ok(RECORD.encode(|body| put_mirror(body, SUBJECT, &v1::Disposal::of(self)))?)
    }

    /// Reads a whole file, every byte of which is verified.
    ///
    /// # Errors
    ///
    /// `Corrupt`, with what was expected and what was found; `Configuration` when a newer program wrote it.
    pub fn decode(file: &[u8]) -> Result<Self> {
        let decoded: v1::Disposal = decode(SUBJECT, RECORD.body(file)?)?;
        Ok(decoded.into_domain().map_err(|invalid| invalid.reading(SUBJECT))?)
    }
}
