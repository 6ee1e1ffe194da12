//! HEAD: the record of what is committed, and how it may change.
//!
//! A checkpoint exists once HEAD names it. HEAD changes by compare-and-swap only, from one [`Head`] to the next by a
//! transition of this module: [`Head::claim`], [`ClaimedHead::commit`], [`ClaimedHead::reserve`], [`ClaimedHead::end`],
//! [`ClaimedHead::collected`]. What may be deleted is a [`RemovedSnapshot`], which only a transition that was written
//! yields, and never of a borrowed snapshot.

mod encoding;
mod error;
mod record;
mod snapshot;
mod transition;

pub use record::{Head, HeadVersion, JobState, Nonce};
pub use snapshot::{Claim, Ownership, RetainedSnapshot, SavepointInProgress, SnapshotPlace};
pub use transition::{AtEnd, ClaimedHead, HeadWrite, RemovedSnapshot, WrittenHead};
