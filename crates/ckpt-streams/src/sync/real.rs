//! What ships: re-exports, and what a model has less of.

pub(crate) use std::sync::Arc;
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

pub(crate) use parking_lot::{Condvar, Mutex};

/// In how many lanes threads count apart.
pub(crate) const LANES: usize = 16;

/// Threads.
pub(crate) mod thread {
    use std::io;

    pub(crate) use std::thread::{JoinHandle, current};

    /// Starts a thread of that name.
    pub(crate) fn spawn_named(name: String, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
        std::thread::Builder::new().name(name).spawn(body)
    }
}
