//! One stream that is written to two places.

use std::io::{self, Write};

use ckpt_core::{Error, ErrorKind, Result};

use crate::io_error::into_error;
use crate::stream::StateOutputStream;
use crate::stream::error::StreamError;
use crate::stream::staged::Staged;

/// Writes the same bytes to a primary stream and to a secondary one, a copy that may fail (Flink's
/// `DuplicatingCheckpointOutputStream`).
///
/// What goes wrong with the primary goes wrong. What goes wrong with the secondary is kept and told at the
/// [end](Self::finish_both), and the secondary is given up: it is removed at once and never touched again.
///
/// Nothing is gathered here; both streams do that themselves. So the secondary must not be an upload in
/// [parts](crate::file_system::FileWriter::part_bytes): it would wait for room in the budget while the primary holds some.
#[derive(Debug)]
pub struct DuplicatingStream {
    primary: Box<dyn StateOutputStream>,
    secondary: Result<Box<dyn StateOutputStream>>,
}

/// What two streams of the same bytes came to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Duplicated {
    /// `None` when nothing was written.
    pub primary: Option<Staged>,
    /// The same bytes once more, or why they are not there.
    pub secondary: Result<Option<Staged>>,
}

impl DuplicatingStream {
    /// Both streams in one. A secondary that stands elsewhere than the primary would be no copy: it is given up.
    pub fn new(primary: Box<dyn StateOutputStream>, secondary: Box<dyn StateOutputStream>) -> Self {
        let (primary_bytes, secondary_bytes) = (primary.position(), secondary.position());
        let mut stream = Self { primary, secondary: Ok(secondary) };
        if primary_bytes != secondary_bytes {
            stream.give_up(StreamError::PositionsDiffer { primary_bytes, secondary_bytes }.into());
        }
        stream
    }

    /// Ends both streams.
    ///
    /// # Errors
    ///
    /// Those of the primary; then nothing is left of the secondary either.
    pub fn finish_both(self) -> Result<Duplicated> {
        match self.primary.finish() {
            Ok(primary) => Ok(Duplicated { primary, secondary: self.secondary.and_then(StateOutputStream::finish) }),
            Err(error) => {
                // Its factory counts what it cannot remove; that there is no state is what is told.
                let _ = self.secondary.and_then(StateOutputStream::abort);
                Err(error)
            }
        }
    }

    /// Why there will be no copy, if that is known already.
    pub fn secondary_error(&self) -> Option<&Error> {
        self.secondary.as_ref().err()
    }

    fn with_secondary(&mut self, action: impl FnOnce(&mut dyn StateOutputStream) -> io::Result<()>) {
        if let Ok(secondary) = &mut self.secondary {
            if let Err(error) = action(&mut **secondary) {
                self.give_up(into_error(error, ErrorKind::AbortCheckpoint));
            }
        }
    }

    fn give_up(&mut self, error: Error) {
        if let Ok(secondary) = std::mem::replace(&mut self.secondary, Err(error)) {
            // Its factory counts what it cannot remove; why there is no copy is known already.
            let _ = secondary.abort();
        }
    }
}

impl Write for DuplicatingStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.primary.write_all(bytes)?;
        self.with_secondary(|secondary| secondary.write_all(bytes));
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.primary.flush()?;
        self.with_secondary(|secondary| secondary.flush());
        Ok(())
    }
}

impl StateOutputStream for DuplicatingStream {
    fn position(&self) -> u64 {
        self.primary.position()
    }

    /// Ends both and keeps the primary alone: the copy is removed. See [`finish_both`](Self::finish_both).
    fn finish(self: Box<Self>) -> Result<Option<Staged>> {
        Ok(self.finish_both()?.primary)
    }

    fn abort(self: Box<Self>) -> Result<()> {
        let secondary = self.secondary.map_or(Ok(()), StateOutputStream::abort);
        self.primary.abort().and(secondary)
    }
}
