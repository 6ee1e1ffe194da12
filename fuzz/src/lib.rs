//! What fuzz targets have in common.
//!
//! A digest stops a fuzzer at the door: no mutated file has the right one. So a target gives the decoder the bytes as they
//! are, and then sealed: in a file or frame whose lengths and digests are right.

mod bounded;
mod changes;
mod conversion;
#[path = "../../crates/ckpt-flink/tests/convert/erase.rs"]
mod erase;
pub mod input;
#[path = "../../crates/ckpt-flink/tests/convert/round_trip.rs"]
mod round_trip;
pub mod target;

pub use bounded::{bounded, bounded_by};
