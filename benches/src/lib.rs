//! Measuring ours against the plainest way to do the same work.
//!
//! Absolute numbers say more about the machine than about the code, and on a shared machine they change from minute to
//! minute. So each measurement is a comparison: ours and a baseline take turns in one process, the ratio is taken pair
//! by pair, and the clock is processor time, which a neighbour's load hardly touches.

mod flink_loader;
mod measure;

pub use flink_loader::{FlinkLoader, Load};
pub use measure::{Bar, Bench, Work, processor_time_of, thread_time_of};
