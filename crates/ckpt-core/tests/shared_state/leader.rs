//! A leader that keeps HEAD and the registry together, as a coordinator does.

use ckpt_core::head::{ClaimedHead, Collected, Head, Nonce, RemovedSnapshot, RetainedSnapshot, WrittenHead};
use ckpt_core::id::{CheckpointId, FileName, JobId, LeaderEpoch, ReservedIds, Writer, WriterId};
use ckpt_core::shared::{RemovedFiles, SharedStateRefusal, SharedStateRegistry};
use ckpt_core::snapshot::{CheckpointIdentity, SnapshotKind};
use ckpt_core::state::{FileRef, Place, ReusedFile, Root, StateHandle};
use ckpt_core::{Digest, Timestamp};

pub(crate) const JOB: JobId = JobId::new([1; 16]);

/// A leader in its epoch.
pub(crate) struct Leader {
    pub(crate) head: ClaimedHead,
    pub(crate) registry: SharedStateRegistry,
    pub(crate) removed: Vec<RemovedSnapshot>,
    ids: ReservedIds,
}

/// What a task says of a file.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    Wrote(StateHandle),
    Reuses(ReusedFile),
}

impl Leader {
    pub(crate) fn new() -> Self {
        Self::taking_over(None)
    }

    /// One that takes over and has restored nothing yet.
    pub(crate) fn taking_over(former: Option<&Head>) -> Self {
        let written = Head::claim(former, JOB, Nonce::new([7; 16])).unwrap().written();
        let registry = SharedStateRegistry::new(written.head.head().epoch);
        let removed = written.all_removed();
        let WrittenHead { head, reserved: ids, .. } = written;
        Self { head, registry, removed, ids }
    }

    pub(crate) fn restore(&mut self, id: CheckpointId, handles: &[StateHandle]) -> ckpt_core::Result<()> {
        self.registry.restore(id, |each| {
            handles.iter().for_each(|handle| each(&handle.view()));
            Ok(())
        })
    }

    /// A checkpoint that was restored and names those.
    pub(crate) fn restored(&mut self, handles: &[StateHandle]) -> CheckpointId {
        let id = self.ids.take().unwrap();
        self.restore(id, handles).unwrap();
        id
    }

    pub(crate) fn epoch(&self) -> LeaderEpoch {
        self.head.head().epoch
    }

    pub(crate) fn newest(&self) -> Option<CheckpointId> {
        self.head.head().retained.last().map(|newest| newest.id)
    }

    pub(crate) fn name(&self, writer: u64, number: u32) -> FileName {
        Writer::new(self.epoch(), WriterId::new(writer)).file(number)
    }

    /// A handle of a file in the job's shared directory.
    pub(crate) fn shared(&self, writer: u64, number: u32) -> StateHandle {
        shared(self.name(writer, number))
    }

    pub(crate) fn start(&mut self, writer: u64) {
        self.registry.start_writer(WriterId::new(writer)).unwrap();
    }

    pub(crate) fn end(&mut self, writer: u64) -> Vec<FileName> {
        own(&self.registry.end_writers([WriterId::new(writer)]))
    }

    /// Begins a checkpoint that finds the newest one committed.
    pub(crate) fn begin(&mut self, kind: SnapshotKind) -> CheckpointId {
        let id = self.ids.take().unwrap();
        let identity = CheckpointIdentity::new(id, self.epoch(), Timestamp::from_millis(1), self.newest());
        self.registry.begin(&identity, kind).unwrap();
        id
    }

    /// One task's part. Returns the handles that are entered for what it reuses.
    pub(crate) fn acknowledge(
        &mut self,
        id: CheckpointId,
        writer: u64,
        part: &[Says],
    ) -> Result<Vec<StateHandle>, SharedStateRefusal> {
        let mut files = self.registry.acknowledge(id, WriterId::new(writer))?;
        let mut handles = Vec::new();
        for says in part {
            match says {
                Says::Wrote(handle) => files.written(handle)?,
                Says::Reuses(reused) => handles.push(files.reused(reused)?),
            }
        }
        files.accept();
        Ok(handles)
    }

    pub(crate) fn commit(&mut self, id: CheckpointId, retain: usize) {
        let written = self.write_commit(id, retain);
        self.registry.head_written(&written);
    }

    /// Commits a checkpoint, and does not tell the registry.
    pub(crate) fn write_commit(&mut self, id: CheckpointId, retain: usize) -> WrittenHead {
        let snapshot = RetainedSnapshot::new(id, self.epoch(), SnapshotKind::Checkpoint, 10, Digest::of(b""));
        let written = self.head.commit(snapshot, retain, &Collected::none()).unwrap().written();
        self.removed.extend(written.removed.clone());
        self.head = written.head.clone();
        written
    }

    pub(crate) fn release(&mut self, id: CheckpointId) -> Vec<FileName> {
        own(&self.registry.release(id))
    }

    /// Removes whatever nothing pins. What is below claimed roots stands at the end, by number.
    pub(crate) fn collect(&mut self) -> Vec<FileName> {
        let mut files = Vec::new();
        self.removed.retain(|removed| match self.registry.remove(removed) {
            Some(dead) => {
                files.extend(own(&dead));
                false
            }
            None => true,
        });
        files
    }

    /// A whole checkpoint of one task.
    pub(crate) fn checkpoint(&mut self, writer: u64, part: &[Says], retain: usize) -> CheckpointId {
        let id = self.begin(SnapshotKind::Checkpoint);
        self.acknowledge(id, writer, part).unwrap();
        self.commit(id, retain);
        id
    }

    pub(crate) fn is_alive(&self, handle: &StateHandle) -> bool {
        let (root, file) = file_of(handle);
        self.registry.is_alive(root, &file)
    }
}

pub(crate) fn wrote(handles: &[&StateHandle]) -> Vec<Says> {
    handles.iter().map(|handle| Says::Wrote((*handle).clone())).collect()
}

pub(crate) fn reuses(handles: &[&StateHandle]) -> Vec<Says> {
    handles.iter().map(|handle| Says::Reuses(ReusedFile::of(handle).unwrap())).collect()
}

pub(crate) fn file_of(handle: &StateHandle) -> (Root, FileRef) {
    match handle.place() {
        Place::File { root, file } | Place::Segment { root, file, .. } => (*root, file.clone()),
        place => panic!("{place:?} is no file"),
    }
}

pub(crate) fn shared(name: FileName) -> StateHandle {
    let length_bytes = 100 + u64::from(name.number);
    below(Root::JobShared, name, length_bytes, Some(Digest::of(name.to_string().as_bytes())))
}

pub(crate) fn below(root: Root, name: FileName, length_bytes: u64, digest: Option<Digest>) -> StateHandle {
    StateHandle::assume_durable(Place::File { root, file: FileRef::Ours(name) }, length_bytes, digest)
}

/// All that may be deleted, whatever it lies below.
pub(crate) fn own(removed: &RemovedFiles) -> Vec<FileName> {
    let claimed = removed.claimed().iter().filter_map(|(_, file)| match file {
        FileRef::Ours(name) => Some(*name),
        _ => None,
    });
    removed.job_shared().iter().copied().chain(claimed).collect()
}
