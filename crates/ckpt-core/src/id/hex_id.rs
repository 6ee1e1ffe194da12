//! Identities of 16 bytes.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::id::error::IdError;

macro_rules! hex_id {
    ($(#[$meta:meta])* $name:ident, $what:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Wraps the 16 bytes.
            pub const fn new(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes.
            pub const fn bytes(self) -> [u8; 16] {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            /// Accepts exactly 32 lower-case hex digits.
            fn from_str(text: &str) -> Result<Self, Error> {
                parse(text).map(Self).ok_or_else(|| IdError::HexId { what: $what, found: text.to_owned() }.into())
            }
        }
    };
}

hex_id! {
    /// A job. Written as 32 lower-case hex digits, as Flink's `JobID`.
    JobId, "a job id"
}

hex_id! {
    /// An operator, the owner of state. Written as 32 lower-case hex digits, as Flink's `OperatorID`.
    OperatorId, "an operator id"
}

hex_id! {
    /// A vertex of the job graph: a chain of operators that runs as one task per subtask (Flink's `JobVertexID`).
    VertexId, "a vertex id"
}

fn parse(text: &str) -> Option<[u8; 16]> {
    let digits = text.as_bytes();
    if digits.len() != 32 {
        return None;
    }
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_form_round_trips() {
        let id = JobId::new([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 254, 255]);
        assert_eq!(id.to_string(), "000102030405060708090a0b0c0dfeff");
        assert_eq!(id.to_string().parse::<JobId>().unwrap(), id);
        assert!("000102030405060708090A0B0C0DFEFF".parse::<JobId>().is_err());
        assert!("00".parse::<JobId>().is_err());
    }
}
