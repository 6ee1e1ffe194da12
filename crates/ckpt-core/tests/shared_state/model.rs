//! The registry over random histories, against sets that are made anew at every step.
//!
//! The model knows three things only: what each checkpoint names, which names were ever given, and which of their files
//! are dead. Whatever a retained, pending or pinned checkpoint names must stay; whatever else has a writer that ended, or
//! leaves with a removed checkpoint, must die at that step and never come back.

use std::collections::{BTreeMap, BTreeSet};

use ckpt_core::Digest;
use ckpt_core::id::{CheckpointId, FileName, LeaderEpoch, WriterId};
use ckpt_core::shared::EndedWriters;
use ckpt_core::snapshot::{AfterSavepoint, SavepointFormat, SnapshotKind};
use ckpt_core::state::{ClaimId, FileRef, Place, ReusedFile, Root, StateHandle};
use ckpt_core::testing::strategies::cases;
use proptest::prelude::*;

use crate::leader::{Leader, Says, own};

/// A file that may be named in pieces is even; the others are whole.
type File = (Root, FileName);
type Piece = (File, Option<u64>);

#[derive(Clone, Debug)]
enum Step {
    Begin(SnapshotKind),
    /// Of a pending checkpoint a task takes its part: by writer, with files each of which is meant by a number.
    Acknowledge {
        pending: usize,
        writer: u64,
        part: Vec<Claims>,
    },
    /// A task that had finished: what the pinned checkpoint names.
    Inherit {
        pending: usize,
        part: Vec<usize>,
    },
    Commit {
        pending: usize,
        retain: usize,
    },
    Abort {
        pending: usize,
    },
    Collect,
    Start(u64),
    End(Vec<u64>),
    /// Another leader restores what is retained; some snapshot it takes over comes with files below a claim.
    TakeOver,
}

#[derive(Clone, Debug)]
enum Claims {
    WroteNew {
        number: u32,
    },
    WroteAgain(usize),
    WroteOther(usize),
    Reuses(usize),
    ReusesOwn(usize),
    /// The whole file of a piece, or the first piece of a whole file.
    ReusesOther(usize),
}

/// What the world should be.
#[derive(Default)]
struct Model {
    names: BTreeMap<CheckpointId, BTreeSet<Piece>>,
    retained: Vec<CheckpointId>,
    removed: Vec<CheckpointId>,
    pending: BTreeMap<CheckpointId, (Option<CheckpointId>, SnapshotKind)>,
    content: BTreeMap<Piece, (u64, Option<Digest>)>,
    dead: BTreeSet<File>,
    living: BTreeSet<u64>,
    ended: BTreeSet<u64>,
    epoch: u64,
    ever: Vec<Piece>,
}

impl Model {
    /// What must be there.
    fn needed(&self) -> BTreeSet<Piece> {
        self.names.values().flatten().copied().collect()
    }

    fn lives(&self, piece: &Piece) -> bool {
        let (root, name) = piece.0;
        root == Root::JobShared && name.epoch.get() == self.epoch && self.living.contains(&name.writer.get())
    }

    /// Takes out what is neither needed nor `spared`; returns the files of which nothing is left.
    fn dies(&mut self, spared: impl Fn(&Self, &Piece) -> bool) -> BTreeSet<File> {
        let needed = self.needed();
        let gone = |piece: &Piece| !needed.contains(piece) && !spared(self, piece);
        let gone: Vec<_> = self.content.keys().filter(|piece| gone(piece)).copied().collect();
        let mut files = BTreeSet::new();
        for piece in gone {
            self.content.remove(&piece);
            files.insert(piece.0);
        }
        files.retain(|file| self.content.keys().all(|piece| piece.0 != *file));
        assert!(files.is_disjoint(&self.dead), "died twice");
        self.dead.extend(&files);
        files
    }

    fn is_pinned(&self, id: CheckpointId) -> bool {
        self.pending.values().any(|(pins, _)| *pins == Some(id))
    }

    /// Whether a task may say so, and what it names by it.
    fn allows(&self, pending: CheckpointId, writer: u64, says: &Says) -> Option<Piece> {
        let (pins, kind) = self.pending[&pending];
        match says {
            Says::Reuses(ReusedFile { root, file: FileRef::Ours(name), offset_bytes, .. }) => {
                let base = pins.filter(|_| kind == SnapshotKind::Checkpoint)?;
                let piece = ((*root, *name), *offset_bytes);
                self.names.get(&base)?.contains(&piece).then_some(piece)
            }
            Says::Wrote(handle) => {
                let (piece, content) = (piece_of(handle), (handle.length_bytes(), handle.digest()));
                let ((root, name), part) = piece;
                let otherwise = |other: &Piece| other.0 == piece.0 && other.1.is_none() != part.is_none();
                let fits = root == Root::JobShared
                    && matches!(kind, SnapshotKind::Checkpoint | SnapshotKind::FullCheckpoint)
                    && name.epoch.get() == self.epoch
                    && name.writer.get() == writer
                    && self.living.contains(&writer)
                    && !self.dead.contains(&piece.0)
                    && !self.content.keys().any(otherwise)
                    && self.content.get(&piece).is_none_or(|known| *known == content);
                fits.then_some(piece)
            }
            Says::Reuses(..) => None,
        }
    }
}

