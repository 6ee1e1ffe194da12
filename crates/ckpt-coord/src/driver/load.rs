//! Spilled acknowledgements come back.

use std::io::Read as _;

use ckpt_core::message::{Acknowledge, SpilledAcknowledge, ToCoordinator};
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_storage::Location;
use ckpt_streams::into_error;
use crossbeam_channel::Sender;

use crate::coordinator::{Event, Failure};
use crate::driver::inbox::Input;

/// The duty to tell the coordinator of a spilled acknowledgement. It refuses by itself when its job never ran, or panicked.
pub(super) struct Load {
    /// `None` once the coordinator was told.
    pub(super) spilled: Option<SpilledAcknowledge>,
    pub(super) inbox: Sender<Input>,
}

impl Load {
    /// On a thread that may block.
    pub(super) fn run(mut self, location: &dyn Location) {
        let Some(spilled) = &self.spilled else { return };
        match load(spilled, location) {
            Ok(acknowledge) => {
                self.spilled = None;
                self.tell(ToCoordinator::Acknowledge(acknowledge));
            }
            Err(error) => self.refuse(&Failure::from(&error).message),
        }
    }

    pub(super) fn refuse(mut self, why: &str) {
        self.refuse_once(why);
    }

    fn refuse_once(&mut self, why: &str) {
        if let Some(spilled) = self.spilled.take() {
            self.tell(ToCoordinator::Decline(spilled.unreadable(why)));
        }
    }

    fn tell(&self, message: ToCoordinator) {
        // A driver that has stopped needs no answer.
        let _ = self.inbox.send(Input::Event(Event::MessageReceived { message }));
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.refuse_once("the pool refused to read it, or reading it panicked");
    }
}

/// The acknowledgement that the file holds.
fn load(spilled: &SpilledAcknowledge, location: &dyn Location) -> Result<Acknowledge> {
    let mut file = location.open(spilled.handle())?;
    let mut bytes = Vec::new();
    // The message type bounds the length.
    let length_bytes = usize::try_from(file.length_bytes()).unwrap_or(usize::MAX);
    bytes.try_reserve_exact(length_bytes).map_err(|error| Error::new(ErrorKind::AbortCheckpoint, error))?;
    file.read_to_end(&mut bytes).map_err(|error| into_error(error, ErrorKind::Retry))?;
    spilled.loaded(&bytes)
}
