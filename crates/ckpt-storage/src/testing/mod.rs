//! The contract that every storage keeps, as checks that an embedder runs over a storage of its own.

mod contract;
pub(crate) mod sample;
mod savepoints;
mod workers;

pub use contract::{StorageUnderTest, check_storage};
