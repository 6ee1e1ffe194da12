//! `ckpt verify`: whether everything that snapshots name is there, and is what was written.
//!
//! ```text
//! targets ── which snapshots; heads: what HEAD says of them
//!    │
//! references ── which files each of them names, and for whom
//!    │
//! maps, moves, copies ── where they must be
//!    │
//! flink, ours ── what is there: lengths, and digests where there are any
//! ```

mod copies;
mod directories;
mod flink;
mod heads;
mod maps;
mod moves;
#[cfg(test)]
mod moves_test;
mod ours;
mod print;
mod references;
mod targets;
mod verdict;

pub(crate) use targets::gather;
