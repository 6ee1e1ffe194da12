//! HEAD: the record of what is committed, and how it may change. (Flink has no such record: what
//! `CompletedCheckpointStore` and the pointers of its high availability hold is in one place here.)
//!
//! A checkpoint exists once HEAD names it. HEAD is one small value, [`Head`]; it changes by compare-and-swap only, from one
//! version to the next, by the transitions of this module. They are pure: the store, the coordinator, a restore and a model
//! checker all run the same ones. Whatever a transition yields must not be used before its HEAD is written, so it is
//! handed out by [`HeadWrite::written`] and by nothing else.
//!
//! # Who may do what
//!
//! ```text
//!                 claim, claim_from, claim_going_back
//!   (no HEAD) ──────────────────────────────────────────► active ◄─┐ commit, reserve, begin_savepoint, stop, discard …
//!                                                           │  └───┘ and the claims of later leaders
//!                                                           │ end
//!                                                           ▼
//!                                     finished, cancelled, failed ◄─┐ claim_ended, collected, discard,
//!                                                              └────┘ hand_over, handed_back
//! ```
//!
//! * *Anybody* may read HEAD and may claim. A claim raises the epoch, which fences the former leader: its next write is
//!   refused, and then it deletes nothing and tells nobody.
//! * *The leader* holds a [`ClaimedHead`]. It has one write in flight. If it does not know what became of that, it proposes
//!   the same change from the same [`ClaimedHead`] again, which has the same bytes, or it stops.
//! * *Tasks* never read HEAD.
//! * A job that is suspended, whose process is lost or whose leader is fenced does not change HEAD at all.
//!
//! # Transitions
//!
//! All carry [`Collected`] along: what is gone is dropped from the lists of what may be deleted. All but those of the last
//! group need an active job.
//!
//! | transition | needs | makes | yields |
//! |---|---|---|---|
//! | [`Head::claim`] | nothing | the next epoch; begins a job from nothing; what the former leader was taking is abandoned | numbers, abandoned savepoints |
//! | [`Head::claim_from`] | a [`ForeignSnapshot`]; nothing to restore yet, or the same origin | as before, and the snapshot is retained, claimed or borrowed; its roots are called anew | numbers, abandoned savepoints |
//! | [`Head::claim_going_back`] | an older retained snapshot | as before, and what is newer is set aside; recorded | numbers, abandoned savepoints |
//! | [`commit`](ClaimedHead::commit) | a published checkpoint of this epoch, newer than all; full where it [must be](Head::requires_full_checkpoint) | it is retained, the oldest beyond the number leave; clears `stopped_at` | removed snapshots, perhaps numbers |
//! | [`reserve`](ClaimedHead::reserve) | nothing | a further block of numbers | numbers |
//! | [`begin_savepoint`](ClaimedHead::begin_savepoint) | a number of this leader; before the directory is made | the savepoint is in progress | nothing |
//! | [`savepoint_published`](ClaimedHead::savepoint_published) | one in progress whose `_metadata` is there | it is its user's, and named no more | nothing |
//! | [`give_up_savepoint`](ClaimedHead::give_up_savepoint) | one in progress whose `_metadata` certainly is not published | it is abandoned | the abandoned savepoint |
//! | [`stop`](ClaimedHead::stop) | one in progress that is published and stops the job; before any task is told | `stopped_at`: a restore takes it or refuses, this leader commits nothing more | nothing |
//! | [`end`](ClaimedHead::end) | how the job ended, its retention policy | ended; what is retained and set aside leaves or stays | removed snapshots, abandoned savepoints |
//! | [`discard`](ClaimedHead::discard) | what is set aside; after the end, what is retained | they leave | removed snapshots |
//! | [`Head::claim_ended`] | a job that has ended | the next epoch; it stays ended | nothing new |
//! | [`hand_over`](ClaimedHead::hand_over) | a retained snapshot of a job that has ended, and a job | it belongs to that job, and to no second one | nothing |
//! | [`handed_back`](ClaimedHead::handed_back) | the last [`ReleasedClaim`] of that job | it is named no more | nothing |
//! | [`collected`](ClaimedHead::collected) | what is gone | nothing else; in any state | nothing |
//!
//! Each may also release claims, see below.
//!
//! # What a restore takes
//!
//! [`Head::restore_point`]: the newest of what is retained and the savepoint that the job was stopped with, or else the
//! restore is refused. Never silently an older one. Going back is a claim of its own, since it must fence: a checkpoint that
//! was under way when somebody decided to go back cannot be committed any more. What was newer is *set aside*: named, not
//! restored, and not deleted before somebody discards it or the job ends, since it may be the evidence of what went wrong.
//! Its own directory stays; of its shared files those stay that something retained names. Another snapshot than those of
//! HEAD is begun from by a new job.
//!
//! # Retention
//!
//! A commit retains the new checkpoint and removes the oldest ones beyond the number. Flink's rules
//! (`CheckpointSubsumeHelper`) come to this:
//!
//! * *the newest is never removed*: it is the one that is committed;
//! * *savepoints may always be removed*: HEAD retains one only where the job began from it; if it is borrowed it is dropped
//!   and never removed, as is every borrowed snapshot;
//! * *the most recent checkpoint that is no savepoint stays, unless the newest is a synchronous savepoint*: the newest in
//!   `retained` is always a checkpoint, and thus that one; so never more are retained than asked for. A synchronous
//!   savepoint is `stopped_at` and subsumes nothing: what becomes of the checkpoints is settled by the end of the job.
//!
//! At the end of a job [`RetentionPolicy::discards_on`](crate::snapshot::RetentionPolicy::discards_on) decides.
//!
//! # Whose files
//!
//! | [`Ownership`] | directory | when it leaves | may be the base of the next checkpoint |
//! |---|---|---|---|
//! | `Job` | `chk-<id>` of this job | removed | yes |
//! | `Claimed` | elsewhere, with a [`Claim`] | removed | yes |
//! | `Borrowed` | elsewhere | dropped | no: the next one is full |
//!
//! The duty of a full checkpoint is not stored: it is there as long as what would be restored is borrowed. So no failover
//! forgets it, no savepoint lifts it, and the first committed full checkpoint does.
//!
//! A *claim* is a place below which this job may delete. Every snapshot in HEAD lists the claims that its metadata names
//! ([`RetainedSnapshot::claims`], filled in where `_metadata` is published). A claim is held while a snapshot that is
//! retained, removed and not collected, set aside, or handed over needs it; the base of a pending checkpoint is one of
//! those, since it is not collected before that has ended. Then the write that drops the last of them releases the claim,
//! and its number is never given again, so nothing can name the place any more.
//!
//! To claim a checkpoint of another job, that job must have ended, or be taken over and ended. Its HEAD hands the snapshot
//! over first; then this job's HEAD claims it. A crash in between is made good by doing both again. What is handed over is
//! kept there until this job's last claim is released.
//!
//! # What may be deleted
//!
//! | type | what | found again after a crash |
//! |---|---|---|
//! | [`RemovedSnapshot`] | its files; borrowed ones never | [`WrittenHead::all_removed`] |
//! | [`AbandonedSavepoint`] | its directory, if there is no `_metadata` | [`WrittenHead::all_abandoned`] |
//! | [`ReleasedClaim`] | the mark that the place is this job's | [`WrittenHead::all_released`] |
//! | [`TaskOwnedFiles`] | what the tasks were to dispose of, once the job has ended and retains nothing | [`ClaimedHead::task_owned`] |
//!
//! # One commit, and a leader that is fenced
//!
//! ```
//! use ckpt_core::Digest;
//! use ckpt_core::head::{Collected, Head, Nonce, RetainedSnapshot};
//! use ckpt_core::id::{CheckpointId, JobId};
//! use ckpt_core::snapshot::SnapshotKind;
//!
//! let snapshot = |id: CheckpointId, head: &Head| {
//!     RetainedSnapshot::new(id, head.epoch, SnapshotKind::Checkpoint, 100, Digest::of(b"its index"))
//! };
//! let job = JobId::new([1; 16]);
//!
//! // The store writes what is proposed if there is no HEAD yet; then `written` may be called.
//! let mut first = Head::claim(None, job, Nonce::new([2; 16]))?.written();
//! let mut leader = first.head;
//! let mut removed = Vec::new();
//! for _ in 0..3 {
//!     let id = first.reserved.take().expect("a claim reserves numbers");
//!     let proposed = leader.commit(snapshot(id, leader.head()), 2, &Collected::none())?;
//!     let bytes = proposed.head().encode()?;
//!     // … the store swaps `bytes` in if HEAD is still the version before …
//!     let written = proposed.written();
//!     removed.extend(written.removed.iter().map(|removed| removed.snapshot().id.get()));
//!     leader = written.head;
//! #   assert_eq!(&Head::decode(&bytes)?, leader.head());
//! }
//! assert_eq!(removed, [1], "two are retained");
//!
//! // Once its files are deleted, the next write drops it from the list of what may be.
//! let mut collected = Collected::none();
//! collected.snapshots.push(CheckpointId::FIRST);
//! assert!(leader.collected(&collected)?.head().removed.is_empty());
//!
//! // Somebody else takes over. The former leader's next write is of a version that is there already: the store refuses it.
//! let second = Head::claim(Some(leader.head()), job, Nonce::new([3; 16]))?.written().head;
//! let late = leader.commit(snapshot(first.reserved.take().expect("many"), leader.head()), 2, &Collected::none())?;
//! assert_eq!(late.head().version, second.head().version);
//! assert!(second.head().epoch > late.head().epoch);
//! assert_eq!(second.head().restore_point().map(|point| point.id.get()), Some(3));
//! # Ok::<(), ckpt_core::Error>(())
//! ```
//!
//! # Bounds
//!
//! Every list has a limit, [`Head::MAX_BYTES`] holds for all together, and a URI carries no secret ([`Uri`](crate::uri::Uri)). All rules are
//! checked whenever HEAD is written or read; `docs/format.md` lists them.

mod claim;
mod collected;
mod commit;
mod deletable;
mod encoding;
mod end;
mod error;
mod limits;
mod origin;
mod orphans;
mod record;
mod savepoint;
mod snapshot;
mod stop;
mod write;

pub use collected::Collected;
pub use deletable::{AbandonedSavepoint, ReleasedClaim, RemovedSnapshot, TaskOwnedFiles};
pub use origin::{Claim, ClaimMode, ForeignSnapshot, GoneBack, HandedOver, Origin, SnapshotRoot};
pub use orphans::Orphans;
pub use record::{Head, HeadVersion, JobState, Nonce};
pub use savepoint::SavepointInProgress;
pub use snapshot::{Ownership, RetainedSnapshot, SnapshotPlace};
pub use write::{ClaimedHead, HeadWrite, WrittenHead};
