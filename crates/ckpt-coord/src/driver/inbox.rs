//! What comes to the driver's thread.

use std::sync::Arc;

use ckpt_core::id::{CheckpointId, TaskAttempt, WriterId};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::snapshot::{JobEnd, RetentionPolicy};
use ckpt_storage::Location;

use crate::coordinator::{Event, IoId, ManualTrigger};
use crate::driver::replies::Owed;
use crate::observer::CompletedCheckpoint;

/// What comes to the driver's thread.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "most of what comes are events, moved once; a box would be an allocation for each acknowledgement"
)]
pub(super) enum Input {
    Event(Event),
    /// The place of a checkpoint is made; the coordinator sees it as an event without the place.
    Located {
        io: IoId,
        checkpoint: CheckpointId,
        location: Arc<dyn Location>,
    },
    Trigger(ManualTrigger, Owed<CompletedCheckpoint>),
    End(JobEnd, RetentionPolicy, Owed<()>),
    Deploy(Vec<(TaskAttempt, WriterId)>, Owed<()>),
    Restore(Owed<Option<Arc<CheckpointMetadata>>>),
    ShutDown(Owed<()>),
}
