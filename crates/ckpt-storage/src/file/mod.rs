//! Checkpoints in a directory of a file system.

mod bulk;
mod collect;
mod coordinator;
mod description;
mod directory;
mod job_directory;
mod jobs;
mod location;
mod metadata;
mod not_a_snapshot;
mod pointer;
mod publish;
mod resolve;
mod savepoint_directory;
mod savepoint_location;
mod savepoints;
mod toolset;
mod words;
mod worker;

pub(crate) use coordinator::{FileCoordinatorView, HighAvailability};
pub use description::FileSystemStorage;
pub(crate) use directory::Directory;
pub(crate) use job_directory::JobDirectory;
pub use jobs::jobs_in;
pub(crate) use metadata::MetadataFile;
pub(crate) use pointer::Pointed;
pub(crate) use resolve::{resolve, roots_beside, snapshot_at, summarize};
pub(crate) use savepoints::{SavepointReference, Savepoints};

#[cfg(test)]
mod ended_test;
#[cfg(test)]
mod file_systems_test;
#[cfg(test)]
mod leaders_test;
#[cfg(test)]
mod local_test;
#[cfg(test)]
mod metadata_test;
#[cfg(test)]
mod pointer_test;
#[cfg(test)]
mod publish_calls_test;
#[cfg(test)]
mod regressions_test;
#[cfg(test)]
mod resolve_test;
#[cfg(test)]
mod savepoint_fenced_test;
#[cfg(test)]
mod savepoint_test;
#[cfg(test)]
mod storage_test;
#[cfg(test)]
mod summarize_test;
#[cfg(test)]
mod sweep_test;
#[cfg(test)]
mod worker_test;