fn piece_of(handle: &StateHandle) -> Piece {
    match handle.place() {
        Place::File { root, file: FileRef::Ours(name) } => ((*root, *name), None),
        Place::Segment { root, file: FileRef::Ours(name), offset_bytes } => ((*root, *name), Some(*offset_bytes)),
        place => panic!("{place:?}"),
    }
}

fn handle_of((root, name): File, offset_bytes: Option<u64>, variant: u64) -> StateHandle {
    let file = FileRef::Ours(name);
    let place = match offset_bytes {
        None => Place::File { root, file },
        Some(offset_bytes) => Place::Segment { root, file, offset_bytes },
    };
    let digest = Digest::of(&[name.number as u8, variant as u8]);
    StateHandle::assume_durable(place, 1 + u64::from(name.number) + variant, Some(digest))
}

struct World {
    leader: Leader,
    model: Model,
    /// What was said of writers when they ended, by former leaders too: it holds for ever.
    ended: Vec<EndedWriters>,
}

impl World {
    fn new() -> Self {
        let leader = Leader::new();
        let model = Model { epoch: leader.epoch().get(), ..Model::default() };
        Self { leader, model, ended: Vec::new() }
    }

    fn pending(&self, index: usize) -> Option<CheckpointId> {
        self.model.pending.keys().nth(index % self.model.pending.len().max(1)).copied()
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Begin(kind) => {
                let id = self.leader.begin(*kind);
                self.model.pending.insert(id, (self.leader.newest(), *kind));
                self.model.names.insert(id, BTreeSet::new());
            }
            Step::Acknowledge { pending, writer, part } => {
                if let Some(id) = self.pending(*pending) {
                    self.acknowledge(id, *writer, part);
                }
            }
            Step::Inherit { pending, part } => {
                if let Some(id) = self.pending(*pending) {
                    self.inherit(id, part);
                }
            }
            Step::Commit { pending, retain } => {
                if let Some(id) = self.pending(*pending).filter(|id| !self.model.pending[id].1.is_savepoint()) {
                    self.commit(id, *retain);
                }
            }
            Step::Abort { pending } => {
                if let Some(id) = self.pending(*pending) {
                    self.abort(id);
                }
            }
            Step::Collect => self.collect(),
            Step::Start(writer) => {
                let started = self.leader.registry.start_writer(WriterId::new(*writer));
                assert_eq!(started.is_ok(), !self.model.ended.contains(writer));
                if started.is_ok() {
                    self.model.living.insert(*writer);
                }
            }
            Step::End(writers) => {
                self.model.living.retain(|writer| !writers.contains(writer));
                self.model.ended.extend(writers);
                let dead = self.leader.registry.end_writers(writers.iter().map(|writer| WriterId::new(*writer)));
                assert_same(own(&dead), self.model.dies(Model::lives));
                let ended = self.leader.registry.take_ended();
                for (root, name) in self.model.ever.iter().map(|piece| piece.0) {
                    let is_alive = self.model.content.keys().any(|piece| piece.0 == (root, name));
                    let is_theirs = name.epoch.get() == self.model.epoch && writers.contains(&name.writer.get());
                    if root == Root::JobShared && ended.writers().any(|writer| writer == name.writer()) {
                        assert_eq!(ended.has_left(name), !is_alive, "{name}");
                        assert!(is_theirs, "{name}");
                    }
                }
                self.ended.push(ended);
            }
            Step::TakeOver => self.take_over(),
        }
        self.check();
    }

    fn acknowledge(&mut self, id: CheckpointId, writer: u64, part: &[Claims]) {
        let epoch = LeaderEpoch::new(self.model.epoch);
        let seen = |index: usize| self.model.ever.get(index % self.model.ever.len().max(1)).copied();
        let of_base = |index: usize| {
            let names = self.model.names.get(&self.model.pending[&id].0?)?;
            names.iter().nth(index % names.len().max(1)).copied()
        };
        let again = |(file, part): Piece| Says::Reuses(ReusedFile::of(&handle_of(file, part, 0)).unwrap());
        let says = |claims: &Claims| match *claims {
            Claims::WroteNew { number } => {
                let name = FileName { epoch, writer: WriterId::new(writer), number: number % 64 };
                let offset_bytes = (name.number % 2 == 0).then_some(u64::from(number / 64));
                Some(Says::Wrote(handle_of((Root::JobShared, name), offset_bytes, 0)))
            }
            Claims::WroteAgain(index) => seen(index).map(|(file, part)| Says::Wrote(handle_of(file, part, 0))),
            Claims::WroteOther(index) => seen(index).map(|(file, part)| Says::Wrote(handle_of(file, part, 1))),
            Claims::Reuses(index) => seen(index).map(again),
            Claims::ReusesOwn(index) => of_base(index).map(again),
            Claims::ReusesOther(index) => {
                of_base(index).map(|(file, part)| again((file, part.map_or(Some(0), |_| None))))
            }
        };
        let says: Vec<_> = part.iter().filter_map(says).collect();
        let mut named = BTreeSet::new();
        let mut expected_handles = Vec::new();
        let mut allowed = true;
        for says in &says {
            let Some(piece) = self.model.allows(id, writer, says) else {
                allowed = false;
                break;
            };
            match says {
                // It is there, whether the acknowledgement is taken or not.
                Says::Wrote(handle) => {
                    self.model.content.insert(piece, (handle.length_bytes(), handle.digest()));
                    self.model.ever.push(piece);
                }
                Says::Reuses(..) => expected_handles.push(handle_of(piece.0, piece.1, 0)),
            }
            named.insert(piece);
        }
        let answer = self.leader.acknowledge(id, writer, &says);
        assert_eq!(answer.is_ok(), allowed, "{says:?}: {answer:?}");
        if let Ok(handles) = answer {
            assert_eq!(handles, expected_handles);
            self.model.names.get_mut(&id).unwrap().extend(named);
        }
    }

    fn inherit(&mut self, id: CheckpointId, part: &[usize]) {
        let pinned = self.model.pending[&id].0.and_then(|pins| self.model.names.get(&pins)).cloned();
        let mut named = BTreeSet::new();
        let mut allowed = true;
        let mut files = self.leader.registry.inherit(id).unwrap();
        for index in part {
            let Some(piece) = self.model.ever.get(index % self.model.ever.len().max(1)).copied() else { continue };
            allowed = pinned.as_ref().is_some_and(|pinned| pinned.contains(&piece));
            assert_eq!(files.inherited(&handle_of(piece.0, piece.1, 0)).is_ok(), allowed);
            if !allowed {
                break;
            }
            named.insert(piece);
        }
        if allowed {
            files.accept();
            self.model.names.get_mut(&id).unwrap().extend(named);
        }
    }

    fn commit(&mut self, id: CheckpointId, retain: usize) {
        self.leader.commit(id, retain);
        self.model.pending.remove(&id);
        self.model.retained.push(id);
        let excess = self.model.retained.len().saturating_sub(retain);
        self.model.removed.extend(self.model.retained.drain(..excess));
        // What is older could not be committed any more; savepoints go on.
        let older: Vec<_> =
            self.model.pending.range(..id).filter(|it| !it.1.1.is_savepoint()).map(|it| *it.0).collect();
        for older in older {
            self.abort(older);
        }
    }

    fn abort(&mut self, id: CheckpointId) {
        let dead = self.leader.registry.release(id);
        self.model.pending.remove(&id);
        self.model.names.remove(&id);
        assert_same(own(&dead), self.model.dies(Model::lives));
    }

    fn collect(&mut self) {
        for removed in std::mem::take(&mut self.leader.removed) {
            let id = removed.snapshot().id;
            let dead = self.leader.registry.remove(&removed);
            assert_eq!(dead.is_none(), self.model.is_pinned(id));
            let Some(dead) = dead else {
                self.leader.removed.push(removed);
                continue;
            };
            self.model.removed.retain(|other| *other != id);
            let left = self.model.names.remove(&id).unwrap_or_default();
            let dies = self.model.dies(|model, piece| {
                !left.contains(piece) && {
                    // Nothing but what it named may be affected: all else is settled already.
                    assert!(model.lives(piece), "{piece:?} should have died before");
                    true
                }
            });
            assert_same(own(&dead), dies);
        }
    }

    fn take_over(&mut self) {
        let mut leader = Leader::taking_over(Some(self.leader.head.head()));
        let model = &mut self.model;
        model.names.retain(|id, _| model.retained.contains(id) || model.removed.contains(id));
        for (id, pieces) in &model.names {
            let handles: Vec<_> = pieces.iter().map(|(file, part)| handle_of(*file, *part, 0)).collect();
            leader.restore(*id, &handles).unwrap();
        }
        if model.retained.is_empty() {
            // The first thing it has is a snapshot of another job.
            let root = Root::Claimed(ClaimId::new(model.epoch));
            let name = |number| FileName { epoch: LeaderEpoch::new(1), writer: WriterId::new(1), number };
            let pieces: Vec<Piece> = (0..5).map(|number| ((root, name(number)), None)).collect();
            let id = leader.begin(SnapshotKind::FullCheckpoint);
            let _ = leader.release(id);
            let handles: Vec<_> = pieces.iter().map(|(file, part)| handle_of(*file, *part, 0)).collect();
            leader.restore(id, &handles).unwrap();
            leader.commit(id, 1);
            model.retained.push(id);
            for (piece, handle) in pieces.iter().zip(&handles) {
                model.content.insert(*piece, (handle.length_bytes(), handle.digest()));
            }
            model.ever.extend(&pieces);
            model.names.insert(id, pieces.into_iter().collect());
        }
        self.leader = leader;
        model.pending.clear();
        model.living.clear();
        model.ended.clear();
        model.epoch = self.leader.epoch().get();
        // What the former leader leaves is collected from the list of what is there.
        let _ = model.dies(|_, _| false);
    }

    fn check(&self) {
        let Self { leader, model, ended } = self;
        for (root, name) in model.content.keys().map(|piece| piece.0) {
            let is_left = root == Root::JobShared && ended.iter().any(|ended| ended.has_left(name));
            assert!(!is_left, "{name} is alive, and collected");
        }
        assert_eq!(leader.registry.len(), model.content.len());
        let needed = model.needed();
        assert!(needed.iter().all(|piece| model.content.contains_key(piece)), "something that is named is gone");
        for (file, _) in &model.ever {
            let is_alive = model.content.keys().any(|piece| piece.0 == *file);
            assert_eq!(leader.registry.is_alive(file.0, &FileRef::Ours(file.1)), is_alive, "{file:?}");
            assert!(!(is_alive && model.dead.contains(file)), "{file:?} came back");
        }
    }

    /// When all has ended, nothing is left but what is retained.
    fn end(mut self) {
        while let Some(id) = self.pending(0) {
            self.abort(id);
        }
        self.collect();
        let writers: Vec<_> = self.model.living.iter().copied().collect();
        self.step(&Step::End(writers));
        let retained = self.model.retained.iter().flat_map(|id| &self.model.names[id]);
        let retained: BTreeSet<Piece> = retained.copied().collect();
        assert_eq!(self.model.content.keys().copied().collect::<BTreeSet<_>>(), retained);
        assert_eq!(self.leader.registry.len(), retained.len());
    }
}

