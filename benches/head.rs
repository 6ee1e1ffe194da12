//! What it takes to commit a checkpoint, to take a job over, and to collect what nobody names.

#[path = "head_bare.rs"]
mod bare;
#[path = "head_claim.rs"]
mod claim;
#[path = "head_commit.rs"]
mod commit;
#[path = "head_orphans.rs"]
mod orphans;

use std::path::Path;

use ckpt_benches::Bench;
use ckpt_core::Result;

pub(crate) use orphans::alone;

/// Every line about HEAD.
pub(crate) fn all(bench: &Bench, directory: &Path) -> Result<()> {
    commit::all(bench, directory)?;
    claim::all(bench, directory)?;
    orphans::all(bench, directory)
}
