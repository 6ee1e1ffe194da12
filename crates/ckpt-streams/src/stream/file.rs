//! State that goes into files.

use std::sync::Arc as StdArc;

use ckpt_core::id::FileName;
use ckpt_core::state::{Place, RelPath, StateHandle, TaskSnapshot};
use ckpt_core::{Error, Result};

use crate::file_system::{CasOutcome, Durability};
use crate::read::{StateFile, Verification};
use crate::spawn::Spawn;
use crate::stream::copies;
use crate::stream::descriptors::StagedDescriptors;
use crate::stream::error::StreamError;
use crate::stream::file_stream::{CHECK_EVERY_BYTES, FileStream};
use crate::stream::lanes::Lanes;
use crate::stream::names::FileNames;
use crate::stream::removal::Removal;
use crate::stream::seal::seal;
use crate::stream::staged::{Staged, StagedFile};
use crate::stream::unsealed::{FileAt, Taken, Unsealed};
use crate::stream::{StateOutputStream, StateScope, StreamFactory};
use crate::sync::Arc;
use crate::{Budget, BudgetAccount, Pending, StateDirectory};

/// Streams into state files, for one checkpoint of one writer. Small state stays in its handle and makes no file.
///
/// Any number of threads may use it at once. Nothing that was not sealed outlives a cancellation, an error, or the
/// stream or [`Staged`] that it belongs to.
#[derive(Debug)]
pub struct FileStreams {
    inner: Lanes<FileStreamsInner>,
}

/// Where the files of a [`FileStreams`] go and how they are named.
// The standard `Arc`s: trait objects, and what is shared with other factories.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileStreamsTarget {
    /// For [`StateScope::Exclusive`].
    pub exclusive: StateDirectory,
    /// For [`StateScope::Shared`].
    pub shared: StateDirectory,
    /// Names files.
    pub names: StdArc<FileNames>,
    /// Syncs and removes files side by side. It may refuse: then the thread that seals syncs, and what is cancelled is
    /// removed by a thread started for it; only where none can be started, by the one that cancels, which waits for it.
    pub spawn: StdArc<dyn Spawn>,
    /// What streams collect on its way into files is charged to it; state that stays in its handle is not. One of its own
    /// unless [`with_budget`](Self::with_budget) gives that of the process.
    pub budget: StdArc<Budget>,
    /// Bounds the descriptors of what is finished and not sealed. One of its own unless
    /// [`with_descriptors`](Self::with_descriptors) gives that of the process.
    pub descriptors: StdArc<StagedDescriptors>,
}

/// How a [`FileStreams`] writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileStreamsOptions {
    /// State of at most that many bytes stays in its handle. It is not charged to the budget, and handles travel in messages:
    /// Flink allows 1 MiB.
    pub inline_threshold_bytes: usize,
    /// Smaller writes are collected until there are that many bytes; at most 1 MiB. Where the budget has no room for it,
    /// fewer.
    pub write_buffer_bytes: usize,
    /// What a crash may take of state that was sealed.
    pub durability: Durability,
}

/// What went past the streams that were made: see [`FileStreams::counts`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamCounts {
    /// Streams with a file that were dropped without `finish` or `abort`.
    pub dropped: u64,
    /// Files that could not be removed. They are collected by the next leader.
    pub left_behind: u64,
}

/// What a factory and its streams share.
#[derive(Debug)]
pub(crate) struct FileStreamsInner {
    exclusive: StateDirectory,
    shared: StateDirectory,
    pub(crate) spawn: StdArc<dyn Spawn>,
    pub(crate) budget: BudgetAccount,
    pub(crate) names: StdArc<FileNames>,
    pub(crate) options: FileStreamsOptions,
    pub(crate) unsealed: Arc<Unsealed>,
}

impl FileStreams {
    /// Streams there.
    pub fn new(target: FileStreamsTarget, mut options: FileStreamsOptions) -> Self {
        options.write_buffer_bytes = options.write_buffer_bytes.clamp(1, CHECK_EVERY_BYTES);
        let FileStreamsTarget { exclusive, shared, names, spawn, budget, descriptors } = target;
        let unsealed = Arc::new(Unsealed::new(descriptors));
        let inner = FileStreamsInner { exclusive, shared, spawn, budget: budget.account(), names, options, unsealed };
        Self { inner: Lanes::new(Arc::new(inner)) }
    }

    /// Begins a stream into the file of that name, which is made now whatever will be written: a local copy, whose path is
    /// known from the first and whose disk shows at once if it is broken (Flink's `FileBasedStateOutputStream`).
    ///
    /// The caller never gives a name twice; [`FileNames`] has such. A stream into which nothing was written is no state, and
    /// its file goes.
    ///
    /// # Errors
    ///
    /// `Cancelled` after a cancellation, `AbortCheckpoint` when the file cannot be made or is there already.
    pub fn create_at(&self, scope: StateScope, name: FileName) -> Result<Box<dyn StateOutputStream>> {
        Ok(Box::new(FileStream::into_file(self.inner.lease(), scope, name)?))
    }

    /// What went past it.
    pub fn counts(&self) -> StreamCounts {
        StreamCounts { dropped: self.inner.unsealed.dropped(), left_behind: self.inner.unsealed.left_behind() }
    }
}

