//! `ckpt gc`: what a job needs no more, and deleting it.

use std::io::{self, Write};

use ckpt_core::head::JobState;
use ckpt_storage::METADATA_FILE;
use ckpt_storage::upkeep::JobSurvey;
use serde::Serialize;

use crate::args::GcArgs;
use crate::error::CommandError;
use crate::ls::number_of;
use crate::report::{Exit, Report, Style};
use crate::table::{Align, print_table};
use crate::text::{count, escaped};
use crate::upkeep::{Files, HeadChange, Job, context, has_head, itself};

/// What a collection found, and did.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Collection {
    path: String,
    job: String,
    head: HeadChange,
    /// What may be deleted, as it was found.
    collectable: Vec<Group>,
    /// Savepoints that were given up: of those that are not complete the directory is deleted.
    abandoned_savepoints: Vec<String>,
    empty_directories: u64,
    kept: Kept,
    unknown: Unknown,
    /// What was deleted; `None` when nothing was to be.
    deleted: Option<Files>,
    /// What could not be deleted; `None` when that is not known.
    left: Option<Files>,
    /// What went wrong.
    errors: Vec<String>,
}

/// Files that nothing needs any more, and why.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    why: Why,
    /// The checkpoint, of one that is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint_id: Option<u64>,
    /// The epoch of the leader that wrote them.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<u64>,
    #[serde(flatten)]
    files: Files,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Why {
    Removed,
    Orphan,
    Begun,
    TaskOwned,
}

/// What stays.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    named: Files,
    savepoints: Files,
    task_owned: Files,
    shared_with_other_jobs: Files,
}

/// What has no name of ours.
#[derive(Debug, Serialize)]
struct Unknown {
    #[serde(flatten)]
    files: Files,
    /// The first of them.
    paths: Vec<String>,
}

/// Looks, and collects if that is wanted.
pub(crate) fn gather(args: &GcArgs) -> Result<Collection, CommandError> {
    let directory = itself(&args.directory)?;
    let given = &args.directory;
    if !directory.exists() {
        return Err(CommandError::Missing { path: given.clone() });
    }
    if !directory.is_dir() {
        return Err(CommandError::NoDirectory { path: given.clone() });
    }
    let is_checkpoint = directory.file_name().and_then(|name| number_of(name.to_str()?)).is_some();
    if !has_head(&directory) && (is_checkpoint || directory.join(METADATA_FILE).symlink_metadata().is_ok()) {
        return Err(CommandError::SnapshotForGc { path: given.clone() });
    }
    let context = context();
    let job = Job::open(&directory, &args.act, &context)?;
    let refused = |source| CommandError::Refused { path: given.clone(), source };
    let state_after = if job.head.state == JobState::Active { JobState::Active } else { job.head.state };
    let survey = job.upkeep.survey(Some(job.authority)).map_err(refused)?;
    let mut collection = Collection::of(directory.to_string_lossy().into_owned(), &job, &survey, state_after);
    if !args.act.yes {
        return Ok(collection);
    }
    let upkept = job.upkeep.collect(job.authority).map_err(refused)?;
    collection.head.done(&upkept);
    if let (Some(before), Some(after)) = (&upkept.before, &upkept.after) {
        collection.deleted = Some(Files::between(before.all(), after.all()));
        collection.left = Some(Files::of(after.collectable()));
    }
    collection.errors = upkept.errors.iter().map(|error| CommandError::chain(error)).collect();
    Ok(collection)
}

impl Collection {
    fn of(path: String, job: &Job, survey: &JobSurvey, state_after: JobState) -> Self {
        let head = &job.head;
        let group = |why, checkpoint_id, epoch, files| Group { why, checkpoint_id, epoch, files: Files::of(files) };
        let removed = survey.removed.iter().map(|(id, files)| group(Why::Removed, Some(id.get()), None, *files));
        let orphans = survey.orphans.iter().map(|(epoch, files)| group(Why::Orphan, None, Some(epoch.get()), *files));
        let mut collectable: Vec<_> = removed.chain(orphans).collect();
        collectable.push(group(Why::Begun, None, None, survey.begun));
        let mut kept = Kept {
            named: Files::of(survey.named),
            savepoints: Files::of(survey.savepoints),
            task_owned: Files::of(survey.task_owned),
            shared_with_other_jobs: Files::of(survey.shared_with_others),
        };
        if !survey.task_owned_is_needed {
            kept.task_owned = Files::default();
            collectable.push(group(Why::TaskOwned, None, None, survey.task_owned));
        }
        collectable.retain(|group| group.files.files > 0);
        // What is being taken is given up by the claim.
        let savepoints = head.abandoned_savepoints.iter().chain(&head.savepoints_in_progress);
        Self {
            path,
            job: head.job.to_string(),
            head: job.change(state_after),
            collectable,
            abandoned_savepoints: savepoints.map(|savepoint| savepoint.uri.to_string()).collect(),
            empty_directories: survey.empty_directories.len() as u64,
            kept,
            unknown: Unknown {
                files: Files::of(survey.unknown),
                paths: survey.unknown_paths.iter().map(ToString::to_string).collect(),
            },
            deleted: None,
            left: None,
            errors: Vec::new(),
        }
    }

