//! The streams of the checkpoints that are being written.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use ckpt_core::Result;
use ckpt_core::id::CheckpointId;
use parking_lot::Mutex;

/// The factories that somebody holds, one for each checkpoint: whoever cancels a checkpoint gets the one that writes it,
/// and a place is resolved once for all who write into it.
#[derive(Debug)]
pub(crate) struct LiveStreams<T> {
    alive: Mutex<HashMap<CheckpointId, Weak<T>>>,
}

impl<T> LiveStreams<T> {
    /// The factory of that checkpoint, which is made when nobody has it.
    ///
    /// # Errors
    ///
    /// Those of making it.
    pub(crate) fn of(&self, id: CheckpointId, make: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        let mut alive = self.alive.lock();
        if let Some(streams) = alive.get(&id).and_then(Weak::upgrade) {
            return Ok(streams);
        }
        let streams = Arc::new(make()?);
        alive.retain(|_, streams| streams.strong_count() > 0);
        alive.insert(id, Arc::downgrade(&streams));
        Ok(streams)
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

    #[test]
    fn a_checkpoint_has_one_factory_while_somebody_holds_it() {
        let (live, id) = (LiveStreams::default(), |number| CheckpointId::new(number).unwrap());
        let first = live.of(id(1), || Ok(1)).unwrap();
        assert!(Arc::ptr_eq(&first, &live.of(id(1), || Ok(2)).unwrap()));
        assert_eq!(*live.of(id(2), || Ok(3)).unwrap(), 3);
        assert_eq!(live.alive.lock().len(), 2);
        drop(first);
        assert_eq!(*live.of(id(3), || Ok(4)).unwrap(), 4);
        assert_eq!(live.alive.lock().len(), 1, "what nobody holds is forgotten");
        let error = ckpt_core::Error::new(ckpt_core::ErrorKind::Retry, "no");
        assert!(live.of(id(1), || Err(error)).is_err());
        assert_eq!(*live.of(id(1), || Ok(5)).unwrap(), 5);
    }
}
