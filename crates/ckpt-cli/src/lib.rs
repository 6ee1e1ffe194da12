//! The `ckpt` command: looks into checkpoints and savepoints, ours and Flink's, and verifies them. Nothing is ever
//! modified.
//!
//! ```text
//! args ── run ── show, ls, verify, dump     gather: from files to a value
//!                         │
//!                      report               print: that value as tables or as JSON
//! ```

mod args;
mod dump;
mod error;
mod flink;
mod help;
mod json;
mod ls;
mod manual;
mod map_root;
mod marks;
mod metadata_file;
mod oddity;
mod place;
mod report;
mod run;
mod show;
mod snapshot;
mod table;
mod text;
mod verify;

pub use run::main;
