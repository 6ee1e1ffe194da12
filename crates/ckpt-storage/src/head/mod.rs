//! HEAD in storage: read and compare-and-swap.

use std::fmt::Debug;

use ckpt_core::Error;
use ckpt_core::Result;
use ckpt_core::head::{Head, HeadWrite, WrittenHead};

mod claim;
mod lost;
mod probe;
mod record_store;
mod swap;

pub use claim::{claim, claim_going_back};
pub(crate) use probe::{BrokenPromise, ProbedStores};
pub(crate) use record_store::RecordHeadStore;
pub use swap::{HeadAnswer, HeadEnd, HeadFence, HeadStep, HeadSwap, SeenHead};

/// Where HEAD lives. Blocking; any thread may call it, but a leader has one write in flight at a time.
pub trait HeadStore: Send + Sync + Debug {
    /// What HEAD says; `None` before the first claim.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it is damaged (never an older one instead), `Retry` when it could not be read.
    fn read(&self) -> Result<Option<Head>>;

    /// Writes the next HEAD if the present one is still the one it proceeds from. Writing the same again is harmless.
    ///
    /// The stores of this crate see to it first, once in a process, that the compare-and-swap of what is below them holds:
    /// it is `Failed` as `Configuration` if it does not, and as `Retry` if that cannot be told.
    ///
    /// They begin no job where a completed checkpoint lies, whose HEAD was lost: that is `Failed` as `Corrupt`.
    fn write(&self, write: HeadWrite) -> HeadOutcome;

    /// Sees to it that the job can be begun or taken over here as far as that is known before it is written: whoever changes
    /// something elsewhere first asks before that. [`write`](Self::write) asks by itself.
    ///
    /// # Errors
    ///
    /// Those with which [`write`](Self::write) fails before anything is sent.
    fn ready(&self, _write: &HeadWrite) -> Result<()> {
        Ok(())
    }
}

/// What became of a write of HEAD.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub enum HeadOutcome {
    /// It is written and durable.
    Written(WrittenHead),
    /// Another leader has written: stop, delete nothing, notify nobody.
    Fenced(Error),
    /// It was not written and will not be, for this reason; HEAD is what it was.
    Failed(Error),
    /// It may have been written, or may be yet: stop, delete nothing, notify nobody; read HEAD again before anything
    /// else.
    Unknown(Error),
}
