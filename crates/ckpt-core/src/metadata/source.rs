//! Where a metadata file is read from.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::checkpoint::Section;
use super::format::{check_digest, most_bytes};
use super::index::SectionPlace;
use crate::wire::{Invalid, Subject, WireError};

/// Where the bytes of a metadata file come from: bytes in memory, or a file that can be read at any place. Several threads
/// call it at once where they read [parts](super::MetadataReader::read_parts).
pub trait MetadataSource {
    /// Length of the file. The same at every call.
    fn length_bytes(&self) -> u64;

    /// The bytes from `offset_bytes` on, exactly `length_bytes` of them. Asked for only within the file.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` when the file ends before, which the reader takes for damage; it makes `Retry` of all others.
    fn read_at(&self, offset_bytes: u64, length_bytes: usize) -> io::Result<Bytes>;
}

impl MetadataSource for Bytes {
    fn length_bytes(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset_bytes: u64, length_bytes: usize) -> io::Result<Bytes> {
        let first = usize::try_from(offset_bytes).ok();
        let range = first.and_then(|first| Some(first..first.checked_add(length_bytes)?));
        let range = range.filter(|range| range.end <= self.len());
        range.map(|range| self.slice(range)).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

impl<S: MetadataSource + ?Sized> MetadataSource for &S {
    fn length_bytes(&self) -> u64 {
        (**self).length_bytes()
    }

    fn read_at(&self, offset_bytes: u64, length_bytes: usize) -> io::Result<Bytes> {
        (**self).read_at(offset_bytes, length_bytes)
    }
}

impl<S: MetadataSource + ?Sized> MetadataSource for Arc<S> {
    fn length_bytes(&self) -> u64 {
        (**self).length_bytes()
    }

    fn read_at(&self, offset_bytes: u64, length_bytes: usize) -> io::Result<Bytes> {
        (**self).read_at(offset_bytes, length_bytes)
    }
}

/// A section, verified.
pub(super) fn section(
    source: &dyn MetadataSource,
    subject: Subject,
    place: &SectionPlace,
) -> Result<Section, WireError> {
    let (bytes, digest) = (fetch(source, subject, place.offset, u64::from(place.length))?, place.digest);
    check_digest(subject, &bytes, digest)?;
    Ok(Section { bytes, digest })
}

/// Bytes of the file. Their place was checked to lie within it; but a file may be sparse, so its length bounds nothing.
pub(super) fn fetch(
    source: &dyn MetadataSource,
    subject: Subject,
    offset: u64,
    length: u64,
) -> Result<Bytes, WireError> {
    let most = most_bytes(subject);
    let Some(wanted) = usize::try_from(length).ok().filter(|_| length <= most) else {
        let expected = format!("at most {most} bytes");
        return Err(Invalid::value("the length of a section", length, expected).reading(subject));
    };
    let bytes = source.read_at(offset, wanted).map_err(|source| WireError::Read { subject, source })?;
    match bytes.len() as u64 {
        found if found == length => Ok(bytes),
        found => Err(WireError::Length { subject, expected: length, found }),
    }
}
