//! State that stays in its handle.

use std::fmt;
use std::io::{self, Write};

use ckpt_core::Result;
use ckpt_core::state::{Place, StateHandle, TaskSnapshot};

use crate::Pending;
use crate::io_error::into_io;
use crate::read::{Verification, verify_inline};
use crate::stream::error::StreamError;
use crate::stream::lanes::{Lanes, Lease};
use crate::stream::staged::{Content, Staged};
use crate::stream::{StateOutputStream, StateScope, StreamFactory};
use crate::sync::{Arc, AtomicBool, Ordering};

/// Streams whose state stays in its handle, up to a limit for each.
#[derive(Debug)]
pub struct MemoryStreams {
    limit_bytes: usize,
    cancelled: Lanes<AtomicBool>,
}

/// One stream of [`MemoryStreams`].
struct MemoryStream {
    bytes: Vec<u8>,
    limit_bytes: usize,
    failed: bool,
    cancelled: Lease<AtomicBool>,
}

impl MemoryStreams {
    /// At most that many bytes each; the write that crosses the limit is refused.
    pub fn new(limit_bytes: usize) -> Self {
        Self { limit_bytes, cancelled: Lanes::new(Arc::new(AtomicBool::new(false))) }
    }
}

impl StreamFactory for MemoryStreams {
    fn create(&self, _scope: StateScope) -> Result<Box<dyn StateOutputStream>> {
        check(&self.cancelled)?;
        let (limit_bytes, cancelled) = (self.limit_bytes, self.cancelled.lease());
        Ok(Box::new(MemoryStream { bytes: Vec::new(), limit_bytes, failed: false, cancelled }))
    }

    fn seal(&self, snapshot: TaskSnapshot<Staged>) -> Result<TaskSnapshot<StateHandle>> {
        check(&self.cancelled)?;
        snapshot.try_map_handles(&mut |staged: Staged| match staged.into_content() {
            Some(Content::Inline(bytes)) => Ok(StateHandle::inline(bytes)),
            Some(Content::File(_)) | None => Err(StreamError::StagedElsewhere.into()),
        })
    }

    fn duplicate(&self, from: &[StateHandle], _scope: StateScope) -> Result<Vec<Staged>> {
        check(&self.cancelled)?;
        from.iter()
            .map(|handle| match handle.place() {
                Place::Inline(bytes) => {
                    verify_inline(handle, bytes, Verification::Always)?;
                    Ok(Staged::inline(bytes.clone()))
                }
                place => {
                    let (place, expected) = (format!("{place:?}"), "no directory at all".to_owned());
                    Err(StreamError::CannotDuplicate { place, expected }.into())
                }
            })
            .collect()
    }

    fn cancel(&self) -> Pending<()> {
        self.cancelled.store(true, Ordering::Release);
        // Memory goes with whoever holds it.
        Pending::ready(())
    }
}

impl MemoryStream {
    fn check(&self) -> Result<(), StreamError> {
        check(&self.cancelled)?;
        if self.failed { Err(StreamError::FailedEarlier) } else { Ok(()) }
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<(), StreamError> {
        self.check()?;
        if bytes.len() > self.limit_bytes.saturating_sub(self.bytes.len()) {
            let (write_bytes, position_bytes) = (bytes.len(), self.bytes.len() as u64);
            return Err(StreamError::OverLimit { write_bytes, position_bytes, limit_bytes: self.limit_bytes });
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

impl Write for MemoryStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.try_write(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => {
                self.failed = true;
                Err(into_io(error.into()))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.check().map_err(|error| into_io(error.into()))
    }
}

impl StateOutputStream for MemoryStream {
    fn position(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn finish(self: Box<Self>) -> Result<Option<Staged>> {
        self.check()?;
        Ok((!self.bytes.is_empty()).then(|| Staged::inline(self.bytes.into())))
    }

    fn abort(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

impl fmt::Debug for MemoryStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStream").field("position", &self.bytes.len()).finish_non_exhaustive()
    }
}

fn check(cancelled: &AtomicBool) -> Result<(), StreamError> {
    if cancelled.load(Ordering::Acquire) { Err(StreamError::Cancelled) } else { Ok(()) }
}
