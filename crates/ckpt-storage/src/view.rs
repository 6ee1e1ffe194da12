//! What coordinator and workers see of a storage.

use std::fmt::Debug;
use std::sync::Arc;

use ckpt_core::Result;
use ckpt_core::head::{AbandonedSavepoint, Head, ReleasedClaim, RemovedSnapshot, RetainedSnapshot, TaskOwnedFiles};
use ckpt_core::id::{CheckpointId, JobId, Writer};
use ckpt_core::metadata::{CheckpointMetadata, MetadataSummary};
use ckpt_core::shared::{EndedWriters, RemovedFiles};
use ckpt_core::snapshot::{CheckpointBarrier, CheckpointIdentity, LocationReference};
use ckpt_core::state::{Places, StateHandle};
use ckpt_core::uri::Uri;
use ckpt_streams::{Budget, StateInputStream, StateReader, StreamFactory};

use crate::completed::CompletedLocation;
use crate::context::StorageContext;
use crate::dispose::{Disposal, DisposeOptions, dispose};
use crate::head::HeadStore;
use crate::savepoint::{AbandonedOutcome, InitializedSavepoint};
use crate::toolset::Toolset;

/// Where checkpoints live: a light description that builds the real access in every process.
pub trait CheckpointStorage: Send + Sync + Debug {
    /// What the coordinator of that job sees.
    ///
    /// # Errors
    ///
    /// `Configuration` when the description cannot hold checkpoints.
    fn coordinator_view(&self, job: JobId, context: &StorageContext) -> Result<Arc<dyn CoordinatorView>>;

    /// What a worker of that job sees, whose files are named by `writer`. One view for each writer: it counts the
    /// writer's files.
    ///
    /// # Errors
    ///
    /// As for the coordinator.
    fn worker_view(&self, job: JobId, writer: Writer, context: &StorageContext) -> Result<Arc<dyn WorkerView>>;

    /// Finds the checkpoint that a user's pointer names: a directory with a `_metadata`, or the file itself.
    ///
    /// # Errors
    ///
    /// A message of its own for each way to be wrong: `NotFound` or `Configuration`.
    fn resolve(&self, pointer: &str, context: &StorageContext) -> Result<CompletedLocation>;

    /// What is known of the checkpoint that a pointer names without looking at its state: what lists of many checkpoints
    /// show. In files that reads a few kilobytes of any `_metadata`.
    ///
    /// # Errors
    ///
    /// Those of [`resolve`](Self::resolve) that need no look at state.
    fn summarize(&self, pointer: &str, context: &StorageContext) -> Result<MetadataSummary> {
        Ok(self.resolve(pointer, context)?.metadata.summary().clone())
    }

    /// Deletes the snapshot that a user's pointer names. A storage whose pointers lead to no files deletes in its own way, in
    /// the order of [`dispose`](crate::dispose).
    ///
    /// # Errors
    ///
    /// Those of [`dispose`](crate::dispose).
    fn dispose(&self, pointer: &str, context: &StorageContext, options: &DisposeOptions) -> Result<Disposal> {
        dispose(pointer, context, options)
    }
}

/// What the coordinator sees. Blocking; any thread may call it.
pub trait CoordinatorView: Send + Sync + Debug {
    /// Whether what is committed survives the loss of every process.
    fn supports_high_availability(&self) -> bool;

    /// Whether a savepoint may be taken for which no target is named.
    fn has_default_savepoint_location(&self) -> bool;

    /// The pointer by which users name a snapshot that HEAD retains, for
    /// [`CheckpointStorage::resolve`]. Of one that only this process has it is [`NOT_ADDRESSABLE`](crate::NOT_ADDRESSABLE).
    fn pointer(&self, snapshot: &RetainedSnapshot) -> String;

    /// Makes the job's directories, so that a job that may not write there fails before it runs. Harmless when they exist.
    /// Whatever is written first makes what is missing of them: a storage that has none does nothing.
    ///
    /// # Errors
    ///
    /// `FailJob`, naming the directory.
    fn initialize_base_locations(&self) -> Result<()>;

