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
/// Nothing is gathered here; both streams do that themselves. A secondary that is an upload in
/// [parts](crate::file_system::FileWriter::part_bytes) [never waits](StateOutputStream::never_wait) for room in the budget,
/// of which the primary may hold some: it is given up where there is none.
#[derive(Debug)]
pub struct DuplicatingStream {
    primary: Box<dyn StateOutputStream>,
    secondary: Result<Box<dyn StateOutputStream>>,
    /// Whether the secondary was called and has not returned. Between two calls that says that it panicked.
    secondary_is_called: bool,
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
    pub fn new(primary: Box<dyn StateOutputStream>, mut secondary: Box<dyn StateOutputStream>) -> Self {
        secondary.never_wait();
        let mut stream = Self { primary, secondary: Ok(secondary), secondary_is_called: false };
        stream.compare_positions();
        stream
    }

    /// Ends both streams.
    ///
    /// # Errors
    ///
    /// Those of the primary; then nothing is left of the secondary either.
    pub fn finish_both(mut self) -> Result<Duplicated> {
        // Whoever has caught a panic of one of them may go on with the other.
        self.with_secondary(|_| Ok(()));
        self.compare_positions();
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
            if std::mem::replace(&mut self.secondary_is_called, true) {
                return self.give_up(StreamError::CopyPanicked.into());
            }
            let outcome = action(&mut **secondary);
            self.secondary_is_called = false;
            if let Err(error) = outcome {
                self.give_up(into_error(error, ErrorKind::AbortCheckpoint));
            }
        }
    }

    fn compare_positions(&mut self) {
        let primary_bytes = self.primary.position();
        let secondary_bytes = self.secondary.as_ref().map_or(primary_bytes, |secondary| secondary.position());
        if primary_bytes != secondary_bytes {
            self.give_up(StreamError::PositionsDiffer { primary_bytes, secondary_bytes }.into());
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
        // As in `finish_both`.
        let _ = self.secondary.and_then(StateOutputStream::abort);
        self.primary.abort()
    }

    fn never_wait(&mut self) {
        self.primary.never_wait();
    }
}
