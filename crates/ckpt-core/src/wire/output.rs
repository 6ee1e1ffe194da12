//! Bytes that are written by hand, in postcard's form.

use postcard::ser_flavors::{Flavor, Size};
use serde::Serialize;

use super::{Subject, WireError};

/// Appends an unsigned integer.
#[inline]
pub(crate) fn put_u64(out: &mut Vec<u8>, number: u64) {
    if number < 0x80 {
        out.push(number as u8);
    } else {
        put_long_u64(out, number);
    }
}

fn put_long_u64(out: &mut Vec<u8>, mut number: u64) {
    const MOST_BYTES: usize = 10;
    let mut bytes = [0; MOST_BYTES];
    let mut length = 0;
    for byte in &mut bytes {
        length += 1;
        if number < 0x80 {
            *byte = number as u8;
            break;
        }
        *byte = number as u8 | 0x80;
        number >>= 7;
    }
    // As many bytes as there can be, which is a copy of a known length, and then fewer.
    out.extend_from_slice(&bytes);
    out.truncate(out.len() - MOST_BYTES + length);
}

/// Appends a length and so many bytes.
pub(crate) fn put_blob(out: &mut Vec<u8>, bytes: &[u8]) {
    put_u64(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends the encoding of a mirror type.
pub(crate) fn put_mirror<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    subject: Subject,
    value: &T,
) -> Result<(), WireError> {
    postcard::serialize_with_flavor(value, Appending(out)).map_err(|source| WireError::Encode { subject, source })
}

/// How many bytes the encoding of a mirror type has.
pub(super) fn encoded_bytes<T: Serialize + ?Sized>(value: &T) -> postcard::Result<usize> {
    postcard::serialize_with_flavor(value, Size::default())
}

struct Appending<'a>(&'a mut Vec<u8>);

impl Flavor for Appending<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}
