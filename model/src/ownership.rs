//! Snapshots that change hands: jobs that take over what another job left, and whoever cleans up after that one.
//!
//! Every change of HEAD is a shipping transition; that a swap is one, late or not, is shown by the other model, so here it
//! happens at once. What the jobs delete in a place that they have taken over follows from the registry and from what HEAD
//! of the former owner still names.

use std::collections::BTreeSet;

use ckpt_core::head::{ClaimMode, Collected, ForeignSnapshot, Head};
use ckpt_core::id::{CheckpointId, LeaderEpoch};
use ckpt_core::snapshot::SnapshotKind;
use ckpt_core::state::Root;
use stateright::{Model, Property};

use crate::estate::{Deletion, Estate, Held, JOBS, Left, Process, left_behind, number, snapshot, snapshot_of, uri};
use crate::history::Broken;
use crate::rules::{Break, Rules};
use crate::scene::{Event, Events};

/// What is checked.
#[derive(Debug)]
pub(crate) struct Ownership {
    pub(crate) plan: Plan,
    pub(crate) rules: Rules,
    pub(crate) events: Events,
}

/// Who wants what of the job that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Plan {
    /// Which snapshot the second and the third job begin from, and how.
    pub(crate) wanted: [(u64, ClaimMode); 2],
    /// How often somebody takes it over to clean up after the job that has ended.
    pub(crate) cleanings: u8,
    /// Checkpoints that the second and the third job take.
    pub(crate) checkpoints: [u8; 2],
    pub(crate) crashes: u8,
}

/// One step of the process of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// It takes over the job that has ended.
    TakeOver(usize),
    /// It has the snapshot handed over to its job.
    HandOver(usize),
    /// It begins its job from the snapshot, or goes on with it.
    Begin(usize),
    /// It commits a checkpoint that names the files of the base, or none of them.
    Commit(usize, Names),
    /// HEAD names no more what is deleted.
    Clear(usize),
    /// It gives back what it needs no more.
    HandBack(usize),
    /// It discards a snapshot of the job that has ended.
    Discard(CheckpointId),
    /// It deletes the shared files that nothing names.
    Sweep,
    Crash(usize),
    Erase(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    Base,
    Nothing,
}

impl Model for Ownership {
    type State = Estate;
    type Action = Action;

    fn init_states(&self) -> Vec<Estate> {
        left_behind(&self.plan).into_iter().collect()
    }

    fn actions(&self, estate: &Estate, actions: &mut Vec<Action>) {
        if estate.broken.is_some() {
            return;
        }
        for (at, process) in estate.processes.iter().enumerate() {
            match process {
                Process::Down if estate.heads[at].is_some() && at > 0 => actions.push(Action::Begin(at)),
                Process::Down if at > 0 && self.mode(at) == ClaimMode::NoClaim => {
                    if estate.left.begins[at] > 0 {
                        actions.push(Action::Begin(at));
                    }
                }
                Process::Down if estate.left.takings[at] > 0 => actions.push(Action::TakeOver(at)),
                Process::Down => {}
                Process::Holding(_) if at == 0 => {
                    let retained = estate.heads[0].iter().flat_map(|head| &head.retained);
                    actions.extend(retained.map(|snapshot| Action::Discard(snapshot.id)));
                    actions.push(Action::Sweep);
                }
                Process::Holding(_) => actions.push(Action::HandOver(at)),
                Process::Given => actions.push(Action::Begin(at)),
                Process::Leading(held) => {
                    if estate.left.checkpoints[at] > 0 {
                        let names = [Names::Base, Names::Nothing];
                        actions.extend(names.map(|names| Action::Commit(at, names)));
                    }
                    if !held.written.all_released().is_empty() {
                        actions.push(Action::HandBack(at));
                    }
                }
            }
            if matches!(process, Process::Holding(held) | Process::Leading(held) if !held.collected.is_empty()) {
                actions.push(Action::Clear(at));
            }
            if estate.left.crashes > 0 && !matches!(process, Process::Down) {
                actions.push(Action::Crash(at));
            }
        }
        actions.extend((0..estate.deletions.len()).map(Action::Erase));
    }