fn assert_same(files: Vec<FileName>, expected: BTreeSet<File>) {
    let mut files = files;
    files.sort();
    let mut expected: Vec<_> = expected.into_iter().map(|(_, name)| name).collect();
    expected.sort();
    assert_eq!(files, expected);
}

fn any_kind() -> impl Strategy<Value = SnapshotKind> {
    prop_oneof![
        8 => Just(SnapshotKind::Checkpoint),
        1 => Just(SnapshotKind::FullCheckpoint),
        1 => Just(SnapshotKind::Savepoint { format: SavepointFormat::Native, then: AfterSavepoint::Continue }),
    ]
}

fn any_claims() -> impl Strategy<Value = Claims> {
    prop_oneof![
        20 => (0..192_u32).prop_map(|number| Claims::WroteNew { number }),
        4 => any::<usize>().prop_map(Claims::WroteAgain),
        1 => any::<usize>().prop_map(Claims::WroteOther),
        2 => any::<usize>().prop_map(Claims::Reuses),
        20 => any::<usize>().prop_map(Claims::ReusesOwn),
        1 => any::<usize>().prop_map(Claims::ReusesOther),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    let pending = 0..3_usize;
    prop_oneof![
        8 => any_kind().prop_map(Step::Begin),
        16 => (pending.clone(), 1..4_u64, prop::collection::vec(any_claims(), 0..5))
            .prop_map(|(pending, writer, part)| Step::Acknowledge { pending, writer, part }),
        2 => (pending.clone(), prop::collection::vec(any::<usize>(), 0..3))
            .prop_map(|(pending, part)| Step::Inherit { pending, part }),
        6 => (pending.clone(), 1..4_usize).prop_map(|(pending, retain)| Step::Commit { pending, retain }),
        2 => pending.prop_map(|pending| Step::Abort { pending }),
        5 => Just(Step::Collect),
        4 => (1..4_u64).prop_map(Step::Start),
        1 => prop::collection::vec(1..4_u64, 0..3).prop_map(Step::End),
        1 => Just(Step::TakeOver),
    ]
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn random_histories_agree_with_plain_sets(steps in prop::collection::vec(any_step(), 1..80)) {
        let mut world = World::new();
        [1, 2, 3].into_iter().for_each(|writer| world.step(&Step::Start(writer)));
        steps.iter().for_each(|step| world.step(step));
        world.end();
    }
}
