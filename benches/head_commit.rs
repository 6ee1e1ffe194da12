//! Committing a small checkpoint beside its own calls of the system.

use std::path::Path;
use std::time::Duration;

use ckpt_benches::{Bar, Bench, Work, processor_time_of};
use ckpt_core::Result;
use ckpt_core::head::Collected;
use ckpt_core::id::CheckpointId;
use ckpt_storage::HeadOutcome;
use ckpt_streams::file_system::Durability;

use super::bare::Bare;
use crate::publish::metadata;
use crate::{Job, failed};

const NAME: &str = "head: publish and commit a small checkpoint, one of three that are retained";

/// Commits of one measure: a multiple of those after which old versions of HEAD are deleted.
const COMMITS: u64 = 32;
const RETAINED: usize = 3;

/// Every line about commits.
pub(crate) fn all(bench: &Bench, directory: &Path) -> Result<()> {
    if !bench.takes(NAME) {
        return Ok(());
    }
    let scratch = tempfile::tempdir_in(directory).map_err(failed)?;
    let mut ours = Commits::new(&scratch.path().join("ours"))?;
    let plain = scratch.path().join("plain");
    std::fs::create_dir(&plain).map_err(failed)?;
    let bare = Bare::new(&plain).map_err(failed)?;
    let mut next = 0;
    // As long as ours are once as many are retained as may be.
    ours.commit()?;
    ours.commit()?;
    ours.commit()?;
    let (body, head) = ours.bytes()?;
    let baseline = || -> Result<Duration> {
        let mut taken = Duration::ZERO;
        for _ in 0..COMMITS {
            next += 1;
            let (time, done) = processor_time_of(|| {
                bare.publish(next, &body)?;
                bare.write_head(next, &head)
            });
            done.map_err(failed)?;
            taken += time;
            if next > RETAINED as u64 {
                std::fs::remove_dir_all(plain.join(format!("chk-{}", next - RETAINED as u64))).map_err(failed)?;
            }
        }
        Ok(taken)
    };
    let rounds = || (0..COMMITS).map(|_| ours.commit()).sum::<Result<Duration>>();
    let bench = bench.bar(Bar::RatioAtMost(1.3));
    bench.compare_timed(NAME, "the same calls of the system", Work::Operations(COMMITS as usize), rounds, baseline)
}

/// A job that commits one checkpoint after the other.
struct Commits {
    job: Job,
    directory: std::path::PathBuf,
    number: u64,
    collected: Collected,
}

impl Commits {
    fn new(directory: &Path) -> Result<Self> {
        let job = Job::in_directory(directory, Durability::Full)?;
        Ok(Self { job, directory: directory.to_owned(), number: 0, collected: Collected::none() })
    }

    /// From the place to the commit. What that removes is deleted besides.
    fn commit(&mut self) -> Result<Duration> {
        self.number += 1;
        let identity = self.job.identity(self.number)?;
        let metadata = metadata(identity)?;
        let (view, claimed, collected) = (&self.job.view, &self.job.claimed, &self.collected);
        let (taken, outcome) = processor_time_of(|| -> Result<_> {
            let published = view.initialize_checkpoint(&identity)?.publish(&metadata)?;
            Ok(view.head().write(claimed.commit(published, RETAINED, collected)?))
        });
        let HeadOutcome::Written(written) = outcome? else { return Err(failed("HEAD was not written")) };
        self.collected = Collected::none();
        for removed in &written.removed {
            let id: CheckpointId = removed.snapshot().id;
            std::fs::remove_dir_all(self.job.pointer(&self.directory, id.get())).map_err(failed)?;
            self.collected.snapshots.push(id);
        }
        self.job.claimed = written.head;
        Ok(taken)
    }

    /// What a commit writes: `_metadata` and HEAD.
    fn bytes(&self) -> Result<(Vec<u8>, Vec<u8>)> {
        let (body, _) = metadata(self.job.identity(self.number)?)?.encode()?;
        Ok((body.to_vec(), self.job.claimed.head().encode()?.to_vec()))
    }
}
