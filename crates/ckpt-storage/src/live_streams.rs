//! The streams of the checkpoints that are being written.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use ckpt_core::Result;
use ckpt_core::id::CheckpointId;
use ckpt_core::snapshot::{CheckpointBarrier, LocationReference};
use parking_lot::Mutex;

/// The factories that somebody holds, one for each checkpoint and place: whoever cancels a checkpoint gets the one that
/// writes it, and a place is resolved once for all who write into it.
#[derive(Debug)]
pub(crate) struct LiveStreams<T> {
    alive: Mutex<HashMap<(CheckpointId, LocationReference), Weak<T>>>,
}

impl<T> LiveStreams<T> {
    /// The factory of that barrier's checkpoint, which is made when nobody has it.
    ///
    /// # Errors
    ///
    /// Those of making it.
    pub(crate) fn of(&self, barrier: &CheckpointBarrier, make: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        let of = (barrier.id(), barrier.options.target().clone());
        if let Some(streams) = self.alive.lock().get(&of).and_then(Weak::upgrade) {
            return Ok(streams);
        }
        // Opening a place may take its time, and nobody else is to wait for it.
        let made = Arc::new(make()?);
        let mut alive = self.alive.lock();
        if let Some(streams) = alive.get(&of).and_then(Weak::upgrade) {
            return Ok(streams);
        }
        alive.retain(|_, streams| streams.strong_count() > 0);
        alive.insert(of, Arc::downgrade(&made));
        Ok(made)
    }
}

impl<T> Default for LiveStreams<T> {
    fn default() -> Self {
        Self { alive: Mutex::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ckpt_core::Timestamp;
    use ckpt_core::id::LeaderEpoch;
    use ckpt_core::snapshot::{CheckpointIdentity, CheckpointOptions, SnapshotKind};

    fn barrier(number: u64, place: LocationReference) -> CheckpointBarrier {
        let id = CheckpointId::new(number).unwrap();
        let identity = CheckpointIdentity::new(id, LeaderEpoch::new(1), Timestamp::from_millis(0), None);
        CheckpointBarrier::new(identity, CheckpointOptions::aligned(SnapshotKind::Checkpoint, place))
    }

    fn at_default(number: u64) -> CheckpointBarrier {
        barrier(number, LocationReference::Default)
    }

    #[test]
    fn a_checkpoint_has_one_factory_while_somebody_holds_it() {
        let live = LiveStreams::default();
        let first = live.of(&at_default(1), || Ok(1)).unwrap();
        assert!(Arc::ptr_eq(&first, &live.of(&at_default(1), || Ok(2)).unwrap()));
        assert_eq!(*live.of(&at_default(2), || Ok(3)).unwrap(), 3);
        assert_eq!(live.alive.lock().len(), 2);
        drop(first);
        assert_eq!(*live.of(&at_default(3), || Ok(4)).unwrap(), 4);
        assert_eq!(live.alive.lock().len(), 1, "what nobody holds is forgotten");
        let error = ckpt_core::Error::new(ckpt_core::ErrorKind::Retry, "no");
        assert!(live.of(&at_default(1), || Err(error)).is_err());
        assert_eq!(*live.of(&at_default(1), || Ok(5)).unwrap(), 5);
    }

    #[test]
    fn another_place_has_a_factory_of_its_own() {
        let live = LiveStreams::default();
        let elsewhere = barrier(1, LocationReference::at(b"elsewhere".as_slice().into()).unwrap());
        let first = live.of(&at_default(1), || Ok(1)).unwrap();
        let second = live.of(&elsewhere, || Ok(2)).unwrap();
        assert!(Arc::ptr_eq(&second, &live.of(&elsewhere, || Ok(3)).unwrap()));
        assert!(Arc::ptr_eq(&first, &live.of(&at_default(1), || Ok(4)).unwrap()));
    }

    #[test]
    fn whoever_is_second_to_open_a_place_gets_what_the_first_opened() {
        let live = LiveStreams::default();
        let mut first = None;
        let second = live.of(&at_default(1), || {
            first = Some(live.of(&at_default(1), || Ok(1)).unwrap());
            Ok(2)
        });
        assert!(Arc::ptr_eq(&first.unwrap(), &second.unwrap()));
    }
}
