//! `ckpt ls`: the jobs, checkpoints and savepoints below a directory.

mod head;
mod listing;
mod print;
mod scan;

pub(crate) use head::{checkpoint_directory, named, read as read_head};
pub(crate) use listing::gather;
pub(crate) use scan::{FoundJob, FoundSnapshot, Scan, number_of};