    /// The place of a checkpoint, in which nothing is yet.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when something is there, or it cannot be told.
    fn initialize_checkpoint(&self, identity: &CheckpointIdentity) -> Result<Arc<dyn Location>>;

    /// A new name for the directory of a savepoint, below `target` or else where savepoints go by default. Nothing is made:
    /// HEAD is to say first that the savepoint is in progress there.
    ///
    /// # Errors
    ///
    /// `Configuration` when no target is named and there is no default one, or the target is none, with a message of its
    /// own for each way to be wrong. `Retry` when there are no random bits.
    fn name_savepoint(&self, identity: &CheckpointIdentity, target: Option<&str>) -> Result<Uri>;

    /// Makes the directory at `uri`, which [`name_savepoint`](Self::name_savepoint) named, that savepoint's alone.
    /// [`make_savepoint_location`](crate::make_savepoint_location) does both, for as many names as it takes.
    ///
    /// # Errors
    ///
    /// `Configuration` when it is no directory for a savepoint of this job, `Fenced` when another leader has taken the job
    /// over: nobody would delete what is left of it. Else what the file system says, naming the
    /// directory: nothing is there then, or what [`remove_abandoned`](Self::remove_abandoned) deletes.
    fn initialize_savepoint(&self, identity: &CheckpointIdentity, uri: &Uri) -> Result<InitializedSavepoint>;

    /// Deletes what was written of a savepoint that nobody goes on with, and sees to it that its `_metadata` cannot appear
    /// any more; one that has its `_metadata` stays. It can be taken up again after a crash at any step, and deletes nothing
    /// that is not that savepoint's.
    ///
    /// # Errors
    ///
    /// `Retry`, naming what could not be read or deleted. `Configuration` when its file system cannot be opened, `Corrupt`
    /// when it cannot be told whose it is: nothing is deleted then.
    fn remove_abandoned(&self, savepoint: &AbandonedSavepoint) -> Result<AbandonedOutcome>;

    /// The record of what is committed.
    fn head(&self) -> Arc<dyn HeadStore>;

    /// Reads the metadata of a snapshot that HEAD retains and checks it against what HEAD says.
    ///
    /// # Errors
    ///
    /// `NotFound` or `Corrupt`, naming the file. Never a step back to an older one.
    fn load(&self, snapshot: &RetainedSnapshot) -> Result<CheckpointMetadata>;

    /// Where the files of a snapshot lie whose metadata was [loaded](Self::load), for [verifying](CompletedLocation::verify) it.
    fn location_of(&self, snapshot: &RetainedSnapshot, metadata: Arc<CheckpointMetadata>) -> CompletedLocation;

    /// Deletes the files of a removed snapshot, in an order that can be taken up again after a crash at any step:
    /// the shared `files`, its own, its `_metadata`, its directory. Files we do not know stay, and with them the directory.
    ///
    /// # Errors
    ///
    /// `Retry`, naming the first that could not be deleted; the others were tried. `Corrupt` when it lies elsewhere, and another
    /// snapshot is there now.
    fn remove(&self, removed: &RemovedSnapshot, files: &RemovedFiles) -> Result<()>;

    /// Deletes shared files that no checkpoint has committed.
    ///
    /// # Errors
    ///
    /// As of [`remove`](Self::remove).
    fn remove_files(&self, files: &RemovedFiles) -> Result<()>;

    /// Takes this job's mark off a place that it had claimed and needs no more: `OWNER` beside a savepoint, or the entry in the
    /// HEAD of the job that handed the checkpoint over. Harmless when done before.
    ///
    /// # Errors
    ///
    /// `Retry` or `Unknown` when something could not be read or written; `Corrupt` when a mark or a HEAD is damaged.
    fn release_claim(&self, released: &ReleasedClaim) -> Result<()>;

    /// Deletes the shared files that writers have left which have ended, whether or not anybody has acknowledged them. Returns
    /// how many files it deleted.
    ///
    /// # Errors
    ///
    /// `Retry`, naming the first that could not be listed or deleted; the others were tried.
    fn collect_ended(&self, ended: &EndedWriters) -> Result<u64>;

