//! A job that has ended, and leaders of jobs that begin from what it left.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ckpt_core::head::{ClaimMode, Collected, Head, Nonce, WrittenHead};
use ckpt_core::id::{CheckpointId, FileName, LeaderEpoch, OperatorId, ReservedIds, Writer, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::metadata::{CheckpointDescription, CheckpointMetadata, OperatorDescription};
use ckpt_core::shared::SharedStateRegistry;
use ckpt_core::snapshot::{
    Admission, AfterSavepoint, CheckpointIdentity, CheckpointProperties, CheckpointType, JobEnd, RetentionPolicy,
    SavepointFormat,
};
use ckpt_core::state::{FileRef, Place, Places, RelPath, Root, StateHandle, SubtaskState};
use ckpt_core::uri::UriParts;
use ckpt_core::{Digest, ErrorKind, Result, Timestamp};

use crate::claim::{ActiveJob, Start, Wait, begin_from};
use crate::dispose::support_test::savepoint_mark;
use crate::test_support::MemoryDisk;
use crate::testing::sample::{job, operator_state, snapshot_of};
use crate::{CheckpointStorage, CoordinatorView, FileSystemStorage, HeadOutcome};

/// The directory of the job that has ended.
pub(super) const FORMER: &str = "base/01010101010101010101010101010101";

/// What it left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Left {
    Full,
    Incremental,
    Canonical,
    Native,
}

pub(super) const ALL: [Left; 4] = [Left::Full, Left::Incremental, Left::Canonical, Left::Native];

/// No time passes.
#[derive(Debug)]
pub(super) struct NoTime;

impl Wait for NoTime {
    fn wait(&self, _: Duration) {}
}

pub(super) fn file(epoch: u64, number: u32) -> FileName {
    Writer::new(LeaderEpoch::new(epoch), WriterId::new(1)).file(number)
}

pub(super) fn handle(root: Root, name: FileName) -> StateHandle {
    let place = Place::File { root, file: FileRef::Ours(name) };
    StateHandle::assume_durable(place, 3, Some(Digest::of(b"abc")))
}

pub(super) fn view(disk: &MemoryDisk, number: u8) -> Arc<dyn CoordinatorView> {
    FileSystemStorage::new("mem:/base").coordinator_view(job(number), &disk.context()).unwrap()
}

pub(super) fn start(pointer: &str, mode: ClaimMode) -> Start {
    Start::new(pointer, mode, Timestamp::from_millis(7))
}

pub(super) fn state(handles: Vec<StateHandle>) -> SubtaskState {
    SubtaskState::new(Vec::new(), handles.into_iter().map(operator_state).collect())
}

/// Checkpoints 1 and 2 of a job that has ended: each has a file of its own, and incremental ones share one.
pub(super) fn checkpoints(disk: &MemoryDisk, kind: Left) -> WrittenHead {
    let written = active_checkpoints(disk, kind);
    let end = written.head.end(JobEnd::Cancelled, RetentionPolicy::RetainOnCancellation, &Collected::none());
    write(&*view(disk, 1), end.unwrap()).unwrap()
}

/// The same of one that goes on.
pub(super) fn active_checkpoints(disk: &MemoryDisk, kind: Left) -> WrittenHead {
    let view = view(disk, 1);
    let mut written = crate::claim(&*view.head(), job(1), Nonce::new([1; 16])).unwrap();
    for number in 1..=2 {
        let identity = identity(number, written.head.head().epoch);
        let (own, location) = (file(1, number as u32 * 10), view.initialize_checkpoint(&identity).unwrap());
        disk.put(&format!("{FORMER}/chk-{number}/{own}"), b"abc");
        let mut handles = vec![handle(Root::ThisSnapshot, own)];
        if kind == Left::Incremental {
            for shared in 1..=number as u32 {
                disk.put(&format!("{FORMER}/shared/{}", file(1, shared)), b"abc");
                handles.push(handle(Root::JobShared, file(1, shared)));
            }
        }
        let properties = CheckpointProperties::checkpoint(RetentionPolicy::default());
        let metadata = snapshot_of(job(1), identity, properties, Some(state(handles)));
        let published = location.publish(&metadata).unwrap();
        written = write(&*view, written.head.commit(published, 2, &Collected::none()).unwrap()).unwrap();
    }
    written
}

