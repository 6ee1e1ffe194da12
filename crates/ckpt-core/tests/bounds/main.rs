//! Whatever bytes, their digests right: reading ends soon and in bounded memory, with a value or a typed error.
//!
//! A test binary of its own, since its allocator counts.

mod counts;
mod measure;
mod names;
mod numbers;
mod reading;
