//! The threads that read files of ours.

use std::sync::OnceLock;

use ckpt_streams::{Job, Pool, PoolOptions, Rejected, Spawn};

/// Threads that are started with the first job. If the system gives none, whoever has jobs does them alone.
#[derive(Debug, Default)]
pub(super) struct Threads(OnceLock<Option<Pool>>);

impl Spawn for Threads {
    fn spawn(&self, name: &'static str, job: Job) -> Result<(), Rejected> {
        let pool = self.0.get_or_init(|| Pool::new(PoolOptions::default()).ok());
        pool.as_ref().ok_or_else(Rejected::new)?.spawn(name, job)
    }
}
