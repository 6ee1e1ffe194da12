//! What leaders, one after the other, commit, subsume, give up, leave behind and collect. Whatever a loss of power leaves,
//! every checkpoint that HEAD is to retain is there to its last byte, and a next leader that collects and commits once more
//! leaves on the disk exactly what HEAD names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::Result;
use ckpt_core::id::CheckpointId;
use ckpt_storage::{CoordinatorView, HEAD_DIRECTORY, METADATA_FILE};
use ckpt_streams::file_system::FileSystem as _;
use ckpt_streams::testing::{Disk, FailingCalls, Failure, Fault, Image, ImageOptions, Injection};

use crate::draws::Draws;
use crate::scenario::Tale;
use crate::storage::{JOB, Leader, Pieces, context, context_of, dying, path_of, read_all, said};

/// What leaders did with the checkpoints of a job.
struct History {
    disk: Disk,
    draws: Draws,
    /// How many checkpoints are retained.
    retain: usize,
    claims: u8,
    commits: Vec<Commit>,
    /// What was written for each checkpoint that was to be committed.
    pieces: BTreeMap<CheckpointId, Pieces>,
}

/// A write of HEAD that commits.
struct Commit {
    /// From then on it may be there.
    begun: usize,
    /// From then on it is, until the next one.
    announced: usize,
    /// What it retains.
    retained: Vec<CheckpointId>,
}

/// How far a checkpoint that is not committed comes.
#[derive(Clone, Copy)]
enum Stage {
    Written,
    Sealed,
    Published,
}

/// What becomes of a checkpoint that is not committed.
#[derive(Clone, Copy)]
enum Fate {
    /// Its leader deletes it.
    GivenUp,
    /// Its leader dies.
    Left,
}

/// What is wrong with an image.
#[derive(Debug, thiserror::Error)]
enum Wrong {
    #[error("HEAD retains {found:?}, expected one of {expected:?}")]
    Retained { found: Vec<CheckpointId>, expected: Vec<Vec<CheckpointId>> },
    #[error("checkpoint {id}, which HEAD retains, cannot be read: {error}")]
    Unreadable { id: CheckpointId, error: String },
    #[error("checkpoint {id}, which HEAD retains, has other state than was written")]
    OtherState { id: CheckpointId },
    #[error("'{path}' is named by nothing and was not collected")]
    NotCollected { path: String },
    #[error("'{path}' was collected, and a retained checkpoint names it")]
    Collected { path: String },
    #[error("HEAD still lists {left} snapshots as removed, of which nothing is left")]
    NotForgotten { left: usize },
    #[error("what is left cannot be used: {0}")]
    Unusable(#[from] ckpt_core::Error),
}

/// Some checkpoints of some leaders, of which the newest is retained.
pub(crate) fn tell_of_commits(seed: u64) -> Box<dyn Tale> {
    tell(seed, |history| {
        history.retain = 1;
        let mut leader = history.claim()?;
        for _ in 0..1 + history.draws.below(3) {
            match history.draws.below(5) {
                0 => history.give_up(&mut leader, Fate::GivenUp)?,
                _ => history.commit(&mut leader)?,
            }
            leader.remove()?;
            if history.draws.below(3) == 0 {
                leader = history.claim()?;
                leader.collect()?;
            }
        }
        Ok(())
    })
}

/// Commits in a row, of which each subsumes others that share files with it; some are removed at once and some later.
pub(crate) fn tell_of_subsumption(seed: u64) -> Box<dyn Tale> {
    tell(seed, |history| {
        history.retain = 1 + usize::try_from(seed % 3).unwrap_or(0);
        let mut leader = history.claim()?;
        for _ in 0..=history.retain {
            history.commit(&mut leader)?;
            match history.draws.below(4) {
                0 => {}
                1 => history.die_removing(&mut leader)?,
                _ => leader.remove()?,
            }
        }
        Ok(())
    })
}

/// Leaders that leave snapshots to be removed, checkpoints that were given up and others that nobody committed; and some
/// that die collecting all that.
pub(crate) fn tell_of_collection(seed: u64) -> Box<dyn Tale> {
    tell(seed, |history| {
        history.retain = 1 + usize::try_from(seed % 2).unwrap_or(0);
        let mut leader = history.claim()?;
        history.commit(&mut leader)?;
        history.give_up(&mut leader, Fate::Left)?;
        for _ in 0..history.draws.below(3) {
            history.die_collecting()?;
        }
        let mut leader = history.claim()?;
        if history.draws.below(2) == 0 {
            history.give_up(&mut leader, Fate::GivenUp)?;
        }
        history.commit(&mut leader)?;
        if history.draws.below(2) == 0 {
            history.die_collecting()?;
        }
        history.claim()?.collect()
    })
}

/// Claims in a row, of which some die; what was committed before is restored, gone on with, and read again.
pub(crate) fn tell_of_claims(seed: u64) -> Box<dyn Tale> {
    tell(seed, |history| {
        history.retain = 1 + usize::try_from(seed % 2).unwrap_or(0);
        let mut leader = history.claim()?;
        history.commit(&mut leader)?;
        for _ in 0..1 + history.draws.below(2) {
            match history.draws.below(3) {
                0 => drop(history.claim()?),
                _ => history.die_claiming(),
            }
        }
        let mut leader = history.claim()?;
        history.commit(&mut leader)?;
        leader.collect()
    })
}

fn tell(seed: u64, act: impl FnOnce(&mut History) -> Result<()>) -> Box<dyn Tale> {
    let mut history = History {
        disk: Disk::new(),
        draws: Draws::new(seed),
        retain: 1,
        claims: 0,
        commits: Vec::new(),
        pieces: BTreeMap::new(),
    };
    act(&mut history).expect("a disk that works");
    Box::new(history)
}

impl History {
    fn claim(&mut self) -> Result<Leader> {
        self.claims += 1;
        Leader::claim(&context(&self.disk), self.claims)
    }

