//! Processes that lead one job, or believe so, over one store: every order of their steps, of crashes and of requests.

mod requests;
mod steps;

use std::hash::{DefaultHasher, Hash, Hasher};

use ckpt_core::head::{Head, HeadWrite, JobState, Nonce};
use ckpt_core::id::{CheckpointId, JobId};
use ckpt_storage::{HeadAnswer, SeenHead};
use stateright::{Model, Property};

use crate::configuration::Bounds;
use crate::history::{Broken, History};
use crate::leader::{Leader, Names, What};
use crate::properties;
use crate::rules::{Break, Rules};
use crate::scene::{Event, Events, Scene};
use crate::store::{SavepointMetadata, Store};
use crate::swap::Swap;

/// The job that all of them lead.
pub(crate) const JOB: JobId = JobId::new([1; 16]);

/// What is checked: how far, and which rule is broken if any.
#[derive(Debug)]
pub(crate) struct Commit {
    pub(crate) bounds: Bounds,
    pub(crate) rules: Rules,
    pub(crate) events: Events,
}

/// Everything there is at one moment.
#[derive(Clone, Debug, Hash)]
#[expect(clippy::derived_hash_with_manual_eq, reason = "what hashes alike is equal, by definition")]
pub(crate) struct World {
    pub(crate) store: Store,
    /// In an order of their own: which process is which makes no difference.
    pub(crate) processes: Vec<Process>,
    pub(crate) history: History,
    pub(crate) left: Bounds,
    /// The rule that the last step broke; nothing follows it.
    pub(crate) broken: Option<Broken>,
}

impl PartialEq for World {
    fn eq(&self, other: &Self) -> bool {
        hash_of(self) == hash_of(other)
    }
}

/// States that hash alike are one, for the checker as well.
pub(crate) fn hash_of(state: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

/// One process.
#[derive(Clone, Debug, Hash)]
pub(crate) enum Process {
    Down,
    Claiming(Box<Claiming>),
    Leading(Box<Leader>),
}

/// A process that takes the job over.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Claiming {
    nonce: u8,
    /// HEAD as it was read.
    current: Option<Head>,
    pub(crate) swap: Swap,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Of the process at that place; the second number is the name of the leader that it is.
    Of(usize, u8, Step),
    /// A write of HEAD whose sender waits no more reaches the store.
    Land(usize),
    /// A deletion reaches the store.
    Erase(usize),
}

/// What one process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Start(Shown),
    Read(Shown),
    ReadFails,
    Put(Sent),
    TryAgain,
    GiveUp,
    Crash,
    Trigger,
    Acknowledge(CheckpointId, Names),
    Publish(CheckpointId),
    Abort(CheckpointId),
    RestartTasks,
    BeginSavepoint,
    MakeSavepoint(CheckpointId),
    PublishSavepoint(CheckpointId),
    LookForMark(CheckpointId),
    Write(What),
}

/// Which HEAD a read shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Present,
    Past,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// It arrives, and the answer comes back.
    Answered,
    /// Nobody hears of it again; it lands at any time, or never.
    Late,
    /// It arrives, the answer comes back, and it lands once more at any time.
    Doubled,
    /// It certainly does not arrive.
    Fails,
}

impl Model for Commit {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            store: Store::default(),
            processes: vec![Process::Down; self.bounds.leaders],
            history: History::default(),
            left: self.bounds,
            broken: None,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if world.broken.is_some() {
            return;
        }
        let mut idle_seen = false;
        for (at, process) in world.processes.iter().enumerate() {
            let mut steps = Vec::new();
            match process {
                // One that is down is like every other.
                Process::Down if idle_seen => {}
                Process::Down => {
                    idle_seen = true;
                    if world.left.claims > 0 {
                        steps.push(Step::Start(Shown::Present));
                        if world.left.faults > 0 && world.store.has_past() {
                            steps.push(Step::Start(Shown::Past));
                        }
                    }
                }
                Process::Claiming(claiming) => {
                    world.steps_of_swap(&claiming.swap, &mut steps);
                    world.crash(&mut steps);
                }
                Process::Leading(leader) => {
                    if let Some((_, swap)) = &leader.write {
                        world.steps_of_swap(swap, &mut steps);
                    }
                    world.steps_of_leader(leader, &self.bounds, &mut steps);
                    world.crash(&mut steps);
                }
            }
            actions.extend(steps.into_iter().map(|step| Action::Of(at, process.name(), step)));
        }
        actions.extend((0..world.store.late.len()).map(Action::Land));
        actions.extend((0..world.store.deletions.len()).map(Action::Erase));
    }

    fn next_state(&self, last: &World, action: Action) -> Option<World> {
        let mut world = last.clone();
        if let Err(broken) = self.step(&mut world, action) {
            world.broken = Some(broken);
        }
        world.processes.sort_by_key(Process::name);
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all(&self.bounds)
    }
}

