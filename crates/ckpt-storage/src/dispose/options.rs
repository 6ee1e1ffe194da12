//! How a snapshot is disposed of.

use std::num::NonZeroUsize;

use ckpt_core::Timestamp;
use ckpt_core::head::Nonce;
use ckpt_streams::file_system::Durability;

/// How a snapshot is disposed of. What is random and what the time is comes from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisposeOptions {
    pub(super) nonce: Nonce,
    pub(super) began_at: Timestamp,
    pub(super) parallelism: NonZeroUsize,
    pub(super) durability: Durability,
    pub(super) mode: Mode,
    pub(super) heads: Vec<HeadPlace>,
}

/// Where a HEAD may lie that needs the snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HeadPlace {
    /// In that directory of a job.
    Job(String),
    /// In that directory itself, or in those of jobs below it.
    Below(String),
}

/// Whether anything is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Delete,
    DryRun,
}

impl DisposeOptions {
    /// How many threads delete at once, unless it is said otherwise.
    pub const DEFAULT_PARALLELISM: NonZeroUsize = NonZeroUsize::new(8).expect("8 is not 0");

    /// A disposal that `nonce`, which is random, tells from every other, and that begins at `began_at`, for people who find
    /// its mark.
    pub const fn new(nonce: Nonce, began_at: Timestamp) -> Self {
        let (parallelism, durability) = (Self::DEFAULT_PARALLELISM, Durability::Full);
        Self { nonce, began_at, parallelism, durability, mode: Mode::Delete, heads: Vec::new() }
    }

    /// Refuses what HEAD in that directory of a job needs: what it retains or keeps elsewhere, savepoints that it takes, and,
    /// while the job is active, the savepoint that it was stopped with, from which alone it can go on.
    #[must_use]
    pub fn with_job_directory(mut self, directory: impl Into<String>) -> Self {
        self.heads.push(HeadPlace::Job(directory.into()));
        self
    }

    /// The same of HEAD of every job whose directory is that one or lies directly below it: each is read. It may be said of
    /// several.
    #[must_use]
    pub fn with_jobs_below(mut self, base: impl Into<String>) -> Self {
        self.heads.push(HeadPlace::Below(base.into()));
        self
    }

    /// Deletes and writes nothing, and [lists](super::Disposal::planned) what would be deleted.
    #[must_use]
    pub const fn dry_run(mut self) -> Self {
        self.mode = Mode::DryRun;
        self
    }

    /// Lets so many threads delete at once: that of the caller, and jobs that help it.
    #[must_use]
    pub const fn with_parallelism(mut self, threads: NonZeroUsize) -> Self {
        self.parallelism = threads;
        self
    }

    /// Has the steps survive that, in their order. With [`Durability::None`] a loss of power may bring back a snapshot some
    /// of whose files are gone.
    #[must_use]
    pub const fn with_durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }
}
