//! What fuzz targets have in common.
//!
//! A digest stops a fuzzer at the door: no mutated file has the right one. So a target gives the decoder the bytes as they
//! are, and then sealed: in a file or frame whose lengths and digests are right.

mod bounded;
mod changes;
pub mod input;
pub mod target;

pub use bounded::{bounded, bounded_by};
