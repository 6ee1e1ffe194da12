//! Values that are one of a few names, in any case.

use std::fmt;

use super::{Kind, Unreadable};
use crate::head::ClaimMode;
use crate::snapshot::RetentionPolicy;

/// Which guarantee barriers give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CheckpointingMode {
    /// Each record shows in the state once: inputs whose barrier has come wait, or what is in flight is kept.
    #[default]
    ExactlyOnce,
    /// No input waits, and records behind a barrier may show twice after a restore.
    AtLeastOnce,
}

/// Which storage checkpoints go to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StorageName {
    /// The coordinator's memory; Flink's `jobmanager`.
    Memory,
    /// Files below a directory; Flink's `filesystem`.
    FileSystem,
    /// One that the engine knows by this name.
    Custom(String),
}

impl fmt::Display for CheckpointingMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ExactlyOnce => "EXACTLY_ONCE",
            Self::AtLeastOnce => "AT_LEAST_ONCE",
        })
    }
}

impl fmt::Display for StorageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "jobmanager",
            Self::FileSystem => "filesystem",
            Self::Custom(name) => name,
        })
    }
}

impl Kind for CheckpointingMode {
    const TYPE: &'static str = "EXACTLY_ONCE, AT_LEAST_ONCE";
    const REMEDY: &'static str = "write one of these";

    fn read(text: &str) -> Result<Self, Unreadable> {
        match text.to_ascii_uppercase().as_str() {
            "EXACTLY_ONCE" => Ok(Self::ExactlyOnce),
            "AT_LEAST_ONCE" => Ok(Self::AtLeastOnce),
            _ => Err(Unreadable::NotOneOf(Self::TYPE)),
        }
    }

    fn write(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// Under the names of Flink's `ExternalizedCheckpointRetention`.
impl Kind for RetentionPolicy {
    const TYPE: &'static str = "DELETE_ON_CANCELLATION, RETAIN_ON_CANCELLATION, NO_EXTERNALIZED_CHECKPOINTS";
    const REMEDY: &'static str = "write one of these";

    fn read(text: &str) -> Result<Self, Unreadable> {
        match text.to_ascii_uppercase().as_str() {
            "DELETE_ON_CANCELLATION" => Ok(Self::RetainOnFailure),
            "RETAIN_ON_CANCELLATION" => Ok(Self::RetainOnCancellation),
            "NO_EXTERNALIZED_CHECKPOINTS" => Ok(Self::NeverRetainAfterTermination),
            _ => Err(Unreadable::NotOneOf(Self::TYPE)),
        }
    }

    fn write(&self) -> Option<String> {
        let name = match self {
            Self::RetainOnFailure => "DELETE_ON_CANCELLATION",
            Self::RetainOnCancellation => "RETAIN_ON_CANCELLATION",
            Self::NeverRetainAfterTermination => "NO_EXTERNALIZED_CHECKPOINTS",
        };
        Some(name.to_owned())
    }
}

impl Kind for ClaimMode {
    const TYPE: &'static str = "CLAIM, NO_CLAIM";
    const REMEDY: &'static str = "write CLAIM to hand it over to the job, or NO_CLAIM to keep it";

    fn read(text: &str) -> Result<Self, Unreadable> {
        match text.to_ascii_uppercase().as_str() {
            "CLAIM" => Ok(Self::Claim),
            "NO_CLAIM" => Ok(Self::NoClaim),
            "LEGACY" => Err(Unreadable::Legacy),
            _ => Err(Unreadable::NotOneOf(Self::TYPE)),
        }
    }

    fn write(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Kind for StorageName {
    const TYPE: &'static str = "jobmanager, filesystem, or a name";
    const REMEDY: &'static str = "write jobmanager, filesystem or the name of a storage that the engine knows";

    fn read(text: &str) -> Result<Self, Unreadable> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "jobmanager" => Self::Memory,
            "filesystem" => Self::FileSystem,
            _ => Self::Custom(text.to_owned()),
        })
    }

    fn write(&self) -> Option<String> {
        Some(self.to_string())
    }

    /// A name of one's own is not one of the two others, which it would be read as.
    fn fits(&self) -> Result<(), Unreadable> {
        match self {
            Self::Custom(name) if ["jobmanager", "filesystem"].iter().any(|n| name.eq_ignore_ascii_case(n)) => {
                Err(Unreadable::Taken)
            }
            Self::Custom(name) => super::path::printable(name),
            Self::Memory | Self::FileSystem => Ok(()),
        }
    }
}
