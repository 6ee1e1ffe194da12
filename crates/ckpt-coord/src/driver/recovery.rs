//! How a job that is taken over is recovered.

use std::fmt;

use ckpt_core::head::{Head, RetainedSnapshot};
use ckpt_core::id::CheckpointId;
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_storage::verify::{Finding, FindingKind, VerifyDepth, VerifyObserver, VerifyOptions};
use ckpt_storage::{CoordinatorView, StorageContext};
use ckpt_streams::StateFlaw;
use std::sync::Arc;

/// How a job that is taken over is recovered. What is restored is always the newest snapshot that HEAD names, or nothing.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct RecoveryOptions {
    /// What is looked at before a task is deployed.
    pub verification: RecoveryVerification,
    /// Whether an older snapshot is restored than the newest.
    pub going_back: Option<GoingBack>,
}

/// What is looked at of the snapshot that is to be restored before a task is deployed. Tasks verify what they read in any
/// case; what is found here is found before the job is half restored, and of all tasks at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecoveryVerification {
    /// Its metadata, every byte of it.
    MetadataOnly,
    /// Also whether every file is there that it names, and as long as it must be.
    #[default]
    Lengths,
    /// Also every byte of every file, which takes as long as a restore.
    Digests,
}

/// The decision to restore an older snapshot, though sinks may have committed what only the newer one knows of. It names both,
/// so that it is about this one case: HEAD records it, and who starts the job once more with the same decision goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct GoingBack {
    /// The newest snapshot, which would be restored otherwise. It is set aside, and not deleted.
    pub from: CheckpointId,
    /// What is restored.
    pub to: CheckpointId,
}

/// The newest snapshot cannot be restored, and nothing older is taken unasked; or an older one that is retained beside it
/// cannot be read, so that it is not known which files it needs and nothing could be deleted. It is what the error of a
/// claim [is](Error::downcast_ref) then.
#[derive(Debug)]
#[non_exhaustive]
pub struct RecoveryRefused {
    /// The snapshot.
    pub snapshot: CheckpointId,
    /// The pointer by which users name it.
    pub pointer: String,
    /// What is wrong with it.
    pub flaws: RecoveryFlaws,
    /// What would be restored, if that is another one.
    pub restores: Option<CheckpointId>,
    /// Older snapshots to which the job may [go back](GoingBack), oldest first; they were not verified.
    pub older: Vec<CheckpointId>,
}

/// What is wrong with a snapshot that cannot be restored.
#[derive(Debug)]
#[non_exhaustive]
pub enum RecoveryFlaws {
    /// Its metadata is not there, or not what was written.
    Metadata(Error),
    /// Files that it names.
    #[non_exhaustive]
    Files {
        /// The first of them, each with all of its owners.
        first: Vec<Finding>,
        /// How many there are.
        flawed: u64,
        /// How many files it names.
        files: u64,
    },
}

/// Keeps the first findings.
struct First(Vec<Finding>);

impl RecoveryOptions {
    /// Looks at that much.
    #[must_use]
    pub const fn with_verification(self, verification: RecoveryVerification) -> Self {
        Self { verification, ..self }
    }

    /// Restores an older snapshot.
    #[must_use]
    pub const fn with_going_back(self, going_back: GoingBack) -> Self {
        Self { going_back: Some(going_back), ..self }
    }

