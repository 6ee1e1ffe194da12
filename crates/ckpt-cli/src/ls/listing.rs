//! What there is, and what is known of each.

use std::path::{Path, PathBuf};

use ckpt_core::head::Head;
use ckpt_storage::METADATA_FILE;
use serde::Serialize;

use super::head::{HeadView, Standing, directory_of, named, read};
use super::scan::{FoundJob, FoundSnapshot, Scan};
use crate::args::{LsArgs, StrictArgs};
use crate::error::CommandError;
use crate::marks::Marks;
use crate::metadata_file::{MetadataFile, real_path};
use crate::oddity;
use crate::snapshot::{self, Detail, Snapshot};

/// All that is below a directory.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listing {
    /// The directory.
    pub(crate) path: String,
    pub(crate) jobs: Vec<JobEntry>,
    pub(crate) snapshots: Vec<SnapshotEntry>,
    /// What could not be looked at.
    pub(crate) problems: Vec<Problem>,
}

/// A job that has a directory.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobEntry {
    pub(crate) id: String,
    pub(crate) path: String,
    /// Of jobs of ours.
    pub(crate) head: Option<HeadView>,
}

/// A snapshot, or what was to become one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SnapshotEntry {
    /// Seen from the directory that was looked at.
    pub(crate) path: String,
    pub(crate) job: Option<String>,
    pub(crate) checkpoint_id: Option<u64>,
    /// Whether there is a `_metadata`.
    pub(crate) complete: bool,
    /// What HEAD says of it, if its job has one.
    pub(crate) standing: Option<Standing>,
    /// What its `_metadata` says; `None` without one, and when it is damaged.
    pub(crate) snapshot: Option<Snapshot>,
    /// What the marks beside it say.
    #[serde(skip_serializing_if = "Marks::is_empty")]
    pub(crate) marks: Marks,
}

/// Something that is wrong.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    pub(crate) path: String,
    pub(crate) message: String,
}

/// Looks at all of it.
pub(crate) fn gather(args: &LsArgs) -> Result<Listing, CommandError> {
    let given = &args.directory;
    let base = real_path(given)?;
    if !base.is_dir() {
        return Err(CommandError::NoDirectory { path: given.clone() });
    }
    let unreadable = |source| CommandError::Unreadable { path: given.clone(), source };
    let scan = Scan::of(&base).map_err(unreadable)?;
    oddity::tell_passed_over(&scan);
    let mut listing = Listing {
        path: base.to_string_lossy().into_owned(),
        jobs: Vec::new(),
        snapshots: Vec::new(),
        problems: Vec::new(),
    };
    for (path, error) in &scan.unreadable {
        listing.problem(below(&base, path), format!("cannot be read: {error}"));
    }
    let heads = listing.add_jobs(&base, scan.jobs, &scan.snapshots);
    // That of a snapshot which is looked at by itself says what that is, and is not listed.
    let is_snapshot = scan.snapshots.first().is_some_and(|found| found.directory == base);
    let above = scan.job_above.filter(|_| is_snapshot).and_then(|job| {
        let head = listing.head(&base, &job, &[])?;
        Some((job, head))
    });
    for found in &scan.snapshots {
        // Its own job first, then jobs that have taken it over.
        let is_own = |job: &FoundJob| found.directory.parent() == Some(&job.directory);
        let (own, others): (Vec<_>, Vec<_>) = heads.iter().chain(&above).partition(|(job, _)| is_own(job));
        let standing = own.into_iter().chain(others).find_map(|(job, head)| Standing::of(head, job, found));
        listing.add_snapshot(&base, found, standing, args.strict);
    }
    for (job, head) in &heads {
        listing.add_missing(&base, job, head, &scan.snapshots);
    }
    Ok(listing)
}

impl Listing {
    fn problem(&mut self, path: String, message: String) {
        self.problems.push(Problem { path, message });
    }