    fn next_state(&self, last: &Estate, action: Action) -> Option<Estate> {
        let mut estate = last.clone();
        if let Err(broken) = self.step(&mut estate, action) {
            estate.broken = Some(broken);
        }
        Some(estate)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("what a job retains is readable", |_, estate: &Estate| estate.is_readable()),
            Property::always("a snapshot has one owner", |_, estate: &Estate| estate.has_one_owner()),
            Property::always("who borrows deletes nothing", |model: &Self, estate: &Estate| {
                let takes_nothing = |it: &Deletion| it.directory.is_none() && it.files.is_empty();
                let may = |it: &Deletion| it.by == 0 || model.mode(it.by) == ClaimMode::Claim;
                estate.deletions.iter().all(|deletion| may(deletion) || takes_nothing(deletion))
            }),
            Property::always("what is right is not refused", |_, estate: &Estate| estate.broken.is_none()),
            Property::always("in the end nothing is left", |model, estate: &Estate| model.ends_empty(estate)),
            Property::sometimes("a snapshot is claimed", |model, _| model.events.has(Event::Claimed)),
            Property::sometimes("a second owner is refused", |model, _| model.events.has(Event::SecondOwnerRefused)),
            Property::sometimes("a claimed snapshot is deleted", |model, _| model.events.has(Event::ClaimedDeleted)),
            Property::sometimes("a file stays since the former owner names it", |model, _| {
                model.events.has(Event::FileOfTheFormerOwnerKept)
            }),
            Property::sometimes("a file stays since another job may name it", |model, _| {
                model.events.has(Event::FileOfAnotherJobKept)
            }),
            Property::sometimes("a claim is given back", |model, _| model.events.has(Event::HandedBack)),
        ]
    }
}

impl Ownership {
    fn mode(&self, at: usize) -> ClaimMode {
        self.plan.wanted[at - 1].1
    }

    fn wanted(&self, at: usize) -> CheckpointId {
        number(self.plan.wanted[at - 1].0)
    }

    fn step(&self, estate: &mut Estate, action: Action) -> Result<(), Broken> {
        match action {
            Action::TakeOver(at) => {
                estate.left.takings[at] -= 1;
                if self.rules.is(Break::NotHandedOver) && at > 0 {
                    estate.processes[at] = Process::Given;
                    return Ok(());
                }
                if let Some(held) = estate.take_over(0) {
                    estate.delete_removed(at, &held, &self.rules);
                    estate.processes[at] = Process::Holding(held);
                }
                Ok(())
            }
            Action::HandOver(at) => {
                let (id, to) = (self.wanted(at), JOBS[at]);
                let Process::Holding(held) = &estate.processes[at] else { return Ok(()) };
                let proposed = held.written.head.hand_over(id, to, &Collected::none());
                estate.processes[at] = match proposed {
                    Ok(write) if estate.write(0, &held.written.head.clone(), &write) => Process::Given,
                    Ok(_) => Process::Down,
                    Err(_) => {
                        // It is the other job's, or was discarded: nothing to begin from.
                        self.events.hit(Event::SecondOwnerRefused);
                        Process::Down
                    }
                };
                Ok(())
            }
            Action::Begin(at) => {
                self.begin(estate, at);
                Ok(())
            }
            Action::Commit(at, names) => self.commit(estate, at, names),
            Action::Clear(at) => {
                let (job, collected) = match &estate.processes[at] {
                    Process::Holding(held) => (0, held.collected.clone()),
                    Process::Leading(held) => (at, held.collected.clone()),
                    _ => return Ok(()),
                };
                estate.change(at, job, |head| head.collected(&collected).ok());
                Ok(())
            }
            Action::HandBack(at) => {
                self.hand_back(estate, at);
                Ok(())
            }
            Action::Discard(id) => {
                let Process::Holding(held) = &estate.processes[0] else { return Ok(()) };
                let collected = held.collected.clone();
                estate.change(0, 0, |head| head.discard(&[id], &collected).ok());
                if let Process::Holding(held) = estate.processes[0].clone() {
                    estate.delete_removed(0, &held, &self.rules);
                }
                Ok(())
            }
            Action::Sweep => {
                // Only what the former owner knows to be nobody's: while something is handed over it knows nothing.
                let Some(head) = &estate.heads[0] else { return Ok(()) };
                if head.handed_over.is_empty() || self.rules.is(Break::SweptWhileHandedOver) {
                    let named: BTreeSet<_> = head.retained.iter().flat_map(|it| estate.names_of(it.id)).collect();
                    let files: BTreeSet<_> = estate.shared.difference(&named).copied().collect();
                    estate.deletions.push(Deletion { by: 0, removed: None, directory: None, files });
                } else {
                    self.events.hit(Event::FileOfAnotherJobKept);
                }
                estate.processes[0] = Process::Down;
                Ok(())
            }
            Action::Crash(at) => {
                estate.left.crashes -= 1;
                estate.processes[at] = Process::Down;
                Ok(())
            }
            Action::Erase(index) => {
                self.erase(estate, index);
                Ok(())
            }
        }
    }

