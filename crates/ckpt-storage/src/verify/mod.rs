//! Whether a snapshot is whole: every file that its metadata names is there, and every byte of it is what was written.
//!
//! ```text
//! index ── which files are named, and for whom
//!   │
//! walk ── each of them is read by one of several threads; what is wrong is told as soon as it is known
//!   │
//! extra ── what else lies in the snapshot's own directory
//! ```
//!
//! Nothing is written, and no link is followed.

mod extra;
#[cfg(test)]
mod extra_test;
mod finding;
mod index;
mod options;
mod places;
mod report;
#[cfg(test)]
mod verify_test;
mod walk;

pub use finding::{Finding, FindingKind, StateOwner, StateRole};
pub use options::{Cancellation, VerifyDepth, VerifyOptions};
pub use report::{VerifyObserver, VerifyProgress, VerifyReport};

use std::sync::Arc;

use ckpt_core::Result;

use crate::completed::CompletedLocation;
use crate::context::StorageContext;
use index::FileIndex;
use places::Places;

impl CompletedLocation {
    /// Whether it is whole: reads every byte of every file that it names, and lists what else lies in its own directory; or,
    /// when [asked for](VerifyOptions::depth) no more, looks whether each file is there and has its length.
    /// What is found is told to `observer`, of each file once. That a file or a directory cannot be read is found, too.
    ///
    /// The calling thread reads, and so do jobs, as far as any are accepted. Besides the metadata, memory is needed for
    /// about 130 bytes for each piece of state that lies in a file, and for each file that is being read what
    /// [`VerifyOptions::files_at_once`] says, which is charged to the budget of the process.
    ///
    /// # Errors
    ///
    /// `Cancelled`, by the caller; `FailJob` when a job has panicked.
    pub fn verify(
        &self,
        context: &StorageContext,
        options: &VerifyOptions,
        observer: &mut dyn VerifyObserver,
    ) -> Result<VerifyReport> {
        let index = Arc::new(FileIndex::of(&self.metadata)?);
        let places = Places::of(self);
        let mut report = walk::walk(
            &self.metadata,
            (Arc::clone(&index), places.reader()),
            context,
            options,
            &mut places.observe(observer),
        )?;
        if options.depth == VerifyDepth::Digests {
            extra::find(self, &index, &mut report, observer);
        }
        Ok(report)
    }
}
