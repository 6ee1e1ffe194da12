//! File names that are never reused.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::id::error::IdError;
use crate::id::{LeaderEpoch, WriterId};

/// The name of a file that we write: `<epoch>-<writer>-<number>` in 16, 16 and 8 lower-case hex digits.
///
/// The number is a counter of the writer, so names need no randomness and no name is ever used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an identity is all of its parts")]
pub struct FileName {
    /// The leader under which it was written.
    pub epoch: LeaderEpoch,
    /// Who wrote it.
    pub writer: WriterId,
    /// The writer's counter.
    pub number: u32,
}

/// A writer within its epoch: what a file name needs besides a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an identity is all of its parts")]
pub struct Writer {
    /// The leader that deployed it.
    pub epoch: LeaderEpoch,
    /// Its number within that epoch.
    pub id: WriterId,
}

impl Writer {
    /// A writer of that epoch.
    pub const fn new(epoch: LeaderEpoch, id: WriterId) -> Self {
        Self { epoch, id }
    }

    /// The writer's file with that number.
    pub const fn file(self, number: u32) -> FileName {
        FileName { epoch: self.epoch, writer: self.id, number }
    }
}

impl FileName {
    /// Bytes of the written form.
    pub const LENGTH: usize = 16 + 1 + 16 + 1 + 8;

    /// Who wrote the file.
    pub const fn writer(&self) -> Writer {
        Writer { epoch: self.epoch, id: self.writer }
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Digit by digit: every file has a name, and padding by the formatter costs several times as much.
        let mut text = [b'-'; Self::LENGTH];
        hex_into(&mut text[..16], self.epoch.get());
        hex_into(&mut text[17..33], self.writer.get());
        hex_into(&mut text[34..], u64::from(self.number));
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

/// The last digits of a number, as many as there is room for.
fn hex_into(room: &mut [u8], mut number: u64) {
    for digit in room.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 0xf) as usize];
        number >>= 4;
    }
}

impl fmt::Debug for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for FileName {
    type Err = Error;

    /// Accepts the written form only: exact lengths, lower-case digits, no sign.
    fn from_str(text: &str) -> Result<Self, Error> {
        let refuse = || IdError::FileName { found: text.to_owned() };
        let bytes = text.as_bytes();
        let hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if bytes.len() != Self::LENGTH
            || bytes[16] != b'-'
            || bytes[33] != b'-'
            || !(bytes[..16].iter().chain(&bytes[17..33]).chain(&bytes[34..])).all(hex)
        {
            return Err(refuse().into());
        }
        Ok(Self {
            epoch: LeaderEpoch::new(u64::from_str_radix(&text[..16], 16).map_err(|_| refuse())?),
            writer: WriterId::new(u64::from_str_radix(&text[17..33], 16).map_err(|_| refuse())?),
            number: u32::from_str_radix(&text[34..], 16).map_err(|_| refuse())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_form_round_trips_and_nothing_else_is_accepted() {
        let name = Writer::new(LeaderEpoch::new(3), WriterId::new(0xab)).file(7);
        let text = "0000000000000003-00000000000000ab-00000007";
        assert_eq!(name.to_string(), text);
        assert_eq!(text.parse::<FileName>().unwrap(), name);
        for bad in [
            "",
            "_metadata",
            "0000000000000003-00000000000000AB-00000007",
            "0000000000000003-00000000000000ab-0000007",
            "0000000000000003-00000000000000ab-00000007x",
            "+000000000000003-00000000000000ab-00000007",
            "0000000000000003/00000000000000ab-00000007",
            "000000000000000é-0000000000000ab-00000007",
        ] {
            assert!(bad.parse::<FileName>().is_err(), "{bad}");
        }
    }
}