    /// A leader of the job at that place begins it from the snapshot that it wants, or goes on with it.
    fn begin(&self, estate: &mut Estate, at: usize) {
        let id = self.wanted(at);
        let current = estate.heads[at].clone();
        let is_begun = current.as_ref().is_some_and(|current| current.origin.is_some());
        if !is_begun && !estate.directories.contains_key(&id) {
            // There is nothing to begin from any more.
            estate.left.begins[at] = 0;
            estate.processes[at] = Process::Down;
            return;
        }
        let nonce = estate.nonce();
        let write = match &current {
            // What it began from need not be there any more.
            Some(current) if current.origin.is_some() => Head::claim(Some(current), JOBS[at], nonce),
            _ => {
                let foreign = ForeignSnapshot::new(JOBS[0], &snapshot(id, LeaderEpoch::new(1)), uri("chk", id.get()));
                let foreign = foreign.naming(vec![(Root::JobShared, uri("shared", 0))]);
                Head::claim_from(current.as_ref(), JOBS[at], nonce, &foreign, self.mode(at))
            }
        };
        if let Ok(write) = write {
            estate.heads[at] = Some(write.head().clone());
            let held = Held::new(write.written());
            if !held.written.head.head().claims.is_empty() {
                self.events.hit(Event::Claimed);
            }
            estate.delete_claimed(at, &held);
            estate.processes[at] = Process::Leading(held);
        }
    }

    fn commit(&self, estate: &mut Estate, at: usize, names: Names) -> Result<(), Broken> {
        let Process::Leading(held) = &estate.processes[at] else { return Ok(()) };
        let mut held = held.clone();
        let head = held.written.head.head().clone();
        estate.left.checkpoints[at] -= 1;
        let id = held.written.reserved.take().ok_or(Broken::Stuck("no number is left"))?;
        let base = head.base().map(|base| estate.named_by(at, base.id)).unwrap_or_default();
        let files = if names == Names::Base { base } else { BTreeSet::new() };
        let claims = if files.is_empty() { Vec::new() } else { head.claims.iter().map(|claim| claim.id).collect() };
        let kind = match head.requires_full_checkpoint() {
            true => SnapshotKind::FullCheckpoint,
            false => SnapshotKind::Checkpoint,
        };
        let taken = snapshot_of(id, head.epoch, kind).below_claims(claims);
        estate.named.insert((at, id), files);
        estate.processes[at] = Process::Leading(held.clone());
        let collected = held.collected.clone();
        if !estate.change(at, at, |head| head.commit(taken.clone(), 1, &collected).ok()) {
            return Err(Broken::Stuck("a commit is refused"));
        }
        if let Process::Leading(held) = estate.processes[at].clone() {
            estate.delete_claimed(at, &held);
        }
        Ok(())
    }

    /// What the last claim was released of is given back, and the mark of each goes.
    fn hand_back(&self, estate: &mut Estate, at: usize) {
        let Process::Leading(held) = &estate.processes[at] else { return };
        let released = held.written.all_released();
        let id = self.wanted(at);
        if released.iter().any(|claim| claim.is_last()) {
            let Some(owner) = estate.take_over(0) else { return };
            let back = released.iter().find_map(|it| owner.written.head.handed_back(id, it, &Collected::none()).ok());
            if let Some(write) = back {
                estate.heads[0] = Some(write.head().clone());
                self.events.hit(Event::HandedBack);
            }
        }
        if let Process::Leading(held) = &mut estate.processes[at] {
            held.collected.claims = released.iter().map(|claim| claim.claim().id).collect();
        }
        let Process::Leading(held) = &estate.processes[at] else { return };
        let collected = held.collected.clone();
        estate.change(at, at, |head| head.collected(&collected).ok());
    }

