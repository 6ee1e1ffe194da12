//! Records: small files that change by compare-and-swap.
//!
//! ```text
//! head/HEAD-00000000000000000007   a version, published whole by a link that never replaces
//! head/DEAD-00000000000000000005   says that versions up to 5 are dead; made before any of them is removed
//! ```
//!
//! The next version after 7 is whoever links `HEAD-…8` first. Without markers a writer that slept since version 4 could
//! link version 5 again once it is removed, and would believe that it had won. So a writer looks for markers *after* its
//! link: either it sees the marker that was made before version 5 was removed, or version 5 was never removed and its
//! link failed.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::state::RelPath;
use ckpt_core::{Error, ErrorKind, Result};
use rustix::io::{Errno, retry_on_intr};

use crate::file_system::local::beneath::Beneath;
use crate::file_system::local::error::LocalError;
use crate::file_system::local::system::Descriptor;
use crate::file_system::local::writer::{LocalWriter, TEMPORARY_ADDS_BYTES, check_name, final_name_of};
use crate::file_system::{CasOutcome, Durability, Expect, FileWriter as _, VersionTag, Visible};

/// One record.
pub(super) struct Record<'a> {
    beneath: &'a Arc<Beneath>,
    path: &'a RelPath,
}

/// What stands in the directory of a record.
#[derive(Debug, Default)]
struct Found {
    versions: BTreeSet<u64>,
    markers: BTreeSet<u64>,
}

/// What was done in the directory of a record right before its names are synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Added {
    AName,
    Nothing,
}

/// More than any record has reason to be.
const LIMIT_BYTES: u64 = 64 << 20;

/// Every so many versions old ones are removed. It costs a sync, so not every time.
const COLLECT_EVERY: u64 = 16;

/// The newest versions that no marker covers: the newest, and the one that a reader may just have found.
const KEPT_VERSIONS: u64 = 2;

/// Markers that stay. One says it all; but a directory is not read in one instant, and whoever reads it must meet one.
const KEPT_MARKERS: usize = 4;

/// How often a version that was found may be gone when it is opened.
const READ_ATTEMPTS: u32 = 64;

const MARKER: &str = "DEAD";

impl<'a> Record<'a> {
    pub(super) const fn new(beneath: &'a Arc<Beneath>, path: &'a RelPath) -> Self {
        Self { beneath, path }
    }

    /// The newest version, durable: a writer that found it may have died, or failed, before it synced the name.
    pub(super) fn read(&self) -> Result<Option<(Bytes, VersionTag)>> {
        self.check_name()?;
        let path = || self.beneath.shown(Some(self.path));
        let mut reason = LocalError::Contended { path: path(), attempts: READ_ATTEMPTS }.of_kind(ErrorKind::Retry);
        for _ in 0..READ_ATTEMPTS {
            let found = self.look().map_err(|error| error.of_kind(ErrorKind::Retry))?;
            let dead_upto = found.dead_upto();
            let Some(newest) = found.versions.last().copied().filter(|newest| *newest > dead_upto) else {
                if found.markers.is_empty() {
                    return Ok(None);
                }
                // Or a look that took longer than two writes: it missed the versions and met the marker after them.
                reason = LocalError::NoLiveVersion { path: path(), dead_upto }.of_kind(ErrorKind::Corrupt);
                continue;
            };
            // Not there any more: newer ones were written, and this one was declared dead, since we looked.
            if let Some(body) = self.read_version(newest)? {
                self.sync_names(Added::Nothing).map_err(|error| error.of_kind(ErrorKind::Retry))?;
                return Ok(Some((body, tag_of(newest))));
            }
            reason = LocalError::Contended { path: path(), attempts: READ_ATTEMPTS }.of_kind(ErrorKind::Retry);
        }
        Err(reason)
    }

    /// Writes the version after the expected one.
    pub(super) fn put(&self, body: &Bytes, expect: Expect<'_>) -> CasOutcome {
        match self.try_put(body, expect) {
            Ok(outcome) => outcome,
            Err(error) => CasOutcome::Failed(error),
        }
    }

