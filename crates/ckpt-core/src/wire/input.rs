//! Bytes that are read by hand, where mirror types would cost too much.

use serde::{Deserialize, Serialize};

use super::codec::decode_first;
use super::{Invalid, Subject, WireError, encoded_bytes};

/// Bytes that are read one after another, in postcard's form. An integer has one encoding only: the shortest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    rest: &'a [u8],
    length: usize,
}

/// What is wrong with what was read last.
#[derive(Debug)]
pub(crate) enum Flaw {
    /// The bytes encode nothing.
    Malformed(postcard::Error),
    /// They encode what breaks a rule. Boxed, since every number that is read may fail and few do.
    Invalid(Box<Invalid>),
}

impl<'a> Input<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, length: bytes.len() }
    }

    /// How many bytes were read.
    pub(crate) const fn position(&self) -> usize {
        self.length - self.rest.len()
    }

    /// What is left.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next bytes.
    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'a [u8], Flaw> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(CUT_SHORT)?;
        self.rest = rest;
        Ok(bytes)
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Result<u8, Flaw> {
        let (first, rest) = self.rest.split_first().ok_or(CUT_SHORT)?;
        self.rest = rest;
        Ok(*first)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Flaw> {
        let (first, rest) = self.rest.split_first_chunk::<N>().ok_or(CUT_SHORT)?;
        self.rest = rest;
        Ok(*first)
    }

    #[inline]
    pub(crate) fn u64(&mut self) -> Result<u64, Flaw> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(first.into());
        }
        self.rest_of_u64(first)
    }

    fn rest_of_u64(&mut self, first: u8) -> Result<u64, Flaw> {
        let mut number = u64::from(first & 0x7f);
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            number |= bits << shift;
            if byte < 0x80 {
                // A last byte of 0 adds nothing, and of the tenth byte only one bit fits.
                return if byte == 0 || (bits << shift) >> shift != bits { Err(BAD_NUMBER) } else { Ok(number) };
            }
        }
        Err(BAD_NUMBER)
    }

    #[inline]
    pub(crate) fn u32(&mut self) -> Result<u32, Flaw> {
        u32::try_from(self.u64()?).map_err(|_| BAD_NUMBER)
    }

    #[inline]
    pub(crate) fn u16(&mut self) -> Result<u16, Flaw> {
        u16::try_from(self.u64()?).map_err(|_| BAD_NUMBER)
    }

    /// A count of elements of which each takes at least so many bytes: never more than the bytes left can hold.
    #[inline]
    pub(crate) fn count(&mut self, least_bytes: usize) -> Result<usize, Flaw> {
        let count = usize::try_from(self.u64()?).map_err(|_| CUT_SHORT)?;
        match count.checked_mul(least_bytes) {
            Some(bytes) if bytes <= self.rest.len() => Ok(count),
            _ => Err(CUT_SHORT),
        }
    }

    /// A length, then so many bytes.
    pub(crate) fn blob(&mut self) -> Result<&'a [u8], Flaw> {
        let length = self.count(1)?;
        self.bytes(length)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Flaw> {
        std::str::from_utf8(self.blob()?).map_err(|_| Flaw::Malformed(postcard::Error::DeserializeBadUtf8))
    }

    /// A value of a mirror type. postcard takes a number in more bytes than it needs, and nothing else has two encodings,
    /// so what took more bytes than it is written in is refused.
    pub(crate) fn mirror<T: Deserialize<'a> + Serialize>(&mut self) -> Result<T, Flaw> {
        let before = self.rest.len();
        let (decoded, rest) = decode_first::<T>(self.rest);
        self.rest = rest;
        let decoded = decoded.map_err(Flaw::Malformed)?;
        match encoded_bytes(&decoded).map_err(Flaw::Malformed)? {
            written if written == before - rest.len() => Ok(decoded),
            _ => Err(BAD_NUMBER),
        }
    }

    /// # Errors
    ///
    /// When bytes are left over.
    pub(crate) fn end(self, subject: Subject) -> Result<(), WireError> {
        match self.rest {
            [] => Ok(()),
            _ => Err(WireError::LeftOver { subject, offset: self.position() as u64, length: self.length as u64 }),
        }
    }

    /// The error for a flaw that was found here.
    pub(crate) fn error(&self, subject: Subject, flaw: Flaw) -> WireError {
        match flaw {
            Flaw::Malformed(source) => {
                WireError::Malformed { subject, offset: self.position() as u64, length: self.length as u64, source }
            }
            Flaw::Invalid(invalid) => invalid.reading(subject),
        }
    }
}

const CUT_SHORT: Flaw = Flaw::Malformed(postcard::Error::DeserializeUnexpectedEnd);
const BAD_NUMBER: Flaw = Flaw::Malformed(postcard::Error::DeserializeBadVarint);

impl Flaw {
    /// A variant that there is not.
    pub(crate) const UNKNOWN_VARIANT: Self = Self::Malformed(postcard::Error::DeserializeBadEnum);
}

impl From<Invalid> for Flaw {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(Box::new(invalid))
    }
}

/// Reads a whole body: all of it, nothing may be left over.
pub(crate) fn read_all<'a, T>(
    subject: Subject,
    bytes: &'a [u8],
    read: impl FnOnce(&mut Input<'a>) -> Result<T, Flaw>,
) -> Result<T, WireError> {
    let mut input = Input::new(bytes);
    let value = read(&mut input).map_err(|flaw| input.error(subject, flaw))?;
    input.end(subject)?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::put_u64;

    #[test]
    fn numbers_have_one_encoding() {
        for shift in 0..64 {
            for number in [1_u64 << shift, u64::MAX >> shift, (1 << shift) - 1] {
                let mut bytes = Vec::new();
                put_u64(&mut bytes, number);
                assert_eq!(bytes, postcard::to_stdvec(&number).unwrap());
                let mut input = Input::new(&bytes);
                assert_eq!(input.u64().unwrap(), number);
                assert_eq!(input.position(), bytes.len());
                for cut in 0..bytes.len() {
                    assert!(Input::new(&bytes[..cut]).u64().is_err());
                }
                // The same number, one byte longer.
                let last = bytes.len() - 1;
                bytes[last] |= 0x80;
                bytes.push(0);
                assert!(Input::new(&bytes).u64().is_err(), "{number}");
            }
        }
        let above = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02];
        assert!(Input::new(&above).u64().is_err());
        assert!(Input::new(&[0xff; 20]).u64().is_err());
        assert!(Input::new(&[0x80, 0x80, 0x04]).u16().is_err());
        assert_eq!(Input::new(&[0xff, 0xff, 0x03]).u16().unwrap(), u16::MAX);
    }

    #[test]
    fn a_count_is_bounded_by_what_is_left() {
        assert_eq!(Input::new(&[3, 0, 0, 0]).count(1).unwrap(), 3);
        assert!(Input::new(&[3, 0, 0]).count(1).is_err());
        assert!(Input::new(&[3, 0, 0, 0, 0, 0]).count(2).is_err());
        let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert!(Input::new(&huge).count(usize::MAX).is_err());
    }
}