impl World {
    pub(crate) fn leaders(&self) -> impl Iterator<Item = &Leader> {
        self.processes.iter().filter_map(|process| match process {
            Process::Leading(leader) => Some(&**leader),
            _ => None,
        })
    }
}

impl Commit {
    fn scene<'a>(&'a self, store: &'a mut Store, history: &'a mut History) -> Scene<'a> {
        Scene { store, history, rules: &self.rules, events: &self.events, retained: self.bounds.retained }
    }

    fn step(&self, world: &mut World, action: Action) -> Result<(), Broken> {
        match action {
            Action::Land(index) => {
                let before = world.store.present();
                let landed = world.store.land(index, &self.rules, &mut world.history)?;
                self.events.hit(if landed { Event::LateWriteLanded } else { Event::LateWriteRefused });
                if landed && world.store.present().map(|head| head.epoch) != before.map(|head| head.epoch) {
                    self.events.hit(Event::LateClaimLanded);
                }
                Ok(())
            }
            Action::Erase(index) => {
                self.erase(world, index);
                Ok(())
            }
            Action::Of(at, _, step) => self.step_of(world, at, step),
        }
    }

    pub(crate) fn erase(&self, world: &mut World, index: usize) {
        let before = (world.store.shared.len(), world.store.metadata.len(), world.store.state.len());
        let Some(deletion) = world.store.erase(index, &self.rules) else { return };
        let after = (world.store.shared.len(), world.store.metadata.len(), world.store.state.len());
        match &deletion.what {
            crate::store::Doomed::Orphans(_) if before != after => self.events.hit(Event::OrphanCollected),
            crate::store::Doomed::Savepoint(id) => {
                let published = |files: &crate::store::SavepointFiles| files.metadata == SavepointMetadata::Published;
                let kept = world.store.savepoints.get(id).is_some_and(published);
                self.events.hit(if kept { Event::PublishedSavepointKept } else { Event::SavepointAbandoned });
            }
            crate::store::Doomed::Removed(id, _) => {
                let by_another = world.store.present().is_some_and(|head| {
                    head.removed.iter().any(|removed| removed.id == *id && removed.epoch != head.epoch)
                });
                if by_another {
                    self.events.hit(Event::RemovedByALaterLeader);
                }
            }
            _ => {}
        }
        for process in &mut world.processes {
            if let Process::Leading(leader) = process {
                if leader.nonce == deletion.by {
                    leader.deleted(&deletion.what);
                }
            }
        }
    }

    pub(crate) fn step_of(&self, world: &mut World, at: usize, step: Step) -> Result<(), Broken> {
        match step {
            Step::Start(shown) => return self.start(world, at, shown),
            Step::Crash => {
                world.left.crashes -= 1;
                world.processes[at] = Process::Down;
                return Ok(());
            }
            Step::Read(shown) => {
                let found = self.read(world, shown)?;
                let answer = HeadAnswer::Found(found.map(|(_, seen)| seen));
                return self.answer(world, at, answer);
            }
            Step::ReadFails => {
                world.left.faults -= 1;
                return self.answer(world, at, HeadAnswer::Unreadable);
            }
            Step::Put(sent) => return self.put(world, at, sent),
            _ => {}
        }
        let Process::Leading(leader) = &mut world.processes[at] else { return Ok(()) };
        let mut scene = self.scene(&mut world.store, &mut world.history);
        match step {
            Step::Trigger => {
                world.left.checkpoints -= 1;
                leader.trigger(&mut scene)
            }
            Step::Acknowledge(id, names) => leader.acknowledge(id, names, &mut scene),
            Step::Publish(id) => leader.publish(id, &mut scene),
            Step::Abort(id) => {
                world.left.aborts -= 1;
                leader.abort(id, &mut scene);
                leader.proceed(&mut scene)
            }
            Step::RestartTasks => {
                world.left.restarts -= 1;
                leader.restart_tasks(&mut scene)
            }
            Step::BeginSavepoint => {
                world.left.savepoints -= 1;
                leader.begin_savepoint(&mut scene)
            }
            Step::MakeSavepoint(id) => {
                leader.make_savepoint(id, &mut scene);
                Ok(())
            }
            Step::PublishSavepoint(id) => {
                leader.publish_savepoint(id, &mut scene);
                Ok(())
            }
            Step::LookForMark(id) => {
                leader.look_for_mark(id, &mut scene);
                Ok(())
            }
            Step::Write(what) => {
                if let What::End(_) = what {
                    world.left.ends -= 1;
                    for id in leader.pending.keys().copied().collect::<Vec<_>>() {
                        leader.abort(id, &mut scene);
                    }
                }
                leader.begin_write(what, &mut scene).map(|_| ())
            }
            Step::TryAgain => leader.try_again(&mut scene),
            Step::GiveUp => {
                leader.step_down(&mut scene);
                world.processes[at] = Process::Down;
                Ok(())
            }
            Step::Start(_) | Step::Crash | Step::Read(_) | Step::ReadFails | Step::Put(_) => Ok(()),
        }
    }

    /// A process begins, as `ckpt_storage::claim` does: it reads HEAD and writes it with the next epoch.
    fn start(&self, world: &mut World, at: usize, shown: Shown) -> Result<(), Broken> {
        world.left.claims -= 1;
        let nonce = self.bounds.claims - world.left.claims;
        let found = self.read(world, shown)?;
        self.claim(world, at, nonce, found)
    }

    /// HEAD as a read shows it.
    fn read(&self, world: &mut World, shown: Shown) -> Result<Option<(Head, SeenHead)>, Broken> {
        match shown {
            Shown::Present => world.store.read(),
            Shown::Past => {
                world.left.faults -= 1;
                self.events.hit(Event::PastRead);
                world.store.read_past()
            }
        }
    }

    pub(crate) fn claim(
        &self,
        world: &mut World,
        at: usize,
        nonce: u8,
        found: Option<(Head, SeenHead)>,
    ) -> Result<(), Broken> {
        let (current, seen) = found.unzip();
        let write = claim(current.as_ref(), nonce).ok_or(Broken::Stuck("a claim is refused"))?;
        let body = write.head().encode().map_err(|_| Broken::HeadNotWhole)?;
        let swap = Swap::begin(write.head(), body, seen.as_ref());
        if self.rules.is(Break::SweptBeforeTheClaim) {
            if let Some(seen) = seen {
                let written = write.written();
                let mut scene = self.scene(&mut world.store, &mut world.history);
                Leader::take_over(nonce, written, seen, &mut scene)?;
            }
        }
        world.processes[at] = Process::Claiming(Box::new(Claiming { nonce, current, swap }));
        Ok(())
    }
}

/// The write by which a process takes the job over; of one that has ended, to collect what is left.
fn claim(current: Option<&Head>, nonce: u8) -> Option<HeadWrite> {
    let nonce = Nonce::new([nonce; 16]);
    match current {
        Some(current) if current.state != JobState::Active => Head::claim_ended(current, JOB, nonce),
        current => Head::claim(current, JOB, nonce),
    }
    .ok()
}

impl Process {
    /// Leaders are called by the order in which they started; what is down has no name.
    pub(crate) fn name(&self) -> u8 {
        match self {
            Self::Down => u8::MAX,
            Self::Claiming(claiming) => claiming.nonce,
            Self::Leading(leader) => leader.nonce,
        }
    }

    pub(crate) fn swap(&mut self) -> Option<&mut Swap> {
        match self {
            Self::Down => None,
            Self::Claiming(claiming) => Some(&mut claiming.swap),
            Self::Leading(leader) => leader.write.as_mut().map(|(_, swap)| swap),
        }
    }
}
