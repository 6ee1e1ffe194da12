//! What there is when snapshots change hands: the HEADs of three jobs, and the files of the one that has ended.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

use ckpt_core::Digest;
use ckpt_core::head::{
    ClaimedHead, Collected, Head, HeadWrite, Nonce, Ownership as Owner, RemovedSnapshot, RetainedSnapshot, WrittenHead,
};
use ckpt_core::id::{CheckpointId, FileName, JobId, LeaderEpoch, Writer, WriterId};
use ckpt_core::shared::SharedStateRegistry;
use ckpt_core::snapshot::{JobEnd, RetentionPolicy, SnapshotKind};
use ckpt_core::state::{FileRef, Place, Root, StateHandle};
use ckpt_core::uri::Uri;

use crate::history::Broken;
use crate::ownership::Plan;
use crate::rules::{Break, Rules};

/// The job that has ended, and those that take over what it left.
pub(crate) const JOBS: [JobId; 3] = [JobId::new([0xa; 16]), JobId::new([0xb; 16]), JobId::new([0xc; 16])];

/// Everything there is at one moment.
#[derive(Clone, Debug, Hash)]
#[expect(clippy::derived_hash_with_manual_eq, reason = "what hashes alike is equal, by definition")]
pub(crate) struct Estate {
    pub(crate) heads: [Option<Head>; 3],
    /// Directories of the job that has ended: which of its shared files each names.
    pub(crate) directories: BTreeMap<CheckpointId, BTreeSet<FileName>>,
    /// Its shared files.
    pub(crate) shared: BTreeSet<FileName>,
    /// Which of these the checkpoints name that the other jobs take.
    pub(crate) named: BTreeMap<(usize, CheckpointId), BTreeSet<FileName>>,
    pub(crate) processes: [Process; 3],
    pub(crate) deletions: Vec<Deletion>,
    /// How many processes began, which tells them apart.
    pub(crate) begun: u8,
    pub(crate) left: Left,
    pub(crate) broken: Option<Broken>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Left {
    /// How often each process may still take over the job that has ended.
    pub(crate) takings: [u8; 3],
    /// Whether a process may still find a snapshot to borrow.
    pub(crate) begins: [u8; 3],
    pub(crate) checkpoints: [u8; 3],
    pub(crate) crashes: u8,
}

/// The process of each job: the first is whoever cleans up.
#[derive(Clone, Debug, Hash)]
pub(crate) enum Process {
    Down,
    /// It has taken over the job that has ended.
    Holding(Held),
    /// The snapshot was handed over to its job.
    Given,
    /// It leads its own job.
    Leading(Held),
}

/// HEAD as a process last wrote it.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) written: WrittenHead,
    pub(crate) collected: Collected,
}

/// A deletion below the place of the job that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Deletion {
    pub(crate) by: usize,
    /// The snapshot that HEAD of its job has removed.
    pub(crate) removed: Option<CheckpointId>,
    /// Its directory, where that lies in the place of the job that has ended.
    pub(crate) directory: Option<CheckpointId>,
    /// Shared files of the job that has ended.
    pub(crate) files: BTreeSet<FileName>,
}

impl Estate {
    pub(crate) fn nonce(&mut self) -> Nonce {
        self.begun += 1;
        Nonce::new([self.begun; 16])
    }

    /// Somebody takes over a job that has ended.
    pub(crate) fn take_over(&mut self, job: usize) -> Option<Held> {
        let nonce = self.nonce();
        let write = Head::claim_ended(self.heads[job].as_ref()?, JOBS[job], nonce).ok()?;
        self.heads[job] = Some(write.head().clone());
        Some(Held::new(write.written()))
    }

    /// A swap: `false` when HEAD is not what the write proceeds from.
    pub(crate) fn write(&mut self, job: usize, from: &ClaimedHead, write: &HeadWrite) -> bool {
        let holds = self.heads[job].as_ref() == Some(from.head());
        if holds {
            self.heads[job] = Some(write.head().clone());
        }
        holds
    }

