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

fn put_long_u64(out: &mut Vec<u8>, number: u64) {
    let (bytes, length) = encoded_u64(number);
    // As many bytes as there can be, which is a copy of a known length, and then fewer.
    out.extend_from_slice(&bytes);
    out.truncate(out.len() - bytes.len() + length);
}

/// The encoding of a number, and how many of the bytes it takes. There is no branch in it: lengths of numbers are as good as
/// random, and a wrong guess of the processor costs more than all of this.
#[inline]
fn encoded_u64(number: u64) -> ([u8; 10], usize) {
    const LAST_OF_EIGHT: u32 = 56;
    // Seven bits to each byte, by halves: of 56 bits, of 28 and of 14.
    let mut spread = number & ((1 << LAST_OF_EIGHT) - 1);
    spread = (spread & 0x0000_0000_0fff_ffff) | ((spread & 0x00ff_ffff_f000_0000) << 4);
    spread = (spread & 0x0000_3fff_0000_3fff) | ((spread & 0x0fff_c000_0fff_c000) << 2);
    spread = (spread & 0x007f_007f_007f_007f) | ((spread & 0x3f80_3f80_3f80_3f80) << 1);
    let bits = u64::BITS - (number | 1).leading_zeros();
    let length = bits.div_ceil(7);
    // Every byte but the last says that another follows.
    let continued = 0x8080_8080_8080_8080_u64;
    let beyond = (8 * (u32::min(length, 9) - 1)).min(u64::BITS);
    spread |= continued & 1_u64.checked_shl(beyond).unwrap_or(0).wrapping_sub(1);
    let [a, b, c, d, e, f, g, h] = spread.to_le_bytes();
    let ninth = (number >> LAST_OF_EIGHT) as u8 & 0x7f | ((number >> 63) as u8) << 7;
    ([a, b, c, d, e, f, g, h, ninth, (number >> 63) as u8], length as usize)
}

/// Appends what `put` appends, and before it how many bytes that is.
pub(crate) fn put_measured<T, E>(out: &mut Vec<u8>, put: impl FnOnce(&mut Vec<u8>) -> Result<T, E>) -> Result<T, E> {
    // A length of one byte is likely. If it takes more, what was put makes room for it.
    let before = out.len();
    out.push(0);
    let done = put(out)?;
    let length = out.len() - before - 1;
    let (encoded, more) = encoded_u64(length as u64);
    if more > 1 {
        out.extend_from_slice(&encoded[..more - 1]);
        out.copy_within(before + 1..before + 1 + length, before + more);
    }
    out[before..before + more].copy_from_slice(&encoded[..more]);
    Ok(done)
}

/// Appends a length and so many bytes.
#[inline]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_is_a_blob() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 3 << 20] {
            let bytes: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let (mut blob, mut measured) = (vec![7], vec![7]);
            put_blob(&mut blob, &bytes);
            let put = |out: &mut Vec<u8>| {
                out.extend_from_slice(&bytes);
                Ok::<_, ()>(length)
            };
            assert_eq!(put_measured(&mut measured, put), Ok(length));
            assert!(measured == blob, "{length} bytes");
        }
    }
}
