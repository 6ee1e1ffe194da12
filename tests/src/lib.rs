//! The pipeline harness: a word count that survives `kill -9`, as an engine that embeds the crates.
//!
//! In reading order:
//!
//! * [`text`]: what is read; splits, positions, words;
//! * `exchange`: bounded channels between tasks, with barriers in band;
//! * `operators`: a replayable source, a count by key, a transactional sink, each with its state;
//! * [`job`]: the engine: claims the job, plans the restore, deploys tasks, runs the driver, ends the job;
//! * [`check`]: whether output is what a plain count says;
//! * [`wordcount`]: the main job: a parent process that kills its pipeline at seeded moments until it ends.
//!
//! Nothing in the pipeline knows of faults: they come from outside, by signals and damaged files.

pub mod check;
pub mod job;
pub mod text;
pub mod wordcount;

mod error;
mod exchange;
mod operators;

/// The code of the README is compiled and run as it stands there.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
