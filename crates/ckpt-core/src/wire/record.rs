//! Small files that are read and written whole: magic, format version, length of the body, body, digest of all before.

use bytes::Bytes;

use super::{Fixed, Invalid, Subject, WireError};
use crate::digest::Digest;

const HEADER_BYTES: usize = 16;
const LENGTH_AT: usize = 12;
const DIGEST_BYTES: usize = 8;

/// The frame of one kind of small files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) subject: Subject,
    pub(crate) magic: [u8; 8],
    pub(crate) version: u32,
    /// Of the whole file.
    pub(crate) max_bytes: usize,
}

impl Record {
    /// The whole file; `put` appends the body.
    ///
    /// # Errors
    ///
    /// That of `put`, or that there are more bytes than a file may have.
    pub(crate) fn encode(&self, put: impl FnOnce(&mut Vec<u8>) -> Result<(), WireError>) -> Result<Bytes, WireError> {
        let mut file = Vec::new();
        file.extend_from_slice(&self.magic);
        file.extend_from_slice(&self.version.to_le_bytes());
        file.extend_from_slice(&[0; HEADER_BYTES - LENGTH_AT]);
        put(&mut file)?;
        let (found, limit) = (file.len() + DIGEST_BYTES, self.max_bytes);
        let length = u32::try_from(file.len() - HEADER_BYTES).ok().filter(|_| found <= limit);
        let above = WireError::AboveLimit { subject: self.subject, limit: limit as u64, found: found as u64 };
        file[LENGTH_AT..HEADER_BYTES].copy_from_slice(&length.ok_or(above)?.to_le_bytes());
        let digest = Digest::of(&file);
        file.extend_from_slice(&digest.value().to_le_bytes());
        Ok(file.into())
    }

    /// The body of a whole file, every byte of which is verified.
    pub(crate) fn body<'a>(&self, file: &'a [u8]) -> Result<&'a [u8], WireError> {
        let subject = self.subject;
        let (least, found) = ((HEADER_BYTES + DIGEST_BYTES) as u64, file.len() as u64);
        if found < least {
            return Err(WireError::CutShort { subject, expected: least, found });
        }
        let mut fixed = Fixed(file);
        let magic: [u8; 8] = fixed.array();
        if magic != self.magic {
            let (expected, found) = (self.magic.escape_ascii().to_string(), magic.escape_ascii().to_string());
            return Err(WireError::Magic { subject, offset: 0, expected, found });
        }
        let version = fixed.u32();
        if version != self.version {
            return Err(WireError::Version { subject, expected: self.version, found: version });
        }
        let expected = least + u64::from(fixed.u32());
        if found != expected {
            return Err(WireError::Length { subject, expected, found });
        }
        if found > self.max_bytes as u64 {
            return Err(Invalid::value("the length", found, format!("at most {}", self.max_bytes)).reading(subject));
        }
        let (content, digest) = file.split_at(file.len() - DIGEST_BYTES);
        let (expected, found) = (Digest::crc64_nvme(Fixed(digest).u64()), Digest::of(content));
        if found != expected {
            return Err(WireError::Digest { subject, expected, found });
        }
        Ok(&content[HEADER_BYTES..])
    }
}