    /// Deletes the files that the tasks of a job managed which has ended and needs them no more. Returns how many.
    ///
    /// # Errors
    ///
    /// `FailJob` when they are of another job. `Retry`, naming the first that could not be listed or deleted; the others were
    /// tried.
    fn remove_task_owned(&self, files: &TaskOwnedFiles) -> Result<u64>;

    /// Deletes what former leaders left and HEAD did not name when it was claimed: checkpoints that `claimed` neither
    /// retains nor lists as removed, and shared files that none of `retained` names. Returns how many files it deleted.
    /// `claimed` is HEAD as this leader's claim wrote it, and `retained` the metadata of everything that it retains.
    ///
    /// What has no name form of ours stays, and so does every file of this epoch and of higher ones.
    ///
    /// # Errors
    ///
    /// `FailJob` when the metadata of a retained checkpoint was not given: nothing is deleted then. `Retry`, naming the
    /// first that could not be deleted; the others were tried.
    fn collect_orphans(&self, claimed: &Head, retained: &[Arc<CheckpointMetadata>]) -> Result<u64>;
}

/// The place of a checkpoint or savepoint that is being taken.
pub trait Location: Send + Sync + Debug {
    /// What barriers carry to the workers.
    fn reference(&self) -> LocationReference;

    /// Publishes `_metadata`, whole and durable; never replaces one.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when it could not be written or another one is there, or when a savepoint's names state outside
    /// its directory; `Unknown` when it may be there.
    fn publish(&self, metadata: &CheckpointMetadata) -> Result<RetainedSnapshot>;

    /// Opens state that lies in it, verified: what a task wrote there for the coordinator.
    ///
    /// # Errors
    ///
    /// `NotFound` when the file is missing or the handle names another place, `Corrupt` when it is not what was written.
    fn open(&self, handle: &StateHandle) -> Result<Box<dyn StateInputStream>>;

    /// Deletes every file of our name form in it, its `_metadata`, and the directory if it is empty then. For a
    /// checkpoint that was aborted; its number is never used again.
    ///
    /// # Errors
    ///
    /// `Retry`, naming the first that could not be deleted. Nothing is deleted when HEAD cannot be read (its error), or
    /// retains this checkpoint (`FailJob`); nor when it is a savepoint that was published (`FailJob`): it is its user's.
    fn discard(&self) -> Result<()>;
}

/// What a worker sees. Any thread may call it. No name is given to two files, whichever of its streams wrote them.
pub trait WorkerView: Send + Sync + Debug {
    /// The streams of one checkpoint.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when the barrier is of another epoch, or names a place that is none, is damaged, or cannot be
    /// opened: the message says which.
    fn streams(&self, barrier: &CheckpointBarrier) -> Result<Arc<dyn StreamFactory>>;

    /// The streams of shared state that is uploaded before a checkpoint is known that names it. Nothing deletes it while the
    /// writer lives; what no checkpoint has named then goes.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when the place cannot be opened.
    fn shared_streams(&self) -> Result<Arc<dyn StreamFactory>>;

    /// The streams of state that belongs to no checkpoint and that only the tasks dispose of. What they stage is sealed by
    /// the same streams.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when the place cannot be opened.
    fn task_owned_streams(&self) -> Result<Arc<dyn StreamFactory>>;

    /// Copies state into what the tasks dispose of.
    fn task_owned_toolset(&self) -> Arc<dyn Toolset>;

    /// Whether state stays in the acknowledgement, whatever its size: then there is no file that a long one could be put
    /// into.
    fn keeps_state_in_acknowledgements(&self) -> bool;

    /// The budget to which streams charge what they collect, and tasks what they capture: that of the process.
    fn budget(&self) -> Arc<Budget>;

    /// Reads state of the snapshot `from`, whose claimed and borrowed roots lie at `places`.
    ///
    /// # Errors
    ///
    /// `Configuration` when a place cannot be opened.
    fn reader(&self, from: CheckpointId, places: &Places) -> Result<Arc<dyn StateReader>>;
}
