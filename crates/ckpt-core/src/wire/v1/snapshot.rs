//! Which checkpoint, how it is taken, what was measured.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{checkpoint, epoch, optional_checkpoint, readable};
use crate::id::CheckpointId;
use crate::snapshot;
use crate::time::Timestamp;
use crate::wire::{Blob, Invalid};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Kind {
    Checkpoint,
    FullCheckpoint,
    Savepoint { format: Format, then: Then },
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Format {
    Canonical,
    Native,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Then {
    Continue,
    Suspend,
    Terminate,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Identity {
    id: u64,
    epoch: u64,
    triggered_at: u64,
    latest_completed: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Barrier<'a> {
    identity: Identity,
    kind: Kind,
    #[serde(borrow)]
    target: Location<'a>,
    alignment: Alignment,
}

#[derive(Debug, Serialize, Deserialize)]
enum Location<'a> {
    Default,
    #[serde(borrow)]
    At(Blob<'a>),
}

/// Timeouts in nanoseconds.
#[derive(Debug, Serialize, Deserialize)]
enum Alignment {
    AtLeastOnce,
    Aligned { timeout: Option<u64> },
    Unaligned,
    ForcedAligned { timeout: Option<u64> },
}

/// Durations in nanoseconds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Metrics {
    start_delay: Option<u64>,
    alignment: Option<MeasuredAlignment>,
    persisted_during_alignment_bytes: Option<u64>,
    sync_duration: Option<u64>,
    async_duration: Option<u64>,
    unaligned: bool,
    persisted_bytes: u64,
    total_bytes: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct MeasuredAlignment {
    duration: u64,
    processed_bytes: Option<u64>,
}

impl Kind {
    pub(crate) const fn of(kind: snapshot::SnapshotKind) -> Self {
        match kind {
            snapshot::SnapshotKind::Checkpoint => Self::Checkpoint,
            snapshot::SnapshotKind::FullCheckpoint => Self::FullCheckpoint,
            snapshot::SnapshotKind::Savepoint { format, then } => {
                Self::Savepoint { format: Format::of(format), then: Then::of(then) }
            }
        }
    }

    pub(crate) const fn into_domain(self) -> snapshot::SnapshotKind {
        match self {
            Self::Checkpoint => snapshot::SnapshotKind::Checkpoint,
            Self::FullCheckpoint => snapshot::SnapshotKind::FullCheckpoint,
            Self::Savepoint { format, then } => {
                snapshot::SnapshotKind::Savepoint { format: format.into_domain(), then: then.into_domain() }
            }
        }
    }
}

impl Format {
    pub(super) const fn of(format: snapshot::SavepointFormat) -> Self {
        match format {
            snapshot::SavepointFormat::Canonical => Self::Canonical,
            snapshot::SavepointFormat::Native => Self::Native,
        }
    }

    pub(super) const fn into_domain(self) -> snapshot::SavepointFormat {
        match self {
            Self::Canonical => snapshot::SavepointFormat::Canonical,
            Self::Native => snapshot::SavepointFormat::Native,
        }
    }
}

impl Then {
    pub(super) const fn of(then: snapshot::AfterSavepoint) -> Self {
        match then {
            snapshot::AfterSavepoint::Continue => Self::Continue,
            snapshot::AfterSavepoint::Suspend => Self::Suspend,
            snapshot::AfterSavepoint::Terminate => Self::Terminate,
        }
    }

    pub(super) const fn into_domain(self) -> snapshot::AfterSavepoint {
        match self {
            Self::Continue => snapshot::AfterSavepoint::Continue,
            Self::Suspend => snapshot::AfterSavepoint::Suspend,
            Self::Terminate => snapshot::AfterSavepoint::Terminate,
        }
    }
}

impl Identity {
    pub(crate) fn of(identity: &snapshot::CheckpointIdentity) -> Result<Self, Invalid> {
        check_latest(identity.id, identity.latest_completed)?;
        Ok(Self {
            id: identity.id.get(),
            epoch: readable(identity.epoch)?,
            triggered_at: identity.triggered_at.millis(),
            latest_completed: identity.latest_completed.map(|id| id.get()),
        })
    }

    pub(crate) fn into_domain(self) -> Result<snapshot::CheckpointIdentity, Invalid> {
        let id = checkpoint("the checkpoint", self.id)?;
        let latest_completed = optional_checkpoint("the latest completed checkpoint", self.latest_completed)?;
        check_latest(id, latest_completed)?;
        let triggered_at = Timestamp::from_millis(self.triggered_at);
        Ok(snapshot::CheckpointIdentity::new(id, epoch("the epoch", self.epoch)?, triggered_at, latest_completed))
    }
}

fn check_latest(id: CheckpointId, latest_completed: Option<CheckpointId>) -> Result<(), Invalid> {
    match latest_completed {
        Some(latest) if latest >= id => {
            Err(Invalid::value("the latest completed checkpoint", latest, format!("one below {id}")))
        }
        _ => Ok(()),
    }
}

impl<'a> Barrier<'a> {
    pub(crate) fn of(barrier: &'a snapshot::CheckpointBarrier) -> Result<Self, Invalid> {
        Ok(Self {
            identity: Identity::of(&barrier.identity)?,
            kind: Kind::of(barrier.options.kind()),
            target: match barrier.options.target() {
                snapshot::LocationReference::Default => Location::Default,
                snapshot::LocationReference::At(bytes) => Location::At(Blob(bytes)),
            },
            alignment: Alignment::of(barrier.options.alignment()),
        })
    }

    pub(crate) fn into_domain(self) -> Result<snapshot::CheckpointBarrier, Invalid> {
        let target = match self.target {
            Location::Default => snapshot::LocationReference::Default,
            Location::At(Blob(bytes)) => snapshot::LocationReference::at(Bytes::copy_from_slice(bytes))
                .map_err(|error| Invalid::Refused { field: "the target", error })?,
        };
        let alignment = self.alignment.into_domain()?;
        let options = snapshot::CheckpointOptions::new(self.kind.into_domain(), target, alignment)
            .map_err(|error| Invalid::Refused { field: "the alignment", error })?;
        Ok(snapshot::CheckpointBarrier::new(self.identity.into_domain()?, options))
    }
}

impl Alignment {
    fn of(alignment: snapshot::Alignment) -> Self {
        let timeout_nanos = |timeout: snapshot::AlignmentTimeout| nanos(timeout.get());
        match alignment {
            snapshot::Alignment::AtLeastOnce => Self::AtLeastOnce,
            snapshot::Alignment::Aligned { timeout } => Self::Aligned { timeout: timeout.map(timeout_nanos) },
            snapshot::Alignment::Unaligned => Self::Unaligned,
            snapshot::Alignment::ForcedAligned { timeout } => {
                Self::ForcedAligned { timeout: timeout.map(timeout_nanos) }
            }
        }
    }

    fn into_domain(self) -> Result<snapshot::Alignment, Invalid> {
        let timeout = |nanos: Option<u64>| {
            nanos.map(|nanos| snapshot::AlignmentTimeout::new(Duration::from_nanos(nanos))).transpose()
        };
        let refused = |error| Invalid::Refused { field: "the alignment timeout", error };
        Ok(match self {
            Self::AtLeastOnce => snapshot::Alignment::AtLeastOnce,
            Self::Aligned { timeout: nanos } => {
                snapshot::Alignment::Aligned { timeout: timeout(nanos).map_err(refused)? }
            }
            Self::Unaligned => snapshot::Alignment::Unaligned,
            Self::ForcedAligned { timeout: nanos } => {
                snapshot::Alignment::ForcedAligned { timeout: timeout(nanos).map_err(refused)? }
            }
        })
    }
}

impl Metrics {
    pub(crate) fn of(metrics: &snapshot::CheckpointMetrics) -> Self {
        let measured = &metrics.0;
        Self {
            start_delay: measured.start_delay.map(nanos),
            alignment: measured.alignment.map(|alignment| MeasuredAlignment {
                duration: nanos(alignment.duration),
                processed_bytes: alignment.processed_bytes,
            }),
            persisted_during_alignment_bytes: measured.persisted_during_alignment_bytes,
            sync_duration: measured.sync_duration.map(nanos),
            async_duration: measured.async_duration.map(nanos),
            unaligned: measured.unaligned,
            persisted_bytes: measured.persisted_bytes,
            total_bytes: measured.total_bytes,
        }
    }

    pub(crate) fn into_domain(self) -> Result<snapshot::CheckpointMetrics, Invalid> {
        if let Some(bytes) = self.persisted_during_alignment_bytes.filter(|bytes| *bytes > 0 && !self.unaligned) {
            let field = "the number of bytes persisted during the alignment of an aligned checkpoint";
            return Err(Invalid::value(field, bytes, "0"));
        }
        Ok(snapshot::CheckpointMetrics(snapshot::Measured {
            start_delay: self.start_delay.map(Duration::from_nanos),
            alignment: self.alignment.map(|alignment| snapshot::MeasuredAlignment {
                duration: Duration::from_nanos(alignment.duration),
                processed_bytes: alignment.processed_bytes,
            }),
            persisted_during_alignment_bytes: self.persisted_during_alignment_bytes,
            sync_duration: self.sync_duration.map(Duration::from_nanos),
            async_duration: self.async_duration.map(Duration::from_nanos),
            unaligned: self.unaligned,
            persisted_bytes: self.persisted_bytes,
            total_bytes: self.total_bytes,
        }))
    }
}

/// What the types that are encoded keep below 2^64 nanoseconds, which are 584 years.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
