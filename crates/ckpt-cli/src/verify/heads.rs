//! HEAD of jobs of ours, held against what is there.

use std::path::Path;

use ckpt_core::head::{Head, RetainedSnapshot};
use ckpt_core::id::CheckpointId;
use ckpt_core::metadata::MetadataReader;
use ckpt_storage::METADATA_FILE;

use super::maps::Maps;
use super::verdict::{Problem, ProblemKind};
use crate::error::CommandError;
use crate::ls::{FoundJob, FoundSnapshot, checkpoint_directory, named, number_of, read_head};
use crate::metadata_file::{MetadataFile, MetadataFormat};

/// Of each job, what its HEAD says.
#[derive(Default)]
pub(super) struct Heads(Vec<(FoundJob, Head)>);

impl Heads {
    /// Reads HEAD of each of the jobs that has one, of whose snapshots those are known.
    pub(super) fn read(
        jobs: impl IntoIterator<Item = FoundJob>,
        known: &[FoundSnapshot],
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut heads = Self::default();
        for job in jobs {
            match read_head(&job, known) {
                Ok(head) => heads.0.extend(head.map(|head| (job, head))),
                Err(message) => {
                    problems.push(Problem::of_metadata(job.directory.to_string_lossy().into_owned(), message));
                }
            }
        }
        heads
    }

    /// The jobs that have one.
    pub(super) fn jobs(&self) -> impl Iterator<Item = (&FoundJob, &Head)> {
        self.0.iter().map(|(job, head)| (job, head))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the files of that checkpoint are being deleted.
    pub(super) fn has_removed(&self, directory: &Path) -> bool {
        let Some((head, id)) = self.head_of(directory) else { return false };
        head.removed.iter().any(|removed| removed.id == id && removed.uri().is_none())
    }

    /// What is wrong with metadata in the directory of a job: HEAD knows length and index of what it names.
    pub(super) fn verify(&self, file: &MetadataFile) -> Option<Problem> {
        let (head, id) = self.head_of(&file.directory)?;
        let mut named = named(head).map(|(snapshot, _)| snapshot);
        let snapshot = named.find(|snapshot| snapshot.id == id && snapshot.uri().is_none())?;
        let message = flaw(file, snapshot)?;
        Some(Problem::of_metadata(METADATA_FILE.to_owned(), message))
    }

    /// What is named and is not there: checkpoints, snapshots elsewhere, claims.
    pub(super) fn missing(&self, maps: &Maps) -> Vec<Problem> {
        let of_job = |(job, head): &(FoundJob, Head)| {
            let snapshots = named(head).filter_map(|(snapshot, why)| missing(job, snapshot, why, maps));
            let needed = |id| named(head).any(|(snapshot, _)| snapshot.claims.contains(&id));
            let claims = head.claims.iter().filter(|claim| needed(claim.id)).filter_map(|claim| {
                let uri = claim.uri.as_str();
                // What lies on other file systems is told of each of the files there.
                let directory = maps.directory(uri).ok()?.path;
                let message = format!("HEAD has claimed it (claim {}), and there is no such directory", claim.id);
                (!directory.is_dir()).then(|| Problem::at(ProblemKind::Missing, uri, &directory, message))
            });
            snapshots.chain(claims).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(of_job).collect()
    }

    /// What is named by HEAD of the job in whose directory that is, and is not there.
    pub(super) fn missing_at(&self, directory: &Path, maps: &Maps) -> Option<Problem> {
        let is_it = |job: &FoundJob, snapshot: &RetainedSnapshot| {
            snapshot.uri().is_none() && checkpoint_directory(job, snapshot) == directory
        };
        self.0.iter().find_map(|(job, head)| {
            let (snapshot, why) = named(head).find(|(snapshot, _)| is_it(job, snapshot))?;
            missing(job, snapshot, why, maps)
        })
    }

    /// HEAD of the job in whose directory a checkpoint lies, and the number of that.
    fn head_of(&self, directory: &Path) -> Option<(&Head, CheckpointId)> {
        let (_, head) = self.0.iter().find(|(job, _)| directory.parent() == Some(&job.directory))?;
        Some((head, number_of(directory.file_name()?.to_str()?)?))
    }
}

fn missing(job: &FoundJob, snapshot: &RetainedSnapshot, why: &str, maps: &Maps) -> Option<Problem> {
    let Some(uri) = snapshot.uri() else {
        let directory = checkpoint_directory(job, snapshot);
        let is_there = directory.join(METADATA_FILE).symlink_metadata().is_ok();
        let message = format!("{why}, and it has no '{METADATA_FILE}'");
        let problem = || Problem::of_metadata(directory.to_string_lossy().into_owned(), message);
        return (!is_there).then(problem);
    };
    let uri = uri.as_str();
    let directory = match maps.directory(uri) {
        Ok(found) => found.path,
        Err(message) => {
            return Some(Problem::of_file(ProblemKind::Elsewhere, uri, format!("{why}, and it {message}"), None));
        }
    };
    let problem = |kind, message| Some(Problem::at(kind, uri, &directory, format!("{why}, and {message}")));
    match MetadataFile::in_directory(&directory) {
        Ok(file) => problem(ProblemKind::Metadata, format!("its '{METADATA_FILE}' {}", flaw(&file, snapshot)?)),
        Err(CommandError::WithoutMetadata { .. } | CommandError::Missing { .. }) => {
            problem(ProblemKind::Missing, format!("it has no '{METADATA_FILE}'"))
        }
        Err(error) => problem(ProblemKind::Metadata, format!("its '{METADATA_FILE}' {}", error.reason())),
    }
}

/// In what metadata is not that which HEAD names.
fn flaw(file: &MetadataFile, snapshot: &RetainedSnapshot) -> Option<String> {
    let verified = match file.format {
        MetadataFormat::Flink => return Some("is not what HEAD names: it is Flink's, expected ours".to_owned()),
        MetadataFormat::Ckpt => MetadataReader::open(file).and_then(|reader| reader.verify(snapshot)),
    };
    verified.err().map(|error| format!("is not what HEAD names: {}", CommandError::chain(&error)))
}
