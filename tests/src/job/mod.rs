//! The engine around the operators: what an embedder of these crates writes.

mod aborts;
mod deployment;
mod entropy;
mod gateway;
mod graph;
mod job_file;
mod observer;
mod options;
mod progress;
mod running;
mod task_thread;

pub use job_file::{JobFile, JobRequest};
pub use observer::{JobObserver, NobodyWatches};
pub use options::{JobOptions, JobReport};
pub(crate) use progress::Progress;
pub use running::{RunningJob, state_of, storage_context};