    /// The process at that place changes HEAD of that job; fenced, it goes down. `false` when the change is refused.
    pub(crate) fn change(
        &mut self,
        at: usize,
        job: usize,
        propose: impl Fn(&ClaimedHead) -> Option<HeadWrite>,
    ) -> bool {
        let (Process::Holding(held) | Process::Leading(held)) = &self.processes[at] else { return true };
        let mut held = held.clone();
        let Some(write) = propose(&held.written.head) else { return false };
        if !self.write(job, &held.written.head.clone(), &write) {
            self.processes[at] = Process::Down;
            return true;
        }
        let (collected, mut ids) = (std::mem::take(&mut held.collected), held.written.reserved);
        held = Held::new(write.written());
        ids.append(held.written.reserved);
        held.written.reserved = ids;
        held.collected = collected.listed_in(held.written.head.head());
        self.processes[at] = match self.processes[at] {
            Process::Leading(_) => Process::Leading(held),
            _ => Process::Holding(held),
        };
        true
    }

    pub(crate) fn names_of(&self, id: CheckpointId) -> BTreeSet<FileName> {
        self.directories.get(&id).cloned().unwrap_or_default()
    }

    /// The shared files of the first job that a snapshot of the job at that place names.
    pub(crate) fn named_by(&self, at: usize, id: CheckpointId) -> BTreeSet<FileName> {
        self.named.get(&(at, id)).cloned().unwrap_or_else(|| self.names_of(id))
    }

    /// What the first job has removed goes; of its shared files only what nobody else can name.
    pub(crate) fn delete_removed(&mut self, by: usize, held: &Held, rules: &Rules) {
        if by > 0 {
            return;
        }
        let head = held.written.head.head();
        for removed in held.written.all_removed() {
            let id = removed.snapshot().id;
            let mut files = self.names_of(id);
            let kept: BTreeSet<_> = head.retained.iter().flat_map(|snapshot| self.names_of(snapshot.id)).collect();
            files.retain(|file| !kept.contains(file));
            if !head.handed_over.is_empty() && !rules.is(Break::SweptWhileHandedOver) {
                files.clear();
            }
            self.send(Deletion { by, removed: Some(id), directory: Some(id), files });
        }
    }

    /// What a job has removed of what it claimed: the files that the registry says are dead.
    pub(crate) fn delete_claimed(&mut self, at: usize, held: &Held) {
        for removed in held.written.all_removed() {
            let id = removed.snapshot().id;
            let directory = matches!(removed.snapshot().ownership, Owner::Claimed(_)).then_some(id);
            let files = self.dead_files(at, held, &removed);
            self.send(Deletion { by: at, removed: Some(id), directory, files });
        }
    }

    pub(crate) fn send(&mut self, deletion: Deletion) {
        if !self.deletions.contains(&deletion) {
            self.deletions.push(deletion);
        }
    }

    pub(crate) fn dead_files(&self, at: usize, held: &Held, removed: &RemovedSnapshot) -> BTreeSet<FileName> {
        let head = held.written.head.head();
        let mut registry = SharedStateRegistry::new(head.epoch);
        let roots = head.origin.iter().flat_map(|origin| &origin.roots);
        let shared = roots.clone().find(|root| root.named == Root::JobShared).map(|root| root.here);
        let Some(root) = shared.or(head.claims.last().map(|claim| Root::Claimed(claim.id))) else {
            return BTreeSet::new();
        };
        for snapshot in head.retained.iter().chain([removed.snapshot()]) {
            let files = self.named_by(at, snapshot.id);
            let _ = registry.restore(snapshot.id, |visit| {
                files.iter().for_each(|file| visit(&handle(root, *file).view()));
                Ok(())
            });
        }
        let dead = registry.remove(removed).map(|files| files.claimed().to_vec()).unwrap_or_default();
        let name = |file: FileRef| match file {
            FileRef::Ours(name) => Some(name),
            _ => None,
        };
        dead.into_iter().filter_map(|(_, file)| name(file)).collect()
    }

