//! What was accepted and should be looked at.

use std::fmt;

/// A setting that was accepted and should be looked at. Its text names the key and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigWarning {
    /// The setting has a new key; the value was taken.
    OldName {
        /// The key that was found.
        found: &'static str,
        /// The key it has now.
        key: &'static str,
    },
    /// The setting stands there under a former key as well, whose value was not taken.
    Overridden {
        /// The former key.
        found: &'static str,
        /// The key whose value was taken.
        key: &'static str,
    },
    /// The value makes no sense and another was taken, as Flink does.
    Replaced {
        /// The key.
        key: &'static str,
        /// The value that was found.
        found: String,
        /// The value that was taken.
        taken: String,
        /// The rule that the found value breaks.
        rule: &'static str,
    },
    /// The key looks like one of checkpointing and means nothing here: it has no effect.
    NoEffect {
        /// The key.
        key: String,
    },
}

impl fmt::Display for ConfigWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OldName { found, key } => write!(f, "{found} is an old name: write {key}"),
            Self::Overridden { found, key } => write!(f, "{found} has no effect beside {key}: remove it"),
            Self::Replaced { key, found, taken, rule } => {
                write!(f, "{key} = '{found}' was replaced by '{taken}': {rule}")
            }
            Self::NoEffect { key } => write!(f, "{key} has no effect: check its spelling, or remove it"),
        }
    }
}
