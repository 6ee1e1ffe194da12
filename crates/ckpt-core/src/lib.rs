//! What a checkpoint is: its types, its rules and its bytes. Nothing here does I/O, starts a thread or reads a clock.
//!
//! In reading order:
//!
//! * [`id`]: jobs, tasks, checkpoints, leaders, writers and the names of files;
//! * [`snapshot`]: which checkpoint, how it is taken, what was measured, and the barrier;
//! * [`state`]: what a snapshot consists of and where its bytes lie;
//! * [`key_group`], [`graph`]: how keyed state is divided, and the job;
//! * [`descriptor`]: whether stored state can be read by the job that is restored from it;
//! * [`config`]: the settings of checkpointing;
//! * [`message`]: what coordinator and tasks say to each other;
//! * [`metadata`], [`head`]: a completed checkpoint, and the record of which are committed;
//! * [`mark`]: what stands beside a snapshot that no HEAD of its own names;
//! * [`state_file`]: the bytes of a file that holds state;
//! * [`shared`]: which files that several checkpoints may name are alive.

pub mod config;
pub mod descriptor;
pub mod graph;
pub mod head;
pub mod id;
pub mod key_group;
pub mod mark;
pub mod message;
pub mod metadata;
pub mod shared;
pub mod snapshot;
pub mod state;
pub mod state_file;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

mod digest;
mod error;
mod time;
mod wire;

pub use digest::{Digest, DigestAlgorithm, Digester};
pub use error::{Error, ErrorKind, Result};
pub use time::{Monotonic, Now, Timestamp};