    /// An error says that nothing was written.
    fn try_put(&self, body: &Bytes, expect: Expect<'_>) -> Result<CasOutcome> {
        self.check_name()?;
        if body.len() as u64 > LIMIT_BYTES {
            let (path, found_bytes) = (self.beneath.shown(Some(self.path)), body.len() as u64);
            let error = LocalError::RecordTooLong { path, found_bytes, limit_bytes: LIMIT_BYTES };
            return Err(error.of_kind(ErrorKind::Configuration));
        }
        let retry = |error: LocalError| error.of_kind(ErrorKind::Retry);
        let expected = match expect {
            Expect::Absent => 0,
            Expect::Version(tag) => version_of(tag).ok_or_else(|| {
                let path = self.beneath.shown(Some(self.path));
                LocalError::NotAVersion { path, tag: tag.as_str().to_owned() }.of_kind(ErrorKind::Configuration)
            })?,
        };
        let found = self.look().map_err(retry)?;
        let Some(version) = expected.checked_add(1).filter(|version| *version > found.dead_upto()) else {
            return Ok(CasOutcome::Lost);
        };
        // A chain has no gaps: what is expected must be there.
        if expected > 0 && !found.versions.contains(&expected) {
            return Ok(CasOutcome::Lost);
        }
        if found.versions.contains(&version) {
            return Ok(self.settle_taken(version, body));
        }
        let path = self.path_of(version);
        let mut writer = LocalWriter::create(Arc::clone(self.beneath), &path, Visible::WholeAtFinish).map_err(retry)?;
        writer.write_all(body).map_err(|error| crate::into_error(error, ErrorKind::Retry))?;
        match Box::new(writer).finish(Durability::Full) {
            CasOutcome::Done(_) => Ok(self.commit(version, Added::AName)),
            CasOutcome::Lost => Ok(self.settle_taken(version, body)),
            // Whoever declared this version dead has removed the temporary file too.
            CasOutcome::Failed(_) if version <= self.look().map_err(retry)?.dead_upto() => Ok(CasOutcome::Lost),
            other => Ok(other),
        }
    }

    /// The version is there: by another writer, or by an earlier call of ours that did not live to say so. Unless it can
    /// be read nobody knows which.
    fn settle_taken(&self, version: u64, body: &Bytes) -> CasOutcome {
        match self.read_version(version) {
            Ok(Some(there)) if there == *body => self.commit(version, Added::Nothing),
            Ok(Some(_)) => CasOutcome::Lost,
            Ok(None) => {
                let path = self.beneath.shown(Some(self.path));
                CasOutcome::Unknown(LocalError::TakenAndGone { path, version }.of_kind(ErrorKind::Unknown))
            }
            Err(error) => CasOutcome::Unknown(error),
        }
    }

    fn commit(&self, version: u64, added: Added) -> CasOutcome {
        match self.try_commit(version, added) {
            Ok(()) => CasOutcome::Done(tag_of(version)),
            Err(error) => CasOutcome::Unknown(error.of_kind(ErrorKind::Unknown)),
        }
    }

    /// Makes the name durable, which is the commit, and looks whether it counts.
    fn try_commit(&self, version: u64, added: Added) -> Result<(), LocalError> {
        self.sync_names(added)?;
        if version <= self.look()?.dead_upto() {
            // It may have been the newest for a while, or have come back from the dead.
            return Err(LocalError::DeclaredDead { path: self.beneath.shown(Some(self.path)), version });
        }
        if version % COLLECT_EVERY == 0 {
            // What fails here is tried again after the next versions; until then old ones stay, which harms nobody.
            let _ = self.collect(version - KEPT_VERSIONS);
        }
        Ok(())
    }

