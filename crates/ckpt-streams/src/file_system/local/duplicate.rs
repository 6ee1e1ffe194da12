//! Copies of local files.
//!
//! In the order of what they cost and promise:
//!
//! 1. *Shared bytes* (reflink): a file of its own at the price of a name, where the file system can.
//! 2. *A second name* (hard link), between names of our form only. Such a file is never written again once it was
//!    finished, and no name is used twice, so nobody can tell it from a copy: removing one name leaves the other. A file
//!    of anybody else may be changed in place, and its copy must not change with it.
//! 3. *A copy within the system*, whose bytes do not pass through this process.
//! 4. *A copy.*
//!
//! Under [`Durability::Full`] all of them are durable but for their name. That a way does not exist here is remembered;
//! that it is not possible between these two files leads on to the next.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ckpt_core::id::FileName;
use ckpt_core::state::RelPath;
use ckpt_core::{ErrorKind, Result};
use rustix::fs::FileType;
use rustix::io::{Errno, retry_on_intr};

use crate::file_system::local::beneath::Beneath;
use crate::file_system::local::error::LocalError;
use crate::file_system::local::system::Descriptor;
use crate::file_system::local::writer::{LocalWriter, done, is_refusal};
use crate::file_system::{CasOutcome, Durability, FileWriter as _, Visible};
use crate::into_error;

/// How much is copied by one call, so that it can be interrupted.
const COPY_BYTES: usize = 64 << 20;

const BUFFER_BYTES: usize = 128 * 1024;

impl Beneath {
    /// Whether a state file is duplicated without copying its bytes, as far as that is known.
    pub(super) fn duplicates_cheaply(&self) -> bool {
        self.clones.load(Ordering::Relaxed) || self.links.load(Ordering::Relaxed)
    }

    /// Makes `to` a copy of `from`.
    pub(super) fn duplicate(self: &Arc<Self>, from: &RelPath, to: &RelPath, durability: Durability) -> CasOutcome {
        // An error leaves nothing: what may leave something is an outcome.
        self.try_duplicate(from, to, durability).unwrap_or_else(CasOutcome::Failed)
    }

    fn try_duplicate(self: &Arc<Self>, from: &RelPath, to: &RelPath, durability: Durability) -> Result<CasOutcome> {
        let fail = |operation, path: &RelPath, error: Errno| {
            LocalError::io(operation, self.shown(Some(path)), error).of_kind(ErrorKind::AbortCheckpoint)
        };
        let source = match self.open_file(from) {
            Ok(file) => file,
            Err(Errno::NOENT) => {
                return Err(LocalError::Missing { path: self.shown(Some(from)) }.of_kind(ErrorKind::NotFound));
            }
            Err(error) => return Err(fail("open", from, error)),
        };
        if retry_on_intr(|| source.status()).map_err(|error| fail("look at", from, error))?.kind
            != FileType::RegularFile
        {
            return Err(LocalError::NotAFile { path: self.shown(Some(from)) }.of_kind(ErrorKind::AbortCheckpoint));
        }

        let mut created = None;
        if self.clones.load(Ordering::Relaxed) {
            let Some(copy) = self.create_copy(to)? else { return Ok(CasOutcome::Lost) };
            if self.try_clone(&*source, &copy) {
                return Ok(Box::new(copy).finish(durability));
            }
            created = Some(copy);
        }
        let is_ours = |path: &RelPath| path.file_name().parse::<FileName>().is_ok();
        if self.links.load(Ordering::Relaxed) && is_ours(from) && is_ours(to) {
            if let Some(Err(error)) = created.take().map(|copy| Box::new(copy).discard()) {
                // A second name is given to a file, not to a name; this one may still be there.
                return Ok(CasOutcome::Unknown(error));
            }
            if durability == Durability::Full {
                retry_on_intr(|| source.sync()).map_err(|error| fail("sync", from, error))?;
            }
            match self.link(from, to) {
                Ok(()) => return Ok(done()),
                Err(Errno::EXIST) => return Ok(CasOutcome::Lost),
                Err(error) if self.is_remembered(&self.links, error) || matches!(error, Errno::MLINK | Errno::XDEV) => {
                }
                // A server may have done it and lost the answer.
                Err(_) if self.is_linked(&*source, to) => return Ok(done()),
                Err(error) if is_refusal(error) => return Err(fail("link", to, error)),
                Err(error) => return Ok(CasOutcome::Unknown(fail("link", to, error))),
            }
        }
        let mut copy = match created {
            Some(copy) => copy,
            None => {
                let Some(copy) = self.create_copy(to)? else { return Ok(CasOutcome::Lost) };
                copy
            }
        };
        let copied = copy_within(&*source, &copy).map_err(|error| fail("copy to", to, error));
        match copied.and_then(|copied_bytes| self.copy_through(&*source, from, copied_bytes, &mut copy)) {
            Ok(()) => Ok(Box::new(copy).finish(durability)),
            Err(error) => match Box::new(copy).discard() {
                Ok(()) => Err(error),
                Err(_) => Ok(CasOutcome::Unknown(error)),
            },
        }
    }

