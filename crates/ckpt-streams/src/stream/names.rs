//! Names of files that are never used twice.

use ckpt_core::id::{FileName, Writer};
use ckpt_core::{Error, ErrorKind, Result};

use crate::sync::{AtomicU32, Ordering};

/// The file names of one writer. All stream factories of the writer share one, so that no name is used twice.
#[derive(Debug)]
pub struct FileNames {
    writer: Writer,
    next: AtomicU32,
}

impl FileNames {
    /// The names of that writer, from its first.
    pub fn new(writer: Writer) -> Self {
        Self { writer, next: AtomicU32::new(0) }
    }

    /// The writer.
    pub const fn writer(&self) -> Writer {
        self.writer
    }

    /// A name that nobody else gets.
    ///
    /// # Errors
    ///
    /// `FailJob` when the writer has used up its 2^32 − 1 names: the task is deployed anew under another writer.
    pub fn next(&self) -> Result<FileName> {
        // Only the number itself is shared, so no order with other memory is needed. The last number is never given
        // out: reaching it must not begin again at zero.
        self.next
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |number| number.checked_add(1))
            .map(|number| self.writer.file(number))
            .map_err(|_| Error::new(ErrorKind::FailJob, format!("writer {} has no file names left", self.writer.id)))
    }
}
