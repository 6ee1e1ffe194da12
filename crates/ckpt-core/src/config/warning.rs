//! What was accepted and should be looked at.

use std::fmt;

use super::layer::Layer;

/// A setting that was accepted and should be looked at. Its text names the key, where it is from, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigWarning {
    /// The setting has a new key; the value was taken.
    OldName {
        /// The key that was found.
        found: &'static str,
        /// The key it has now.
        key: &'static str,
        /// Where it was found.
        layer: Layer,
    },
    /// The setting stands there under a former key as well, whose value was not taken.
    Overridden {
        /// The former key.
        found: &'static str,
        /// The key whose value was taken.
        key: &'static str,
        /// Where both were found.
        layer: Layer,
    },
    /// The value makes no sense and another was taken, as Flink does.
    Replaced {
        /// The key.
        key: &'static str,
        /// The value that was found.
        found: String,
        /// The value that was taken.
        taken: String,
        /// The rule that the found value breaks, to follow "it must be".
        rule: &'static str,
        /// Where it was found.
        layer: Layer,
    },
    /// Another setting leaves this one without effect.
    WithoutEffect {
        /// The key.
        key: &'static str,
        /// Where it was found.
        layer: Layer,
        /// Why it has no effect.
        why: &'static str,
    },
    /// The job leaves the setting without effect.
    NotInThisJob {
        /// The key.
        key: &'static str,
        /// What the job has.
        found: String,
        /// Why that leaves it without effect.
        why: &'static str,
    },
    /// The key means something in Flink and nothing here.
    Ignored {
        /// The key.
        key: String,
        /// Where it was found.
        layer: Layer,
        /// Why it has no effect.
        why: &'static str,
    },
    /// The key looks like one of checkpointing and is none: it has no effect.
    Unknown {
        /// The key.
        key: String,
        /// Where it was found.
        layer: Layer,
        /// The key that was probably meant.
        nearest: Option<&'static str>,
    },
}

impl ConfigWarning {
    /// The key that it is about, as it was found.
    pub fn key(&self) -> &str {
        match self {
            Self::OldName { found, .. } | Self::Overridden { found, .. } => found,
            Self::Replaced { key, .. } | Self::WithoutEffect { key, .. } | Self::NotInThisJob { key, .. } => key,
            Self::Ignored { key, .. } | Self::Unknown { key, .. } => key,
        }
    }

    /// Where the key was found; `None` for what is known only once it is compared with a job.
    pub const fn layer(&self) -> Option<Layer> {
        match self {
            Self::OldName { layer, .. }
            | Self::Overridden { layer, .. }
            | Self::Replaced { layer, .. }
            | Self::WithoutEffect { layer, .. }
            | Self::Ignored { layer, .. }
            | Self::Unknown { layer, .. } => Some(*layer),
            Self::NotInThisJob { .. } => None,
        }
    }
}

impl fmt::Display for ConfigWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OldName { found, key, layer } => write!(f, "{found} {layer} is an old name: write {key}"),
            Self::Overridden { found, key, layer } => {
                write!(f, "{found} {layer} has no effect beside {key}: remove it")
            }
            Self::Replaced { key, found, taken, rule, layer } => {
                write!(f, "{key} = '{found}' {layer} was replaced by '{taken}': it must be {rule}")
            }
            Self::WithoutEffect { key, layer, why } => write!(f, "{key} {layer} has no effect: {why}"),
            Self::NotInThisJob { key, found, why } => write!(f, "{key} has no effect in this job: {found}, and {why}"),
            Self::Ignored { key, layer, why } => write!(f, "{key} {layer} is ignored: {why}"),
            Self::Unknown { key, layer, nearest: Some(nearest) } => {
                write!(f, "{key} {layer} has no effect: no such key is known; did you mean {nearest}?")
            }
            Self::Unknown { key, layer, nearest: None } => {
                write!(f, "{key} {layer} has no effect: no such key is known; check its spelling, or remove it")
            }
        }
    }
}