    fn commit(&mut self, leader: &mut Leader) -> Result<()> {
        let base = self.base_of(leader);
        let checkpoint = leader.begin()?;
        let (state, pieces) = leader.write_state(&checkpoint, &base, &mut self.draws)?;
        let published = checkpoint.publish(&state)?;
        let id = published.id;
        self.pieces.insert(id, pieces);
        let begun = self.disk.done();
        leader.commit(published, self.retain)?;
        let retained = leader.written.head.head().retained.iter().map(|snapshot| snapshot.id).collect();
        self.commits.push(Commit { begun, announced: self.disk.done(), retained });
        Ok(())
    }

    /// A checkpoint that nobody commits.
    fn give_up(&mut self, leader: &mut Leader, fate: Fate) -> Result<()> {
        let base = self.base_of(leader);
        let checkpoint = leader.begin()?;
        let stages = [Stage::Written, Stage::Sealed, Stage::Published];
        match stages[usize::try_from(self.draws.below(3)).unwrap_or(0)] {
            Stage::Written => drop(leader.stage_state(&checkpoint, &mut self.draws)?),
            Stage::Sealed => drop(leader.write_state(&checkpoint, &base, &mut self.draws)?),
            Stage::Published => {
                let (state, _) = leader.write_state(&checkpoint, &base, &mut self.draws)?;
                checkpoint.publish(&state)?;
            }
        }
        match fate {
            Fate::GivenUp => leader.give_up(&checkpoint),
            Fate::Left => Ok(()),
        }
    }

    /// The leader dies while it deletes what HEAD has removed, and another one takes over.
    fn die_removing(&mut self, leader: &mut Leader) -> Result<()> {
        if let Ok(view) = self.dying_view() {
            let _ = leader.remove_by(&*view);
        }
        *leader = self.claim()?;
        Ok(())
    }

    /// One that takes over dies while it collects.
    fn die_collecting(&mut self) -> Result<()> {
        let mut leader = self.claim()?;
        if let Ok(view) = self.dying_view() {
            let _ = leader.collect_by(&*view);
        }
        Ok(())
    }

    /// One that takes over dies of it; it may lead then, and nobody knows.
    fn die_claiming(&mut self) {
        self.claims += 1;
        let faults = [Fault::DiskFull, Fault::SyncFails, Fault::LinkAnswerLost];
        let fault = faults[usize::try_from(self.draws.below(3)).unwrap_or(0)];
        let injection = Injection::new(fault, 1 + self.draws.below(6), Failure::FromThereOn);
        let _ = Leader::claim(&context_of(&Arc::new(FailingCalls::on(&self.disk, injection))), self.claims);
    }

    /// Storage as one sees it who dies of something, or finds that something cannot be deleted.
    fn dying_view(&mut self) -> Result<Arc<dyn CoordinatorView>> {
        let faults = [Fault::RemoveFails, Fault::SyncFails, Fault::Stale, Fault::TooManyOpenFiles];
        let fault = faults[usize::try_from(self.draws.below(4)).unwrap_or(0)];
        dying(&self.disk, Injection::new(fault, 1 + self.draws.below(8), Failure::FromThereOn))
    }

    /// What the newest checkpoint that the leader knows to be committed names.
    fn base_of(&self, leader: &Leader) -> Pieces {
        let newest = leader.written.head.head().retained.last();
        newest.and_then(|snapshot| self.pieces.get(&snapshot.id)).cloned().unwrap_or_default()
    }

