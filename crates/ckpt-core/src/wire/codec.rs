//! postcard with the offset of what is wrong, and integers of fixed width.

use postcard::de_flavors::Flavor;
use serde::{Deserialize, Serialize};

use super::{Input, Subject, WireError, read_all};

/// The encoding of a mirror type.
#[cfg(test)]
pub(crate) fn encode<T: Serialize>(subject: Subject, value: &T) -> Result<Vec<u8>, WireError> {
    let mut bytes = Vec::new();
    super::put_mirror(&mut bytes, subject, value)?;
    Ok(bytes)
}

/// The mirror type that these bytes encode; all of them, nothing may be left over.
pub(crate) fn decode<'a, T: Deserialize<'a> + Serialize>(subject: Subject, bytes: &'a [u8]) -> Result<T, WireError> {
    read_all(subject, bytes, Input::mirror)
}

/// The mirror type that these bytes begin with, and what is left of them, also when they encode none.
pub(super) fn decode_first<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> (postcard::Result<T>, &'a [u8]) {
    let mut deserializer = postcard::Deserializer::from_flavor(Rest(bytes));
    let value = T::deserialize(&mut deserializer);
    // That of `Rest` never fails.
    (value, deserializer.finalize().unwrap_or_default())
}

/// What is left to decode.
struct Rest<'a>(&'a [u8]);

impl<'a> Flavor<'a> for Rest<'a> {
    type Remainder = &'a [u8];
    type Source = &'a [u8];

    fn pop(&mut self) -> postcard::Result<u8> {
        let (first, rest) = self.0.split_first().ok_or(postcard::Error::DeserializeUnexpectedEnd)?;
        self.0 = rest;
        Ok(*first)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }

    fn try_take_n(&mut self, count: usize) -> postcard::Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(postcard::Error::DeserializeUnexpectedEnd)?;
        self.0 = rest;
        Ok(taken)
    }

    fn finalize(self) -> postcard::Result<&'a [u8]> {
        Ok(self.0)
    }
}

/// Little-endian integers of fixed width, read one after another from bytes whose length was checked.
pub(crate) struct Fixed<'a>(pub(crate) &'a [u8]);

impl<'a> Fixed<'a> {
    /// The next `N` bytes; zeros where they have ended, which the check of the length before rules out.
    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        if let Some((first, rest)) = self.0.split_first_chunk::<N>() {
            array = *first;
            self.0 = rest;
        }
        array
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }
}