    /// Begins a copy; `None` when its name is taken.
    fn create_copy(self: &Arc<Self>, to: &RelPath) -> Result<Option<LocalWriter>> {
        match LocalWriter::create(Arc::clone(self), to, Visible::AtOnce) {
            Ok(copy) => Ok(Some(copy)),
            Err(LocalError::Exists { .. }) => Ok(None),
            Err(error) => Err(error.of_kind(ErrorKind::AbortCheckpoint)),
        }
    }

    /// Shares the bytes. What refuses it need not be told: copying them says what is wrong.
    fn try_clone(&self, source: &dyn Descriptor, copy: &LocalWriter) -> bool {
        let cloned = copy.descriptor().map_or(Err(Errno::BADF), |copy| retry_on_intr(|| copy.clone_from(source)));
        match cloned {
            Ok(()) => true,
            Err(error) => {
                self.is_remembered(&self.clones, error);
                false
            }
        }
    }

    /// Whether an error says that there is no such thing here, which holds for the next files too.
    fn is_remembered(&self, way: &AtomicBool, error: Errno) -> bool {
        let is_missing = matches!(error, Errno::OPNOTSUPP | Errno::NOTTY | Errno::NOSYS | Errno::PERM);
        if is_missing {
            way.store(false, Ordering::Relaxed);
        }
        is_missing
    }

    fn is_linked(&self, source: &dyn Descriptor, to: &RelPath) -> bool {
        let linked = self.open_file(to).and_then(|linked| retry_on_intr(|| linked.identity()));
        matches!((linked, retry_on_intr(|| source.identity())), (Ok(linked), Ok(source)) if linked == source)
    }

    /// Gives a file a second name.
    fn link(&self, from: &RelPath, to: &RelPath) -> Result<(), Errno> {
        let source = self.open_directory(from.parent().as_ref())?;
        let mut attempts = 0;
        loop {
            let linked = self
                .open_directory(to.parent().as_ref())
                .and_then(|target| retry_on_intr(|| source.link_at(from.file_name(), &*target, to.file_name())));
            match linked {
                // The directory is missing, or somebody has removed it, empty as it was.
                Err(Errno::NOENT) if attempts < Self::ATTEMPTS => {
                    attempts += 1;
                    match self.make_directories(to.parent().as_ref()) {
                        Ok(()) | Err(Errno::NOENT) => {}
                        Err(error) => return Err(error),
                    }
                }
                outcome => return outcome,
            }
        }
    }

    /// Copies what is left.
    fn copy_through(
        &self,
        source: &dyn Descriptor,
        from: &RelPath,
        mut offset_bytes: u64,
        copy: &mut LocalWriter,
    ) -> Result<()> {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let read = retry_on_intr(|| source.read_at(&mut buffer, offset_bytes)).map_err(|error| {
                LocalError::io("read", self.shown(Some(from)), error).of_kind(ErrorKind::AbortCheckpoint)
            })?;
            if read == 0 {
                return Ok(());
            }
            copy.write_all(&buffer[..read]).map_err(|error| into_error(error, ErrorKind::AbortCheckpoint))?;
            offset_bytes += read as u64;
        }
    }
}

/// Copies within the system as far as that goes. How much was copied.
fn copy_within(source: &dyn Descriptor, copy: &LocalWriter) -> Result<u64, Errno> {
    let mut copied_bytes = 0;
    let Some(copy) = copy.descriptor() else { return Ok(0) };
    loop {
        match retry_on_intr(|| copy.copy_from(source, COPY_BYTES)) {
            Ok(0) => return Ok(copied_bytes),
            Ok(copied) => copied_bytes += copied as u64,
            Err(error @ (Errno::IO | Errno::NOSPC | Errno::DQUOT | Errno::ROFS | Errno::FBIG)) => return Err(error),
            // Not here, or not between these two.
            Err(_) => return Ok(copied_bytes),
        }
    }
}
