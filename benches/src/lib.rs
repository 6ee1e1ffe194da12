//! Measuring ours against the plainest way to do the same work.
//!
//! Absolute numbers say more about the machine than about the code, and on a shared machine they change from minute to
//! minute. So each measurement is a comparison: ours and a baseline take turns in one process, the ratio is taken pair
//! by pair, and the clock is processor time, which a neighbour's load hardly touches.

mod flink_harness;
mod flink_loader;
mod flink_metadata;
mod measure;
mod process;

pub use flink_harness::{FlinkHarness, FlinkReport};
pub use flink_loader::{FlinkLoader, Load};
pub use flink_metadata::{FLINK_DIRECTORY, FLINK_HANDLES, FLINK_SUBTASKS, flink_metadata, write_flink_metadata};
pub use measure::{Bar, Bench, Work, processor_time_of, thread_time_of};
pub use process::{peak_memory_of, wall_time_of};
