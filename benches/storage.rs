//! What storage adds to the bare system calls beneath it: publishing a checkpoint, committing it, verifying one, looking at
//! many, collecting what is left.

#[path = "storage_dispose.rs"]
mod dispose;
#[path = "head.rs"]
mod head;
#[path = "storage_look.rs"]
mod look;
#[path = "storage_publish.rs"]
mod publish;
#[path = "storage_verify.rs"]
mod verify;

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use ckpt_benches::Bench;
use ckpt_core::head::{ClaimedHead, Collected, Head, Nonce};
use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch, OperatorId, Writer, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::metadata::{CheckpointDescription, CheckpointMetadata, OperatorDescription};
use ckpt_core::snapshot::{
    CheckpointBarrier, CheckpointIdentity, CheckpointOptions, CheckpointProperties, LocationReference, RetentionPolicy,
    SnapshotKind,
};
use ckpt_core::state::{OperatorState, Partitions, Redistribution, StateHandle, SubtaskState, TaskSnapshot};
use ckpt_core::{Error, ErrorKind, Result, Timestamp};
use ckpt_storage::{
    CheckpointStorage as _, CoordinatorView, FileSystemStorage, HeadOutcome, Location, StorageContext, claim,
};
use ckpt_streams::file_system::{Durability, FileSystems};
use ckpt_streams::{Pool, PoolOptions, StateScope, StreamFactory};

/// The job of every line.
const JOB: JobId = JobId::new([5; 16]);

/// The operator that all state belongs to.
const OPERATOR: OperatorId = OperatorId::new([7; 16]);

fn main() -> Result<()> {
    if dispose::alone()? || head::alone()? {
        return Ok(());
    }
    let bench = Bench::from_arguments();
    let directory = tempfile::tempdir().map_err(failed)?;
    dispose::all(&bench, directory.path())?;
    publish::all(&bench, directory.path())?;
    look::all(&bench, directory.path())?;
    verify::all(&bench, directory.path())?;
    head::all(&bench, directory.path())
}

/// A job in a directory.
struct Job {
    storage: FileSystemStorage,
    context: StorageContext,
    view: Arc<dyn CoordinatorView>,
    claimed: ClaimedHead,
}

impl Job {
    /// One whose files are not synced: what is measured is not the disk, unless a line says so.
    fn in_directory(directory: &Path, durability: Durability) -> Result<Self> {
        let storage = FileSystemStorage::new(&*directory.to_string_lossy()).with_durability(durability);
        let pool = Arc::new(Pool::new(PoolOptions::default())?);
        let context = StorageContext::new(Arc::new(FileSystems::local()), pool);
        let view = storage.coordinator_view(JOB, &context)?;
        let claimed = claim(&*view.head(), JOB, Nonce::new([1; 16]))?.head;
        Ok(Self { storage, context, view, claimed })
    }

    fn identity(&self, number: u64) -> Result<CheckpointIdentity> {
        let id = CheckpointId::new(number).ok_or_else(|| failed("checkpoints are numbered from 1"))?;
        Ok(CheckpointIdentity::new(id, self.claimed.head().epoch, Timestamp::from_millis(number), None))
    }

    /// The streams of a writer for that checkpoint.
    fn streams(&self, identity: CheckpointIdentity) -> Result<Arc<dyn StreamFactory>> {
        let writer = Writer::new(LeaderEpoch::new(1), WriterId::new(1));
        let options = CheckpointOptions::aligned(SnapshotKind::Checkpoint, LocationReference::Default);
        self.storage.worker_view(JOB, writer, &self.context)?.streams(&CheckpointBarrier::new(identity, options))
    }

    /// Publishes a checkpoint at its place, whose one subtask has that state, and commits it beside all others.
    fn publish(&mut self, location: &dyn Location, identity: CheckpointIdentity, state: &SubtaskState) -> Result<()> {
        self.commit(location, &metadata(identity, state)?)
    }

    /// Publishes a checkpoint at its place and commits it beside all others.
    fn commit(&mut self, location: &dyn Location, metadata: &CheckpointMetadata) -> Result<()> {
        let published = location.publish(metadata)?;
        let write = self.claimed.commit(published, Head::MAX_RETAINED, &Collected::none())?;
        match self.view.head().write(write) {
            HeadOutcome::Written(written) => {
                self.claimed = written.head;
                Ok(())
            }
            other => Err(failed(format!("HEAD was not written: {other:?}"))),
        }
    }

    /// What users call that checkpoint.
    fn pointer(&self, directory: &Path, number: u64) -> String {
        format!("{}/{JOB}/chk-{number}", directory.to_string_lossy())
    }
}

fn metadata(identity: CheckpointIdentity, state: &SubtaskState) -> Result<CheckpointMetadata> {
    let properties = CheckpointProperties::checkpoint(RetentionPolicy::RetainOnCancellation);
    let mut metadata = CheckpointMetadata::builder(CheckpointDescription::new(JOB, identity, properties))?;
    let operator = OperatorDescription::new(OPERATOR, "operator", 1, MaxParallelism::new(128)?);
    metadata.operator(&operator)?.subtask(0, state)?;
    metadata.finish(Timestamp::from_millis(identity.triggered_at.millis() + 1))
}

/// A file of state, of pieces of those bytes.
fn file(streams: &dyn StreamFactory, scope: StateScope, piece: &[u8], pieces: usize) -> Result<StateHandle> {
    let mut stream = streams.create(scope)?;
    for _ in 0..pieces {
        stream.write_all(piece).map_err(failed)?;
    }
    let staged = stream.finish()?.ok_or_else(|| failed("nothing was written"))?;
    let state = SubtaskState::new(Vec::new(), vec![operator_state(staged)?]);
    let sealed = streams.seal(TaskSnapshot::new([(OPERATOR, state)].into()))?;
    let mut operators = sealed.into_operators().into_iter();
    let handle = operators.next().and_then(|(_, state)| state.handles().next().cloned());
    handle.ok_or_else(|| failed("nothing was sealed"))
}

fn operator_state<H>(handle: H) -> Result<OperatorState<H>> {
    let partitions = Partitions::new(std::iter::once(0..1), Redistribution::Split)?;
    Ok(OperatorState::new([("state", partitions)].into(), handle))
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::FailJob, error)
}
