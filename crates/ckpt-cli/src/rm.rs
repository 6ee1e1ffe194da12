//! `ckpt rm`: what removing a snapshot would do, and removing it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ckpt_core::Timestamp;
use ckpt_core::head::{JobState, Nonce};
use ckpt_core::id::CheckpointId;
use ckpt_core::snapshot::{AfterSavepoint, SnapshotKind};
use ckpt_storage::upkeep::Standing;
use ckpt_storage::{
    CheckpointStorage as _, Disposal, DisposeOptions, FileSystemStorage, METADATA_FILE, StorageContext, dispose,
};
use serde::Serialize;

use crate::args::RmArgs;
use crate::error::CommandError;
use crate::ls::number_of;
use crate::report::{Exit, Report, Style};
use crate::text::escaped;
use crate::upkeep::{Files, HeadChange, Job, context, has_head, itself, text_of};

/// What a removal found, and did.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Removed {
    path: String,
    /// `None` when its metadata are gone already.
    job: Option<String>,
    checkpoint_id: Option<u64>,
    /// What HEAD of the job says of it; `None` when none names it.
    standing: Option<HeadStanding>,
    is_restore_point: bool,
    /// `None` when no HEAD names it: then none changes.
    head: Option<HeadChange>,
    /// Its own files, as they were found.
    own: Files,
    /// How many shared files go with it; `None` when none do, or that is not known.
    shared: Option<u64>,
    /// What stays, and why.
    kept: Vec<String>,
    /// What was deleted; `None` when nothing was to be.
    deleted: Option<Files>,
    /// What went wrong.
    errors: Vec<String>,
    /// Who may need it and was not asked.
    warning: Option<String>,
}

/// What HEAD says of a snapshot that is removed through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum HeadStanding {
    Retained,
    SetAside,
    Removed,
}

/// How many directories beside that of a savepoint are looked at for its job.
const MOST_BESIDE: usize = 1000;

/// Looks, and removes if that is wanted.
pub(crate) fn gather(args: &RmArgs) -> Result<Removed, CommandError> {
    let given = &args.path;
    // The metadata stand for the directory that they are in.
    let is_file = given.file_name().is_some_and(|name| name == METADATA_FILE) && !given.is_dir();
    let above = given.parent().filter(|above| is_file && !above.as_os_str().is_empty());
    let directory = match (is_file, above) {
        (true, Some(above)) => itself(above)?,
        (true, None) => itself(&Path::new(".").canonicalize().map_err(|source| unreadable(given, source))?)?,
        (false, _) => itself(given)?,
    };
    let context = context();
    let number = directory.file_name().and_then(|name| number_of(name.to_str()?));
    let job_directory = directory.parent().filter(|above| has_head(above));
    if let (Some(id), Some(job_directory)) = (number, job_directory) {
        let job = Job::open(job_directory, &args.act, &context)?;
        let mut listed = job.head.kept().chain(&job.head.removed);
        if listed.any(|snapshot| snapshot.id == id && snapshot.uri().is_none()) {
            return through_head(args, &directory, &job, id);
        }
        // Of an active job that was meant: whoever collects it takes it over as well.
        if job.head.state == JobState::Active {
            return Err(CommandError::NotNamed { path: given.clone(), job: job.head.job });
        }
    } else if args.act.take_over.is_some() {
        return Err(CommandError::NothingToTakeOver { path: given.clone() });
    }
    if !directory.exists() {
        return Err(CommandError::Missing { path: given.clone() });
    }
    if !directory.is_dir() {
        return Err(CommandError::NoSnapshotForRm { path: given.clone() });
    }
    if has_head(&directory) {
        return Err(CommandError::JobForRm { path: given.clone() });
    }
    by_disposal(args, &directory, &context)
}