    fn add_jobs(&mut self, base: &Path, jobs: Vec<FoundJob>, found: &[FoundSnapshot]) -> Vec<(FoundJob, Head)> {
        let mut heads = Vec::new();
        for job in jobs {
            let head = self.head(base, &job, found);
            let (id, path) = (job.id.to_string(), below(base, &job.directory));
            self.jobs.push(JobEntry { id, path, head: head.as_ref().map(HeadView::of) });
            heads.extend(head.map(|head| (job, head)));
        }
        heads
    }

    /// HEAD of a job; what is wrong with it becomes a problem.
    fn head(&mut self, base: &Path, job: &FoundJob, found: &[FoundSnapshot]) -> Option<Head> {
        let read = read(job, found).inspect_err(|message| self.problem(below(base, &job.directory), message.clone()));
        read.ok().flatten()
    }

    fn add_snapshot(&mut self, base: &Path, found: &FoundSnapshot, standing: Option<Standing>, strict: StrictArgs) {
        let path = below(base, &found.directory);
        let snapshot = found.is_complete.then(|| self.summary(base, &found.directory, strict)).flatten();
        let job = snapshot.as_ref().and_then(|snapshot| snapshot.job.clone());
        let checkpoint_id = snapshot.as_ref().map(|snapshot| snapshot.checkpoint_id);
        if let Some(standing) = standing.filter(|standing| standing.is_kept() && !found.is_complete) {
            self.problem(path.clone(), format!("HEAD says that it is {}, and it has no '_metadata'", standing.name()));
        }
        let marks = Marks::in_directory(&found.directory);
        for mark in &marks.unreadable {
            self.problem(below(base, &found.directory.join(mark.file)), format!("cannot be read: {}", mark.message));
        }
        self.snapshots.push(SnapshotEntry {
            path,
            job: job.or_else(|| found.job.map(|job| job.to_string())),
            checkpoint_id: checkpoint_id.or_else(|| found.number.map(|id| id.get())),
            complete: found.is_complete,
            standing,
            snapshot,
            marks,
        });
    }

    /// What a `_metadata` says; what is wrong with it becomes a problem.
    fn summary(&mut self, base: &Path, directory: &Path, strict: StrictArgs) -> Option<Snapshot> {
        let mut problem = |error: &CommandError| {
            self.problem(below(base, &directory.join(METADATA_FILE)), error.reason());
        };
        let read = MetadataFile::in_directory(directory)
            .and_then(|file| snapshot::gather(&file, Detail::Summary).map(|snapshot| (file, snapshot)));
        let (file, snapshot) = read.inspect_err(&mut problem).ok()?;
        if let Err(error) = oddity::tell(&file, snapshot.trailing_bytes, &snapshot.notes, strict) {
            problem(&error);
        }
        Some(snapshot)
    }

    /// What HEAD retains must be there.
    fn add_missing(&mut self, base: &Path, job: &FoundJob, head: &Head, found: &[FoundSnapshot]) {
        let is_listed = |directory: &PathBuf| found.iter().any(|found| found.directory == *directory);
        for (snapshot, why) in named(head) {
            let Some(directory) = directory_of(job, snapshot).filter(|directory| !is_listed(directory)) else {
                continue;
            };
            if !directory.is_dir() {
                self.problem(below(base, &directory), format!("{why}, and there is no such directory"));
            } else if directory.join(METADATA_FILE).symlink_metadata().is_err() {
                self.problem(below(base, &directory), format!("{why}, and it has no '_metadata'"));
            }
        }
    }
}

/// A path as seen from the directory that was looked at.
fn below(base: &Path, path: &Path) -> String {
    match path.strip_prefix(base) {
        Ok(below) if below.as_os_str().is_empty() => ".".to_owned(),
        Ok(below) => below.to_string_lossy().into_owned(),
        Err(_) => path.to_string_lossy().into_owned(),
    }
}
