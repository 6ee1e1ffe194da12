//! What a task sends to one other.

use ckpt_core::Result;
use crossbeam_channel::{Receiver, Sender, select_biased};

use crate::error::Fault;
use crate::exchange::{Batch, Tail};

/// The sending end of one channel to one task. It waits while the receiver holds all its credits.
#[derive(Debug)]
pub(crate) struct Output {
    input: u32,
    batches: Sender<(u32, Batch)>,
    credits: Receiver<Batch>,
    stop: Receiver<()>,
    /// The batch that is being filled.
    open: Option<Batch>,
}

impl Output {
    pub(crate) const fn new(
        input: u32,
        batches: Sender<(u32, Batch)>,
        credits: Receiver<Batch>,
        stop: Receiver<()>,
    ) -> Self {
        Self { input, batches, credits, stop, open: None }
    }

    /// The batch to put the next record into.
    ///
    /// # Errors
    ///
    /// `Cancelled` when the job is being stopped.
    #[inline]
    pub(crate) fn batch(&mut self) -> Result<&mut Batch> {
        if self.open.is_none() {
            self.open = Some(self.credit()?);
        }
        // It was filled on the line above.
        Ok(self.open.get_or_insert_default())
    }

    /// Sends the batch if it is full.
    ///
    /// # Errors
    ///
    /// `Cancelled` when the job is being stopped.
    #[inline]
    pub(crate) fn send_if_full(&mut self) -> Result<()> {
        match self.open.take_if(|batch| batch.is_full()) {
            Some(batch) => self.send(batch),
            None => Ok(()),
        }
    }

    /// Sends what there is.
    ///
    /// # Errors
    ///
    /// `Cancelled` when the job is being stopped.
    pub(crate) fn flush(&mut self) -> Result<()> {
        match self.open.take() {
            Some(batch) => self.send(batch),
            None => Ok(()),
        }
    }

    /// Sends what there is, and `tail` behind it.
    ///
    /// # Errors
    ///
    /// `Cancelled` when the job is being stopped.
    pub(crate) fn send_tail(&mut self, tail: Tail) -> Result<()> {
        self.batch()?.tail = Some(tail);
        self.flush()
    }

    fn credit(&self) -> Result<Batch> {
        if let Ok(batch) = self.credits.try_recv() {
            return Ok(batch);
        }
        select_biased! {
            recv(self.stop) -> _ => Err(Fault::Stopped.into()),
            recv(self.credits) -> batch => batch.map_err(|_| Fault::Stopped.into()),
        }
    }

    fn send(&self, batch: Batch) -> Result<()> {
        // The queue has room for every credit, so this never waits.
        self.batches.send((self.input, batch)).map_err(|_| Fault::Stopped.into())
    }
}