/// What job 1 left. Returns the pointer to it.
pub(super) fn left(disk: &MemoryDisk, kind: Left) -> String {
    let format = match kind {
        Left::Full | Left::Incremental => {
            checkpoints(disk, kind);
            return format!("mem:/{FORMER}/chk-2");
        }
        Left::Canonical => SavepointFormat::Canonical,
        Left::Native => SavepointFormat::Native,
    };
    let properties = CheckpointProperties::savepoint(format, AfterSavepoint::Continue, Admission::InTurn);
    let handles = (0..2).map(|number| handle(Root::ThisSnapshot, file(1, number))).collect();
    let metadata = snapshot_of(job(1), identity(1, LeaderEpoch::new(1)), properties, Some(state(handles)));
    for number in 0..2 {
        disk.put(&format!("target/savepoint-1/{}", file(1, number)), b"abc");
    }
    disk.put("target/savepoint-1/_metadata", &metadata.encode().unwrap().0);
    disk.put("target/savepoint-1/_savepoint", &savepoint_mark(1));
    "mem:/target/savepoint-1".to_owned()
}

fn identity(number: u64, epoch: LeaderEpoch) -> CheckpointIdentity {
    CheckpointIdentity::new(CheckpointId::new(number).unwrap(), epoch, Timestamp::from_millis(number), None)
}

pub(super) fn write(view: &dyn CoordinatorView, write: ckpt_core::head::HeadWrite) -> Result<WrittenHead> {
    match view.head().write(write) {
        HeadOutcome::Written(written) => Ok(written),
        HeadOutcome::Fenced(error) | HeadOutcome::Failed(error) | HeadOutcome::Unknown(error) => Err(error),
    }
}

/// Which files of what it began from a checkpoint names again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    Base,
    Nothing,
}

/// A leader, which does what the coordinator does, one step after the other.
pub(super) struct Leader {
    pub(super) view: Arc<dyn CoordinatorView>,
    pub(super) written: WrittenHead,
    ids: ReservedIds,
    disk: MemoryDisk,
    registry: SharedStateRegistry,
}

impl Leader {
    /// The job of that number is begun, or taken over.
    pub(super) fn begin(disk: &MemoryDisk, number: u8, nonce: u8, start: &Start) -> Result<Self> {
        let view = view(disk, number);
        let nonce = Nonce::new([nonce; 16]);
        let begun = begin_from(&*view.head(), job(number), nonce, start, &disk.context(), &NoTime)?;
        let head = begun.written.head.head();
        let mut registry = SharedStateRegistry::new(head.epoch);
        for snapshot in head.retained.iter().chain(head.removed.iter().filter(|it| !it.claims.is_empty())) {
            match view.load(snapshot) {
                Ok(metadata) => registry.restore(snapshot.id, |each| metadata.visit_handles(each))?,
                Err(error) if error.kind() == ErrorKind::NotFound && head.removed.contains(snapshot) => {}
                Err(error) => return Err(error),
            }
        }
        let ids = begun.written.reserved.clone();
        let mut leader = Self { view, written: begun.written, ids, disk: disk.clone(), registry };
        leader.collect()?;
        Ok(leader)
    }

    pub(super) fn head(&self) -> &Head {
        self.written.head.head()
    }

    /// Deletes what was removed, and gives back what is released, until HEAD lists none of it.
    pub(super) fn collect(&mut self) -> Result<()> {
        loop {
            let mut collected = Collected::none();
            for removed in self.written.all_removed() {
                let files = self.registry.remove(&removed).expect("nothing is pending");
                self.view.remove(&removed, &files)?;
                collected.snapshots.push(removed.snapshot().id);
            }
            for released in self.written.all_released() {
                self.view.release_claim(&released)?;
                collected.claims.push(released.claim().id);
            }
            if collected.is_empty() {
                return Ok(());
            }
            self.written = write(&*self.view, self.written.head.collected(&collected)?)?;
        }
    }

    /// Takes a checkpoint with a file of its own, and retains that alone.
    pub(super) fn commit(&mut self, names: Names) -> Result<CheckpointId> {
        self.commit_and_retain(names, 1)
    }

