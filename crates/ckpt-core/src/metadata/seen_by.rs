//! Metadata of a snapshot that another job took, as the job sees it that begins from it.

use std::collections::BTreeMap;

use super::{CheckpointDescription, CheckpointMetadata, OperatorDescription, OperatorStatus};
use crate::error::{Error, ErrorKind, Result};
use crate::head::SnapshotRoot;
use crate::id::JobId;
use crate::snapshot::{CheckpointProperties, RetentionPolicy};
use crate::state::{Places, Root, StateHandle, SubtaskReport};

/// State lies below a root that the snapshot's new job does not know.
#[derive(Debug, thiserror::Error)]
#[error("state lies below {root}, expected a root that HEAD of job {job} has a name for")]
struct UnknownRoot {
    root: Root,
    job: JobId,
}

impl UnknownRoot {
    fn corrupt(self) -> Error {
        Error::new(ErrorKind::Corrupt, self)
    }
}

impl CheckpointMetadata {
    /// The same as `job` sees it, which begins from it: every root has the name that `roots` gives it, as
    /// [`Head::roots_of`](crate::head::Head::roots_of) does, and it is no savepoint of that job. It is never written.
    ///
    /// # Errors
    ///
    /// `Corrupt` when state lies below a root that is not among them.
    pub fn seen_by(&self, job: JobId, roots: &[SnapshotRoot]) -> Result<Self> {
        let names: BTreeMap<Root, Root> = roots.iter().map(|root| (root.named, root.here)).collect();
        let summary = self.summary();
        let properties = CheckpointProperties::checkpoint(RetentionPolicy::default());
        let mut description = CheckpointDescription::new(job, summary.identity, properties);
        description.places = Places::new(roots.iter().map(|root| (root.here, root.uri.clone())).collect())?;
        description.graph_digest = summary.graph_digest;
        description.master_states = self.master_states().clone();
        // It was kept where it was taken.
        description.inline_limit_bytes = u64::MAX;
        let rename = |root: Root| names.get(&root).copied().ok_or(UnknownRoot { root, job });
        let mut renamed = |handle: StateHandle| handle.try_below(rename);
        let mut builder = Self::builder(description)?;
        for operator in self.operators() {
            let known = operator.summary();
            let mut about = OperatorDescription::new(known.id, known.name, known.parallelism, known.max_parallelism);
            about.uid = known.uid.map(str::to_owned);
            about.descriptors = known.descriptors.iter().collect::<Result<_>>()?;
            if known.status == OperatorStatus::FullyFinished {
                builder.finished_operator(&about)?;
                continue;
            }
            let state = operator.coordinator_state()?.map(|state| renamed(state.to_handle()));
            about.coordinator_state = state.transpose().map_err(UnknownRoot::corrupt)?;
            let mut encoder = builder.operator(&about)?;
            for entry in operator.subtasks() {
                match entry? {
                    (subtask, SubtaskReport::State(state)) => {
                        let state = state.try_map_handles(&mut renamed).map_err(UnknownRoot::corrupt)?;
                        encoder.subtask(subtask, &state)?;
                    }
                    (subtask, SubtaskReport::Finished) => encoder.finished_subtask(subtask)?,
                }
            }
        }
        builder.finish(summary.completed_at)
    }
}
