//! Which checkpoint, how it is taken, what was measured.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{checkpoint, epoch, optional_checkpoint};
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

#[derive(Debug, Serialize, Deserialize)]
enum Alignment {
    Aligned,
    AtLeastOnce,
}

/// Durations in nanoseconds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Metrics {
    start_delay: Option<u64>,
    alignment: Option<u64>,
    capture: Option<u64>,
    write: Option<u64>,
    written_bytes: u64,
    total_bytes: u64,
}

impl Kind {
    pub(crate) const fn of(kind: snapshot::SnapshotKind) -> Self {
        use snapshot::{AfterSavepoint, SavepointFormat};
        match kind {
            snapshot::SnapshotKind::Checkpoint => Self::Checkpoint,
            snapshot::SnapshotKind::FullCheckpoint => Self::FullCheckpoint,
            snapshot::SnapshotKind::Savepoint { format, then } => Self::Savepoint {
                format: match format {
                    SavepointFormat::Canonical => Format::Canonical,
                    SavepointFormat::Native => Format::Native,
                },
                then: match then {
                    AfterSavepoint::Continue => Then::Continue,
                    AfterSavepoint::Suspend => Then::Suspend,
                    AfterSavepoint::Terminate => Then::Terminate,
                },
            },
        }
    }

    pub(crate) const fn into_domain(self) -> snapshot::SnapshotKind {
        use snapshot::{AfterSavepoint, SavepointFormat};
        match self {
            Self::Checkpoint => snapshot::SnapshotKind::Checkpoint,
            Self::FullCheckpoint => snapshot::SnapshotKind::FullCheckpoint,
            Self::Savepoint { format, then } => snapshot::SnapshotKind::Savepoint {
                format: match format {
                    Format::Canonical => SavepointFormat::Canonical,
                    Format::Native => SavepointFormat::Native,
                },
                then: match then {
                    Then::Continue => AfterSavepoint::Continue,
                    Then::Suspend => AfterSavepoint::Suspend,
                    Then::Terminate => AfterSavepoint::Terminate,
                },
            },
        }
    }
}

impl Identity {
    pub(crate) fn of(identity: &snapshot::CheckpointIdentity) -> Self {
        Self {
            id: identity.id.get(),
            epoch: identity.epoch.get(),
            triggered_at: identity.triggered_at.millis(),
            latest_completed: identity.latest_completed.map(|id| id.get()),
        }
    }

    pub(crate) fn into_domain(self) -> Result<snapshot::CheckpointIdentity, Invalid> {
        let id = checkpoint("the checkpoint", self.id)?;
        let latest_completed = optional_checkpoint("the latest completed checkpoint", self.latest_completed)?;
        if let Some(latest) = latest_completed.filter(|latest| *latest >= id) {
            return Err(Invalid::value("the latest completed checkpoint", latest, format!("one below {id}")));
        }
        let triggered_at = Timestamp::from_millis(self.triggered_at);
        Ok(snapshot::CheckpointIdentity::new(id, epoch("the epoch", self.epoch)?, triggered_at, latest_completed))
    }
}

impl<'a> Barrier<'a> {
    pub(crate) fn of(barrier: &'a snapshot::CheckpointBarrier) -> Self {
        Self {
            identity: Identity::of(&barrier.identity),
            kind: Kind::of(barrier.options.kind),
            target: match &barrier.options.target {
                snapshot::LocationReference::Default => Location::Default,
                snapshot::LocationReference::At(bytes) => Location::At(Blob(bytes)),
            },
            alignment: match barrier.options.alignment {
                snapshot::Alignment::Aligned => Alignment::Aligned,
                snapshot::Alignment::AtLeastOnce => Alignment::AtLeastOnce,
            },
        }
    }

    pub(crate) fn into_domain(self) -> Result<snapshot::CheckpointBarrier, Invalid> {
        let target = match self.target {
            Location::Default => snapshot::LocationReference::Default,
            Location::At(Blob(bytes)) => snapshot::LocationReference::at(Bytes::copy_from_slice(bytes))
                .map_err(|error| Invalid::Refused { field: "the target", error })?,
        };
        let alignment = match self.alignment {
            Alignment::Aligned => snapshot::Alignment::Aligned,
            Alignment::AtLeastOnce => snapshot::Alignment::AtLeastOnce,
        };
        let options = snapshot::CheckpointOptions { kind: self.kind.into_domain(), target, alignment };
        Ok(snapshot::CheckpointBarrier::new(self.identity.into_domain()?, options))
    }
}

impl Metrics {
    pub(crate) fn of(metrics: &snapshot::CheckpointMetrics) -> Self {
        // 2^64 nanoseconds are 584 years: what is longer was not measured.
        let nanos = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self {
            start_delay: metrics.start_delay.map(nanos),
            alignment: metrics.alignment.map(nanos),
            capture: metrics.capture.map(nanos),
            write: metrics.write.map(nanos),
            written_bytes: metrics.written_bytes,
            total_bytes: metrics.total_bytes,
        }
    }

    pub(crate) fn into_domain(self) -> snapshot::CheckpointMetrics {
        snapshot::CheckpointMetrics {
            start_delay: self.start_delay.map(Duration::from_nanos),
            alignment: self.alignment.map(Duration::from_nanos),
            capture: self.capture.map(Duration::from_nanos),
            write: self.write.map(Duration::from_nanos),
            written_bytes: self.written_bytes,
            total_bytes: self.total_bytes,
        }
    }
}
