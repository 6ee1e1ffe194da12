//! Handles: where bytes lie and what they are.

use serde::{Deserialize, Serialize};

use super::writers::Writers;
use crate::digest as domain_digest;
use crate::state::{self, FileRef, FileView, HandleView, PathView, Place, PlaceView, StateHandle};
use crate::uri::Uri;
use crate::wire::{Flaw, Input, Invalid, List, put_blob, put_u64};

// What a handle begins with.
const INLINE: u8 = 0;
const FILE: u8 = 1;
const SEGMENT: u8 = 2;

// Roots, in the order of their mirror type.
const THIS_SNAPSHOT: u8 = 0;
const JOB_SHARED: u8 = 1;
const JOB_TASK_OWNED: u8 = 2;
const CLAIMED: u8 = 3;
const BORROWED: u8 = 4;

// What a file begins with: 0, or 1 and more for a file of ours and its writer.
const FOREIGN: u8 = 0;
const OURS: u64 = 1;

/// In the place of the algorithm of a digest. No algorithm has this number.
const NO_DIGEST: u8 = 0;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Root {
    ThisSnapshot,
    JobShared,
    JobTaskOwned,
    Claimed(u64),
    Borrowed(u16),
}

/// The number of the algorithm, then 64 bits, the lowest byte first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Digest {
    algorithm: u8,
    value: [u8; 8],
}

/// Where claimed and borrowed roots lie.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Places<'a>(#[serde(borrow)] List<NamedPlace<'a>, { state::Places::MAX_PLACES }>);

/// Where a claimed or a borrowed root lies.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct NamedPlace<'a>(Root, &'a str);

/// Appends a handle that shares no writers with others.
pub(crate) fn put_handle_alone(out: &mut Vec<u8>, handle: &StateHandle) -> Result<(), Invalid> {
    put_handle(out, &mut Writers::none(), handle)
}

/// Reads a handle that shares no writers with others.
pub(crate) fn read_handle_alone<'a>(input: &mut Input<'a>) -> Result<HandleView<'a>, Flaw> {
    read_handle(input, &mut Writers::none())
}

/// Appends a handle. The length and the digest of inline bytes follow from the bytes.
#[inline]
pub(super) fn put_handle(out: &mut Vec<u8>, writers: &mut Writers, handle: &StateHandle) -> Result<(), Invalid> {
    let (length_bytes, digest) = (handle.length_bytes(), handle.digest());
    match handle.place() {
        Place::Inline(bytes) => {
            check_inline(bytes, length_bytes, digest)?;
            out.push(INLINE);
            put_blob(out, bytes);
        }
        Place::File { root, file } => {
            check_length(length_bytes)?;
            out.push(FILE);
            put_stored(out, writers, (*root, file), length_bytes, digest)?;
        }
        Place::Segment { root, file, offset_bytes } => {
            check_length(length_bytes)?;
            check_segment(*offset_bytes, length_bytes)?;
            out.push(SEGMENT);
            put_stored(out, writers, (*root, file), length_bytes, digest)?;
            put_u64(out, *offset_bytes);
        }
    }
    Ok(())
}

pub(super) fn read_handle<'a>(input: &mut Input<'a>, writers: &mut Writers) -> Result<HandleView<'a>, Flaw> {
    let kind = input.byte()?;
    if kind == INLINE {
        let bytes = input.blob()?;
        return Ok(HandleView { place: PlaceView::Inline(bytes), length_bytes: bytes.len() as u64, digest: None });
    }
    if kind != FILE && kind != SEGMENT {
        return Err(Flaw::UNKNOWN_VARIANT);
    }
    let (root, file) = read_file(input, writers)?;
    let length_bytes = input.u64()?;
    check_length(length_bytes)?;
    let digest = match input.byte()? {
        NO_DIGEST => None,
        algorithm => Some(Digest { algorithm, value: input.array()? }.into_domain()?),
    };
    check_digest(root, digest)?;
    let place = if kind == FILE {
        PlaceView::File { root, file }
    } else {
        let offset_bytes = input.u64()?;
        check_segment(offset_bytes, length_bytes)?;
        PlaceView::Segment { root, file, offset_bytes }
    };
    Ok(HandleView { place, length_bytes, digest })
}

#[inline]
fn put_stored(
    out: &mut Vec<u8>,
    writers: &mut Writers,
    (root, file): (state::Root, &FileRef),
    length_bytes: u64,
    digest: Option<domain_digest::Digest>,
) -> Result<(), Invalid> {
    check_digest(root, digest)?;
    put_file(out, writers, root, file)?;
    put_u64(out, length_bytes);
    match digest {
        None => out.push(NO_DIGEST),
        Some(digest) => {
            out.push(digest.algorithm() as u8);
            out.extend_from_slice(&digest.value().to_le_bytes());
        }
    }
    Ok(())
}