impl FileStreamsInner {
    /// Copies one file of ours. The bytes of a state file do not hold its name, so they are the same; the handle is not.
    pub(crate) fn duplicate_one(&self, from: &StateHandle, to: &StateDirectory) -> Result<Staged> {
        let refuse = || -> Error {
            let expected = format!("{:?} and {:?}", self.exclusive.root, self.shared.root);
            StreamError::CannotDuplicate { place: format!("{:?}", from.place()), expected }.into()
        };
        let (root, file) = match from.place() {
            Place::Inline(bytes) => {
                crate::read::verify_inline(from, bytes, Verification::Always)?;
                return Ok(Staged::inline(bytes.clone()));
            }
            Place::File { root, file } => (root, file),
            _ => return Err(refuse()),
        };
        let directories = [&self.exclusive, &self.shared];
        let source = directories.into_iter().find(|directory| directory.root == *root).ok_or_else(refuse)?;
        if !StdArc::ptr_eq(&source.file_system, &to.file_system) {
            return Err(refuse());
        }
        let digests = StateFile::open(source, file, from, Verification::Always)?.into_digests().ok_or_else(refuse)?;
        let name = self.names.next()?;
        let path = to.path_of(&RelPath::from(&name));
        let from_path = source.path_of(&RelPath::new(file.to_string())?);
        let unsealed = &self.unsealed;
        let at = FileAt { file_system: StdArc::clone(&to.file_system), path };
        let durability = self.options.durability;
        let (key, doubt) =
            unsealed.make(at.clone(), |at| match to.file_system.duplicate(&from_path, &at.path, durability) {
                CasOutcome::Done(_) => Ok(None),
                CasOutcome::Unknown(error) => Ok(Some(error)),
                CasOutcome::Lost => Err(StreamError::NameTaken { path: at.path.to_string() }.into()),
                CasOutcome::Failed(error) => Err(error),
            })?;
        let kept = match doubt {
            // The copy is synced already, if at all, as a file that is synced early is.
            None => unsealed.synced_early(key, Ok(())).map_err(Error::from),
            Some(error) => {
                Err(StreamError::CopyInDoubt { path: at.path.to_string(), reason: error.to_string() }.into())
            }
        };
        if let Err(error) = kept {
            // Counted when it fails.
            let _ = unsealed.remove(Taken { key, at, writer: None });
            return Err(error);
        }
        let length_bytes = from.length_bytes();
        let digest = digests.handle_digest(&name, length_bytes);
        let unsealed = Arc::clone(unsealed);
        Ok(Staged::file(StagedFile { unsealed, key, root: to.root, name, length_bytes, digest }))
    }

    pub(crate) const fn directory(&self, scope: StateScope) -> &StateDirectory {
        match scope {
            StateScope::Exclusive => &self.exclusive,
            StateScope::Shared => &self.shared,
        }
    }
}

impl StreamFactory for FileStreams {
    fn create(&self, scope: StateScope) -> Result<Box<dyn StateOutputStream>> {
        if self.inner.unsealed.is_cancelled() {
            return Err(StreamError::Cancelled.into());
        }
        Ok(Box::new(FileStream::new(self.inner.lease(), scope)))
    }

    fn seal(&self, snapshot: TaskSnapshot<Staged>) -> Result<TaskSnapshot<StateHandle>> {
        seal(&self.inner.unsealed, &*self.inner.spawn, self.inner.options.durability, snapshot)
    }

    fn duplicate(&self, from: &[StateHandle], scope: StateScope) -> Result<Vec<Staged>> {
        copies::duplicate(self.inner.lease(), from, scope)
    }

    fn cancel(&self) -> Pending<()> {
        let (pending, files) = self.inner.unsealed.cancel();
        self.inner.budget.cancel();
        if !files.is_empty() {
            Removal::new(Arc::clone(&self.inner.unsealed), files).begin(&*self.inner.spawn);
        }
        pending
    }
}

impl FileStreamsTarget {
    /// Both directories, the writer's names and where blocking work runs.
    pub fn new(
        exclusive: StateDirectory,
        shared: StateDirectory,
        names: StdArc<FileNames>,
        spawn: StdArc<dyn Spawn>,
    ) -> Self {
        let (budget, descriptors) = (StdArc::new(Budget::default()), StdArc::new(StagedDescriptors::default()));
        Self { exclusive, shared, names, spawn, budget, descriptors }
    }

    /// Charges what is collected to that budget, of which there is one in a process.
    #[must_use]
    pub fn with_budget(mut self, budget: StdArc<Budget>) -> Self {
        self.budget = budget;
        self
    }

    /// Counts descriptors in that, of which there is one in a process.
    #[must_use]
    pub fn with_descriptors(mut self, descriptors: StdArc<StagedDescriptors>) -> Self {
        self.descriptors = descriptors;
        self
    }
}

impl Default for FileStreamsOptions {
    /// 20 KiB in the handle, 64 KiB of buffer, fully durable.
    fn default() -> Self {
        Self { inline_threshold_bytes: 20 * 1024, write_buffer_bytes: 64 * 1024, durability: Durability::Full }
    }
}