    fn erase(&self, estate: &mut Estate, index: usize) {
        let Deletion { by, removed, directory, files } = estate.deletions.remove(index);
        let mut files = files;
        if by > 0 {
            // Files that other entries there still name stay: of those that it retains, and of those it gave to others, as
            // long as it can be known what they name.
            let others = estate.heads[0].iter().flat_map(|head| {
                let given = head.handed_over.iter().filter(|given| given.to != JOBS[by]).map(|given| given.snapshot.id);
                head.retained.iter().map(|snapshot| snapshot.id).chain(given).collect::<Vec<_>>()
            });
            let others: Vec<_> = others.collect();
            let known = others.iter().all(|id| estate.directories.contains_key(id));
            let named: BTreeSet<_> = others.iter().flat_map(|id| estate.names_of(*id)).collect();
            if !self.rules.is(Break::FilesOfOthersDeleted) && (!known || !files.is_disjoint(&named)) {
                self.events.hit(Event::FileOfTheFormerOwnerKept);
                files = if known { files.difference(&named).copied().collect() } else { BTreeSet::new() };
            }
            if directory.is_some() {
                self.events.hit(Event::ClaimedDeleted);
            }
        }
        estate.shared.retain(|file| !files.contains(file));
        if let Some(directory) = directory {
            estate.directories.remove(&directory);
        }
        if let Some(id) = removed {
            estate.named.remove(&(by, id));
            if let Process::Holding(held) | Process::Leading(held) = &mut estate.processes[by] {
                if held.written.head.head().removed.iter().any(|removed| removed.id == id) {
                    held.collected.snapshots.push(id);
                    held.collected.snapshots.sort_unstable();
                    held.collected.snapshots.dedup();
                }
            }
        }
    }

    /// Whether nothing is left once the other jobs have taken checkpoints of their own, have given back what they claimed,
    /// and somebody has discarded what the first job retains.
    fn ends_empty(&self, estate: &Estate) -> bool {
        if estate.broken.is_some() {
            return true;
        }
        let mut estate = estate.clone();
        estate.deletions.clear();
        estate.processes = [Process::Down, Process::Down, Process::Down];
        estate.left = Left { takings: [9; 3], begins: [1; 3], checkpoints: [9; 3], crashes: 0 };
        let quiet = self.finish(&mut estate);
        quiet.is_ok() && (estate.shared.is_empty() && estate.directories.is_empty())
    }

    fn finish(&self, estate: &mut Estate) -> Result<(), Broken> {
        for at in [1, 2] {
            let claims = estate.heads[at].as_ref().is_some_and(|head| head.origin.is_some());
            let given = estate.heads[0].iter().flat_map(|head| &head.handed_over).any(|given| given.to == JOBS[at]);
            if claims || given {
                self.step(estate, Action::Begin(at))?;
                self.step(estate, Action::Commit(at, Names::Nothing))?;
                self.settle(estate, at)?;
                self.step(estate, Action::Commit(at, Names::Nothing))?;
                self.settle(estate, at)?;
            }
        }
        self.step(estate, Action::TakeOver(0))?;
        self.settle(estate, 0)?;
        let retained: Vec<_> = estate.heads[0].iter().flat_map(|head| &head.retained).map(|one| one.id).collect();
        for id in retained {
            self.step(estate, Action::Discard(id))?;
        }
        self.settle(estate, 0)?;
        self.step(estate, Action::Sweep)?;
        self.settle(estate, 0)
    }

    /// What is to be deleted is, and HEAD says so.
    fn settle(&self, estate: &mut Estate, at: usize) -> Result<(), Broken> {
        while !estate.deletions.is_empty() {
            self.step(estate, Action::Erase(0))?;
        }
        self.step(estate, Action::Clear(at))?;
        let released =
            matches!(&estate.processes[at], Process::Leading(held) if !held.written.all_released().is_empty());
        if released { self.step(estate, Action::HandBack(at)) } else { Ok(()) }
    }
}
