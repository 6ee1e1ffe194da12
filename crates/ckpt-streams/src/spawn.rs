//! Where blocking work runs.

/// A unit of work that may block.
pub type Job = Box<dyn FnOnce() + Send>;

/// Runs jobs that may block, so that nothing else has to: ours is a bounded pool, an async runtime has its own.
///
/// A job never waits for a job that may still be queued. `examples/tokio_spawn.rs` is one over an async runtime.
pub trait Spawn: Send + Sync + std::fmt::Debug {
    /// Runs `job` at some time on some thread. `name` says what it does, for thread names and traces.
    ///
    /// # Errors
    ///
    /// [`Rejected`] when the job will not run; it is dropped, and with it everything that it owned.
    fn spawn(&self, name: &'static str, job: Job) -> Result<(), Rejected>;
}

/// A job was refused: the pool is full or shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the job was refused: the pool is full or shut down")]
#[non_exhaustive]
pub struct Rejected;

impl Rejected {
    /// A refusal, for implementations of [`Spawn`].
    pub const fn new() -> Self {
        Self
    }
}

impl Default for Rejected {
    fn default() -> Self {
        Self::new()
    }
}
