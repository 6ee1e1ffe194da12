//! HEAD as bytes: magic, format version, length, body, digest of all before.

use bytes::Bytes;

use super::Head;
use crate::error::Result;
use crate::wire::{Record, Subject, decode, put_mirror, v1};

const SUBJECT: Subject = Subject::Head;
const RECORD: Record = Record { subject: SUBJECT, magic: *b"CKPTHEAD", version: 1, max_bytes: Head::MAX_BYTES };

impl Head {
    /// The whole file. The same HEAD always gives the same bytes.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when it would have more than [`MAX_BYTES`](Self::MAX_BYTES), or could not be read again.
    pub fn encode(&self) -> Result<Bytes> {
        let mirror = v1::Head::of(self).map_err(|invalid| invalid.writing(SUBJECT))?;
        Ok(RECORD.encode(|body| put_mirror(body, SUBJECT, &mirror))?)
    }

    /// Reads a whole file, every byte of which is verified.
    ///
    /// # Errors
    ///
    /// `Corrupt`, with what was expected and what was found; `Configuration` when a newer program wrote it.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let decoded: v1::Head<'_> = decode(SUBJECT, RECORD.body(bytes)?)?;
        Ok(decoded.into_domain().map_err(|invalid| invalid.reading(SUBJECT))?)
    }
}
