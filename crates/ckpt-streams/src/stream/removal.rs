//! Removing the files of a cancellation, which waits for nothing itself.

use crate::spawn::Spawn;
use crate::stream::unsealed::{Taken, Unsealed};
use crate::sync::{Arc, Mutex, thread};

/// Files to be removed: by whoever owns them when they are dropped.
pub(crate) struct Removal {
    unsealed: Arc<Unsealed>,
    files: Vec<Taken>,
}

impl Removal {
    pub(crate) const fn new(unsealed: Arc<Unsealed>, files: Vec<Taken>) -> Self {
        Self { unsealed, files }
    }

    /// Has a job remove them. Where it is refused, which is when most is cancelled, a thread of its own does; and the
    /// caller only where the system gives none.
    pub(crate) fn begin(self, spawn: &dyn Spawn) {
        // A job that is refused is dropped in this thread: so it owns them only once it runs.
        let removal = Arc::new(Mutex::new(Some(self)));
        let owner = Arc::clone(&removal);
        let run = move || {
            let files = owner.lock().take();
            drop(files);
        };
        if spawn.spawn("remove cancelled state files", Box::new(run)).is_err() {
            let files = removal.lock().take();
            // One that cannot be started drops them as well.
            let _ = thread::spawn_named("ckpt-removal".to_owned(), move || drop(files));
        }
    }
}

impl Drop for Removal {
    fn drop(&mut self) {
        for taken in self.files.drain(..) {
            // Counted; the next leader collects what is left.
            let _ = self.unsealed.remove(taken);
        }
    }
}
