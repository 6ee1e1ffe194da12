//! Handles: where bytes lie and what they are.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::digest as domain_digest;
use crate::id::{LeaderEpoch, Writer, WriterId};
use crate::state;
use crate::wire::{Blob, Invalid, List};

/// A handle. The length and the digest of inline bytes follow from the bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Handle<'a> {
    #[serde(borrow)]
    Inline(Blob<'a>),
    File(Stored<'a>),
    Segment(Stored<'a>, u64),
}

/// Bytes in a file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Stored<'a> {
    root: Root,
    #[serde(borrow)]
    file: FileRef<'a>,
    length_bytes: u64,
    digest: Option<Digest>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Root {
    ThisSnapshot,
    JobShared,
    JobTaskOwned,
    Claimed(u64),
    Borrowed(u16),
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FileRef<'a> {
    Ours { epoch: u64, writer: u64, number: u32 },
    Foreign(&'a str),
}

/// The number of the algorithm, then 64 bits, the lowest byte first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Digest {
    algorithm: u8,
    value: [u8; 8],
}

/// Where claimed and borrowed roots lie.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Places<'a>(#[serde(borrow)] List<(Root, &'a str)>);

impl<'a> Handle<'a> {
    pub(crate) fn of(handle: &'a state::StateHandle) -> Result<Self, Invalid> {
        let (length_bytes, digest) = (handle.length_bytes(), handle.digest());
        let stored = |root: &state::Root, file: &'a state::FileRef| {
            check_digest(*root, digest)?;
            Ok(Stored { root: Root::of(*root), file: FileRef::of(file), length_bytes, digest: digest.map(Digest::of) })
        };
        match handle.place() {
            state::Place::Inline(bytes) => {
                // Reading computes both anew; a handle that disagrees would come back as another one.
                if length_bytes != bytes.len() as u64 {
                    let expected = format!("that of its {} inline bytes", bytes.len());
                    return Err(Invalid::value("the length of a handle", length_bytes, expected));
                }
                let computed = domain_digest::Digest::of(bytes);
                match digest {
                    Some(found) if found != computed => {
                        Err(Invalid::value("the digest of an inline handle", found, computed.to_string()))
                    }
                    _ => Ok(Self::Inline(Blob(bytes))),
                }
            }
            state::Place::File { root, file } => stored(root, file).map(Self::File),
            state::Place::Segment { root, file, offset_bytes } => {
                check_segment(*offset_bytes, length_bytes)?;
                Ok(Self::Segment(stored(root, file)?, *offset_bytes))
            }
        }
    }

    pub(crate) fn into_domain(self) -> Result<state::StateHandle, Invalid> {
        let (stored, offset_bytes) = match self {
            Self::Inline(Blob(bytes)) => return Ok(state::StateHandle::inline(Bytes::copy_from_slice(bytes))),
            Self::File(stored) => (stored, None),
            Self::Segment(stored, offset_bytes) => (stored, Some(offset_bytes)),
        };
        let (root, file) = (stored.root.into_domain(), stored.file.into_domain()?);
        let digest = stored.digest.map(Digest::into_domain).transpose()?;
        check_digest(root, digest)?;
        let place = match offset_bytes {
            None => state::Place::File { root, file },
            Some(offset_bytes) => {
                check_segment(offset_bytes, stored.length_bytes)?;
                state::Place::Segment { root, file, offset_bytes }
            }
        };
        Ok(state::StateHandle::assume_durable(place, stored.length_bytes, digest))
    }
}

/// Only what others wrote may lack a digest.
fn check_digest(root: state::Root, digest: Option<domain_digest::Digest>) -> Result<(), Invalid> {
    match root {
        state::Root::Claimed(_) | state::Root::Borrowed(_) => Ok(()),
        state::Root::ThisSnapshot | state::Root::JobShared | state::Root::JobTaskOwned => match digest {
            Some(_) => Ok(()),
            None => {
                Err(Invalid::value("the digest of a handle", "absent", format!("one, since it lies below {root:?}")))
            }
        },
    }
}

fn check_segment(offset_bytes: u64, length_bytes: u64) -> Result<(), Invalid> {
    match offset_bytes.checked_add(length_bytes) {
        Some(_) => Ok(()),
        None => Err(Invalid::value(
            "the end of a segment",
            format!("{offset_bytes} + {length_bytes}"),
            "a number of 64 bits",
        )),
    }
}

impl Root {
    pub(crate) const fn of(root: state::Root) -> Self {
        match root {
            state::Root::ThisSnapshot => Self::ThisSnapshot,
            state::Root::JobShared => Self::JobShared,
            state::Root::JobTaskOwned => Self::JobTaskOwned,
            state::Root::Claimed(claim) => Self::Claimed(claim.get()),
            state::Root::Borrowed(number) => Self::Borrowed(number),
        }
    }

    pub(crate) const fn into_domain(self) -> state::Root {
        match self {
            Self::ThisSnapshot => state::Root::ThisSnapshot,
            Self::JobShared => state::Root::JobShared,
            Self::JobTaskOwned => state::Root::JobTaskOwned,
            Self::Claimed(claim) => state::Root::Claimed(state::ClaimId::new(claim)),
            Self::Borrowed(number) => state::Root::Borrowed(number),
        }
    }
}

impl<'a> FileRef<'a> {
    pub(crate) fn of(file: &'a state::FileRef) -> Self {
        match file {
            state::FileRef::Ours(name) => {
                Self::Ours { epoch: name.epoch.get(), writer: name.writer.get(), number: name.number }
            }
            state::FileRef::Foreign(path) => Self::Foreign(path.as_str()),
        }
    }

    pub(crate) fn into_domain(self) -> Result<state::FileRef, Invalid> {
        Ok(match self {
            Self::Ours { epoch, writer, number } => {
                state::FileRef::Ours(Writer::new(LeaderEpoch::new(epoch), WriterId::new(writer)).file(number))
            }
            Self::Foreign(path) => state::FileRef::Foreign(
                state::RelPath::new(path).map_err(|error| Invalid::Refused { field: "the path of a file", error })?,
            ),
        })
    }
}

impl Digest {
    pub(crate) const fn of(digest: domain_digest::Digest) -> Self {
        Self { algorithm: digest.algorithm() as u8, value: digest.value().to_le_bytes() }
    }

    pub(crate) fn into_domain(self) -> Result<domain_digest::Digest, Invalid> {
        const CRC64_NVME: u8 = domain_digest::DigestAlgorithm::Crc64Nvme as u8;
        match self.algorithm {
            CRC64_NVME => Ok(domain_digest::Digest::crc64_nvme(u64::from_le_bytes(self.value))),
            other => Err(Invalid::value("the algorithm of a digest", other, "1 (CRC-64/NVME)")),
        }
    }
}

impl<'a> Places<'a> {
    pub(crate) fn of(places: &'a state::Places) -> Self {
        Self(List(places.iter().map(|(root, uri)| (Root::of(root), uri)).collect()))
    }

    pub(crate) fn into_domain(self) -> Result<state::Places, Invalid> {
        let places = self.0.0.into_iter().map(|(root, uri)| (root.into_domain(), uri.to_owned())).collect();
        state::Places::new(places).map_err(|error| Invalid::Refused { field: "the places", error })
    }
}
