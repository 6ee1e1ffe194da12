//! What lies in the directory of a job, held against what HEAD says.

use std::collections::{BTreeMap, BTreeSet};

use ckpt_core::Result;
use ckpt_core::head::{Head, Orphans};
use ckpt_core::id::{CheckpointId, FileName, LeaderEpoch};
use ckpt_core::state::RelPath;
use ckpt_streams::file_system::{Entry, FileVisitor, LocalFileSystem};

use crate::dispose::FileCount;
use crate::file::JobDirectory;
use crate::layout::{self, METADATA_FILE, OurFile};

/// What lies in the directory of a job, held against what HEAD says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobSurvey {
    /// The record itself, with its older versions.
    pub head: FileCount,
    /// Files that HEAD, or a checkpoint that it retains, names: in the directories of those checkpoints all that has a form of
    /// ours.
    pub named: FileCount,
    /// Files in directories of savepoints, which are their users'.
    pub savepoints: FileCount,
    /// Files that the leader in office has written and HEAD does not name: it may commit them yet, or delete them.
    pub of_the_leader: FileCount,
    /// Files of tasks, which dispose of them.
    pub task_owned: FileCount,
    /// Whether anything is left that may name files of tasks.
    pub task_owned_is_needed: bool,
    /// In the directories of snapshots that are removed and not collected.
    pub removed: BTreeMap<CheckpointId, FileCount>,
    /// Files of leaders that are gone, which nothing names, by their epoch.
    pub orphans: BTreeMap<LeaderEpoch, FileCount>,
    /// What leaders that are gone had only begun to write.
    pub begun: FileCount,
    /// Shared files that may be named by snapshots which other jobs have taken over.
    pub shared_with_others: FileCount,
    /// Files whose names have no form of ours: nothing deletes them.
    pub unknown: FileCount,
    /// The first of those, up to [`MOST_UNKNOWN`](Self::MOST_UNKNOWN).
    pub unknown_paths: Vec<RelPath>,
    /// Directories of checkpoints that HEAD does not name, in which no file is.
    pub empty_directories: Vec<RelPath>,
}

impl JobSurvey {
    /// How many unknown files are listed by name.
    pub const MOST_UNKNOWN: usize = 1000;

    /// Everything but the record itself and what is unknown.
    pub fn all(&self) -> FileCount {
        let others = [&self.named, &self.savepoints, &self.of_the_leader, &self.task_owned, &self.begun];
        let groups = self.removed.values().chain(self.orphans.values()).chain(others).chain([&self.shared_with_others]);
        let mut sum = FileCount::default();
        groups.for_each(|group| sum += *group);
        sum
    }

    /// What a collection deletes.
    pub fn collectable(&self) -> FileCount {
        let task_owned = if self.task_owned_is_needed { FileCount::default() } else { self.task_owned };
        let groups = self.removed.values().chain(self.orphans.values()).chain([&self.begun, &task_owned]);
        let mut sum = FileCount::default();
        groups.for_each(|group| sum += *group);
        sum
    }
}

/// Looks at everything below the directory, a page at a time. `head` is HEAD, or what it would be once it is claimed;
/// `alive` are the shared files that what it retains names.
///
/// # Errors
///
/// `Retry` when something could not be listed.
pub(super) fn survey(directory: &JobDirectory, head: &Head, alive: BTreeSet<FileName>) -> Result<JobSurvey> {
    let mut looking = Looking {
        directory,
        head,
        kept: head.kept().filter(|snapshot| snapshot.uri().is_none()).map(|snapshot| snapshot.id).collect(),
        removed: head.removed.iter().filter(|snapshot| snapshot.uri().is_none()).map(|snapshot| snapshot.id).collect(),
        orphans: Orphans::new(head, alive.clone()),
        alive,
        epochs: BTreeMap::new(),
        survey: JobSurvey { task_owned_is_needed: head.needs_task_owned(), ..JobSurvey::default() },
    };
    directory.visit(None, &mut looking)?;
    looking.survey.unknown_paths.sort_unstable();
    looking.look_for_empty_directories()?;
    Ok(looking.survey)
}

struct Looking<'a> {
    directory: &'a JobDirectory,
    head: &'a Head,
    kept: BTreeSet<CheckpointId>,
    removed: BTreeSet<CheckpointId>,
    orphans: Orphans,
    alive: BTreeSet<FileName>,
    /// Of checkpoints that HEAD does not name, by whom their `_metadata` is; `None` when it is none of this job.
    epochs: BTreeMap<CheckpointId, Option<LeaderEpoch>>,
    survey: JobSurvey,
}

