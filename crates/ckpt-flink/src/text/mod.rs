//! Text as Java's `DataOutputStream` writes it.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use crate::error::TextTooLong;

/// Text in Java's modified UTF-8, as its bytes are.
///
/// Java's reader takes more than its writer makes: unpaired surrogates, characters in more bytes than they need, a bare
/// zero. All of it is kept, so texts are equal when their bytes are. What is read from a file in memory shares that
/// file's memory, and keeps it.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JavaText(Bytes);

impl JavaText {
    /// The most bytes that a text may be encoded in.
    pub const MAX_BYTES: usize = u16::MAX as usize;

    /// The text as Java writes it: a zero in two bytes, a character beyond U+FFFF as two surrogates of three bytes.
    ///
    /// # Errors
    ///
    /// `Configuration` when that takes more than [`MAX_BYTES`](Self::MAX_BYTES).
    pub fn new(text: &str) -> ckpt_core::Result<Self> {
        let mut bytes = Vec::with_capacity(text.len());
        for unit in text.encode_utf16() {
            put_unit(&mut bytes, unit);
        }
        match bytes.len() {
            0..=Self::MAX_BYTES => Ok(Self(bytes.into())),
            length_bytes => Err(TextTooLong { length_bytes }.into()),
        }
    }

    /// A text of this program's own, known to be short ASCII without a zero.
    pub(crate) const fn from_ascii(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }

    /// The text that these bytes are, or where and why Java would refuse them.
    #[inline(always)]
    pub(crate) fn from_encoded(bytes: Bytes) -> Result<Self, InvalidText> {
        match check(&bytes) {
            Ok(()) => Ok(Self(bytes)),
            Err(invalid) => Err(invalid),
        }
    }

    /// The bytes in the file, without the length before them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether there is no character in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text; `None` when it has a surrogate without its other half, which no Rust text can have.
    pub fn as_str(&self) -> Option<Cow<'_, str>> {
        // Bytes that are UTF-8 too mean the same in both: only what takes four bytes there differs, and Java refuses it.
        match std::str::from_utf8(&self.0) {
            Ok(text) => Some(Cow::Borrowed(text)),
            Err(_) => char::decode_utf16(units(&self.0)).collect::<Result<String, _>>().ok().map(Cow::Owned),
        }
    }

    /// The text, with U+FFFD for each surrogate without its other half.
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        self.as_str().unwrap_or_else(|| {
            let characters = char::decode_utf16(units(&self.0));
            Cow::Owned(characters.map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
        })
    }
}

impl fmt::Display for JavaText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_string_lossy())
    }
}

impl fmt::Debug for JavaText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.to_string_lossy(), f)
    }
}

impl PartialEq<str> for JavaText {
    fn eq(&self, other: &str) -> bool {
        self.as_str().is_some_and(|text| text == other)
    }
}

/// Why Java's `readUTF` refuses bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidText {
    /// Where in the text.
    pub(crate) offset_bytes: usize,
    pub(crate) expected: &'static str,
    /// `None` at the end of the text.
    pub(crate) found: Option<u8>,
}

/// Goes by `java.io.DataInputStream.readUTF`, which never looks at the value that bytes make.
#[inline]
fn check(bytes: &[u8]) -> Result<(), InvalidText> {
    if bytes.is_ascii() { Ok(()) } else { check_characters(bytes) }
}

fn check_characters(bytes: &[u8]) -> Result<(), InvalidText> {
    let mut at = 0;
    while let Some(first) = bytes.get(at) {
        let length = match first {
            0x00..=0x7f => 1,
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0x80..=0xbf | 0xf0..=0xff => {
                let expected = "the first byte of a character of at most three";
                return Err(InvalidText { offset_bytes: at, expected, found: Some(*first) });
            }
        };
        for offset_bytes in at + 1..at + length {
            let found = bytes.get(offset_bytes).copied();
            if found.is_none_or(|byte| byte & 0xc0 != 0x80) {
                return Err(InvalidText { offset_bytes, expected: "a further byte of a character", found });
            }
        }
        at += length;
    }
    Ok(())
}

/// The UTF-16 units of bytes that were checked.
fn units(bytes: &[u8]) -> impl Iterator<Item = u16> {
    let mut rest = bytes.iter().map(|byte| u16::from(*byte));
    std::iter::from_fn(move || {
        let first = rest.next()?;
        Some(match first {
            0x00..=0x7f => first,
            0x80..=0xdf => (first & 0x1f) << 6 | rest.next()? & 0x3f,
            _ => (first & 0x0f) << 12 | (rest.next()? & 0x3f) << 6 | rest.next()? & 0x3f,
        })
    })
}

fn put_unit(bytes: &mut Vec<u8>, unit: u16) {
    let low = |shift: u32| (unit >> shift & 0x3f) as u8 | 0x80;
    match unit {
        0x0001..=0x007f => bytes.push(unit as u8),
        0x0000 | 0x0080..=0x07ff => bytes.extend([(unit >> 6) as u8 | 0xc0, low(0)]),
        0x0800..=0xffff => bytes.extend([(unit >> 12) as u8 | 0xe0, low(6), low(0)]),
    }
}

#[cfg(test)]
mod text_test;
