//! What lies in the directory of a job and is not named by HEAD. It is told, and no problem: everything that is named is as
//! whole without it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use ckpt_core::head::Head;
use ckpt_storage::StorageContext;
use ckpt_storage::upkeep::{JobSurvey, JobUpkeep};
use serde::Serialize;

use crate::ls::FoundJob;
use crate::report::warn;
use crate::text::{escaped, escaped_path};
use crate::upkeep::Files;

/// A job, and what in its directory HEAD does not name.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VerifiedJob {
    path: String,
    version: u64,
    epoch: u64,
    state: String,
    /// Of snapshots that are removed and not collected, by their number.
    removed: BTreeMap<u64, Files>,
    /// Of leaders that are gone, by their epoch.
    orphans: BTreeMap<u64, Files>,
    /// What those had only begun.
    begun: Files,
    /// Of the leader in office, which may commit them yet.
    of_the_leader: Files,
    task_owned: Files,
    unknown: Files,
    /// The first of those.
    unknown_paths: Vec<String>,
    empty_directories: u64,
}

impl VerifiedJob {
    /// Looks at all of it; what cannot be told is a warning, since what is wrong with snapshots is told of them.
    pub(super) fn of(job: &FoundJob, head: &Head, context: &StorageContext) -> Option<Self> {
        let survey = || JobUpkeep::open(crate::upkeep::text_of(&job.directory).ok()?, context).ok()?.survey(None).ok();
        let Some(survey) = survey() else {
            let directory = escaped_path(&job.directory);
            warn(format_args!("what lies in '{directory}' besides what HEAD names cannot be told"));
            return None;
        };
        Some(Self::found(job, head, survey))
    }

    fn found(job: &FoundJob, head: &Head, survey: JobSurvey) -> Self {
        Self {
            path: job.directory.to_string_lossy().into_owned(),
            version: head.version.get(),
            epoch: head.epoch.get(),
            state: head.state.to_string(),
            removed: survey.removed.iter().map(|(id, files)| (id.get(), Files::of(*files))).collect(),
            orphans: survey.orphans.iter().map(|(epoch, files)| (epoch.get(), Files::of(*files))).collect(),
            begun: Files::of(survey.begun),
            of_the_leader: Files::of(survey.of_the_leader),
            task_owned: Files::of(survey.task_owned),
            unknown: Files::of(survey.unknown),
            unknown_paths: survey.unknown_paths.iter().map(ToString::to_string).collect(),
            empty_directories: survey.empty_directories.len() as u64,
        }
    }

    fn is_nothing_else(&self) -> bool {
        let others = [self.begun, self.of_the_leader, self.task_owned, self.unknown];
        self.removed.is_empty() && self.orphans.is_empty() && others.iter().all(|files| files.files == 0)
    }

    /// A line for each kind of what there is; nothing when there is nothing else.
    pub(super) fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.is_nothing_else() {
            return Ok(());
        }
        let Self { path, version, epoch, state, .. } = self;
        writeln!(out, "job {}: {state}, HEAD version {version}, epoch {epoch}", escaped(path))?;
        for (id, files) in &self.removed {
            writeln!(out, "  not collected: {} of checkpoint {id}, which is removed", files.text())?;
        }
        for (epoch, files) in &self.orphans {
            writeln!(out, "  orphans: {} of epoch {epoch}, which nothing names", files.text())?;
        }
        for (what, files) in [
            ("orphans: {} that were begun and never published", self.begun),
            ("not committed: {} of the leader in office, which may commit them yet", self.of_the_leader),
            ("task-owned: {}", self.task_owned),
        ] {
            if files.files > 0 {
                writeln!(out, "  {}", what.replace("{}", &files.text()))?;
            }
        }
        if self.unknown.files > 0 {
            let shown: Vec<_> = self.unknown_paths.iter().take(5).map(|path| escaped(path)).collect();
            let more = if self.unknown.files > 5 { ", …" } else { "" };
            writeln!(out, "  unknown: {} that nobody knows: {}{more}", self.unknown.text(), shown.join(", "))?;
        }
        Ok(())
    }
}
