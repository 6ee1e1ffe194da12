//! Whatever a file says, reading it takes memory in proportion to the bytes that are there; and state that is passed over
//! takes none.
//!
//! A test binary of its own, since its allocator counts.

mod hostile;
mod large;
mod measure;