impl FileVisitor for Looking<'_> {
    fn enters(&mut self, _: &RelPath) -> bool {
        true
    }

    fn files(&mut self, files: Vec<Entry>) {
        files.into_iter().for_each(|entry| self.look_at(entry));
    }
}

impl Looking<'_> {
    fn look_at(&mut self, entry: Entry) {
        let Entry { path, length_bytes, .. } = entry;
        match self.group_of(&path) {
            Some(group) => *group += FileCount { files: 1, bytes: length_bytes },
            None => {
                self.survey.unknown += FileCount { files: 1, bytes: length_bytes };
                if self.survey.unknown_paths.len() < JobSurvey::MOST_UNKNOWN {
                    self.survey.unknown_paths.push(path);
                }
            }
        }
    }

    /// To which a file belongs; `None` when its name has no form of ours.
    fn group_of(&mut self, path: &RelPath) -> Option<&mut FileCount> {
        let (directory, file) = path.as_str().split_once('/')?;
        if directory == layout::HEAD_DIRECTORY {
            return layout::is_of_head(path).then_some(&mut self.survey.head);
        }
        if directory == layout::TASK_OWNED_DIRECTORY {
            return file.parse::<FileName>().is_ok().then_some(&mut self.survey.task_owned);
        }
        if layout::is_savepoint_directory(directory, self.head.job) {
            return Some(&mut self.survey.savepoints);
        }
        if let Some(OurFile::Shared(name)) = OurFile::parse(path) {
            return Some(if self.alive.contains(&name) {
                &mut self.survey.named
            } else if !self.head.handed_over.is_empty() {
                &mut self.survey.shared_with_others
            } else if self.orphans.contains_shared(name) {
                self.survey.orphans.entry(name.epoch).or_default()
            } else {
                &mut self.survey.of_the_leader
            });
        }
        let id = layout::parse_checkpoint_directory(directory)?;
        if self.kept.contains(&id) {
            let is_ours = OurFile::parse(path).is_some()
                || RelPath::new(file).is_ok_and(|name| layout::is_of_a_snapshot(&name))
                || LocalFileSystem::unpublished_name(file).is_some();
            return is_ours.then_some(&mut self.survey.named);
        }
        let is_removed = self.removed.contains(&id);
        match OurFile::parse(path) {
            Some(OurFile::Exclusive(..) | OurFile::Metadata(_)) if is_removed => {
                Some(self.survey.removed.entry(id).or_default())
            }
            Some(OurFile::Exclusive(_, name)) => Some(match self.orphans.contains_state(id, name) {
                true => self.survey.orphans.entry(name.epoch).or_default(),
                false => &mut self.survey.of_the_leader,
            }),
            Some(OurFile::Metadata(_)) => {
                let epoch = self.epoch_of(id)?;
                Some(match self.orphans.contains_metadata(id, epoch) {
                    true => self.survey.orphans.entry(epoch).or_default(),
                    false => &mut self.survey.of_the_leader,
                })
            }
            _ if LocalFileSystem::unpublished_name(file) == Some(METADATA_FILE) => {
                Some(match is_removed || self.orphans.contains_begun(id) {
                    true => &mut self.survey.begun,
                    false => &mut self.survey.of_the_leader,
                })
            }
            _ => None,
        }
    }

    /// By the leader of which epoch a checkpoint of this job was taken; `None` when it is none that we know.
    fn epoch_of(&mut self, id: CheckpointId) -> Option<LeaderEpoch> {
        let directory = self.directory;
        *self.epochs.entry(id).or_insert_with(|| {
            let summary = directory.metadata_file(id).and_then(|file| file.summary()).ok()?;
            let is_its_own = summary.job == directory.job && summary.identity.id == id;
            is_its_own.then_some(summary.identity.epoch)
        })
    }

    fn look_for_empty_directories(&mut self) -> Result<()> {
        for found in self.directory.directories()? {
            let Some(id) = layout::parse_checkpoint_directory(found.as_str()) else { continue };
            let is_former = self.removed.contains(&id) || self.orphans.contains_begun(id);
            if is_former && self.directory.is_empty(&found)? {
                self.survey.empty_directories.push(found);
            }
        }
        Ok(())
    }
}