    /// Declares versions dead and, when that is durable, removes them.
    fn collect(&self, dead_upto: u64) -> Result<(), LocalError> {
        let marker = self.sibling(&format!("{MARKER}-{dead_upto:020}"));
        let added = match self.beneath.create_file(&marker) {
            Ok(_) => Added::AName,
            Err(Errno::EXIST) => Added::Nothing,
            Err(error) => return Err(LocalError::io("create", self.beneath.shown(Some(&marker)), error)),
        };
        self.sync_names(added)?;
        let found = self.look()?;
        let versions = found.versions.range(..=dead_upto).map(|version| self.path_of(*version));
        let markers = found.markers.iter().rev().skip(KEPT_MARKERS);
        let markers = markers.map(|marker| self.sibling(&format!("{MARKER}-{marker:020}")));
        let temporaries = self.temporaries_upto(dead_upto)?;
        // Oldest first, so that what stays after an interruption is the newest.
        for path in versions.chain(markers).chain(temporaries) {
            match self.beneath.unlink(&path) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(LocalError::io("remove", self.beneath.shown(Some(&path)), error)),
            }
        }
        Ok(())
    }

    /// What interrupted writers of dead versions left. A writer that still lives finds its temporary name gone.
    fn temporaries_upto(&self, dead_upto: u64) -> Result<Vec<RelPath>, LocalError> {
        let entries = self.beneath.entries_of(self.path.parent().as_ref())?;
        let dead = entries.into_iter().filter(|(name, _)| {
            final_name_of(name)
                .and_then(|name| number_in(name, self.path.file_name()))
                .is_some_and(|version| version <= dead_upto)
        });
        Ok(dead.map(|(name, _)| self.sibling(&name)).collect())
    }

    /// Makes the names durable. After a sync that failed another one proves nothing, unless a name was added in between: it
    /// is written with those beside it, which are so few that they have one block together.
    fn sync_names(&self, added: Added) -> Result<(), LocalError> {
        let record = self.path.as_str();
        let is_doubtful = added == Added::Nothing && self.beneath.durable.lock().is_doubtful(record);
        // It goes when it is dropped; or, after a crash, with the versions that are dead.
        let _added = is_doubtful
            .then(|| LocalWriter::create(Arc::clone(self.beneath), &self.path_of(0), Visible::WholeAtFinish))
            .transpose()?;
        let synced = self.beneath.sync_directories(BTreeSet::from([self.path.parent()]));
        self.beneath.durable.lock().record_synced(record, &synced);
        synced
    }

    fn look(&self) -> Result<Found, LocalError> {
        let mut found = Found::default();
        for (name, _) in self.beneath.entries_of(self.path.parent().as_ref())? {
            if let Some(version) = number_in(&name, self.path.file_name()) {
                found.versions.insert(version);
            } else if let Some(marker) = number_in(&name, MARKER) {
                found.markers.insert(marker);
            }
        }
        Ok(found)
    }

    /// The bytes of one version; `None` when it is not there.
    fn read_version(&self, version: u64) -> Result<Option<Bytes>> {
        let path = self.path_of(version);
        let shown = || self.beneath.shown(Some(&path));
        let file = match self.beneath.open_file(&path) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(LocalError::io("open", shown(), error).of_kind(ErrorKind::Retry)),
        };
        let body = read_at_most(&*file, LIMIT_BYTES + 1)
            .map_err(|error| LocalError::io("read", shown(), error).of_kind(ErrorKind::Retry))?;
        if body.len() as u64 > LIMIT_BYTES {
            let (path, found_bytes) = (shown(), body.len() as u64);
            let error = LocalError::RecordTooLong { path, found_bytes, limit_bytes: LIMIT_BYTES };
            return Err(error.of_kind(ErrorKind::Corrupt));
        }
        Ok(Some(body.into()))
    }

    /// Sees to it that there is room for versions and for what they are called while they are written.
    fn check_name(&self) -> Result<()> {
        const VERSION_BYTES: usize = "-18446744073709551615".len();
        check_name(self.beneath, self.path, VERSION_BYTES + TEMPORARY_ADDS_BYTES)
            .map_err(|error| error.of_kind(ErrorKind::Configuration))
    }

    fn path_of(&self, version: u64) -> RelPath {
        self.sibling(&format!("{}-{version:020}", self.path.file_name()))
    }

    /// Another name in the record's directory.
    fn sibling(&self, name: &str) -> RelPath {
        let whole = match self.path.parent() {
            Some(parent) => format!("{parent}/{name}"),
            None => name.to_owned(),
        };
        // A name so long that this is no path was refused before.
        RelPath::new(whole).unwrap_or_else(|_: Error| self.path.clone())
    }
}

impl Found {
    /// Versions up to this one are dead; zero when none is.
    fn dead_upto(&self) -> u64 {
        self.markers.last().copied().unwrap_or(0)
    }
}

/// The bytes of a file, up to that many.
fn read_at_most(file: &dyn Descriptor, limit_bytes: u64) -> Result<Vec<u8>, Errno> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 8 * 1024]);
    while (bytes.len() as u64) < limit_bytes {
        let read = retry_on_intr(|| file.read_at(&mut piece, bytes.len() as u64))?;
        if read == 0 {
            break;
        }
        bytes.extend_from_slice(&piece[..read]);
    }
    Ok(bytes)
}

/// The number in `<name>-<20 digits>`.
fn number_in(text: &str, name: &str) -> Option<u64> {
    let digits = text.strip_prefix(name)?.strip_prefix('-')?;
    (digits.len() == 20 && digits.bytes().all(|digit| digit.is_ascii_digit())).then(|| digits.parse().ok())?
}

fn tag_of(version: u64) -> VersionTag {
    VersionTag::new(version.to_string())
}

fn version_of(tag: &VersionTag) -> Option<u64> {
    tag.as_str().parse().ok().filter(|version| *version > 0)
}
