//! Which snapshots are verified.

use std::path::Path;
use std::sync::Arc;

use ckpt_core::mark::DisposalMark;
use ckpt_storage::{METADATA_FILE, StorageContext};
use ckpt_streams::file_system::FileSystems;

use super::flink::FlinkFiles;
use super::heads::Heads;
use super::jobs::VerifiedJob;
use super::maps::Maps;
use super::ours::OurSnapshot;
use super::verdict::{Problem, ProblemKind, SkipReason, Skipped, Verification, VerifiedSnapshot};
use super::{records, references};
use crate::args::{StrictArgs, VerifyArgs};
use crate::error::CommandError;
use crate::ls::{FoundJob, Scan};
use crate::map_root::MapRoot;
use crate::marks::Marks;
use crate::metadata_file::{MetadataFile, MetadataFormat, real_path};
use crate::oddity;
use crate::report::Exit;
use crate::threads::Threads;

/// Verifies one snapshot, or all below a directory.
pub(crate) fn gather(args: &VerifyArgs) -> Result<Verification, CommandError> {
    let maps = Maps::new(&args.map.map_root);
    let context = StorageContext::new(Arc::new(FileSystems::local()), Arc::new(Threads::default()));
    let verification = Targets { maps: &maps, strict: args.strict, context: &context }.verify(&args.path)?;
    maps.unused().for_each(MapRoot::warn_of_no_use);
    Ok(verification)
}

/// Verifies what is at paths.
#[derive(Clone, Copy)]
struct Targets<'a> {
    maps: &'a Maps,
    strict: StrictArgs,
    /// What files of ours are read with.
    context: &'a StorageContext,
}

