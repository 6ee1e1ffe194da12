//! `ckpt verify`: whether everything that snapshots name is there, and is what was written.
//!
//! ```text
//! targets ── which snapshots, and what HEAD says of them
//!    │
//! references ── which files each of them names, and for whom
//!    │
//! flink, ours ── what is there: lengths, and digests where there are any
//! ```

mod flink;
mod ours;
mod print;
mod references;
mod targets;
mod verdict;

pub(crate) use targets::gather;
