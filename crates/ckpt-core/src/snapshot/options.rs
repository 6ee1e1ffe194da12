//! How a checkpoint is to be taken.

use super::error::AlignmentError;
use crate::error::Result;
use crate::snapshot::{Alignment, AlignmentPolicy, AlignmentTimeout, LocationReference, SnapshotKind};

/// How a checkpoint is to be taken (Flink's `CheckpointOptions`, and its rules of what may turn into what). An
/// [example](crate::snapshot) shows the transitions.
///
/// A savepoint is never unaligned, nor may it turn so: no such value exists.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CheckpointOptions {
    kind: SnapshotKind,
    target: LocationReference,
    alignment: Alignment,
}

impl CheckpointOptions {
    /// A snapshot of that kind, whose state goes there, with barriers brought together so.
    ///
    /// # Errors
    ///
    /// `Configuration` when a savepoint is to be unaligned, to turn so after a timeout, or to be so elsewhere.
    pub fn new(kind: SnapshotKind, target: LocationReference, alignment: Alignment) -> Result<Self> {
        match alignment {
            Alignment::Unaligned | Alignment::Aligned { timeout: Some(_) } | Alignment::ForcedAligned { .. }
                if kind.is_savepoint() =>
            {
                Err(AlignmentError::Savepoint { kind, alignment }.into())
            }
            _ => Ok(Self { kind, target, alignment }),
        }
    }

    /// Exactly once, aligned to the end.
    pub const fn aligned(kind: SnapshotKind, target: LocationReference) -> Self {
        Self { kind, target, alignment: Alignment::Aligned { timeout: None } }
    }

    /// At least once.
    pub const fn at_least_once(kind: SnapshotKind, target: LocationReference) -> Self {
        Self { kind, target, alignment: Alignment::AtLeastOnce }
    }

    /// What a job with that policy takes: a savepoint is aligned to the end wherever exactly once is wanted.
    pub fn for_config(kind: SnapshotKind, target: LocationReference, policy: AlignmentPolicy) -> Self {
        let alignment = match policy.start() {
            Alignment::AtLeastOnce => Alignment::AtLeastOnce,
            _ if kind.is_savepoint() => Alignment::Aligned { timeout: None },
            alignment => alignment,
        };
        Self { kind, target, alignment }
    }

    /// What kind of snapshot.
    pub const fn kind(&self) -> SnapshotKind {
        self.kind
    }

    /// Where its state goes.
    pub const fn target(&self) -> &LocationReference {
        &self.target
    }

    /// How barriers are brought together.
    pub const fn alignment(&self) -> Alignment {
        self.alignment
    }

    /// Whether no record is to be processed twice after a restore.
    pub const fn is_exactly_once(&self) -> bool {
        !matches!(self.alignment, Alignment::AtLeastOnce)
    }

    /// Whether inputs whose barrier has come wait for the others.
    pub const fn needs_alignment(&self) -> bool {
        matches!(self.alignment, Alignment::Aligned { .. } | Alignment::ForcedAligned { .. })
    }

    /// After how long it turns unaligned; `None` when it does not, which holds where alignment is forced.
    pub const fn alignment_timeout(&self) -> Option<AlignmentTimeout> {
        match self.alignment {
            Alignment::Aligned { timeout } => timeout,
            _ => None,
        }
    }

    /// Whether it may turn unaligned.
    pub const fn is_timeoutable(&self) -> bool {
        self.alignment_timeout().is_some()
    }

    /// Whether records in flight are, or may come to be, part of it.
    pub const fn needs_channel_state(&self) -> bool {
        matches!(self.alignment, Alignment::Unaligned) || self.is_timeoutable()
    }

    /// The same for a connection that cannot be unaligned.
    #[must_use]
    pub fn with_unaligned_unsupported(self) -> Self {
        let alignment = match self.alignment {
            Alignment::Unaligned => Alignment::ForcedAligned { timeout: None },
            Alignment::Aligned { timeout: timeout @ Some(_) } => Alignment::ForcedAligned { timeout },
            alignment => alignment,
        };
        Self { alignment, ..self }
    }

    /// The same where it can: what [`with_unaligned_unsupported`](Self::with_unaligned_unsupported) began from.
    #[must_use]
    pub fn with_unaligned_supported(self) -> Self {
        let alignment = match self.alignment {
            Alignment::ForcedAligned { timeout: None } => Alignment::Unaligned,
            Alignment::ForcedAligned { timeout } => Alignment::Aligned { timeout },
            alignment => alignment,
        };
        Self { alignment, ..self }
    }

    /// The same once its alignment has timed out.
    ///
    /// # Errors
    ///
    /// `Configuration` when it is not aligned, or is a savepoint.
    pub fn to_unaligned(&self) -> Result<Self> {
        match self.alignment {
            Alignment::Aligned { .. } => Self::new(self.kind, self.target.clone(), Alignment::Unaligned),
            found => Err(AlignmentError::NotAligned { found }.into()),
        }
    }
}

#[cfg(test)]
#[path = "options_test.rs"]
mod tests;
