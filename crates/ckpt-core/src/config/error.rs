//! Why a setting is refused.

use crate::error::{Error, ErrorKind};

/// A setting that is refused: the key, the value, the rule it breaks and what to write instead.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ConfigError {
    /// The value is understood and not allowed.
    #[error("{key} = '{value}' is refused: {rule}; {remedy}")]
    Rule { key: &'static str, value: String, rule: &'static str, remedy: &'static str },
    /// The value cannot be read.
    #[error("{key} = '{value}' is refused: {why}; {remedy}")]
    Unreadable { key: &'static str, value: String, why: Unreadable, remedy: &'static str },
    /// The key stands there more than once.
    #[error("{key} is refused: it is given both as '{first}' and as '{second}'; keep one of them")]
    Twice { key: String, first: String, second: String },
}

/// Why a value cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// A duration begins with digits.
    NoNumber,
    /// The unit is none that is known.
    Unit(String),
    /// The number or the duration is too large.
    TooLarge,
    /// It is no whole number.
    NotInteger,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoNumber => f.write_str("a duration begins with digits"),
            Self::Unit(unit) => write!(f, "'{unit}' is no unit of time"),
            Self::TooLarge => f.write_str("it is too large"),
            Self::NotInteger => f.write_str("it is no whole number"),
        }
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::new(ErrorKind::Configuration, error)
    }
}

/// A value as it is shown in a message: short, and on one line.
pub(super) fn shown(value: &str) -> String {
    const MOST_CHARS: usize = 100;
    let mut shown = value.chars().take(MOST_CHARS).flat_map(char::escape_debug).collect::<String>();
    if value.chars().nth(MOST_CHARS).is_some() {
        shown.push('…');
    }
    shown
}
