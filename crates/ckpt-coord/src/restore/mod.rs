//! Who begins with which state.
//!
//! ```text
//!   snapshot:  operator ─ old subtask ─ keyed state, operator state        graph: vertex ─ parallelism
//!                              │                                                 │
//!                              └───────────────▶ plan ◀──────────────────────────┘
//!                                                 │
//!            same parallelism: the state of the old subtask as it is
//!            another one:      keyed state    to every new subtask with whose key groups it overlaps
//!                              Split          each partition to one, evenly
//!                              Union          all to all        (at the same parallelism too)
//!                              Broadcast      that of one old subtask to each
//! ```
//!
//! Handles are handed out whole, often to several tasks. Which part of them counts is said beside them: the key groups by
//! [`OperatorRestore`](ckpt_core::state::OperatorRestore), the partitions by the ranges that are left in
//! [`OperatorState`](ckpt_core::state::OperatorState). Pure: nothing is read.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod error;
mod plan;
mod redistribute;

pub use plan::plan;
