//! Beginning a job from a snapshot that it did not take: a checkpoint of another job, or a savepoint.
//!
//! Whose the snapshot is from then on its mark says, and the job's own HEAD says it last, so that a crash between any two
//! steps is made good by the same call:
//!
//! 1. What the job's own HEAD refuses is refused, before anything of somebody else changes.
//! 2. By [`ClaimMode::Claim`](ckpt_core::head::ClaimMode::Claim) the snapshot becomes this job's: a checkpoint is handed over
//!    by a compare-and-swap on the HEAD of the job that took it, which must have ended; a savepoint, and a checkpoint that was
//!    copied away from its job, gets an `OWNER`, created without replacing. One owner, whoever races. By
//!    [`ClaimMode::NoClaim`](ckpt_core::head::ClaimMode::NoClaim) nothing changes there, now or later.
//! 3. The job's own HEAD names it as what the job began from. Then the job has begun: the same start again is a take-over, and
//!    needs nothing to be there.
//!
//! # What is deleted in a claimed place
//!
//! What a snapshot named that HEAD has removed, and nothing of the job's names any more; beneath the directory as it was opened
//! once, files of our name form alone, a directory only when it is empty. In the shared directory of another job those files stay
//! that another entry of that job's HEAD may name. The mark goes last, when HEAD has released the claim: `OWNER`, or the entry in
//! the HEAD of the former owner, which until then deletes no shared file.

mod begin;
mod collect;
mod error;
mod found;
mod load;
mod others;
mod owner;
mod release;
mod start;
mod take_over;

pub use begin::{Begun, begin_from};
pub use start::Start;
pub use take_over::{ActiveJob, TakenOver, ThreadWait, Wait, take_over};

pub(crate) use collect::{remove_claimed_files, remove_claimed_snapshot};
pub(crate) use load::load_elsewhere;
pub(crate) use release::release;

#[cfg(test)]
mod chain_test;
#[cfg(test)]
mod claim_test;
#[cfg(test)]
mod matrix_test;
#[cfg(test)]
mod race_test;
#[cfg(test)]
mod support_test;
#[cfg(test)]
mod take_over_test;
#[cfg(test)]
mod upkeep_test;
