//! Coordinators, toy tasks and a model of storage under faults, all from one seed: messages are delayed, lost, doubled and
//! overtaken, jobs fail, leaders are taken over from while they still work, and the outcome of a HEAD write may be
//! unknown and the write land later.

#[path = "simulation_store_test.rs"]
mod store;
#[path = "simulation_tasks_test.rs"]
mod tasks;

use std::collections::BTreeMap;
use std::time::Duration;

use ckpt_core::config::CheckpointConfig;
use ckpt_core::head::{Head, Nonce};
use ckpt_core::id::{JobId, LeaderEpoch, TaskAttempt};
use ckpt_core::message::ToTask;
use ckpt_core::{ErrorKind, Timestamp};

use self::store::Store;
use self::tasks::ToyTasks;
use super::*;

pub(super) const JOB: JobId = JobId::new([5; 16]);

/// SplitMix64, for the world outside.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(super) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// Something that will happen.
#[derive(Debug)]
enum Happening {
    /// An action of that leader reaches storage.
    Execute(usize, Action),
    /// That leader learns something.
    Learn(usize, Event),
    /// A message reaches its task.
    Tell(TaskAttempt, ToTask),
    /// Every leader that still works learns what a task says.
    Say(ToCoordinator),
    /// Some task does not run: all are stopped, and the leader is asked what to restore.
    Restart,
    /// All tasks are deployed again, by that leader and from that checkpoint.
    Redeploy(usize, Option<Arc<CheckpointMetadata>>),
    /// A new leader takes over.
    TakeOver,
}

struct Leader {
    coordinator: Coordinator,
    works: bool,
    open: BTreeSet<ReplyToken>,
    /// The newest checkpoint it has begun.
    begun: Option<CheckpointId>,
}

