//! Checkpoints whose state travels inside the acknowledgements and the metadata.

mod description;
#[cfg(test)]
mod memory_test;
mod toolset;
mod worker;

pub use description::MemoryStorage;
