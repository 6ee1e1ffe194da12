//! Contents that nobody wrote, with the lengths and digests that would be right for them.
//!
//! A digest stops every changed byte at the door. A test of what lies behind it takes a file or frame apart, changes the
//! contents and seals them again: whoever can write a file can do the same.

use crate::digest::Digest;
use crate::id::OperatorId;
use crate::wire::{Input, put_u64, v1};

/// What stands in front of the length of the body in one kind of small files or frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope(&'static [u8]);

/// A metadata file, taken apart into its sections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetadataSections {
    /// In the order in which they stand in the file.
    pub sections: Vec<MetadataSection>,
}

/// One section, and what the index says of it beside its place and digest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetadataSection {
    /// Of which kind it is.
    pub tag: u32,
    /// Whether a reader that does not know the kind must refuse the file.
    pub critical: bool,
    /// Whose state it holds.
    pub operator: Option<OperatorId>,
    /// Its number among the parts of the operator.
    pub part: u32,
    /// Its bytes.
    pub body: Vec<u8>,
}

const LENGTH_BYTES: usize = 4;
const DIGEST_BYTES: usize = 8;

impl Envelope {
    /// Of HEAD.
    pub const HEAD: Self = Self(b"CKPTHEAD\x01\0\0\0");
    /// Of OWNER.
    pub const OWNER: Self = Self(b"CKPTOWNR\x01\0\0\0");
    /// Of the mark of a savepoint.
    pub const SAVEPOINT: Self = Self(b"CKPTSAVE\x01\0\0\0");
    /// Of the mark of a disposal.
    pub const DISPOSAL: Self = Self(b"CKPTDISP\x01\0\0\0");
    /// Of a message to a task.
    pub const TO_TASK: Self = Self(b"CKPM\x01\0\x01\0");
    /// Of a message to the coordinator.
    pub const TO_COORDINATOR: Self = Self(b"CKPM\x01\0\x02\0");
    /// Of a marker between tasks.
    pub const MARKER: Self = Self(b"CKPM\x01\0\x03\0");
    /// Of a task's restore.
    pub const TASK_RESTORE: Self = Self(b"CKPM\x01\0\x04\0");
    /// Of a task's snapshot.
    pub const TASK_SNAPSHOT: Self = Self(b"CKPM\x01\0\x05\0");

    /// All of messages.
    pub const MESSAGES: [Self; 5] =
        [Self::TO_TASK, Self::TO_COORDINATOR, Self::MARKER, Self::TASK_RESTORE, Self::TASK_SNAPSHOT];

    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::HEAD,
        Self::OWNER,
        Self::SAVEPOINT,
        Self::DISPOSAL,
        Self::TO_TASK,
        Self::TO_COORDINATOR,
        Self::MARKER,
        Self::TASK_RESTORE,
        Self::TASK_SNAPSHOT,
    ];

    /// The file or frame around that body.
    pub fn seal(self, body: &[u8]) -> Vec<u8> {
        sealed(self.0, body)
    }

    /// The body of such a file or frame; `None` when it is another. Neither length nor digest is looked at.
    pub fn open(self, sealed: &[u8]) -> Option<&[u8]> {
        let body = sealed.strip_prefix(self.0)?.get(LENGTH_BYTES..)?;
        body.get(..body.len().checked_sub(DIGEST_BYTES)?)
    }
}

/// What begins with those bytes, the length of the body and the body, and ends with the digest of all that.
pub fn sealed(begin: &[u8], body: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(begin.len() + LENGTH_BYTES + body.len() + DIGEST_BYTES);
    sealed.extend_from_slice(begin);
    // A longer body than a length can say is not made here; if it were, the length would be wrong and so refused.
    sealed.extend_from_slice(&(body.len() as u32).to_le_bytes());
    sealed.extend_from_slice(body);
    put_digest(&mut sealed, 0);
    sealed
}

/// A metadata file with those bytes as sections and those as its index, which is said to begin at `index_offset`.
pub fn sealed_metadata(sections: &[u8], index: &[u8], index_offset: u64) -> Vec<u8> {
    const TRAILER_BYTES: usize = 56;
    let mut file = Vec::with_capacity(12 + sections.len() + index.len() + TRAILER_BYTES);
    file.extend_from_slice(b"CKPTMETA\x01\0\0\0");
    file.extend_from_slice(sections);
    file.extend_from_slice(index);
    let (length, trailer) = ((file.len() + TRAILER_BYTES) as u64, file.len());
    for number in [index_offset, index.len() as u64, Digest::of(index).value(), length] {
        file.extend_from_slice(&number.to_le_bytes());
    }
    // The algorithm of digests and the format version.
    file.extend_from_slice(&[1, 0, 0, 0, 1, 0, 0, 0]);
    put_digest(&mut file, trailer);
    file.extend_from_slice(b"CKPTMEND");
    file
}

impl MetadataSections {
    /// The sections of a file; `None` when it is none. No digest is looked at.
    pub fn open(file: &[u8]) -> Option<Self> {
        const TRAILER_BYTES: usize = 56;
        let trailer = file.get(file.len().checked_sub(TRAILER_BYTES)?..)?;
        let number = |at: usize| usize::try_from(u64::from_le_bytes(trailer.get(at..at + 8)?.try_into().ok()?)).ok();
        let (first, length) = (number(0)?, number(8)?);
        let mut index = Input::new(file.get(first..first.checked_add(length)?)?);
        let mut sections = Vec::new();
        while !index.rest().is_empty() {
            let entry: v1::IndexEntry = index.mirror().ok()?;
            let first = usize::try_from(entry.offset).ok()?;
            let body = file.get(first..first.checked_add(usize::try_from(entry.length).ok()?)?)?.to_vec();
            let (tag, critical, operator, part) = (entry.tag, entry.critical, entry.operator(), entry.part);
            sections.push(MetadataSection { tag, critical, operator, part, body });
        }
        Some(Self { sections })
    }

    /// The file of these sections, with the right offsets, lengths and digests.
    pub fn seal(&self) -> Vec<u8> {
        let (mut bodies, mut index) = (Vec::new(), Vec::new());
        for section in &self.sections {
            section.put_entry(12 + bodies.len() as u64, &mut index);
            bodies.extend_from_slice(&section.body);
        }
        sealed_metadata(&bodies, &index, 12 + bodies.len() as u64)
    }
}

impl MetadataSection {
    /// A critical section of that kind, of the whole checkpoint.
    pub const fn new(tag: u32, body: Vec<u8>) -> Self {
        Self { tag, critical: true, operator: None, part: 0, body }
    }

    /// Appends its entry in the index, which says that it begins at `offset`.
    pub fn put_entry(&self, offset: u64, index: &mut Vec<u8>) {
        put_u64(index, self.tag.into());
        index.push(self.critical.into());
        index.push(self.operator.is_some().into());
        index.extend(self.operator.into_iter().flat_map(OperatorId::bytes));
        for number in [self.part.into(), offset, self.body.len() as u64] {
            put_u64(index, number);
        }
        index.push(1);
        index.extend_from_slice(&Digest::of(&self.body).value().to_le_bytes());
    }
}

/// Appends the digest of what stands from `first` on.
fn put_digest(bytes: &mut Vec<u8>, first: usize) {
    let digest = Digest::of(bytes.get(first..).unwrap_or_default());
    bytes.extend_from_slice(&digest.value().to_le_bytes());
}
