//! Writing a local file.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ckpt_core::state::RelPath;
use ckpt_core::{Error, ErrorKind, Result};
use rustix::io::{Errno, retry_on_intr};

use crate::file_system::local::beneath::Beneath;
use crate::file_system::local::error::LocalError;
use crate::file_system::local::system::{Descriptor, Identity, Kind};
use crate::file_system::{CasOutcome, Durability, FileWriter, VersionTag, Visible};

/// A local file that is being written. Its descriptor is the one that is synced: an error of an earlier write-back is
/// reported to that one. Closing is looked at as well: some file systems send the bytes no earlier.
#[derive(Debug)]
pub(super) struct LocalWriter {
    beneath: Arc<Beneath>,
    path: RelPath,
    /// The name it has until it is finished; the final one for `None`.
    temporary: Option<RelPath>,
    /// `None` once it is finished or discarded.
    file: Option<Box<dyn Descriptor>>,
    dead: bool,
    /// Whether it is being written back.
    is_begun: bool,
}

impl LocalWriter {
    pub(super) fn create(beneath: Arc<Beneath>, path: &RelPath, visible: Visible) -> Result<Self, LocalError> {
        let mut attempts = 0;
        loop {
            let temporary =
                match visible {
                    Visible::AtOnce => None,
                    Visible::WholeAtFinish => {
                        check_name(&beneath, path, TEMPORARY_ADDS_BYTES)?;
                        Some(temporary_name(path).map_err(|error| {
                            LocalError::io("name", beneath.shown(Some(path)), io::Error::other(error))
                        })?)
                    }
                };
            match beneath.create_file(temporary.as_ref().unwrap_or(path)) {
                Ok(file) => {
                    return Ok(Self {
                        beneath,
                        path: path.clone(),
                        temporary,
                        file: Some(file),
                        dead: false,
                        is_begun: false,
                    });
                }
                Err(Errno::EXIST) if temporary.is_none() => {
                    return Err(LocalError::Exists { path: beneath.shown(Some(path)) });
                }
                // Another process of this number, on another machine or before a restart, left that name.
                Err(Errno::EXIST) if attempts < Beneath::ATTEMPTS => attempts += 1,
                Err(Errno::NOENT) => {
                    return Err(LocalError::Contended { path: beneath.shown(Some(path)), attempts: Beneath::ATTEMPTS });
                }
                Err(error) => return Err(LocalError::io("create", beneath.shown(Some(path)), error)),
            }
        }
    }

    /// The file, as long as it is written.
    pub(super) fn descriptor(&self) -> Option<&dyn Descriptor> {
        self.file.as_deref()
    }

    fn error(&self, operation: &'static str, source: impl Into<io::Error>) -> Error {
        LocalError::io(operation, self.beneath.shown(Some(&self.path)), source).of_kind(ErrorKind::AbortCheckpoint)
    }

    /// Removes the file, and the directory if that was all it held.
    fn remove(&self) -> rustix::io::Result<()> {
        self.unlink()?;
        if let Some(directory) = self.path.parent() {
            self.beneath.remove_directory(&directory);
        }
        Ok(())
    }

    /// Removes a file that cannot be finished.
    fn give_up(&self, error: Error) -> CasOutcome {
        match self.remove() {
            // A temporary name that stays is nobody else's concern.
            Err(_) if self.temporary.is_none() => CasOutcome::Unknown(error),
            Ok(()) | Err(_) => CasOutcome::Failed(error),
        }
    }

    /// Removes the name that the file has while it is written.
    fn unlink(&self) -> rustix::io::Result<()> {
        match self.beneath.unlink(self.temporary.as_ref().unwrap_or(&self.path)) {
            Err(Errno::NOENT) => Ok(()),
            outcome => outcome,
        }
    }

    /// Gives the file its final name, which nobody may have, instead of the one it was written under.
    fn publish(&self, temporary: &RelPath, identity: Identity) -> CasOutcome {
        match self.beneath.open_directory(self.path.parent().as_ref()) {
            Ok(directory) => {
                let outcome = self.link(&*directory, temporary.file_name(), identity);
                // One that stays is removed together with the final name.
                let _ = retry_on_intr(|| directory.unlink_at(temporary.file_name(), Kind::File));
                outcome
            }
            Err(error) => {
                let _ = self.unlink();
                CasOutcome::Failed(self.error("publish", error))
            }
        }
    }

    fn link(&self, directory: &dyn Descriptor, from: &str, identity: Identity) -> CasOutcome {
        let to = self.path.file_name();
        let linked = retry_on_intr(|| directory.link_at(from, directory, to));
        let Err(error) = linked else { return done() };
        // A server may have done it and lost the answer, and the repetition then finds the name taken: by ourselves.
        if self.is_published(identity) {
            return done();
        }
        match error {
            Errno::EXIST => CasOutcome::Lost,
            error if is_refusal(error) => CasOutcome::Failed(self.error("publish", error)),
            error => CasOutcome::Unknown(
                LocalError::io("publish", self.beneath.shown(Some(&self.path)), error).of_kind(ErrorKind::Unknown),
            ),
        }
    }

    fn is_published(&self, identity: Identity) -> bool {
        let published = self.beneath.open_file(&self.path).and_then(|file| retry_on_intr(|| file.identity()));
        published == Ok(identity)
    }

