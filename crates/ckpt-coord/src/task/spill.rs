//! Acknowledgements that are too long for a message.

use std::io::Write as _;

use ckpt_core::message::{Acknowledge, DeclineReason, SpilledAcknowledge, ToCoordinator};
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_streams::{StateScope, StreamFactory, into_error};

use crate::task::TaskOptions;

#[derive(Debug, thiserror::Error)]
#[error(
    "the snapshot of the task takes {found} bytes to acknowledge, expected at most {}",
    SpilledAcknowledge::MAX_BYTES
)]
struct TooLarge {
    found: usize,
}

/// What brings that acknowledgement to the coordinator: itself, or a file in the checkpoint's directory when its snapshot
/// takes more than `above_bytes`; always itself when there are none, as where no file can be made.
///
/// The state it names is sealed, so an error must reach the coordinator.
pub(super) fn message(
    acknowledge: Acknowledge,
    streams: &dyn StreamFactory,
    above_bytes: Option<usize>,
) -> Result<ToCoordinator, (DeclineReason, Error)> {
    let Some(above_bytes) = above_bytes else {
        return Ok(ToCoordinator::Acknowledge(acknowledge));
    };
    let failed = |error| (DeclineReason::SpillFailed, error);
    // The engine encodes it once more, into its own frame: this thread is in the background, and was syncing files.
    let frame = acknowledge.snapshot.encode(usize::MAX).map_err(failed)?;
    if frame.len() <= above_bytes.max(TaskOptions::LEAST_SPILL_ABOVE_BYTES) {
        return Ok(ToCoordinator::Acknowledge(acknowledge));
    }
    let too_large = |error| (DeclineReason::TooLarge, error);
    if frame.len() > SpilledAcknowledge::MAX_BYTES {
        return Err(too_large(Error::new(ErrorKind::AbortCheckpoint, TooLarge { found: frame.len() })));
    }
    let handle = write(streams, &frame).map_err(failed)?;
    // A storage that keeps it in the handle and did not say so is refused.
    acknowledge.spilled(handle).map(ToCoordinator::AcknowledgeSpilled).map_err(too_large)
}

fn write(streams: &dyn StreamFactory, frame: &[u8]) -> Result<ckpt_core::state::StateHandle> {
    let mut stream = streams.create(StateScope::Exclusive)?;
    stream.write_all(frame).map_err(|error| into_error(error, ErrorKind::AbortCheckpoint))?;
    let staged = stream.finish()?.ok_or_else(|| Error::new(ErrorKind::AbortCheckpoint, "nothing was written"))?;
    streams.seal_piece(staged)
}
