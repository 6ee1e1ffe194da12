//! What ships: re-exports only.

pub(crate) use std::sync::Arc;
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

pub(crate) use parking_lot::{Condvar, Mutex};

/// Threads.
pub(crate) mod thread {
    use std::io;

    pub(crate) use std::thread::{JoinHandle, current};

    /// Starts a thread of that name.
    pub(crate) fn spawn_named(name: String, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
        std::thread::Builder::new().name(name).spawn(body)
    }
}