/// A snapshot that HEAD of its job names.
fn through_head(args: &RmArgs, directory: &Path, job: &Job, id: CheckpointId) -> Result<Removed, CommandError> {
    let refused = |source| CommandError::Refused { path: args.path.clone(), source };
    let plan = job.upkeep.plan_removal(id, job.authority).map_err(refused)?;
    let mut removed = Removed {
        path: directory.to_string_lossy().into_owned(),
        job: Some(job.head.job.to_string()),
        checkpoint_id: Some(id.get()),
        standing: Some(match plan.standing {
            Standing::SetAside => HeadStanding::SetAside,
            Standing::Removed => HeadStanding::Removed,
            _ => HeadStanding::Retained,
        }),
        is_restore_point: plan.is_restore_point,
        head: Some(job.change(plan.state_after(job.head.state))),
        own: Files::of(plan.own),
        shared: plan.shared,
        kept: Vec::new(),
        deleted: None,
        errors: Vec::new(),
        warning: None,
    };
    if !args.act.yes {
        return Ok(removed);
    }
    let upkept = job.upkeep.remove(id, job.authority).map_err(refused)?;
    if let Some(head) = &mut removed.head {
        head.done(&upkept);
    }
    removed.deleted = Some(match (&upkept.before, &upkept.after) {
        (Some(before), Some(after)) => Files::between(before.all(), after.all()),
        // What others name is not known, so at least its own are.
        _ => removed.own,
    });
    if let Ok(left) = fs::read_dir(directory) {
        let names = left.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()));
        removed.kept.extend(names.map(|name| format!("{name}: nobody knows it, or it could not be deleted")));
    }
    removed.errors = upkept.errors.iter().map(|error| CommandError::chain(error)).collect();
    Ok(removed)
}

