//! What is done for files that are finished before they are sealed.
//!
//! Under [`Durability::Full`](crate::file_system::Durability) every file is on its way to the disk as soon as it is finished,
//! so that sealing finds little left to wait for, and the oldest are synced before too many hold a descriptor. Jobs do this.
//! Where no job is taken, the first is left to the seal, and the second to whoever finishes one file more.

use ckpt_core::{Error, Result};

use crate::file_system::{CasOutcome, Durability};
use crate::spawn::Spawn;
use crate::stream::error::StreamError;
use crate::stream::unsealed::{FileAt, Key, Taken, Unsealed};
use crate::sync::Arc;

/// A job that works through the files of a factory that are finished. Waits for nobody.
pub(crate) struct Helper {
    unsealed: Arc<Unsealed>,
    /// Counted among those that help.
    is_counted: bool,
}

/// What a [`Helper`] does next.
pub(crate) enum Step {
    /// Begin to write it back.
    Begin(Taken),
    /// Sync it: too many hold a descriptor.
    Sync(Taken),
}

impl Helper {
    /// Spawns one that was [counted](Unsealed::stage) already. A job that is refused is dropped, and counted no more.
    pub(crate) fn spawn(unsealed: &Arc<Unsealed>, spawn: &dyn Spawn) {
        let mut helper = Self { unsealed: Arc::clone(unsealed), is_counted: true };
        let _ = spawn.spawn("write back state files", Box::new(move || helper.work()));
    }

    fn work(&mut self) {
        while let Some(step) = self.unsealed.next_step() {
            match step {
                Step::Begin(taken) => begin(&self.unsealed, taken),
                Step::Sync(taken) => sync(&self.unsealed, taken),
            }
        }
        // Counted out together with the look that found nothing, so that a file finished after it finds another helper.
        self.is_counted = false;
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        if self.is_counted {
            self.unsealed.count_out_helper();
        }
    }
}

fn begin(unsealed: &Unsealed, taken: Taken) {
    let Taken { key, at, mut writer } = taken;
    let mut in_hand = InHand::new(unsealed, key, at);
    if let Some(writer) = &mut writer {
        writer.begin_sync();
    }
    let Some((at, _)) = in_hand.settling.take() else { return };
    if let Err(taken) = unsealed.begun(Taken { key, at, writer }) {
        // Counted when it fails.
        let _ = unsealed.remove(taken);
    }
}

/// Ends a file that was staged and gives its descriptor back. What went wrong is told when it is sealed.
pub(crate) fn sync(unsealed: &Unsealed, taken: Taken) {
    let Taken { key, at, writer } = taken;
    let mut in_hand = InHand::new(unsealed, key, at);
    let Some((at, outcome)) = &mut in_hand.settling else { return };
    let absent: Error = match writer.map(|writer| writer.finish(Durability::Full)) {
        None | Some(CasOutcome::Done(_)) => return *outcome = Ok(()),
        Some(CasOutcome::Unknown(error)) => return *outcome = Err(error),
        Some(CasOutcome::Lost) => StreamError::NameTaken { path: at.path.to_string() }.into(),
        Some(CasOutcome::Failed(error)) => error,
    };
    in_hand.settling = None;
    unsealed.absent(key, absent);
}

/// A file that is being synced. It is put back even if its writer panics: whoever seals it waits for that.
struct InHand<'a> {
    unsealed: &'a Unsealed,
    key: Key,
    /// Where it is and what became of it, until that was told.
    settling: Option<(FileAt, Result<()>)>,
}

impl<'a> InHand<'a> {
    fn new(unsealed: &'a Unsealed, key: Key, at: FileAt) -> Self {
        let panicked = StreamError::SyncPanicked { path: at.path.to_string() };
        Self { unsealed, key, settling: Some((at, Err(panicked.into()))) }
    }
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        let Some((at, outcome)) = self.settling.take() else { return };
        if self.unsealed.synced_early(self.key, outcome).is_err() {
            let _ = self.unsealed.remove(Taken { key: self.key, at, writer: None });
        }
    }
}
