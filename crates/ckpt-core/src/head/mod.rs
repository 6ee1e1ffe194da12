//! HEAD: the record of what is committed, and how it may change.
//!
//! A checkpoint exists once HEAD names it. HEAD changes by compare-and-swap only, from one [`Head`] to the next by a
//! transition of this module. What may be deleted is a [`RemovedSnapshot`], which only a transition that was written
//! yields, and never of a borrowed snapshot.

mod claim;
mod collected;
mod commit;
mod deletable;
mod encoding;
mod end;
mod error;
mod limits;
mod origin;
mod record;
mod savepoint;
mod snapshot;
mod stop;
mod uri;
mod write;

pub use collected::Collected;
pub use deletable::{AbandonedSavepoint, ReleasedClaim, RemovedSnapshot};
pub use origin::{Claim, ClaimMode, ForeignSnapshot, GoneBack, HandedOver, Origin, SnapshotRoot};
pub use record::{Head, HeadVersion, JobState, Nonce};
pub use savepoint::SavepointInProgress;
pub use snapshot::{Ownership, RetainedSnapshot, SnapshotPlace};
pub use uri::Uri;
pub use write::{ClaimedHead, HeadWrite, WrittenHead};