impl Targets<'_> {
    fn verify(self, path: &Path) -> Result<Verification, CommandError> {
        let base = real_path(path)?;
        let is_directory = base.is_dir();
        let mut verification = Verification {
            path: base.to_string_lossy().into_owned(),
            snapshots: Vec::new(),
            skipped: Vec::new(),
            jobs: Vec::new(),
            problems: Vec::new(),
        };
        let problems = &mut verification.problems;
        let metadata = base.join(METADATA_FILE).symlink_metadata();
        let is_snapshot = !is_directory || metadata.is_ok_and(|it| !it.is_dir());
        let scan = match is_directory.then(|| Scan::of(&base)) {
            Some(Ok(scan)) => Some(scan),
            // It needs not be listed to be verified.
            Some(Err(_)) if is_snapshot => None,
            Some(Err(source)) => return Err(CommandError::Unreadable { path: path.into(), source }),
            None => None,
        };
        let Some(scan) = scan.filter(|scan| !is_snapshot || scan.snapshots.len() > 1 || !scan.unreadable.is_empty())
        else {
            let directory = if is_directory { base } else { base.parent().unwrap_or(&base).to_owned() };
            let heads = Heads::read(directory.parent().and_then(FoundJob::at), &[], problems);
            let (mut snapshot, ended) = self.verify_one(path, &directory, &heads);
            match ended {
                Ok(()) => {}
                Err(error) if error.exit() == Exit::CouldNotRun => return Err(error),
                Err(error) => snapshot.problems.push(problem_of(&error)),
            }
            verification.snapshots.push(snapshot);
            return Ok(verification);
        };
        oddity::tell_passed_over(&scan);
        for (path, error) in &scan.unreadable {
            let message = format!("cannot be read: {error}");
            problems.push(Problem::of_file(ProblemKind::Unreadable, &path.to_string_lossy(), message, None));
        }
        let heads = Heads::read(scan.jobs, &scan.snapshots, problems);
        // Of one that is looked at by itself the job above may say what it is, or that it must have metadata.
        let itself = scan.snapshots.first().filter(|found| found.directory == base);
        let above = Heads::read(scan.job_above.filter(|_| itself.is_some()), &[], problems);
        if itself.is_some_and(|found| !found.is_complete) {
            problems.extend(above.missing_at(&base, self.maps));
            if problems.is_empty() && scan.snapshots.len() == 1 {
                return Err(CommandError::WithoutMetadata { path: path.into() });
            }
        }
        if !scan.snapshots.iter().any(|found| found.is_complete) && heads.is_empty() && problems.is_empty() {
            return Err(CommandError::NoSnapshots { path: path.into() });
        }
        for found in &scan.snapshots {
            let heads = if found.directory == base { &above } else { &heads };
            let removed = heads.has_removed(&found.directory);
            let reason = if removed { SkipReason::Removed } else { SkipReason::Incomplete };
            if removed || !found.is_complete {
                verification.skipped.push(Skipped { path: found.directory.to_string_lossy().into_owned(), reason });
                continue;
            }
            let (mut snapshot, ended) = self.verify_one(&found.directory, &found.directory, heads);
            snapshot.problems.extend(ended.err().map(|error| problem_of(&error)));
            verification.snapshots.push(snapshot);
        }
        verification.problems.extend(heads.missing(self.maps));
        for (job, head) in heads.jobs() {
            verification.problems.extend(records::flaws(&job.directory));
            verification.jobs.extend(VerifiedJob::of(job, head, self.context));
        }
        Ok(verification)
    }

    /// What was found until it ended, and how it ended.
    fn verify_one(self, path: &Path, directory: &Path, heads: &Heads) -> (VerifiedSnapshot, Result<(), CommandError>) {
        let mut verified = VerifiedSnapshot::at(directory);
        let ended = self.fill(path, heads, &mut verified);
        (verified, ended)
    }

    fn fill(self, path: &Path, heads: &Heads, verified: &mut VerifiedSnapshot) -> Result<(), CommandError> {
        let file = MetadataFile::find(path)?;
        verified.format = Some(file.format);
        if file.path.ends_with(METADATA_FILE) {
            verified.problems.extend(problems_of(&Marks::in_directory(&file.directory)));
        }
        match file.format {
            MetadataFormat::Flink => self.fill_flinks(&file, heads, verified),
            MetadataFormat::Ckpt => {
                let snapshot = OurSnapshot::read(&file)?;
                verified.checkpoint_id = Some(snapshot.head.checkpoint_id);
                verified.problems.extend(heads.verify(&file));
                snapshot.verify(&file, self.maps, self.context, verified)
            }
        }
    }

    fn fill_flinks(
        self,
        file: &MetadataFile,
        heads: &Heads,
        verified: &mut VerifiedSnapshot,
    ) -> Result<(), CommandError> {
        let (snapshot, mut references) = references::of(file)?;
        verified.problems.append(&mut references.flaws);
        verified.checkpoint_id = Some(snapshot.checkpoint_id);
        verified.files.named = references.files.len() as u64;
        verified.files.inline = references.inline;
        let told = oddity::tell(file, snapshot.trailing_bytes, &snapshot.notes, self.strict);
        verified.problems.extend(told.err().map(|error| problem_of(&error)));
        verified.problems.extend(heads.verify(file));
        FlinkFiles::new(file, &snapshot, &references, self.maps).verify(&references, verified);
        Ok(())
    }
}

/// Why nobody begins from a snapshot with such marks, as whole as it may be.
fn problems_of(marks: &Marks) -> Vec<Problem> {
    let disposal = marks.disposal_under_way().map(|disposal| {
        let message = format!("since {}: nobody begins from it, and its files are being deleted", disposal.began_at);
        Problem::of_file(ProblemKind::BeingDisposedOf, DisposalMark::FILE_NAME, message, None)
    });
    let unreadable = marks.unreadable.iter();
    let unreadable = unreadable.map(|mark| Problem::of_file(ProblemKind::Mark, mark.file, mark.message.clone(), None));
    disposal.into_iter().chain(unreadable).collect()
}

/// Metadata that is damaged, or that could not be looked at.
fn problem_of(error: &CommandError) -> Problem {
    let kind = match error.exit() {
        Exit::CouldNotRun => ProblemKind::Unreadable,
        _ => ProblemKind::Metadata,
    };
    Problem { kind, ..Problem::of_metadata(METADATA_FILE.to_owned(), error.reason()) }
}