    fn has_acted(&self) -> bool {
        self.head.version_after.is_some()
    }
}

impl Report for Collection {
    fn print(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let HeadChange { state, version, epoch, .. } = &self.head;
        writeln!(out, "job {} is {state} (HEAD version {version}, epoch {epoch})", self.job)?;
        if self.head.fences {
            let fences = if self.has_acted() { "was fenced" } else { "would be fenced" };
            writeln!(out, "whoever leads it {fences}; it stays active, and whoever starts it again takes it over")?;
        }
        let columns = [("COLLECTABLE", Align::Left), ("FILES", Align::Right), ("SIZE", Align::Right)];
        let rows = self.collectable.iter().map(|group| {
            let size = crate::table::bytes(i64::try_from(group.files.bytes).unwrap_or(i64::MAX));
            vec![group.text(), group.files.files.to_string(), size]
        });
        print_table(out, style, &columns, rows)?;
        for uri in &self.abandoned_savepoints {
            writeln!(out, "savepoint that was given up, deleted if it is not complete: {}", escaped(uri))?;
        }
        if self.empty_directories > 0 {
            writeln!(out, "{} of checkpoints that HEAD does not name", directories(self.empty_directories))?;
        }
        if self.is_nothing() {
            writeln!(out, "there is nothing to collect")?;
        }
        self.print_kept(out)?;
        if !self.has_acted() {
            return writeln!(out, "nothing was changed: with --yes it is");
        }
        if let Some(deleted) = self.deleted {
            writeln!(out, "{} {}", style.good("deleted"), deleted.text())?;
        }
        for error in &self.errors {
            writeln!(out, "{} {}", style.bad("problem:"), escaped(error))?;
        }
        if !self.errors.is_empty() {
            let left = self.left.map_or_else(|| "it is not known what".to_owned(), Files::text);
            writeln!(out, "left: {left}; the same command again goes on")?;
        }
        Ok(())
    }

    fn exit(&self) -> Exit {
        if self.errors.is_empty() { Exit::Fine } else { Exit::FoundProblems }
    }
}

impl Collection {
    fn is_nothing(&self) -> bool {
        self.collectable.is_empty() && self.abandoned_savepoints.is_empty() && self.empty_directories == 0
    }

    fn print_kept(&self, out: &mut dyn Write) -> io::Result<()> {
        let Kept { named, savepoints, task_owned, shared_with_other_jobs } = &self.kept;
        for (what, files) in [
            ("named by HEAD or by what it retains", named),
            ("of savepoints", savepoints),
            ("for the tasks to dispose of", task_owned),
            ("perhaps named by jobs that have taken over snapshots of this one", shared_with_other_jobs),
        ] {
            if files.files > 0 {
                writeln!(out, "stays: {} {what}", files.text())?;
            }
        }
        if self.unknown.files.files > 0 {
            const SHOWN: usize = 5;
            let shown: Vec<_> = self.unknown.paths.iter().take(SHOWN).map(|path| escaped(path)).collect();
            let more = if self.unknown.files.files > SHOWN as u64 { ", …" } else { "" };
            writeln!(out, "stays: {} that nobody knows: {}{more}", self.unknown.files.text(), shown.join(", "))?;
        }
        Ok(())
    }
}

impl Group {
    fn text(&self) -> String {
        match (self.why, self.checkpoint_id, self.epoch) {
            (Why::Removed, Some(id), _) => format!("checkpoint {id}, removed"),
            (Why::Removed, None, _) => "removed".to_owned(),
            (Why::Orphan, _, Some(epoch)) => format!("orphans of epoch {epoch}"),
            (Why::Orphan, _, None) => "orphans".to_owned(),
            (Why::Begun, ..) => "begun and never published".to_owned(),
            (Why::TaskOwned, ..) => "of tasks that are gone".to_owned(),
        }
    }
}

fn directories(number: u64) -> String {
    if number == 1 { "1 empty directory".to_owned() } else { count(number, "empty directorie") }
}
