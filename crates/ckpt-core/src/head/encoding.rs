//! HEAD as bytes: magic, format version, length, body, digest of all before.

use bytes::Bytes;

use super::Head;
use crate::digest::Digest;
use crate::error::Result;
use crate::wire::{Fixed, Invalid, Subject, WireError, decode, encode, v1};

const MAGIC: [u8; 8] = *b"CKPTHEAD";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 16;
const DIGEST_BYTES: usize = 8;
const SUBJECT: Subject = Subject::Head;

impl Head {
    /// The whole file. The same HEAD always gives the same bytes.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when it would have more than [`MAX_BYTES`](Self::MAX_BYTES), or could not be read again.
    pub fn encode(&self) -> Result<Bytes> {
        let body = encode(SUBJECT, &v1::Head::of(self).map_err(|invalid| invalid.writing(SUBJECT))?)?;
        let bytes = HEADER_BYTES + body.len() + DIGEST_BYTES;
        let length = u32::try_from(body.len()).ok().filter(|_| bytes <= Self::MAX_BYTES);
        let (limit, found) = (Self::MAX_BYTES as u64, bytes as u64);
        let length = length.ok_or(WireError::AboveLimit { subject: SUBJECT, limit, found })?;
        let mut file = Vec::with_capacity(bytes);
        file.extend_from_slice(&MAGIC);
        file.extend_from_slice(&VERSION.to_le_bytes());
        file.extend_from_slice(&length.to_le_bytes());
        file.extend_from_slice(&body);
        let digest = Digest::of(&file);
        file.extend_from_slice(&digest.value().to_le_bytes());
        Ok(file.into())
    }

    /// Reads a whole file, every byte of which is verified.
    ///
    /// # Errors
    ///
    /// `Corrupt`, with what was expected and what was found; `Configuration` when a newer program wrote it.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let least = (HEADER_BYTES + DIGEST_BYTES) as u64;
        let found = bytes.len() as u64;
        if found < least {
            return Err(WireError::CutShort { subject: SUBJECT, expected: least, found }.into());
        }
        let mut fixed = Fixed(bytes);
        let magic: [u8; 8] = fixed.array();
        if magic != MAGIC {
            let (expected, found) = (MAGIC.escape_ascii().to_string(), magic.escape_ascii().to_string());
            return Err(WireError::Magic { subject: SUBJECT, offset: 0, expected, found }.into());
        }
        let version = fixed.u32();
        if version != VERSION {
            return Err(WireError::Version { subject: SUBJECT, expected: VERSION, found: version }.into());
        }
        let expected = least + u64::from(fixed.u32());
        if found != expected {
            return Err(WireError::Length { subject: SUBJECT, expected, found }.into());
        }
        let limit = Self::MAX_BYTES as u64;
        if found > limit {
            let expected = format!("at most {limit}");
            return Err(Invalid::value("the length", found, expected).reading(SUBJECT).into());
        }
        let (content, digest) = bytes.split_at(bytes.len() - DIGEST_BYTES);
        let (expected, found) = (Digest::crc64_nvme(Fixed(digest).u64()), Digest::of(content));
        if found != expected {
            return Err(WireError::Digest { subject: SUBJECT, expected, found }.into());
        }
        let decoded: v1::Head<'_> = decode(SUBJECT, &content[HEADER_BYTES..])?;
        Ok(decoded.into_domain().map_err(|invalid| invalid.reading(SUBJECT))?)
    }
}