struct World {
    random: Random,
    millis: u64,
    faults: bool,
    upcoming: BTreeMap<(u64, u64), Happening>,
    sequence: u64,
    tokens: u64,
    store: Store,
    tasks: ToyTasks,
    leaders: Vec<Leader>,
    config: CheckpointConfig,
    log: Vec<String>,
    completed: u64,
    restarts: u64,
    /// Tasks are being restored under the present leader.
    restarting: bool,
    /// What was begun before the tasks that run were restored: none of it may be committed any more.
    former: Option<CheckpointId>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let config = CheckpointConfig::builder().interval(Duration::from_millis(20 + random.below(80)));
        let config = config.max_concurrent(1 + random.below(3) as u32);
        let config = config.num_retained(1 + random.below(3) as usize);
        let config = config.timeout(Duration::from_millis(100 + random.below(200)));
        let config = config.min_pause(Duration::from_millis(random.below(30))).build().unwrap();
        let tasks = ToyTasks::new();
        let mut world = Self {
            random,
            millis: 0,
            faults: true,
            upcoming: BTreeMap::new(),
            sequence: 0,
            tokens: 0,
            store: Store::default(),
            tasks,
            leaders: Vec::new(),
            config,
            log: Vec::new(),
            completed: 0,
            restarts: 0,
            restarting: false,
            former: None,
        };
        world.take_over();
        world
    }

    fn now(&self) -> Now {
        let monotonic = Monotonic::since_start(Duration::from_millis(self.millis));
        Now::new(monotonic, Timestamp::from_millis(1_000_000 + self.millis))
    }

    fn later(&mut self, most_millis: u64, happening: Happening) {
        let at = self.millis + self.random.below(most_millis + 1);
        self.sequence += 1;
        self.upcoming.insert((at, self.sequence), happening);
    }

    fn fault(&mut self, percent: u64) -> bool {
        self.random.percent(percent) && self.faults
    }

    /// A new leader claims HEAD, restores and deploys. The old one works on until it learns of it.
    fn take_over(&mut self) {
        let nonce = Nonce::new(u128::from(self.random.next()).to_be_bytes());
        let claim = Head::claim(self.store.head.as_ref(), JOB, nonce).unwrap();
        let written = self.store.write(claim).expect("a claim proceeds from the present HEAD");
        let retained = self.store.load_retained();
        let settings = CoordinatorSettings::new(self.config.clone()).with_seed(self.random.next());
        let newest = retained.last_key_value().map(|(_, metadata)| Arc::clone(metadata));
        let epoch = written.head.head().epoch;
        let coordinator = Coordinator::new(settings, self.tasks.graph(), written, retained).unwrap();
        self.leaders.push(Leader { coordinator, works: true, open: BTreeSet::new(), begun: None });
        let leader = self.leaders.len() - 1;
        self.log.push(format!("{} leader {leader} takes over as {epoch:?}", self.millis));
        let attempts = self.tasks.deploy_all(epoch, newest.as_deref());
        (self.restarting, self.former) = (false, self.leaders.iter().filter_map(|leader| leader.begun).max());
        self.drain(leader);
        // At once: engines report deployments in their order, and a task may be lost at any time.
        self.ask(leader, |reply| Event::AttemptsStarted { attempts, reply });
    }

    /// Some task failed: the leader restores all of them, unless a new one has.
    fn restart(&mut self) {
        let leader = self.newest();
        if self.restarting || !self.leaders[leader].works || (0..tasks::COUNT).all(|index| self.tasks.runs(index)) {
            return;
        }
        self.restarting = true;
        for index in 0..tasks::COUNT {
            self.tasks.kill(index);
        }
        self.ask(leader, |reply| Event::RestoreRequested { reply });
    }

    fn redeploy(&mut self, leader: usize, newest: Option<&CheckpointMetadata>) {
        if leader != self.newest() || !self.leaders[leader].works {
            return;
        }
        let head = self.store.head.as_ref().and_then(Head::restore_point).map(|snapshot| snapshot.id);
        assert_eq!(
            newest.map(|newest| newest.summary().identity.id),
            head,
            "another checkpoint than the newest is restored"
        );
        self.restarts += 1;
        (self.restarting, self.former) = (false, self.leaders[leader].begun);
        let attempts = self.tasks.deploy_all(self.leaders[leader].coordinator.epoch(), newest);
        self.ask(leader, |reply| Event::AttemptsStarted { attempts, reply });
    }

    fn ask(&mut self, leader: usize, event: impl FnOnce(ReplyToken) -> Event) {
        self.tokens += 1;
        let reply = ReplyToken::new(self.tokens);
        self.leaders[leader].open.insert(reply);
        self.tell(leader, event(reply));
    }

    fn newest(&self) -> usize {
        self.leaders.len() - 1
    }

    fn tell(&mut self, leader: usize, event: Event) {
        if !self.leaders[leader].works {
            return;
        }
        let now = self.now();
        self.leaders[leader].coordinator.handle(now, event);
        self.drain(leader);
    }

    fn drain(&mut self, leader: usize) {
        while let Some(action) = self.leaders[leader].coordinator.poll_action() {
            self.log.push(format!("{} {leader}: {action:?}", self.millis));
            match action {
                Action::Send { to, message } => {
                    if let ToTask::Completed { id, .. } = message {
                        assert!(self.store.committed.contains(&id), "{id:?} is announced before it is committed");
                    }
                    for attempt in to {
                        let copies = if self.fault(10) { self.random.below(3) } else { 1 };
                        for _ in 0..copies {
                            self.later(20, Happening::Tell(attempt, message.clone()));
                        }
                    }
                }
                Action::ReportCompleted { completed } => {
                    assert!(self.store.committed.contains(&completed.identity.id));
                    self.completed += 1;
                }
                Action::ReportAborted { .. } => {}
                Action::Reply { to, answer } => {
                    assert!(self.leaders[leader].open.remove(&to), "{to:?} is answered twice");
                    match answer {
                        Answer::Completed(completion) => {
                            assert!(self.store.committed.contains(&completion.identity.id));
                        }
                        Answer::RestorePoint(newest) => self.later(30, Happening::Redeploy(leader, newest)),
                        Answer::Failed(failure) => assert_ne!(failure.kind, ErrorKind::Configuration, "{failure}"),
                        _ => {}
                    }
                }
                Action::StepDown { .. } => {}
                Action::Stopped => {
                    let leader = &mut self.leaders[leader];
                    assert!(leader.open.is_empty(), "{:?} are not answered", leader.open);
                    leader.works = false;
                    self.later(50, Happening::TakeOver);
                }
                action => {
                    if let Action::InitializeLocation { identity, .. } = &action {
                        self.leaders[leader].begun = Some(identity.id);
                    }
                    self.later(15, Happening::Execute(leader, action));
                }
            }
        }
    }

    /// An action reaches storage, or does not.
    fn execute(&mut self, leader: usize, action: Action) {
        let io = action.io().unwrap();
        let is_head = matches!(action, Action::WriteHead { .. });
        let before = self.store.committed.clone();
        let event = if self.fault(6) {
            let failed = |kind| Event::IoFailed { io, failure: Failure::new(kind, "injected") };
            match self.random.below(3) {
                // It was never done.
                0 => failed(if is_head { ErrorKind::Retry } else { ErrorKind::AbortCheckpoint }),
                // It is done, and nobody knows.
                1 => {
                    self.store.execute(action);
                    failed(ErrorKind::Unknown)
                }
                // It is not done yet, nobody knows, and it will be done.
                _ if is_head => {
                    self.later(400, Happening::Execute(leader, action));
                    failed(ErrorKind::Unknown)
                }
                _ => failed(ErrorKind::Retry),
            }
        } else {
            self.store.execute(action)
        };
        self.store.check();
        if let Some(id) = self.store.committed.difference(&before).next() {
            assert!(Some(*id) > self.former, "{id:?} is committed after the tasks that acknowledged it were replaced");
        }
        self.later(15, Happening::Learn(leader, event));
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Execute(leader, action) => self.execute(leader, action),
            Happening::Learn(leader, event) => self.tell(leader, event),
            Happening::Tell(attempt, message) => {
                for answer in self.tasks.told(attempt, message, &mut self.store, &mut self.random) {
                    let copies = if self.fault(10) { self.random.below(3) } else { 1 };
                    for _ in 0..copies {
                        self.later(40, Happening::Say(answer.clone()));
                    }
                }
            }
            Happening::Say(message) => {
                for leader in 0..self.leaders.len() {
                    self.tell(leader, Event::MessageReceived { message: message.clone() });
                }
            }
            Happening::Restart => self.restart(),
            Happening::Redeploy(leader, newest) => self.redeploy(leader, newest.as_deref()),
            Happening::TakeOver => {
                if !self.leaders[self.newest()].works {
                    self.take_over();
                }
            }
        }
    }

    /// One millisecond.
    fn step(&mut self) {
        self.millis += 1;
        while let Some(entry) = self.upcoming.first_entry() {
            if entry.key().0 > self.millis {
                break;
            }
            let happening = entry.remove();
            self.happen(happening);
        }
        // A stalled clock: nobody looks at deadlines for a while.
        if self.fault(2) {
            self.millis += self.random.below(300);
        }
        for leader in 0..self.leaders.len() {
            let due = self.leaders[leader].coordinator.poll_timeout();
            if due.is_some_and(|due| due <= self.now().monotonic) {
                self.tell(leader, Event::DeadlineReached);
            }
        }
        let leader = self.newest();
        if self.random.below(1000) < 5 && self.leaders[leader].works {
            let full = self.random.percent(30);
            let trigger = if full { ManualTrigger::Full } else { ManualTrigger::Configured };
            self.ask(leader, |reply| Event::TriggerRequested { trigger, reply });
        }
        if self.faults && self.random.below(1000) < 3 {
            let index = self.random.below(tasks::COUNT as u64) as usize;
            let attempt = self.tasks.kill(index);
            self.tell(leader, Event::AttemptLost { attempt, reason: "killed".to_owned() });
            self.later(60, Happening::Restart);
        }
        if self.faults && self.random.below(1000) < 2 {
            // The process dies, or it only seems so.
            if self.random.percent(50) {
                self.leaders[leader].works = false;
                self.leaders[leader].open.clear();
            }
            self.take_over();
        }
    }

    fn run(seed: u64) -> Self {
        let mut world = Self::new(seed);
        for _ in 0..3000 {
            world.step();
        }
        world.faults = false;
        world.take_over();
        let before = world.completed;
        for _ in 0..3000 {
            world.step();
        }
        assert!(world.completed > before, "no checkpoint completes after the faults are lifted, seed {seed}");
        for index in 0..world.leaders.len() {
            let leader = &world.leaders[index];
            if leader.works {
                let reply = ReplyToken::new(u64::MAX - index as u64);
                world.leaders[index].open.insert(reply);
                world.tell(index, Event::ShutDownRequested { reply });
            }
        }
        for _ in 0..200 {
            world.step();
            if world.leaders.iter().all(|leader| leader.open.is_empty()) {
                break;
            }
        }
        world
    }
}

