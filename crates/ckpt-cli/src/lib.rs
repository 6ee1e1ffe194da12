//! The `ckpt` command: looks into checkpoints and savepoints, ours and Flink's, verifies them, and removes ours. Nothing is
//! modified but by `rm` and `gc`, and by those only with `--yes`.
//!
//! ```text
//! args ── run ── show, ls, verify, dump     gather: from files to a value
//!                rm, gc                     the same, and change them by ckpt-storage
//!                         │
//!                      report               print: that value as tables or as JSON
//! ```

mod args;
mod dump;
mod error;
mod flink;
mod gc;
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
mod rm;
mod run;
mod show;
mod snapshot;
mod table;
mod text;
mod threads;
mod upkeep;
mod verify;

pub use run::main;
