//! Marks beside a snapshot: small files, created and never replaced, that say what HEAD cannot, since the snapshot is in
//! no HEAD of its own.
//!
//! | file | type | says |
//! |---|---|---|
//! | [`OWNER`](OwnerRecord::FILE_NAME) | [`OwnerRecord`] | a job has claimed the savepoint; no other may |
//! | [`_savepoint`](SavepointMark::FILE_NAME) | [`SavepointMark`] | the directory is that savepoint's, and nobody else's |
//! | [`_disposing`](DisposalMark::FILE_NAME) | [`DisposalMark`] | the snapshot is being deleted; nobody may begin from it |
//!
//! Storage creates and reads the files; here are their bytes.
//!
//! Whoever creates one and finds it there reads it: if it says the same, an earlier try of this very write was
//! answered late, and it holds; otherwise somebody else was first.

mod disposal;
mod owner;
mod savepoint;

pub use disposal::DisposalMark;
pub use owner::OwnerRecord;
pub use savepoint::SavepointMark;

/// The most bytes of a mark: whoever reads one asks for no more.
pub const MAX_BYTES: usize = 4096;