/// `CKPT_SEEDS` in the environment sets the number of seeds.
#[test]
#[expect(clippy::disallowed_methods, reason = "the test reads its environment, the coordinator does not")]
fn nothing_is_lost_under_faults_and_checkpoints_complete_after_them() {
    let seeds = std::env::var("CKPT_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(24);
    let (mut completed, mut leaders, mut in_doubt, mut aborted, mut restarts) = (0, 0, 0, 0, 0);
    for seed in 0..seeds {
        let world = World::run(seed);
        completed += world.completed;
        restarts += world.restarts;
        leaders += world.leaders.len();
        for leader in &world.leaders {
            in_doubt += leader.coordinator.statistics().in_doubt;
            aborted += leader.coordinator.statistics().aborted;
        }
    }
    // The faults did happen.
    assert!(
        completed > 100 && leaders > 60 && in_doubt > 5 && aborted > 100 && restarts > 60,
        "{completed} {leaders} {in_doubt} {aborted} {restarts}"
    );
}

#[test]
fn one_seed_gives_one_log() {
    for seed in [3, 4] {
        let (one, other) = (World::run(seed), World::run(seed));
        assert_eq!(one.log, other.log);
        assert!(one.log.len() > 200);
    }
    assert_ne!(World::run(3).log, World::run(4).log);
}

/// The epoch of a message that a toy task answers.
pub(super) const fn epoch_of(message: &ToTask) -> LeaderEpoch {
    message.epoch()
}
