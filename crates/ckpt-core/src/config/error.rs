//! Why a setting is refused.

use super::layer::Layer;
use super::value::Unreadable;
use super::warning::ConfigWarning;
use crate::error::{Error, ErrorKind};
use crate::uri::redacted;

/// A setting that is refused: the key, the value, where it is from, the rule it breaks and what to write instead.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ConfigError {
    /// The value is understood and not allowed.
    #[error("{key} = '{value}' {layer} is refused: it must be {rule}; {remedy}")]
    Rule { key: &'static str, value: String, layer: Layer, rule: &'static str, remedy: &'static str },
    /// The value cannot be read.
    #[error("{key} = '{value}' {layer} is refused: {why}; {remedy}")]
    Unreadable { key: &'static str, value: String, layer: Layer, why: Unreadable, remedy: &'static str },
    /// The key stands there more than once.
    #[error("{key} {layer} is refused: it is given both as '{first}' and as '{second}'; keep one of them")]
    Twice { key: String, first: String, second: String, layer: Layer },
    /// Two values are allowed, but not together.
    #[error("{} is refused beside {}: {rule}; {remedy}", both[0], both[1])]
    Together { both: Box<[Shown; 2]>, rule: &'static str, remedy: &'static str },
    /// In code nothing is left to be looked at.
    #[error("the configuration in code is refused: {0}")]
    Warned(ConfigWarning),
    /// The job cannot run with it.
    #[error("{setting} is refused for this job: {found}, and {rule}; {remedy}")]
    Job { setting: Shown, found: String, rule: &'static str, remedy: &'static str },
}

/// A setting with its value, as messages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) key: &'static str,
    pub(super) value: String,
    /// `None` when it is the default or no longer known.
    pub(super) layer: Option<Layer>,
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} = '{}'", self.key, self.value)?;
        self.layer.map_or(Ok(()), |layer| write!(f, " {layer}"))
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::new(ErrorKind::Configuration, error)
    }
}

/// A value as it is shown in a message: short, on one line, without secrets.
pub(super) fn shown(value: &str) -> String {
    const MOST_CHARS: usize = 100;
    let value = redacted(value);
    let mut shown = value.chars().take(MOST_CHARS).flat_map(char::escape_debug).collect::<String>();
    if value.chars().nth(MOST_CHARS).is_some() {
        shown.push('…');
    }
    shown
}
