//! Scripts: `testdata/*.txt` hold events, one a line, with the actions that follow printed beneath. With `CKPT_REWRITE=1`
//! in the environment the files are rewritten to what happens, which is then to be read.
//!
//! ```text
//! config interval=100 backlog=500 pause=0 timeout=1000 concurrent=1 retain=1     settings, before anything else
//! claim                                              a new leader claims what the former one left
//! run s0 s1 c0         finish s0    lost s0          tasks; `s0#2` is another deployment, `s0#2=1` one that names files
//!                                                    as that of the first; answers have numbers above 100
//! restore                                            all tasks are to be restored
//! backlog s|c [ended]                                the source or the count works off a backlog, or no more
//! ended s0                                           nobody names files any more as that task did
//! time 100                                           the clock shows 100 ms
//! trigger [full]                                     by hand
//! ack 1 s0 [epoch=9] [writer=9] [new=3] [reuse=3] [private=3] [foreign=3] [borrowed] [operator]
//! decline 1 s0 [sealed]                              its state was durable before it declined
//! ok place|publish|head|discard|remove|orphans [ID]  storage has done it
//! fail KIND place|… [ID]                             storage has not
//! shutdown   end [discard]   statistics
//! drain 999                                          that many numbers are used up
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use ckpt_core::config::CheckpointConfigBuilder;
use ckpt_core::graph::{Edge, Vertex};
use ckpt_core::head::{Head, Nonce, RetainedSnapshot};
use ckpt_core::id::{AttemptId, JobId, OperatorId, TaskAttempt, TaskId, VertexId, Writer, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::message::{Acknowledge, Decline, DeclineReason, ToTask};
use ckpt_core::shared::RemovedFiles;
use ckpt_core::snapshot::{JobEnd, LocationReference, RetentionPolicy};
use ckpt_core::state::{
    FileRef, IncrementalState, KeyedState, Place, ReusedFile, Root, SharedFile, StateHandle, SubtaskState, TaskSnapshot,
};
use ckpt_core::{Digest, ErrorKind, Timestamp};

use super::*;

const JOB: JobId = JobId::new([9; 16]);
const SOURCE: VertexId = VertexId::new([1; 16]);
const COUNT: VertexId = VertexId::new([2; 16]);

struct Script {
    config: CheckpointConfigBuilder,
    coordinator: Option<Coordinator>,
    head: Option<Head>,
    metadata: BTreeMap<CheckpointId, Arc<CheckpointMetadata>>,
    millis: u64,
    waiting: BTreeMap<IoId, Action>,
    tokens: u64,
    deployments: u64,
}

impl Script {
    fn new() -> Self {
        let (config, waiting) = (CheckpointConfigBuilder::new(), BTreeMap::new());
        let (metadata, millis, tokens, deployments) = (BTreeMap::new(), 0, 0, 0);
        Self { config, coordinator: None, head: None, metadata, millis, waiting, tokens, deployments }
    }

    /// Runs one line and returns the actions that follow.
    fn line(&mut self, line: &str) -> String {
        let words: Vec<_> = line.split_whitespace().collect();
        match words.as_slice() {
            ["config", settings @ ..] => {
                self.configure(settings);
                return String::new();
            }
            ["claim"] => self.claim(),
            ["drain", count] => {
                for _ in 0..count.parse::<u64>().unwrap() {
                    self.coordinator.as_mut().unwrap().committed.ids().take().unwrap();
                }
                return String::new();
            }
            ["time", millis] => {
                self.millis = millis.parse().unwrap();
                self.tell(Event::DeadlineReached);
            }
            [command, rest @ ..] => {
                let event = self.event(command, rest);
                self.tell(event);
            }
            [] => return String::new(),
        }
        self.actions()
    }

    fn configure(&mut self, settings: &[&str]) {
        for setting in settings {
            let (key, value) = setting.split_once('=').unwrap();
            let number: u64 = value.parse().unwrap();
            let (config, time) = (self.config.clone(), Duration::from_millis(number));
            self.config = match key {
                "interval" => config.interval(time),
                "backlog" => config.interval_during_backlog(time),
                "timeout" => config.timeout(time),
                "pause" => config.min_pause(time),
                "concurrent" => config.max_concurrent(number as u32),
                "retain" => config.num_retained(number as usize),
                other => panic!("no setting '{other}'"),
            };
        }
    }

    fn claim(&mut self) {
        let written = Head::claim(self.head.as_ref(), JOB, Nonce::new([1; 16])).unwrap().written();
        self.head = Some(written.head.head().clone());
        let retained = &written.head.head().retained;
        let retained =
            retained.iter().map(|snapshot| (snapshot.id, Arc::clone(&self.metadata[&snapshot.id]))).collect();
        let max = MaxParallelism::new(128).unwrap();
        let vertices = vec![Vertex::single(SOURCE, "source", 2, max), Vertex::single(COUNT, "count", 1, max)];
        let graph = Arc::new(JobGraph::new(vertices, vec![Edge::all_to_all(SOURCE, COUNT)]).unwrap());
        let settings = CoordinatorSettings::new(self.config.clone().build().unwrap());
        self.coordinator = Some(Coordinator::new(settings, graph, written, retained).unwrap());
        self.waiting.clear();
    }

    fn tell(&mut self, event: Event) {
        let monotonic = Monotonic::since_start(Duration::from_millis(self.millis));
        let now = Now::new(monotonic, Timestamp::from_millis(self.millis));
        self.coordinator.as_mut().expect("a script begins with 'claim'").handle(now, event);
    }

    fn actions(&mut self) -> String {
        let (coordinator, mut text) = (self.coordinator.as_mut().unwrap(), String::new());
        while let Some(action) = coordinator.poll_action() {
            writeln!(text, "    {}", show(&action)).unwrap();
            if let Some(io) = action.io() {
                assert!(self.waiting.insert(io, action).is_none());
            }
        }
        if let Some(wake) = coordinator.poll_timeout() {
            writeln!(text, "    (wake at {:?})", wake.elapsed()).unwrap();
        }
        text
    }

    /// The oldest action of that kind, and for that checkpoint if one is named.
    fn find(&self, what: &[&str]) -> IoId {
        let fits = |action: &&Action| {
            let (kind, id) = match action {
                Action::InitializeLocation { identity, .. } => ("place", Some(identity.id)),
                Action::PublishMetadata { metadata, .. } => ("publish", Some(metadata.summary().identity.id)),
                Action::WriteHead { commits, .. } => ("head", *commits),
                Action::DiscardLocation { checkpoint, .. } => ("discard", Some(*checkpoint)),
                Action::RemoveSnapshot { removed, .. } => ("remove", Some(removed.snapshot().id)),
                Action::RemoveFiles { .. } => ("files", None),
                Action::RemoveTaskOwned { .. } => ("task-owned", None),
                Action::RemoveSavepoint { abandoned, .. } => ("savepoint", Some(abandoned.savepoint().id)),
                Action::ReleaseClaim { .. } => ("release", None),
                Action::CollectEnded { .. } => ("ended", None),
                _ => ("orphans", None),
            };
            kind == what[0] && what.get(1).is_none_or(|wanted| Some(checkpoint(wanted)) == id)
        };
        let found =
            self.waiting.values().find(fits).unwrap_or_else(|| panic!("nothing waits for '{}'", what.join(" ")));
        found.io().unwrap()
    }

    fn token(&mut self) -> ReplyToken {
        self.tokens += 1;
        ReplyToken::new(self.tokens)
    }

    fn event(&mut self, command: &str, words: &[&str]) -> Event {
        match (command, words) {
            ("run", tasks) => {
                self.deployments += 1;
                let attempts = tasks.iter().map(|text| match text.split_once('=') {
                    Some((text, former)) => (attempt(text), writer(&format!("{}#{former}", &text[..2]))),
                    None => (attempt(text), writer(text)),
                });
                Event::AttemptsStarted { attempts: attempts.collect(), reply: ReplyToken::new(100 + self.deployments) }
            }
            ("lost", [task]) => Event::AttemptLost { attempt: attempt(task), reason: "killed".to_owned() },
            ("ended", tasks) => Event::WritersEnded { writers: tasks.iter().map(|task| writer(task)).collect() },
            ("backlog", [operator, ended @ ..]) => {
                let operator = match *operator {
                    "s" => OperatorId::new(SOURCE.bytes()),
                    "c" => OperatorId::new(COUNT.bytes()),
                    _ => OperatorId::new([8; 16]),
                };
                if ended.is_empty() { Event::BacklogBegan { operator } } else { Event::BacklogEnded { operator } }
            }
            ("finish", [task]) => Event::AttemptFinished { attempt: attempt(task) },
            ("trigger", kind) => {
                let trigger = if kind == ["full"] { ManualTrigger::Full } else { ManualTrigger::Configured };
                Event::TriggerRequested { trigger, reply: self.token() }
            }
            ("ack", [id, task, options @ ..]) => {
                let message = ToCoordinator::Acknowledge(self.acknowledge(id, task, options));
                Event::MessageReceived { message }
            }
            ("decline", [id, task, options @ ..]) => {
                let epoch = self.coordinator.as_ref().unwrap().epoch();
                let reason =
                    if options == ["sealed"] { DeclineReason::SpillFailed } else { DeclineReason::SnapshotFailed };
                let decline = Decline::new(epoch, checkpoint(id), attempt(task), reason, "the disk is full");
                Event::MessageReceived { message: ToCoordinator::Decline(decline) }
            }
            ("ok", what) => {
                let io = self.find(what);
                let action = self.waiting.remove(&io).unwrap();
                self.succeed(io, action)
            }
            ("fail", [kind, what @ ..]) => {
                let kind = match *kind {
                    "retry" => ErrorKind::Retry,
                    "abort" => ErrorKind::AbortCheckpoint,
                    "fenced" => ErrorKind::Fenced,
                    "notfound" => ErrorKind::NotFound,
                    "unknown" => ErrorKind::Unknown,
                    other => panic!("no kind '{other}'"),
                };
                let io = self.find(what);
                self.waiting.remove(&io);
                Event::IoFailed { io, failure: Failure::new(kind, "injected") }
            }
            ("restore", []) => Event::RestoreRequested { reply: self.token() },
            ("shutdown", []) => Event::ShutDownRequested { reply: self.token() },
            ("end", options) => {
                let retention = RetentionPolicy::RetainOnCancellation;
                let end = if options == ["discard"] { JobEnd::Finished } else { JobEnd::Cancelled };
                Event::EndRequested { end, retention, reply: self.token() }
            }
            (command, words) => panic!("no command '{command} {}'", words.join(" ")),
        }
    }

    fn succeed(&mut self, io: IoId, action: Action) -> Event {
        match action {
            Action::InitializeLocation { .. } => Event::LocationInitialized { io, target: LocationReference::Default },
            Action::PublishMetadata { metadata, .. } => {
                let (identity, kind) = (metadata.summary().identity, metadata.summary().kind());
                self.metadata.insert(identity.id, metadata);
                let snapshot = RetainedSnapshot::new(identity.id, identity.epoch, kind, 1, Digest::of(b"index"));
                Event::MetadataPublished { io, snapshot }
            }
            Action::WriteHead { write, .. } => {
                self.head = Some(write.head().clone());
                Event::HeadWritten { io, written: write.written() }
            }
            Action::DiscardLocation { .. } => Event::LocationDiscarded { io },
            Action::RemoveSnapshot { .. } => Event::SnapshotRemoved { io },
            Action::RemoveFiles { .. } => Event::FilesRemoved { io },
            Action::RemoveSavepoint { .. } => Event::SavepointRemoved { io },
            Action::RemoveTaskOwned { .. } => Event::FilesRemoved { io },
            Action::ReleaseClaim { .. } => Event::ClaimReleased { io },
            Action::CollectOrphans { .. } | Action::CollectEnded { .. } => Event::OrphansCollected { io, files: 1 },
            other => panic!("{other:?} is due no answer"),
        }
    }

    fn acknowledge(&self, id: &str, task: &str, options: &[&str]) -> Acknowledge {
        let present = self.coordinator.as_ref().unwrap().epoch();
        let (mut epoch, mut writer) = (present, writer(task));
        let (mut shared, mut private) = (BTreeMap::new(), BTreeMap::new());
        let mut operator = OperatorId::new(attempt(task).task.vertex.bytes());
        let stored = |root, file: FileRef| {
            StateHandle::assume_durable(Place::File { root, file }, 10, Some(Digest::of(b"file")))
        };
        for option in options {
            let (key, value) = option.split_once('=').unwrap_or((option, "0"));
            let number: u32 = value.parse().unwrap();
            let file = FileRef::Ours(Writer::new(present, writer).file(number));
            match key {
                "epoch" => epoch = LeaderEpoch::new(u64::from(number)),
                "writer" => writer = WriterId::new(u64::from(number)),
                "operator" => operator = OperatorId::new([8; 16]),
                "new" => drop(shared.insert(value.to_owned(), SharedFile::Written(stored(Root::JobShared, file)))),
                "reuse" => {
                    let reused = SharedFile::Reused(ReusedFile::whole(Root::JobShared, file));
                    drop(shared.insert(value.to_owned(), reused));
                }
                "private" => drop(private.insert(value.to_owned(), stored(Root::ThisSnapshot, file))),
                "foreign" => {
                    let file = FileRef::Ours(Writer::new(present, WriterId::new(99)).file(number));
                    drop(private.insert(value.to_owned(), stored(Root::ThisSnapshot, file)));
                }
                "borrowed" => drop(private.insert(value.to_owned(), stored(Root::Borrowed(0), file))),
                other => panic!("no option '{other}'"),
            }
        }
        // No vertex has more than two subtasks.
        let range = MaxParallelism::new(128).unwrap().range_of(attempt(task).task.subtask, 2).unwrap();
        let meta = StateHandle::inline(Bytes::from_static(b"meta"));
        let state =
            KeyedState::Incremental(IncrementalState::new(operator, range, shared.into(), private.into(), meta));
        let snapshot = TaskSnapshot::new([(operator, SubtaskState::new(vec![state], vec![]))].into());
        Acknowledge::new(epoch, checkpoint(id), attempt(task), writer, snapshot)
    }
}

fn checkpoint(id: &str) -> CheckpointId {
    CheckpointId::new(id.parse().unwrap()).unwrap()
}

fn attempt(text: &str) -> TaskAttempt {
    let (task, attempt) = text.split_once('#').unwrap_or((text, "1"));
    let vertex = if task.starts_with('s') { SOURCE } else { COUNT };
    TaskId::new(vertex, task[1..].parse().unwrap()).attempt(AttemptId::new(attempt.parse().unwrap()))
}

/// Each task writes under a number of its own: that of its attempt and a digit for the task.
fn writer(text: &str) -> WriterId {
    let TaskAttempt { task, attempt } = attempt(text);
    WriterId::new(attempt.get() * 10 + u64::from(task.vertex == COUNT) * 2 + u64::from(task.subtask))
}

fn show(action: &Action) -> String {
    let ids = |snapshots: &[RetainedSnapshot]| {
        snapshots.iter().map(|snapshot| snapshot.id.to_string()).collect::<Vec<_>>().join(" ")
    };
    match action {
        Action::InitializeLocation { io, identity } => {
            let base = identity.latest_completed.map_or("none".to_owned(), |id| id.to_string());
            format!("io-{}: initialize {}, newest {base}", io.get(), identity.id)
        }
        Action::Send { to, message } => {
            let name = |attempt: &TaskAttempt| {
                let letter = if attempt.task.vertex == SOURCE { 's' } else { 'c' };
                format!("{letter}{}#{}", attempt.task.subtask, attempt.attempt)
            };
            let message = match message {
                ToTask::Trigger(barrier) => format!("trigger {} {}", barrier.options.kind(), barrier.id()),
                ToTask::Completed { id, subsumed_upto, .. } => match subsumed_upto {
                    Some(upto) => format!("completed {id}, subsumed up to {upto}"),
                    None => format!("completed {id}"),
                },
                ToTask::Aborted { id, latest_completed, .. } => match latest_completed {
                    Some(latest) => format!("aborted {id}, newest {latest}"),
                    None => format!("aborted {id}"),
                },
                other => format!("{other:?}"),
            };
            format!("send [{}] {message}", to.iter().map(name).collect::<Vec<_>>().join(" "))
        }
        Action::PublishMetadata { io, metadata } => {
            let summary = metadata.summary();
            let shared: Vec<_> = metadata.shared_files().unwrap().iter().map(|name| name.number.to_string()).collect();
            let shared = if shared.is_empty() { String::new() } else { format!(", shared {}", shared.join(" ")) };
            format!("io-{}: publish {}, {} subtasks{shared}", io.get(), summary.identity.id, summary.totals.subtasks)
        }
        Action::WriteHead { io, commits, write } => {
            let (head, what) = (write.head(), commits.map_or("nothing".to_owned(), |id| id.to_string()));
            let removed =
                if head.removed.is_empty() { String::new() } else { format!(", removed {}", ids(&head.removed)) };
            format!(
                "io-{}: write HEAD {} ({}) commits {what}, retained [{}]{removed}",
                io.get(),
                head.version,
                head.state,
                ids(&head.retained)
            )
        }
        Action::ReportCompleted { completed } => {
            format!("report {} completed in {:?}", completed.identity.id, completed.duration)
        }
        Action::ReportAborted { checkpoint, reason } => format!("report {checkpoint} aborted: {reason}"),
        Action::Reply { to, answer } => match answer {
            Answer::Completed(completed) => format!("reply {}: completed {}", to.get(), completed.identity.id),
            Answer::Aborted(reason) => format!("reply {}: {:?}: {reason}", to.get(), reason.kind()),
            Answer::RestorePoint(newest) => {
                let newest = newest.as_ref().map_or("nothing".to_owned(), |it| it.summary().identity.id.to_string());
                format!("reply {}: restore {newest}", to.get())
            }
            Answer::Done => format!("reply {}: done", to.get()),
            Answer::Failed(failure) => format!("reply {}: {:?}: {failure}", to.get(), failure.kind),
        },
        Action::DiscardLocation { io, checkpoint } => format!("io-{}: discard {checkpoint}", io.get()),
        Action::RemoveSnapshot { io, removed, files } if files.is_empty() => {
            format!("io-{}: remove {}", io.get(), removed.snapshot().id)
        }
        Action::RemoveSnapshot { io, removed, files } => {
            format!("io-{}: remove {}, dead shared {}", io.get(), removed.snapshot().id, numbers(files))
        }
        Action::RemoveTaskOwned { io, .. } => format!("io-{}: remove what tasks own", io.get()),
        Action::RemoveSavepoint { io, abandoned } => {
            format!("io-{}: remove savepoint {}", io.get(), abandoned.savepoint().id)
        }
        Action::RemoveFiles { io, files } => format!("io-{}: remove files {}", io.get(), numbers(files)),
        Action::ReleaseClaim { io, released } => format!("io-{}: release claim {}", io.get(), released.claim().id),
        Action::CollectOrphans { io, claimed, retained } => {
            format!("io-{}: collect orphans below epoch {}, {} retained", io.get(), claimed.epoch, retained.len())
        }
        Action::CollectEnded { io, ended } => {
            let writers: Vec<_> = ended.writers().map(|writer| writer.id.to_string()).collect();
            format!("io-{}: collect files of writers {}", io.get(), writers.join(" "))
        }
        Action::StepDown { failure } => format!("step down: {:?}: {failure}", failure.kind),
        Action::Stopped => "stopped".to_owned(),
    }
}

/// A script as it is, with the actions that follow now.
fn replay(text: &str) -> String {
    let (mut script, mut out) = (Script::new(), String::new());
    for line in text.lines() {
        if line.starts_with("    ") {
            continue;
        }
        writeln!(out, "{line}").unwrap();
        if line.starts_with("statistics") {
            writeln!(out, "    {}", counted(&script.coordinator.as_ref().unwrap().statistics())).unwrap();
        } else if !line.starts_with('#') {
            out.push_str(&script.line(line));
        }
    }
    out
}

/// What was counted, without what is zero.
fn counted(statistics: &CheckpointStatistics) -> String {
    let text = format!("{statistics:?}");
    let (_, counts) = text.split_once("{ ").unwrap();
    let counts = counts.split(", latest").next().unwrap().split(", ");
    counts.filter(|count| !count.ends_with(": 0")).collect::<Vec<_>>().join(", ")
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test reads and writes its data")]
fn scripts() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/coordinator");
    let mut paths: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let expected = std::fs::read_to_string(&path).unwrap();
        let found = replay(&expected);
        if std::env::var_os("CKPT_REWRITE").is_some() {
            std::fs::write(&path, found).unwrap();
        } else {
            assert_eq!(found, expected, "{}: run again with CKPT_REWRITE=1 and read the difference", path.display());
        }
    }
}

fn numbers(files: &RemovedFiles) -> String {
    let numbers: Vec<_> = files.job_shared().iter().map(|name| name.number.to_string()).collect();
    numbers.join(" ")
}
