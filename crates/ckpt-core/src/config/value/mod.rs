//! How the values of settings are written, each kind as Flink writes it.

mod choice;
mod duration;
mod memory_size;
mod number;
mod optional;
mod path;

#[cfg(test)]
mod flink_test;

use std::fmt;

pub use choice::{CheckpointingMode, StorageName};
pub use memory_size::MemorySize;
pub use number::SpaceAmplification;
pub(super) use path::LocalDirectories;

use super::error::shown;

/// A kind of value that a setting can have.
pub(super) trait Kind: Clone + fmt::Debug + PartialEq + Send + Sync {
    /// What it is called in the documentation.
    const TYPE: &'static str;

    /// How one is written, to follow a refusal.
    const REMEDY: &'static str;

    /// Reads one, which may not [fit](Self::fits). The text has no space around it.
    fn read(text: &str) -> Result<Self, Unreadable>;

    /// Writes one so that [`read`](Self::read) gives it back; `None` for one that is written by leaving the key away.
    fn write(&self) -> Option<String>;

    /// Whether it is within Flink's bounds, so that [`write`](Self::write) can write it.
    fn fits(&self) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// Why a value cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It begins with digits.
    NoNumber,
    /// It begins like a duration of ISO 8601 and is none.
    Iso,
    /// It is below zero.
    Negative,
    /// The unit is none that is known.
    Unit(String),
    /// It has digits behind a point.
    Fraction,
    /// It is too large.
    TooLarge,
    /// It is no whole number.
    NotInteger,
    /// It is no number.
    NotFloat,
    /// It is neither true nor false.
    NotBoolean,
    /// It is none of those.
    NotOneOf(&'static str),
    /// No checkpoint has that number.
    NoCheckpoint,
    /// Flink knows it and it does harm.
    Legacy,
    /// There is nothing.
    Empty,
    /// It means one of the storages that are built in.
    Taken,
    /// A path holds what separates paths.
    Separator,
    /// Spaces around it or control characters in it.
    Unprintable,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNumber => f.write_str("it does not begin with digits"),
            Self::Iso => f.write_str("it is no duration of the form PnDTnHnMnS"),
            Self::Negative => f.write_str("it is negative"),
            Self::Fraction => f.write_str("it has a fraction, and is a whole number of a unit"),
            Self::Unit(unit) => write!(f, "'{}' is no unit of it", shown(unit)),
            Self::TooLarge => f.write_str("it is too large"),
            Self::NotInteger => f.write_str("it is no whole number"),
            Self::NotFloat => f.write_str("it is no decimal number"),
            Self::NotBoolean => f.write_str("it is neither true nor false"),
            Self::NotOneOf(names) => write!(f, "it is none of {}", names),
            Self::NoCheckpoint => f.write_str("no checkpoint has that number"),
            Self::Legacy => f.write_str(
                "with LEGACY nobody owns the snapshot: the job deletes nothing of it and still needs files of it",
            ),
            Self::Empty => f.write_str("it is empty"),
            Self::Taken => f.write_str("it is the name of a storage that is built in"),
            Self::Separator => f.write_str("a path in it holds ',' or ':', which separate paths"),
            Self::Unprintable => f.write_str("it has spaces around it or control characters in it"),
        }
    }
}

/// Why what follows the digits is no unit, in lower case.
fn no_unit(unit: &str) -> Unreadable {
    match unit.strip_prefix(['.', ',']) {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => Unreadable::Fraction,
        _ => Unreadable::Unit(unit.to_owned()),
    }
}

/// Text without Java's spaces around it, which are all characters up to U+0020.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c <= ' ')
}
