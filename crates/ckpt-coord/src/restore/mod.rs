//! Who begins with which state.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod plan;

pub use plan::plan;
