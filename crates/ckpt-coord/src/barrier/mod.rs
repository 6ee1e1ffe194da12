//! Barriers of several inputs, brought together so that what is captured is one cut through all of them.
//!
//! ```text
//!   input 0  …records… ▌B5  │ records of after B5 wait: Block 0
//!   input 1  …records… … …  │ records go on until B5 comes ──▶ Snapshot B5, UnblockAll
//!   input 2  …records… ▌B5  │ records of after B5 wait: Block 2
//!
//!   idle ── first barrier ──▶ aligning ── last barrier, or the input ended ──▶ Snapshot, idle
//!                             aligning ── cancelled ─────────────────────────▶ Abort, Forward(Cancel), idle
//!                             aligning ── barrier of a newer checkpoint ──────▶ Abort, Forward(Cancel), aligning the newer
//! ```
//!
//! At most one checkpoint is aligned at a time, and what has been answered once, by a snapshot or an abort, is answered:
//! its late barriers and cancellations mean nothing. So a few words remember everything, however many inputs there are.
//!
//! Pure: time comes with every event, nothing is done here. The embedder carries the actions out, in their order, before
//! it takes anything more from an input.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod action;
mod aligner;
mod event;

#[cfg(test)]
mod model_test;

pub use action::BarrierAction;
pub use aligner::BarrierAligner;
pub use event::BarrierEvent;