/// A snapshot that no HEAD names.
fn by_disposal(args: &RmArgs, directory: &Path, context: &StorageContext) -> Result<Removed, CommandError> {
    let refused = |source| CommandError::Refused { path: args.path.clone(), source };
    let mut nonce = [0; 16];
    context.random.fill(&mut nonce).map_err(refused)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = Timestamp::from_millis(u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
    let mut options = DisposeOptions::new(Nonce::new(nonce), now);
    for job_directory in &args.job_dir {
        options = options.with_job_directory(text_of(&itself(job_directory)?)?);
    }
    for base in places_of_jobs(directory) {
        options = options.with_jobs_below(text_of(&base)?);
    }
    let pointer = text_of(directory)?;
    let warning = warning_of(args, directory, pointer, context);
    let planned = dispose(pointer, context, &options.clone().dry_run()).map_err(refused)?;
    let mut removed = Removed::of_disposal(directory, &planned);
    removed.warning = warning;
    if args.act.yes {
        let disposal = dispose(pointer, context, &options).map_err(refused)?;
        removed.deleted = Some(Files::of(disposal.gone));
        removed.kept = disposal.kept.iter().map(ToString::to_string).collect();
        removed.errors = disposal.errors.iter().map(|error| CommandError::chain(error)).collect();
    }
    Ok(removed)
}

/// Where the job of a savepoint may have its directory: beside it, and beside the directory that it lies in.
fn places_of_jobs(directory: &Path) -> Vec<PathBuf> {
    let Some(target) = directory.parent() else { return Vec::new() };
    let mut places = vec![target.to_owned()];
    let Some(around) = target.parent() else { return places };
    places.push(around.to_owned());
    let beside = fs::read_dir(around).into_iter().flatten().flatten().take(MOST_BESIDE);
    places.extend(beside.filter(|it| it.file_type().is_ok_and(|kind| kind.is_dir())).map(|it| it.path()));
    places.retain(|place| place.to_str().is_some() && place.parent().is_some());
    places
}

/// A savepoint that stops a job may be all that the job can go on from, and where that is was not found.
fn warning_of(args: &RmArgs, directory: &Path, pointer: &str, context: &StorageContext) -> Option<String> {
    let summary = FileSystemStorage::without_directory().summarize(pointer, context).ok()?;
    let SnapshotKind::Savepoint { then: AfterSavepoint::Suspend | AfterSavepoint::Terminate, .. } =
        summary.properties.kind()
    else {
        return None;
    };
    let job = summary.job.to_string();
    let is_known = !args.job_dir.is_empty()
        || places_of_jobs(directory).iter().any(|place| has_head(&place.join(&job)) || has_head(place));
    (!is_known).then(|| {
        format!("job {job} was to be stopped with it, and its directory was not found: name it with --job-dir, so that HEAD is asked")
    })
}

fn unreadable(path: &Path, source: io::Error) -> CommandError {
    CommandError::Unreadable { path: path.into(), source }
}

impl Removed {
    fn of_disposal(directory: &Path, planned: &Disposal) -> Self {
        Self {
            path: directory.to_string_lossy().into_owned(),
            job: planned.snapshot.map(|(job, _)| job.to_string()),
            checkpoint_id: planned.snapshot.map(|(_, id)| id.get()),
            standing: None,
            is_restore_point: false,
            head: None,
            own: Files::of(planned.listed),
            shared: None,
            kept: planned.kept.iter().map(ToString::to_string).collect(),
            deleted: None,
            errors: Vec::new(),
            warning: None,
        }
    }

    fn name(&self) -> String {
        match (&self.job, self.checkpoint_id) {
            (Some(job), Some(id)) => format!("snapshot {id} of job {job}"),
            _ => "what is left of a snapshot that was being disposed of".to_owned(),
        }
    }

    fn print_head(&self, out: &mut dyn Write) -> io::Result<()> {
        let Some(head) = &self.head else {
            return writeln!(out, "no HEAD names it");
        };
        let HeadChange { state, version, epoch, .. } = head;
        let standing = match self.standing {
            Some(HeadStanding::SetAside) => "set aside",
            Some(HeadStanding::Removed) => "removed already",
            _ if self.is_restore_point => "retained, the newest that can be restored",
            _ => "retained",
        };
        writeln!(out, "the job is {state} (HEAD version {version}, epoch {epoch}); to it the snapshot is {standing}")?;
        if !head.fences {
            return Ok(());
        }
        let is_done = head.version_after.is_some();
        let fences = if is_done { "was fenced" } else { "would be fenced" };
        if head.state == head.state_after {
            writeln!(out, "whoever leads the job {fences}; it stays active, and whoever starts it again takes it over")
        } else {
            let ended = if is_done { "was ended" } else { "would be ended" };
            writeln!(
                out,
                "whoever leads the job {fences}, and the job {ended} as {}: it cannot be started again, and a new job may begin \
                 from what is left",
                head.state_after
            )
        }
    }
}

impl Report for Removed {
    fn print(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let shared = match self.shared {
            Some(shared) if shared > 0 => {
                format!(", and {} that nothing else names", crate::text::count(shared, "shared file"))
            }
            _ => String::new(),
        };
        writeln!(out, "{} in {}", self.name(), escaped(&self.path))?;
        self.print_head(out)?;
        if let Some(warning) = &self.warning {
            writeln!(out, "{} {warning}", style.bad("warning:"))?;
        }
        match self.deleted {
            None => writeln!(out, "would be deleted: {}{shared}", self.own.text())?,
            Some(deleted) => writeln!(out, "{} {}", style.good("deleted"), deleted.text())?,
        }
        for kept in &self.kept {
            writeln!(out, "stays: {}", escaped(kept))?;
        }
        for error in &self.errors {
            writeln!(out, "{} {}", style.bad("problem:"), escaped(error))?;
        }
        match (self.deleted, self.errors.is_empty()) {
            (None, _) => writeln!(out, "nothing was changed: with --yes it is"),
            (Some(_), true) => Ok(()),
            (Some(_), false) => writeln!(out, "not all is gone: the same command again goes on"),
        }
    }

    fn exit(&self) -> Exit {
        if self.errors.is_empty() { Exit::Fine } else { Exit::FoundProblems }
    }
}