    pub(super) fn commit_and_retain(&mut self, names: Names, retain: usize) -> Result<CheckpointId> {
        let head = self.head().clone();
        let id = self.ids.take().expect("a claim reserves many");
        let own = file(head.epoch.get(), id.get() as u32);
        let mut handles = vec![handle(Root::ThisSnapshot, own)];
        if let Some(base) = head.base().filter(|_| names == Names::Base) {
            self.view.load(base)?.visit_handles(&mut |handle| {
                if matches!(handle.file(), Some((Root::Claimed(_), _))) {
                    handles.push(handle.to_handle());
                }
            })?;
        }
        let metadata = metadata_of(&head, id, handles);
        let location = self.view.initialize_checkpoint(&metadata.summary().identity)?;
        self.disk.put(&format!("base/{}/chk-{id}/{own}", head.job), b"abc");
        let published = location.publish(&metadata)?;
        self.registry.restore(id, |each| metadata.visit_handles(each))?;
        self.written = write(&*self.view, self.written.head.commit(published, retain, &Collected::none())?)?;
        self.collect()?;
        Ok(id)
    }

    /// Ends the job, of which nothing is kept.
    pub(super) fn end(&mut self) -> Result<()> {
        self.end_as(JobEnd::Finished)
    }

    /// Cancels the job, whose checkpoints are kept.
    pub(super) fn cancel(&mut self) -> Result<()> {
        self.end_as(JobEnd::Cancelled)
    }

    fn end_as(&mut self, end: JobEnd) -> Result<()> {
        let end = self.written.head.end(end, RetentionPolicy::RetainOnCancellation, &Collected::none())?;
        self.written = write(&*self.view, end)?;
        self.collect()
    }
}

fn metadata_of(head: &Head, id: CheckpointId, handles: Vec<StateHandle>) -> CheckpointMetadata {
    let identity = CheckpointIdentity::new(id, head.epoch, Timestamp::from_millis(1), None);
    let mut properties = CheckpointProperties::checkpoint(RetentionPolicy::default());
    if head.requires_full_checkpoint() {
        properties = properties.requested_as(CheckpointType::Full);
    }
    let mut description = CheckpointDescription::new(head.job, identity, properties);
    let named: BTreeSet<Root> = handles.iter().filter_map(|it| it.place().file()).map(|(root, _)| root).collect();
    let places = head.claims.iter().map(|claim| (Root::Claimed(claim.id), claim.uri.clone()));
    description.places = Places::new(places.filter(|(root, _)| named.contains(root)).collect()).unwrap();
    let mut builder = CheckpointMetadata::builder(description).unwrap();
    let operator = OperatorDescription::new(OperatorId::new([7; 16]), "sample", 1, MaxParallelism::new(128).unwrap());
    builder.operator(&operator).unwrap().subtask(0, &state(handles)).unwrap();
    builder.finish(Timestamp::from_millis(2)).unwrap()
}

/// Every file that what a job would restore names is there.
#[track_caller]
pub(super) fn check_readable(disk: &MemoryDisk, number: u8, what: &dyn std::fmt::Debug) {
    let view = view(disk, number);
    let Some(head) = view.head().read().unwrap() else { return };
    let files = disk.files();
    for snapshot in &head.retained {
        let metadata = view.load(snapshot).unwrap_or_else(|error| panic!("{error} in {what:?}"));
        let places = metadata.summary().places.clone();
        metadata
            .visit_handles(&mut |handle| {
                let Some((root, file)) = handle.file() else { return };
                let below = match places.get(root) {
                    Some(uri) => {
                        let path = UriParts::of(uri.as_str()).and_then(UriParts::decoded_path).unwrap();
                        path.trim_start_matches('/').to_owned()
                    }
                    None if root == Root::JobShared => format!("base/{}/shared", head.job),
                    None => format!("base/{}/chk-{}", head.job, snapshot.id),
                };
                let path = format!("{below}/{}", file.to_file());
                assert!(files.contains(&path), "{path} of snapshot {} of job {number}: {what:?}", snapshot.id);
            })
            .unwrap();
    }
}

/// Whether files of what job 1 left are all there.
pub(super) fn names_below(disk: &MemoryDisk, directory: &str) -> Vec<String> {
    let below = format!("{directory}/");
    disk.files().iter().filter_map(|path| path.strip_prefix(&below).map(str::to_owned)).collect()
}

pub(super) fn text(name: FileName) -> String {
    RelPath::from(&name).to_string()
}

pub(super) fn fencing(start: Start) -> Start {
    start.with_active(ActiveJob::Fence)
}