    fn check_image(&self, image: &Image) -> Result<(), Wrong> {
        let mut leader = Leader::claim(&context(&image.disk), 200)?;
        self.check_retained(&leader, image)?;
        // What is retained is read as a restore reads it, before and after others collected.
        self.read_retained(&leader)?;
        leader.collect()?;
        let mut named = self.read_retained(&leader)?;
        check_files(image, &named)?;
        // It goes on from there: reuses what it restored, subsumes, removes.
        let base = self.base_of(&leader);
        let checkpoint = leader.begin()?;
        let (state, pieces) = leader.write_state(&checkpoint, &base, &mut Draws::new(7))?;
        leader.commit(checkpoint.publish(&state)?, self.retain)?;
        leader.remove()?;
        leader.forget_collected()?;
        named.clear();
        for snapshot in &leader.written.head.head().retained {
            let pieces = if snapshot.id == checkpoint.id() { &pieces } else { &self.pieces[&snapshot.id] };
            named.extend(read(&leader, snapshot.id, pieces)?);
        }
        match leader.written.head.head().removed.len() {
            0 => check_files(image, &named),
            left => Err(Wrong::NotForgotten { left }),
        }
    }

    /// None that is committed is missing, and none that is not is there.
    fn check_retained(&self, leader: &Leader, image: &Image) -> Result<(), Wrong> {
        let found: Vec<_> = leader.written.head.head().retained.iter().map(|snapshot| snapshot.id).collect();
        let announced = self.commits.iter().rposition(|commit| commit.announced <= image.done);
        let after = announced.map_or(&self.commits[..], |newest| &self.commits[newest..]);
        let mut expected: Vec<_> =
            after.iter().filter(|commit| commit.begun <= image.done).map(|commit| commit.retained.clone()).collect();
        if announced.is_none() {
            expected.push(Vec::new());
        }
        if expected.contains(&found) { Ok(()) } else { Err(Wrong::Retained { found, expected }) }
    }

    /// Reads all that HEAD retains. Returns the files that it names.
    fn read_retained(&self, leader: &Leader) -> Result<BTreeSet<String>, Wrong> {
        let mut named = BTreeSet::new();
        for snapshot in &leader.written.head.head().retained {
            named.extend(read(leader, snapshot.id, &self.pieces[&snapshot.id])?);
        }
        Ok(named)
    }
}

/// Once a leader has collected there is HEAD, and what retained checkpoints name.
fn check_files(image: &Image, named: &BTreeSet<String>) -> Result<(), Wrong> {
    let files = image.disk.open(format!("/base/{JOB}"))?.list(None, None, usize::MAX)?;
    let found: BTreeSet<String> = files.into_iter().map(|entry| entry.path.to_string()).collect();
    let of_head = format!("{HEAD_DIRECTORY}/");
    if let Some(path) = found.difference(named).find(|path| !path.starts_with(&of_head)) {
        return Err(Wrong::NotCollected { path: path.clone() });
    }
    match named.difference(&found).next() {
        Some(path) => Err(Wrong::Collected { path: path.clone() }),
        None => Ok(()),
    }
}

/// Reads a retained checkpoint to its last byte. Returns the files that it names.
fn read(leader: &Leader, id: CheckpointId, pieces: &Pieces) -> Result<BTreeSet<String>, Wrong> {
    let unreadable = |error: ckpt_core::Error| Wrong::Unreadable { id, error: said(&error) };
    let found = read_all(leader, id).map_err(unreadable)?;
    let written: Vec<&Bytes> = pieces.iter().map(|(_, bytes)| bytes).collect();
    if !found.iter().map(|(_, bytes)| bytes).eq(written) {
        return Err(Wrong::OtherState { id });
    }
    let files = found.iter().filter_map(|(handle, _)| path_of(id, handle));
    Ok(files.chain([format!("chk-{id}/{METADATA_FILE}")]).collect())
}

impl Tale for History {
    fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Collecting leaves many names at once of which nobody needs to know whether they are gone: every subset of ten is
    /// looked at, and of more some that are drawn, so that the other scenarios have their share.
    fn images(&self, seed: u64) -> ImageOptions {
        let mut options = ImageOptions::with_seed(seed);
        options.exhaustive_steps = 10;
        options
    }

    fn epoch(&self, done: usize) -> usize {
        self.commits.iter().flat_map(|commit| [commit.begun, commit.announced]).filter(|at| *at <= done).count()
    }

    fn check(&self, image: &Image) -> Result<(), String> {
        self.check_image(image).map_err(|wrong| wrong.to_string())
    }
}