    /// Ends the writing: syncs if that is asked for, and closes. What the file is, for a file that gets another name.
    fn end(&self, file: Box<dyn Descriptor>, durability: Durability) -> Result<Option<Identity>> {
        if durability == Durability::Full {
            // An interruption is no answer; any other error is final for the file.
            retry_on_intr(|| file.sync()).map_err(|error| self.error("sync", error))?;
        }
        let identity = match self.temporary {
            Some(_) => Some(retry_on_intr(|| file.identity()).map_err(|error| self.error("look at", error))?),
            None => None,
        };
        match file.close() {
            // It is closed nevertheless, and nothing says that bytes were lost.
            Ok(()) | Err(Errno::INTR) => Ok(identity),
            Err(error) => Err(self.error("close", error)),
        }
    }
}

impl Write for LocalWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(file) = self.file.as_ref().filter(|_| !self.dead) else {
            let error = LocalError::Dead { path: self.beneath.shown(Some(&self.path)) };
            return Err(io::Error::other(error.of_kind(ErrorKind::AbortCheckpoint)));
        };
        match file.write(bytes) {
            Ok(written) => Ok(written),
            Err(Errno::INTR) => Err(Errno::INTR.into()),
            Err(error) => {
                self.dead = true;
                Err(io::Error::new(error.kind(), self.error("write", error)))
            }
        }
    }

    /// Does nothing: no bytes are held back here.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl FileWriter for LocalWriter {
    fn finish(mut self: Box<Self>, durability: Durability) -> CasOutcome {
        // Whatever fails below leaves `self.file` empty.
        let Some(file) = self.file.take().filter(|_| !self.dead) else {
            let error = LocalError::Dead { path: self.beneath.shown(Some(&self.path)) };
            return self.give_up(error.of_kind(ErrorKind::AbortCheckpoint));
        };
        let identity = match self.end(file, durability) {
            Ok(identity) => identity,
            Err(error) => return self.give_up(error),
        };
        match (&self.temporary, identity) {
            (Some(temporary), Some(identity)) => self.publish(temporary, identity),
            _ => done(),
        }
    }

    fn begin_sync(&mut self) {
        // Once: a second time the system would drop from memory what it has written.
        if let Some(file) = self.file.as_ref().filter(|_| !self.is_begun) {
            file.begin_write_back();
        }
        self.is_begun = true;
    }

    fn discard(mut self: Box<Self>) -> Result<()> {
        self.file = None;
        self.remove().map_err(|error| {
            LocalError::io("remove", self.beneath.shown(Some(&self.path)), error).of_kind(ErrorKind::Retry)
        })
    }
}

impl Drop for LocalWriter {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _ = self.remove();
        }
    }
}

/// Whether an error of a link says that it was not made. Any other is of a device, a server or the way to it, and nothing
/// says whether that failed before or after.
pub(super) const fn is_refusal(error: Errno) -> bool {
    matches!(
        error,
        Errno::ACCESS
            | Errno::DQUOT
            | Errno::LOOP
            | Errno::MLINK
            | Errno::NAMETOOLONG
            | Errno::NOENT
            | Errno::NOSPC
            | Errno::NOTDIR
            | Errno::OPNOTSUPP
            | Errno::PERM
            | Errno::ROFS
            | Errno::XDEV
    )
}

pub(super) fn done() -> CasOutcome {
    CasOutcome::Done(VersionTag::fixed("1"))
}

const TEMPORARY_PREFIX: &str = ".tmp-";

/// How much longer than the final name a temporary one is, at most.
pub(super) const TEMPORARY_ADDS_BYTES: usize =
    TEMPORARY_PREFIX.len() + "-4294967295".len() + "-18446744073709551615".len();

/// Sees to it that there is room for names beside that one which are so much longer.
pub(super) fn check_name(beneath: &Beneath, path: &RelPath, added_bytes: usize) -> Result<(), LocalError> {
    // What Linux takes as a name.
    const NAME_BYTES: usize = 255;
    let limit_bytes = NAME_BYTES - added_bytes;
    if path.file_name().len() > limit_bytes || path.as_str().len() + added_bytes > RelPath::MAX_BYTES {
        return Err(LocalError::NameTooLong { path: beneath.shown(Some(path)), limit_bytes });
    }
    Ok(())
}

/// A name beside the final one that says whose it is: `.tmp-<final name>-<process>-<counter>`.
fn temporary_name(path: &RelPath) -> Result<RelPath> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let name = RelPath::new(format!("{TEMPORARY_PREFIX}{}-{}-{number}", path.file_name(), std::process::id()))?;
    Ok(path.parent().map_or_else(|| name.clone(), |parent| parent.join(&name)))
}

/// The final name that a temporary one belongs to.
pub(super) fn final_name_of(temporary: &str) -> Option<&str> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (rest, counter) = temporary.strip_prefix(TEMPORARY_PREFIX)?.rsplit_once('-')?;
    let (name, process) = rest.rsplit_once('-')?;
    (is_number(counter) && is_number(process)).then_some(name)
}

#[cfg(all(test, not(ckpt_loom)))]
mod tests {
    use super::*;

    #[test]
    fn only_an_error_that_refuses_a_link_says_that_it_was_not_made() {
        for refusal in [Errno::NOSPC, Errno::DQUOT, Errno::ROFS, Errno::ACCESS, Errno::NOENT] {
            assert!(is_refusal(refusal), "{refusal}");
        }
        for doubt in [Errno::IO, Errno::STALE, Errno::TIMEDOUT, Errno::NOTCONN, Errno::CONNABORTED, Errno::INTR] {
            assert!(!is_refusal(doubt), "{doubt}");
        }
    }
}