/// Appends a root and a file below it.
#[inline]
pub(super) fn put_file(
    out: &mut Vec<u8>,
    writers: &mut Writers,
    root: state::Root,
    file: &FileRef,
) -> Result<(), Invalid> {
    check_name(root, file.view())?;
    let (variant, number) = match root {
        state::Root::ThisSnapshot => (THIS_SNAPSHOT, None),
        state::Root::JobShared => (JOB_SHARED, None),
        state::Root::JobTaskOwned => (JOB_TASK_OWNED, None),
        state::Root::Claimed(claim) => (CLAIMED, Some(claim.get())),
        state::Root::Borrowed(number) => (BORROWED, Some(number.into())),
    };
    out.push(variant);
    if let Some(number) = number {
        put_u64(out, number);
    }
    match file {
        FileRef::Foreign(path) => {
            out.push(FOREIGN);
            put_blob(out, path.as_str().as_bytes());
        }
        FileRef::Ours(name) => {
            writers.put(out, OURS, name.writer())?;
            put_u64(out, name.number.into());
        }
    }
    Ok(())
}

pub(super) fn read_file<'a>(input: &mut Input<'a>, writers: &mut Writers) -> Result<(state::Root, FileView<'a>), Flaw> {
    let root = match input.byte()? {
        THIS_SNAPSHOT => state::Root::ThisSnapshot,
        JOB_SHARED => state::Root::JobShared,
        JOB_TASK_OWNED => state::Root::JobTaskOwned,
        CLAIMED => state::Root::Claimed(state::ClaimId::new(input.u64()?)),
        BORROWED => state::Root::Borrowed(input.u16()?),
        _ => return Err(Flaw::UNKNOWN_VARIANT),
    };
    let file = match input.u64()?.checked_sub(OURS) {
        None => {
            let path = PathView::new(input.text()?);
            FileView::Foreign(path.map_err(|error| Invalid::Refused { field: "the path of a file", error })?)
        }
        Some(writer) => FileView::Ours(writers.read(input, writer)?.file(input.u32()?)),
    };
    check_name(root, file)?;
    Ok((root, file))
}

/// Reading computes both anew; a handle that disagrees would come back as another one.
fn check_inline(bytes: &[u8], length_bytes: u64, digest: Option<domain_digest::Digest>) -> Result<(), Invalid> {
    if length_bytes != bytes.len() as u64 {
        let expected = format!("that of its {} inline bytes", bytes.len());
        return Err(Invalid::value("the length of a handle", length_bytes, expected));
    }
    let computed = domain_digest::Digest::of(bytes);
    if digest != Some(computed) {
        let found = digest.map_or_else(|| "absent".to_owned(), |found| found.to_string());
        return Err(Invalid::value("the digest of an inline handle", found, computed.to_string()));
    }
    Ok(())
}

/// Only what others wrote has names of theirs.
#[inline]
fn check_name(root: state::Root, file: FileView<'_>) -> Result<(), Invalid> {
    match (root, file) {
        (state::Root::Claimed(_) | state::Root::Borrowed(_), _) | (_, FileView::Ours(_)) => Ok(()),
        (_, FileView::Foreign(path)) => {
            let expected = format!("a name of ours, since it lies below {root}");
            Err(Invalid::value("the name of a file", path.as_str(), expected))
        }
    }
}

/// Only what others wrote may lack a digest.
#[inline]
fn check_digest(root: state::Root, digest: Option<domain_digest::Digest>) -> Result<(), Invalid> {
    match root {
        state::Root::Claimed(_) | state::Root::Borrowed(_) => Ok(()),
        state::Root::ThisSnapshot | state::Root::JobShared | state::Root::JobTaskOwned => match digest {
            Some(_) => Ok(()),
            None => Err(Invalid::value("the digest of a handle", "absent", format!("one, since it lies below {root}"))),
        },
    }
}

/// State without bytes makes no file and no part of one.
#[inline]
fn check_length(length_bytes: u64) -> Result<(), Invalid> {
    if length_bytes > 0 {
        return Ok(());
    }
    Err(Invalid::value("the length of a stored piece", length_bytes, "at least 1, since state without bytes is inline"))
}

/// A piece that begins there has room for one byte, so that it is told from a whole file.
pub(super) fn check_offset(offset_bytes: u64) -> Result<(), Invalid> {
    check_segment(offset_bytes, 1)
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
        Self(List(places.iter().map(|(root, uri)| NamedPlace(Root::of(root), uri.as_str())).collect()))
    }

    pub(crate) fn into_domain(self) -> Result<state::Places, Invalid> {
        let places = self.0.0.into_iter().map(NamedPlace::into_domain).collect::<Result<_, _>>()?;
        state::Places::new(places).map_err(|error| Invalid::Refused { field: "the places", error })
    }
}

impl NamedPlace<'_> {
    pub(crate) fn into_domain(self) -> Result<(state::Root, Uri), Invalid> {
        let uri = Uri::new(self.1).map_err(|error| Invalid::Refused { field: "a place", error })?;
        Ok((self.0.into_domain(), uri))
    }
}
