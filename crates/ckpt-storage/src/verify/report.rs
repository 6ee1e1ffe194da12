//! What a verification came to.

use std::collections::BTreeMap;

use ckpt_core::state::Root;

use super::finding::Finding;

/// What a verification came to. What it found was told to its [observer](VerifyObserver) one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifyReport {
    /// Files that the snapshot names; each once, however often it is named.
    pub files: u64,
    /// Pieces of state that lie in the metadata itself, which was verified as a whole.
    pub inline: u64,
    /// Files that are what was written, by a digest of every byte.
    pub with_digest: u64,
    /// Files that have the right length: those of others of which no digest is known, or all when only lengths were
    /// [asked for](super::VerifyOptions::depth).
    pub without_digest: u64,
    /// How many of both lie below each root.
    pub whole: BTreeMap<Root, u64>,
    /// Files that are not what was written.
    pub flawed: u64,
    /// Files, and other things, in the snapshot's own directory that it does not name.
    pub extra: u64,
    /// Marks beside the snapshot that cannot be read.
    pub unreadable_marks: u64,
    /// Directories that could not be listed, so that it is not known what is extra in them.
    pub not_listed: u64,
    /// Bytes of state that were read.
    pub read_bytes: u64,
}

/// Is told of a verification while it runs, by the thread that called it.
pub trait VerifyObserver {
    /// Something was found. Files that are wrong are told in no particular order.
    fn found(&mut self, finding: Finding);

    /// A piece was read or a file is done.
    fn progress(&mut self, progress: VerifyProgress) {
        let _ = progress;
    }
}

/// How far a verification has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifyProgress {
    /// Files that are done.
    pub files: u64,
    /// Files in all.
    pub all_files: u64,
    /// Bytes of state that were read.
    pub read_bytes: u64,
    /// Bytes of state in all.
    pub all_bytes: u64,
}

impl VerifyReport {
    /// Whether all that the snapshot names is there and is what was written, as far as there is proof. What is extra does not
    /// count.
    pub const fn is_whole(&self) -> bool {
        self.flawed == 0
    }
}

/// Keeps all of it.
impl VerifyObserver for Vec<Finding> {
    fn found(&mut self, finding: Finding) {
        self.push(finding);
    }
}
