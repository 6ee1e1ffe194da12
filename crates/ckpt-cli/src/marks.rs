//! The marks beside a snapshot: what they say of it, whatever its `_metadata` says.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use ckpt_core::mark::{self, DisposalMark, OwnerRecord, SavepointMark};
use ckpt_storage::METADATA_FILE;
use serde::Serialize;

use crate::error::CommandError;
use crate::metadata_file::open_file;

/// The marks in a snapshot's directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Marks {
    /// It is being deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disposal: Option<Disposal>,
    /// A job has claimed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<Owner>,
    /// Whose savepoint the directory was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) savepoint: Option<Savepoint>,
    /// Those that cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unreadable: Vec<UnreadableMark>,
}

/// What `_disposing` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Disposal {
    pub(crate) job: String,
    pub(crate) checkpoint_id: u64,
    pub(crate) began_at: String,
}

/// What `OWNER` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Owner {
    pub(crate) job: String,
    pub(crate) epoch: u64,
    pub(crate) claimed_at: String,
}

/// What `_savepoint` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Savepoint {
    pub(crate) job: String,
    pub(crate) checkpoint_id: u64,
    pub(crate) epoch: u64,
    pub(crate) began_at: String,
}

/// A mark that is there and cannot be read, so nobody knows what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct UnreadableMark {
    pub(crate) file: &'static str,
    pub(crate) message: String,
}

impl Marks {
    /// Looks for each of them.
    pub(crate) fn in_directory(directory: &Path) -> Self {
        let mut marks = Self::default();
        marks.disposal = marks.read(directory, DisposalMark::FILE_NAME, |file| {
            let DisposalMark { job, id, began_at, .. } = DisposalMark::decode(file)?;
            Ok(Disposal { job: job.to_string(), checkpoint_id: id.get(), began_at: began_at.to_string() })
        });
        marks.owner = marks.read(directory, OwnerRecord::FILE_NAME, |file| {
            let OwnerRecord { job, epoch, claimed_at, .. } = OwnerRecord::decode(file)?;
            Ok(Owner { job: job.to_string(), epoch: epoch.get(), claimed_at: claimed_at.to_string() })
        });
        marks.savepoint = marks.read(directory, SavepointMark::FILE_NAME, |file| {
            let SavepointMark { job, id, epoch, began_at, .. } = SavepointMark::decode(file)?;
            let (checkpoint_id, epoch) = (id.get(), epoch.get());
            Ok(Savepoint { job: job.to_string(), checkpoint_id, epoch, began_at: began_at.to_string() })
        });
        marks
    }

    fn read<T>(
        &mut self,
        directory: &Path,
        file: &'static str,
        decode: impl FnOnce(&[u8]) -> ckpt_core::Result<T>,
    ) -> Option<T> {
        let message = match beginning_of(&directory.join(file)) {
            Err(error) if is_missing(&error) => return None,
            Err(error) => CommandError::chain(&error),
            Ok(bytes) => match decode(&bytes) {
                Ok(mark) => return Some(mark),
                Err(error) => CommandError::chain(&error),
            },
        };
        self.unreadable.push(UnreadableMark { file, message });
        None
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The disposal that deletes it: one that finds an owner refuses, and leaves its mark.
    pub(crate) fn disposal_under_way(&self) -> Option<&Disposal> {
        self.disposal.as_ref().filter(|_| self.owner.is_none())
    }

    /// What they say of the snapshot's standing, for people.
    pub(crate) fn standing(&self) -> Vec<String> {
        let disposal = self.disposal_under_way().map(Disposal::text);
        disposal.into_iter().chain(self.owner.as_ref().map(Owner::text)).collect()
    }

    /// Each of them, for people.
    pub(crate) fn texts(&self) -> Vec<(&'static str, String)> {
        let mut texts = Vec::new();
        if let Some(disposal) = &self.disposal {
            let refused = if self.owner.is_some() { "; that was refused, since it is claimed" } else { "" };
            texts.push((DisposalMark::FILE_NAME, format!("{}{refused}", disposal.text())));
        }
        texts.extend(self.owner.as_ref().map(|owner| (OwnerRecord::FILE_NAME, owner.text())));
        if let Some(Savepoint { job, checkpoint_id, began_at, .. }) = &self.savepoint {
            let text = format!("savepoint {checkpoint_id} of job {job}, begun at {began_at}");
            texts.push((SavepointMark::FILE_NAME, text));
        }
        texts.extend(self.unreadable.iter().map(|mark| (mark.file, format!("cannot be read: {}", mark.message))));
        texts
    }
}

impl Disposal {
    fn text(&self) -> String {
        format!("being disposed of since {}", self.began_at)
    }
}

impl Owner {
    fn text(&self) -> String {
        format!("claimed by job {}", self.job)
    }
}

/// The savepoint of that directory, if it was given up: then its mark stands where its metadata would, so that those cannot
/// appear any more.
pub(crate) fn given_up(directory: &Path) -> Option<SavepointMark> {
    let path = directory.join(METADATA_FILE);
    let length = fs::symlink_metadata(&path).ok()?.len();
    let bytes = (length <= mark::MAX_BYTES as u64).then(|| beginning_of(&path).ok()).flatten()?;
    SavepointMark::decode(&bytes).ok()
}

/// As much of a file as tells whether it is a mark.
fn beginning_of(path: &Path) -> io::Result<Vec<u8>> {
    // What is no file is not opened as far as that is known: with some devices that does something.
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("is no file"));
    }
    let mut bytes = Vec::new();
    open_file(path)?.take(mark::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