    /// Whether everything that a HEAD retains, and its job owns, is there.
    pub(crate) fn is_readable(&self) -> bool {
        let there = |files: BTreeSet<FileName>| files.is_subset(&self.shared);
        self.heads.iter().enumerate().all(|(at, head)| {
            head.iter().flat_map(|head| &head.retained).all(|snapshot| match snapshot.ownership {
                Owner::Borrowed => true,
                Owner::Claimed(_) => self.directories.contains_key(&snapshot.id) && there(self.names_of(snapshot.id)),
                _ if at == 0 => self.directories.contains_key(&snapshot.id) && there(self.names_of(snapshot.id)),
                _ => there(self.named_by(at, snapshot.id)),
            })
        })
    }

    pub(crate) fn has_one_owner(&self) -> bool {
        let mut owned = BTreeSet::new();
        self.heads.iter().enumerate().all(|(at, head)| {
            let retained = head.iter().flat_map(|head| head.retained.iter().chain(&head.removed));
            let mut of_the_first = retained.filter(|one| at == 0 || matches!(one.ownership, Owner::Claimed(_)));
            of_the_first.all(|snapshot| owned.insert(snapshot.id))
        })
    }
}

impl Held {
    pub(crate) const fn new(written: WrittenHead) -> Self {
        Self { written, collected: Collected::none() }
    }
}

impl Hash for Held {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.written.head.head(), &self.collected.snapshots, &self.collected.claims).hash(state);
        self.written.reserved.remaining().hash(state);
    }
}

/// The first job has ended, and retains two checkpoints that name one file together.
pub(crate) fn left_behind(plan: &Plan) -> Option<Estate> {
    let first = Head::claim(None, JOBS[0], Nonce::new([1; 16])).ok()?.written();
    let mut head = first.head;
    let file = |number| Writer::new(LeaderEpoch::new(1), WriterId::new(0)).file(number);
    let mut directories = BTreeMap::new();
    for (id, files) in [(1, vec![file(1)]), (2, vec![file(1), file(2)])] {
        let none = Collected::none();
        head = head.commit(snapshot(number(id), LeaderEpoch::new(1)), 2, &none).ok()?.written().head;
        directories.insert(number(id), files.into_iter().collect());
    }
    let [first, second] = plan.checkpoints;
    let end = head.end(JobEnd::Failed, RetentionPolicy::RetainOnFailure, &Collected::none()).ok()?.written().head;
    Some(Estate {
        heads: [Some(end.head().clone()), None, None],
        directories,
        shared: [file(1), file(2)].into(),
        named: BTreeMap::new(),
        processes: [Process::Down, Process::Down, Process::Down],
        deletions: Vec::new(),
        begun: 1,
        left: Left {
            takings: [plan.cleanings, 2, 2],
            begins: [1; 3],
            checkpoints: [0, first, second],
            crashes: plan.crashes,
        },
        broken: None,
    })
}

pub(crate) fn number(number: u64) -> CheckpointId {
    CheckpointId::new(number).unwrap_or(CheckpointId::FIRST)
}

pub(crate) fn snapshot(id: CheckpointId, epoch: LeaderEpoch) -> RetainedSnapshot {
    snapshot_of(id, epoch, SnapshotKind::Checkpoint)
}

pub(crate) fn snapshot_of(id: CheckpointId, epoch: LeaderEpoch, kind: SnapshotKind) -> RetainedSnapshot {
    RetainedSnapshot::new(id, epoch, kind, 100, Digest::of(&id.get().to_be_bytes()))
}

pub(crate) fn handle(root: Root, file: FileName) -> StateHandle {
    let place = Place::File { root, file: FileRef::Ours(file) };
    StateHandle::assume_durable(place, 1, Some(Digest::of(b"state")))
}

pub(crate) fn uri(what: &str, number: u64) -> Uri {
    Uri::new(format!("file:///former/{what}-{number}")).unwrap_or_else(|_| unreachable!("it is a URI"))
}

impl PartialEq for Estate {
    fn eq(&self, other: &Self) -> bool {
        crate::world::hash_of(self) == crate::world::hash_of(other)
    }
}