    /// Verifies what is to be restored.
    ///
    /// # Errors
    ///
    /// [`RecoveryRefused`], as `Retry` when all that is wrong is that files could not be read, else as `Corrupt`.
    pub(super) fn verify(
        &self,
        view: &dyn CoordinatorView,
        head: &Head,
        metadata: &Arc<CheckpointMetadata>,
        context: &StorageContext,
    ) -> Result<()> {
        let depth = match self.verification {
            RecoveryVerification::MetadataOnly => return Ok(()),
            RecoveryVerification::Lengths => VerifyDepth::Lengths,
            RecoveryVerification::Digests => VerifyDepth::Digests,
        };
        let Some(newest) = head.restore_point() else { return Ok(()) };
        let mut found = First(Vec::new());
        let location = view.location_of(newest, Arc::clone(metadata));
        let report = location.verify(context, &VerifyOptions::default().with_depth(depth), &mut found)?;
        if report.is_whole() {
            return Ok(());
        }
        let First(first) = found;
        let unreadable = |finding: &Finding| finding.kind == FindingKind::State(StateFlaw::Unreadable);
        // Not all are kept, but what is unreadable is so mostly for one reason.
        let kind = if first.iter().all(unreadable) { ErrorKind::Retry } else { ErrorKind::Corrupt };
        let flaws = RecoveryFlaws::Files { first, flawed: report.flawed, files: report.files };
        Err(Error::new(kind, RecoveryRefused::of(view, head, newest, flaws)))
    }
}

impl GoingBack {
    /// The decision to restore that one instead of that one.
    pub const fn new(from: CheckpointId, to: CheckpointId) -> Self {
        Self { from, to }
    }
}

impl RecoveryRefused {
    /// How many findings are kept.
    const MOST_FINDINGS: usize = 20;

    /// How many are told in words.
    const MOST_TOLD: usize = 3;

    /// What went wrong when the metadata of a snapshot was loaded. That it could not be read may pass, and is no refusal.
    pub(super) fn of_metadata(view: &dyn CoordinatorView, head: &Head, of: &RetainedSnapshot, error: Error) -> Error {
        match error.kind() {
            kind @ (ErrorKind::Corrupt | ErrorKind::NotFound) => {
                Error::new(kind, Self::of(view, head, of, RecoveryFlaws::Metadata(error)))
            }
            _ => error,
        }
    }

    fn of(view: &dyn CoordinatorView, head: &Head, of: &RetainedSnapshot, flaws: RecoveryFlaws) -> Self {
        let restores = head.restore_point().map(|newest| newest.id).filter(|newest| *newest != of.id);
        let older = head.retained.iter().map(|retained| retained.id).filter(|id| restores.is_none() && *id < of.id);
        Self { snapshot: of.id, pointer: view.pointer(of), flaws, restores, older: older.collect() }
    }
}

impl VerifyObserver for First {
    fn found(&mut self, finding: Finding) {
        if self.0.len() < RecoveryRefused::MOST_FINDINGS && matches!(finding.kind, FindingKind::State(_)) {
            self.0.push(finding);
        }
    }
}

impl fmt::Display for RecoveryRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { snapshot, pointer, flaws, restores, older } = self;
        if let Some(restores) = restores {
            return write!(
                f,
                "snapshot {snapshot} at '{pointer}' is retained, and its metadata is missing or damaged: it is not known which \
                 files it needs; bring it back, or begin a new job from snapshot {restores}, which this job would restore"
            );
        }
        write!(f, "snapshot {snapshot} at '{pointer}' cannot be restored: ")?;
        match flaws {
            RecoveryFlaws::Metadata(_) => f.write_str("its metadata is missing or damaged")?,
            RecoveryFlaws::Files { first, flawed, files } => {
                write!(f, "{flawed} of its {files} files are not as they were written: ")?;
                let told = first.len().min(Self::MOST_TOLD);
                for (at, finding) in first[..told].iter().enumerate() {
                    write!(f, "{}{finding}", if at == 0 { "" } else { "; " })?;
                }
                match flawed.saturating_sub(told as u64) {
                    0 => {}
                    more => write!(f, "; and {more} more")?,
                }
            }
        }
        f.write_str("; nothing older is taken unasked: ")?;
        match older.last() {
            Some(newest) => {
                write!(f, "bring it back, or go back from {snapshot} to {newest}")?;
                match older.len() - 1 {
                    0 => Ok(()),
                    more => write!(f, " or one of {more} before"),
                }
            }
            None => f.write_str("bring it back, or begin a new job from another snapshot"),
        }
    }
}

impl std::error::Error for RecoveryRefused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.flaws {
            RecoveryFlaws::Metadata(error) => Some(error),
            RecoveryFlaws::Files { .. } => None,
        }
    }
}
