//! Where snapshots are below a directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ckpt_core::id::{CheckpointId, JobId};
use ckpt_storage::{
    CHECKPOINT_DIRECTORY_PREFIX, HEAD_DIRECTORY, METADATA_FILE, SHARED_DIRECTORY, TASK_OWNED_DIRECTORY,
};

use crate::marks::given_up;

/// How deep snapshots may lie below the directory that is looked at.
const MAX_DEPTH: u32 = 16;

/// What was found, in the order of paths; of checkpoints of one job in the order of their numbers.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) snapshots: Vec<FoundSnapshot>,
    pub(crate) jobs: Vec<FoundJob>,
    /// The job in whose directory the one that is looked at lies.
    pub(crate) job_above: Option<FoundJob>,
    /// What could not be looked at.
    pub(crate) unreadable: Vec<(PathBuf, io::Error)>,
    /// What was not looked at, and why.
    pub(crate) passed_over: Vec<(PathBuf, &'static str)>,
}

/// A directory that is, or was to become, a snapshot.
#[derive(Clone, Debug)]
pub(crate) struct FoundSnapshot {
    pub(crate) directory: PathBuf,
    /// The job in whose directory it lies.
    pub(crate) job: Option<JobId>,
    /// The number in the name of its directory.
    pub(crate) number: Option<CheckpointId>,
    /// Whether there is a `_metadata`, whatever it is but the mark of a savepoint that was given up.
    pub(crate) is_complete: bool,
}

/// A directory of a job.
#[derive(Clone, Debug)]
pub(crate) struct FoundJob {
    pub(crate) id: JobId,
    pub(crate) directory: PathBuf,
}

impl Scan {
    /// Looks at that directory and below. Links below it are not followed.
    ///
    /// # Errors
    ///
    /// Only when the directory itself cannot be read.
    pub(crate) fn of(directory: &Path) -> io::Result<Self> {
        fs::read_dir(directory)?;
        let job_above = directory.parent().and_then(FoundJob::at);
        let mut scan = Self { job_above: job_above.clone(), ..Self::default() };
        scan.look(directory, job_above.map(|job| job.id), 0);
        Ok(scan)
    }

    fn look(&mut self, directory: &Path, job_above: Option<JobId>, depth: u32) {
        let mut below = match entries(directory) {
            Ok(below) => below,
            Err(error) => return self.unreadable.push((directory.to_owned(), error)),
        };
        let name = directory.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = number_of(name);
        let metadata = below.iter().find(|entry| entry.name == METADATA_FILE);
        let is_complete = metadata.is_some() && given_up(directory).is_none();
        let is_named = metadata.is_some() || number.is_some() || is_savepoint(name);
        if is_complete || is_named {
            let directory = directory.to_owned();
            // A stray `_metadata` must not hide what lies below, so that is looked at in any case.
            self.snapshots.push(FoundSnapshot { directory, job: job_above, number, is_complete });
        }
        let job = FoundJob::at(directory);
        let id = job.as_ref().map(|job| job.id);
        self.jobs.extend(job);
        if depth == MAX_DEPTH && below.iter().any(|entry| entry.is_directory) {
            return self.passed_over.push((directory.to_owned(), "nothing deeper is looked at"));
        }
        below.sort_by(|one, other| (number_of(&one.name), &one.name).cmp(&(number_of(&other.name), &other.name)));
        for entry in below {
            if entry.is_link && (number_of(&entry.name).is_some() || is_savepoint(&entry.name)) {
                self.passed_over.push((entry.path, "a link is not followed"));
                continue;
            }
            if !entry.is_directory {
                continue;
            }
            let of_the_job = [HEAD_DIRECTORY, SHARED_DIRECTORY, TASK_OWNED_DIRECTORY];
            if id.is_some() && of_the_job.contains(&entry.name.as_str()) {
                continue;
            }
            self.look(&entry.path, id, depth + 1);
        }
    }
}

impl FoundJob {
    /// The job whose directory that is, by its name.
    pub(crate) fn at(directory: &Path) -> Option<Self> {
        let id = directory.file_name()?.to_str()?.parse().ok()?;
        Some(Self { id, directory: directory.to_owned() })
    }
}

struct Entry {
    path: PathBuf,
    /// Bytes that are no text become what no name of ours or Flink's has.
    name: String,
    is_directory: bool,
    is_link: bool,
}

/// What may be, or may hold, a snapshot. A snapshot may have millions of files that are neither.
fn entries(directory: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if kind.is_dir() || kind.is_symlink() || name == METADATA_FILE {
            entries.push(Entry { path: entry.path(), name, is_directory: kind.is_dir(), is_link: kind.is_symlink() });
        }
    }
    Ok(entries)
}

/// The number in `chk-<n>`, as we and Flink write it.
pub(crate) fn number_of(name: &str) -> Option<CheckpointId> {
    let digits = name.strip_prefix(CHECKPOINT_DIRECTORY_PREFIX)?;
    let plain = !digits.starts_with('0') && digits.bytes().all(|digit| digit.is_ascii_digit());
    CheckpointId::new(digits.parse().ok().filter(|_| plain)?)
}

/// `savepoint-<six digits of the job>-<twelve more>`.
fn is_savepoint(name: &str) -> bool {
    let Some((job, random)) = name.strip_prefix("savepoint-").and_then(|rest| rest.split_once('-')) else {
        return false;
    };
    let is_hex = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex(job, 6) && is_hex(random, 12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_snapshots_are_told_from_others() {
        assert_eq!(number_of("chk-17").map(CheckpointId::get), Some(17));
        for other in ["chk-", "chk-0", "chk-07", "chk-+7", "chk-7a", "checkpoint-7", "chk-18446744073709551616"] {
            assert_eq!(number_of(other), None, "{other}");
        }
        assert!(is_savepoint("savepoint-f1f1f1-70037165871d"));
        for other in ["savepoint-f1f1f1", "savepoint-f1f1f1-7003716587", "savepoint-f1f1fg-70037165871d"] {
            assert!(!is_savepoint(other), "{other}");
        }
    }
}
