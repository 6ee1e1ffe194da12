//! How a snapshot of Flink's moved since it was written, and where its files must be now.
//!
//! Flink names most files by absolute paths, and nowhere says where the snapshot itself was: the *origin*, which is the
//! directory of its job, and of a savepoint its own. What its own files are called tells it. If the origin is where the
//! snapshot is now, nothing has moved. Otherwise what lay below the origin must be next to the snapshot; and when both
//! paths end alike, what lay below the part that differs has moved along. A file that must be next to the snapshot is not
//! looked for where it was: a copy of which a part is lost would be fit for nothing as soon as the original is gone. Where
//! the original is still there, that tells more than any name.

use std::collections::BTreeSet;
use std::iter::successors;
use std::path::{Path, PathBuf};

use ckpt_core::id::JobId;
use ckpt_storage::{CHECKPOINT_DIRECTORY_PREFIX, SHARED_DIRECTORY, TASK_OWNED_DIRECTORY};

use super::directories::Directories;
use crate::flink::path::FlinkPath;

/// What moved from where to where. Nothing, as far as is known, when it is empty.
#[derive(Debug)]
pub(super) struct Moves {
    moves: Directories<Move>,
    /// What a snapshot brings along: the directory of its job, or its own; by its names before and now.
    with_the_snapshot: Directories<()>,
    /// The snapshot's directory, when nothing tells where that was.
    of_unknown_origin: Option<PathBuf>,
}

/// What lay below a directory lies below another one now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) to: PathBuf,
    /// What this follows from.
    pub(super) of: MovedDirectory,
}

/// A directory that moved with all that is in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MovedDirectory {
    pub(super) from: FlinkPath,
    pub(super) to: PathBuf,
}

/// A snapshot as it lies here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Here<'a> {
    /// Its directory, by a path without links.
    pub(super) directory: &'a Path,
    pub(super) checkpoint_id: u64,
    pub(super) sort: SnapshotSort,
}

/// What a snapshot is, as far as is known: old metadata does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SnapshotSort {
    Checkpoint,
    Savepoint,
    Unknown,
}

/// Where a snapshot may have been.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    /// The directory of its job, and its own in there.
    Checkpoint { job: FlinkPath, own: FlinkPath },
    /// Its own.
    Alone(FlinkPath),
}

/// How an origin is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Evidence {
    /// By its metadata, which is still there.
    Original,
    /// By a file of the snapshot's own directory.
    Own,
    /// By a file that its job shares, which may be older than a move of the job.
    Job,
}

impl Moves {
    /// How the snapshot moved by the directories that its files are said to lie in. `is_same` says whether a path of then
    /// and one of now are one directory, and `originals` of which other directories it is a copy.
    pub(super) fn of<'a>(
        here: Here<'_>,
        directories: impl IntoIterator<Item = &'a FlinkPath>,
        is_same: impl Fn(&FlinkPath, &Path) -> bool,
        originals: impl FnOnce() -> Vec<FlinkPath>,
    ) -> Self {
        let mut found: BTreeSet<_> = directories.into_iter().filter_map(|it| here.origin_by(it)).collect();
        let best = found.first().map(|(evidence, _)| *evidence);
        let is_here =
            |(evidence, origin): &(_, Origin)| Some(*evidence) == best && is_same(origin.own(), here.directory);
        if !found.iter().any(is_here) {
            found.extend(originals().into_iter().map(|own| (Evidence::Original, Origin::of(own))));
        }
        let best = found.first().map(|(evidence, _)| *evidence);
        let origins = found.into_iter().filter(|(evidence, _)| Some(*evidence) == best).map(|(_, origin)| origin);
        let origins: Vec<_> = origins.collect();
        let (stayed, left): (Vec<_>, Vec<_>) =
            origins.into_iter().partition(|origin| is_same(origin.top(), here.top(origin)));
        let moves: Directories<_> = if stayed.is_empty() {
            left.iter().flat_map(|origin| here.moves_from(origin)).collect()
        } else if stayed.iter().any(|origin| is_same(origin.own(), here.directory)) {
            Directories::from_iter([])
        } else {
            // A copy next to the original: what is in its directory is its own, and everything else belongs to both.
            stayed.iter().map(|origin| Move::of(origin.own(), here.directory)).collect()
        };
        let now = FlinkPath::of_local(here.home());
        let with_the_snapshot = stayed.iter().map(|origin| origin.top().clone()).chain(now);
        let with_the_snapshot = with_the_snapshot.map(|directory| (directory, ())).collect();
        let of_unknown_origin = best.is_none().then(|| here.directory.to_owned());
        Self { moves, with_the_snapshot, of_unknown_origin }
    }

    /// The move that a path takes part in, and what of it lies below the directory that moved; `None` when it must be
    /// where it says.
    pub(super) fn around<'a>(&self, path: &'a FlinkPath) -> Option<(&Move, &'a str)> {
        self.moves.around(path)
    }

    /// How a path that leads nowhere may have moved along, when nothing tells where the snapshot was: a directory around it
    /// has the name of one around the snapshot; the innermost around the snapshot first.
    pub(super) fn guesses<'a>(&self, path: &'a FlinkPath) -> Vec<(Move, &'a str)> {
        let here = self.of_unknown_origin.iter().flat_map(|directory| directory.ancestors());
        let guesses = here.filter_map(|here| {
            let name = here.file_name()?.to_str()?;
            let (from, below) = path.around().find(|(directory, _)| directory.rsplit('/').next() == Some(name))?;
            Some((Move::of(&FlinkPath::new(from), here).1, below))
        });
        guesses.collect()
    }

    /// Whether a file that is where it says lies neither in the snapshot's directory nor in that of its job.
    pub(super) fn is_outside(&self, path: &FlinkPath) -> bool {
        self.with_the_snapshot.around(path).is_none()
    }
}

