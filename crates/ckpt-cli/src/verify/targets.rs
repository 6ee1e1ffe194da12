//! Which snapshots are verified.

use std::path::Path;

use ckpt_core::head::{Head, SnapshotPlace};
use ckpt_core::metadata::MetadataReader;
use ckpt_storage::METADATA_FILE;

use super::flink::FlinkFiles;
use super::ours::OurFiles;
use super::references;
use super::verdict::{FileCounts, Problem, ProblemKind, SkipReason, Skipped, Verification, VerifiedSnapshot};
use crate::args::VerifyArgs;
use crate::error::CommandError;
use crate::ls::{FoundJob, Scan, checkpoint_directory, number_of, read_head};
use crate::metadata_file::{MetadataFile, MetadataFormat, real_path};
use crate::oddity;
use crate::report::Exit;

/// Verifies one snapshot, or all below a directory.
pub(crate) fn gather(args: &VerifyArgs) -> Result<Verification, CommandError> {
    let path = &args.path;
    let base = real_path(path)?;
    let is_directory = base.is_dir();
    let mut verification = Verification {
        path: base.to_string_lossy().into_owned(),
        snapshots: Vec::new(),
        skipped: Vec::new(),
        problems: Vec::new(),
    };
    if !is_directory || base.join(METADATA_FILE).exists() {
        let directory = if is_directory { base } else { base.parent().unwrap_or(&base).to_owned() };
        let job = directory.parent().and_then(FoundJob::at);
        let head = job.and_then(|job| verification.head(job));
        let (mut snapshot, ended) = verify(path, &directory, head.as_ref().map(|(_, head)| head), args);
        match ended {
            Ok(()) => {}
            Err(error) if error.exit() == Exit::CouldNotRun => return Err(error),
            Err(error) => snapshot.problems.push(problem_of(&error)),
        }
        verification.snapshots.push(snapshot);
        return Ok(verification);
    }
    let scan = Scan::of(&base).map_err(|source| CommandError::Unreadable { path: path.clone(), source })?;
    if scan.snapshots.is_empty() {
        return Err(CommandError::NoSnapshots { path: path.clone() });
    }
    for (path, error) in &scan.unreadable {
        verification.problems.push(Problem::of_metadata(path.to_string_lossy().into_owned(), error.to_string()));
    }
    let heads: Vec<_> = scan.jobs.into_iter().filter_map(|job| verification.head(job)).collect();
    for found in &scan.snapshots {
        let head = heads.iter().find(|(job, _)| found.directory.parent() == Some(&job.directory));
        let head = head.map(|(_, head)| head);
        let removed = head.zip(found.number).is_some_and(|(head, id)| head.removed.iter().any(|it| it.id == id));
        let reason = if removed { SkipReason::Removed } else { SkipReason::Incomplete };
        if removed || !found.is_complete {
            verification.skipped.push(Skipped { path: found.directory.to_string_lossy().into_owned(), reason });
            continue;
        }
        let (mut snapshot, ended) = verify(&found.directory, &found.directory, head, args);
        snapshot.problems.extend(ended.err().map(|error| problem_of(&error)));
        verification.snapshots.push(snapshot);
    }
    for (job, head) in &heads {
        verification.add_missing(job, head);
    }
    Ok(verification)
}

impl Verification {
    fn head(&mut self, job: FoundJob) -> Option<(FoundJob, Head)> {
        match read_head(&job) {
            Ok(head) => head.map(|head| (job, head)),
            Err(message) => {
                let path = job.directory.to_string_lossy().into_owned();
                self.problems.push(Problem::of_metadata(path, message));
                None
            }
        }
    }

    /// What HEAD retains must be there.
    fn add_missing(&mut self, job: &FoundJob, head: &Head) {
        for snapshot in head.retained.iter().filter(|snapshot| snapshot.place == SnapshotPlace::JobDirectory) {
            let directory = checkpoint_directory(job, snapshot);
            if !directory.join(METADATA_FILE).exists() {
                let message = "HEAD retains it, and it has no '_metadata'".to_owned();
                self.problems.push(Problem::of_metadata(directory.to_string_lossy().into_owned(), message));
            }
        }
    }
}

/// What was found until it ended, and how it ended.
fn verify(
    path: &Path,
    directory: &Path,
    head: Option<&Head>,
    args: &VerifyArgs,
) -> (VerifiedSnapshot, Result<(), CommandError>) {
    let mut verified = VerifiedSnapshot {
        path: directory.to_string_lossy().into_owned(),
        format: None,
        checkpoint_id: None,
        files: FileCounts::default(),
        problems: Vec::new(),
    };
    let ended = verified.fill(path, head, args);
    (verified, ended)
}

/// Metadata that is damaged, or that could not be looked at.
fn problem_of(error: &CommandError) -> Problem {
    let kind = match error.exit() {
        Exit::CouldNotRun => ProblemKind::Unreadable,
        _ => ProblemKind::Metadata,
    };
    Problem { kind, ..Problem::of_metadata(METADATA_FILE.to_owned(), error.reason()) }
}

impl VerifiedSnapshot {
    fn fill(&mut self, path: &Path, head: Option<&Head>, args: &VerifyArgs) -> Result<(), CommandError> {
        let file = MetadataFile::find(path)?;
        self.format = Some(file.format);
        let (snapshot, references) = references::of(&file)?;
        self.checkpoint_id = Some(snapshot.checkpoint_id);
        self.files.named = references.files.len() as u64;
        self.files.inline = references.inline;
        let maps = &args.map.map_root;
        let told = oddity::tell(&file, snapshot.trailing_bytes, &snapshot.notes, args.strict);
        self.problems.extend(told.err().map(|error| problem_of(&error)));
        let problems = match file.format {
            MetadataFormat::Flink => FlinkFiles::new(&file, maps).verify(&references, &mut self.files),
            MetadataFormat::Ckpt => {
                self.verify_by_head(&file, head)?;
                let files = OurFiles::open(&file, &snapshot, maps).map_err(|source| file.error(source))?;
                files.verify(&references, &mut self.files)
            }
        };
        self.problems.extend(problems);
        Ok(())
    }

    /// HEAD knows length and index of each metadata file that it retains.
    fn verify_by_head(&mut self, file: &MetadataFile, head: Option<&Head>) -> Result<(), CommandError> {
        let number = file.directory_name().and_then(number_of);
        let retained = head
            .into_iter()
            .flat_map(|head| &head.retained)
            .find(|retained| Some(retained.id) == number && retained.place == SnapshotPlace::JobDirectory);
        let Some(retained) = retained else { return Ok(()) };
        let reader = MetadataReader::open(file).map_err(|source| file.error(source))?;
        if let Err(error) = reader.verify(retained) {
            let message = format!("is not what HEAD names: {}", CommandError::chain(&error));
            self.problems.push(Problem::of_metadata(METADATA_FILE.to_owned(), message));
        }
        Ok(())
    }
}
