//! `ckpt verify`: whether everything that snapshots name is there, and is what was written.
//!
//! ```text
//! targets ── which snapshots; heads: what HEAD says of them; records: its versions; jobs: what HEAD does not name
//!    │
//!    ├── ours: ckpt-storage verifies; maps say where its roots are
//!    │
//! references ── which files each of Flink's names, and for whom
//!    │
//! maps, moves, copies ── where they must be
//!    │
//! flink ── what is there: lengths, since there are no digests
//! ```

mod copies;
mod directories;
mod flink;
mod heads;
mod jobs;
mod maps;
mod moves;
#[cfg(test)]
mod moves_test;
mod ours;
mod print;
mod records;
mod references;
mod targets;
mod verdict;

pub(crate) use targets::gather;