impl Move {
    fn of(from: &FlinkPath, to: &Path) -> (FlinkPath, Self) {
        let of = MovedDirectory { from: from.clone(), to: to.to_owned() };
        (from.clone(), Self { to: to.to_owned(), of })
    }
}

impl Here<'_> {
    /// The origin that a file in that directory tells of.
    fn origin_by(self, directory: &FlinkPath) -> Option<(Evidence, Origin)> {
        let name = directory.name()?;
        if self.is_called(name) {
            let origin = Origin::of(directory.clone());
            let may_be = !matches!(&origin, Origin::Checkpoint { job, .. } if !self.may_be_its_job(job));
            return may_be.then_some((Evidence::Own, origin));
        }
        if self.sort == SnapshotSort::Savepoint {
            // What it names elsewhere are files that the tasks of its job own.
            return None;
        }
        // Merged files lie one deeper.
        let mut around = successors(Some(directory.clone()), FlinkPath::parent).take(2);
        let around = around.find(|it| matches!(it.name(), Some(SHARED_DIRECTORY | TASK_OWNED_DIRECTORY)))?;
        let job = around.parent()?;
        let is_shared = around.name() == Some(SHARED_DIRECTORY);
        // Savepoints share no files, but they may name what tasks own.
        let is_known = is_shared || self.sort == SnapshotSort::Checkpoint || job.name() == self.job_name();
        if !is_known || !self.may_be_its_job(&job) {
            return None;
        }
        let own = FlinkPath::new(&format!("{}/{}", job.as_str(), self.checkpoint_name()));
        Some((Evidence::Job, Origin::Checkpoint { job, own }))
    }

    /// Whether its directory may have had that name: it may be called something else now.
    fn is_called(self, name: &str) -> bool {
        let is_now = self.directory.file_name().is_some_and(|now| now == name);
        let may_be_savepoint = self.sort != SnapshotSort::Checkpoint && name.starts_with("savepoint-");
        let may_be_checkpoint = self.sort != SnapshotSort::Savepoint && name == self.checkpoint_name();
        is_now || may_be_savepoint || may_be_checkpoint
    }

    /// A directory of another job is not its own; one that has no name of a job may be called anything now.
    fn may_be_its_job(self, job: &FlinkPath) -> bool {
        let is_of_a_job = |name: &str| name.parse::<JobId>().is_ok();
        self.job_name() == job.name() || !self.job_name().is_some_and(is_of_a_job)
    }

    fn checkpoint_name(self) -> String {
        format!("{CHECKPOINT_DIRECTORY_PREFIX}{}", self.checkpoint_id)
    }

    fn job_name(&self) -> Option<&str> {
        self.directory.parent()?.file_name()?.to_str()
    }

    /// Where the origin would be had it not moved.
    fn top(&self, origin: &Origin) -> &Path {
        match origin {
            Origin::Checkpoint { .. } => self.directory.parent().unwrap_or(self.directory),
            Origin::Alone(_) => self.directory,
        }
    }

    /// What it brings along.
    fn home(&self) -> &Path {
        let name = self.directory.file_name().and_then(|name| name.to_str());
        let is_checkpoint = self.sort == SnapshotSort::Checkpoint || name.is_some_and(is_checkpoint);
        self.directory.parent().filter(|_| is_checkpoint).unwrap_or(self.directory)
    }

    /// Its own directory, that of its job, and what moved along with that.
    fn moves_from(self, origin: &Origin) -> Vec<(FlinkPath, Move)> {
        let (top, moved) = Move::of(origin.top(), self.top(origin));
        let own = Move { to: self.directory.to_owned(), ..moved.clone() };
        let (mut from, mut to) = (top.clone(), moved.to.clone());
        while let (Some(name), Some(from_above), Some(to_above)) = (from.name(), from.parent(), to.parent()) {
            if to.file_name().is_none_or(|now| now != name) {
                break;
            }
            (from, to) = (from_above, to_above.to_owned());
        }
        let base = Move { to, ..moved.clone() };
        vec![(from, base), (top, moved), (origin.own().clone(), own)]
    }
}

impl Origin {
    /// That of a snapshot in that directory.
    fn of(own: FlinkPath) -> Self {
        match own.parent().filter(|_| own.name().is_some_and(is_checkpoint)) {
            Some(job) => Self::Checkpoint { job, own },
            None => Self::Alone(own),
        }
    }

    fn top(&self) -> &FlinkPath {
        match self {
            Self::Checkpoint { job, .. } => job,
            Self::Alone(own) => own,
        }
    }

    fn own(&self) -> &FlinkPath {
        match self {
            Self::Checkpoint { own, .. } | Self::Alone(own) => own,
        }
    }
}

/// Whether a directory of that name is a checkpoint's.
pub(super) fn is_checkpoint(name: &str) -> bool {
    let digits = name.strip_prefix(CHECKPOINT_DIRECTORY_PREFIX);
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()))
}
