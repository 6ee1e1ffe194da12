//! Files of Flink's: they are there, and have the right length. Flink keeps no digests.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ckpt_core::ErrorKind;
use ckpt_core::state::RelPath;
use ckpt_streams::file_system::{FileSystem as _, LocalFileSystem};

use super::references::{Reference, References};
use super::verdict::{FileCounts, FoundBy, Problem, ProblemKind};
use crate::error::CommandError;
use crate::flink::path::FlinkPath;
use crate::map_root::MapRoot;
use crate::metadata_file::MetadataFile;
use crate::snapshot::PieceFile;

/// Looks for each file.
pub(super) struct FlinkFiles<'a> {
    directory: &'a Path,
    maps: &'a [MapRoot],
    /// What was opened already.
    roots: BTreeMap<PathBuf, LocalFileSystem>,
}

/// Where a file may be.
struct Candidate {
    /// Nothing outside of it is looked at; `None` when the path is absolute and not of this snapshot's making.
    root: Option<PathBuf>,
    below: String,
    by: FoundBy,
}

/// What is at a place.
enum Found {
    Nothing,
    Length(u64),
    /// What kind of problem, and why.
    Problem(ProblemKind, String),
}

impl<'a> FlinkFiles<'a> {
    pub(super) fn new(file: &'a MetadataFile, maps: &'a [MapRoot]) -> Self {
        Self { directory: &file.directory, maps, roots: BTreeMap::new() }
    }

    /// Looks for all of them.
    pub(super) fn verify(mut self, references: &References, counts: &mut FileCounts) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (name, reference) in &references.files {
            let before = problems.len();
            let found = self.verify_one(name, reference, &mut problems);
            if problems.len() == before {
                counts.without_digest += 1;
                found.into_iter().for_each(|by| counts.add(by));
            }
        }
        problems
    }

    fn verify_one(&mut self, name: &str, reference: &Reference, problems: &mut Vec<Problem>) -> Option<FoundBy> {
        let problem = |kind, looked_at, message| Problem {
            looked_at,
            ..Problem::of_file(kind, name, message, reference.owners())
        };
        let candidates = match self.candidates(&reference.file) {
            Ok(candidates) => candidates,
            Err((kind, message)) => {
                problems.push(problem(kind, None, message));
                return None;
            }
        };
        let mut looked_at = Vec::new();
        for candidate in candidates {
            let shown = candidate.shown();
            match self.look(&candidate) {
                Found::Nothing => looked_at.push(shown),
                Found::Problem(kind, message) => {
                    problems.push(problem(kind, Some(shown), message));
                    return None;
                }
                Found::Length(found) => {
                    for (expected, owners) in &reference.expected {
                        if let Some(message) = expected.flaw(found) {
                            let owners = Some(owners.clone());
                            let problem = Problem::of_file(ProblemKind::WrongLength, name, message, owners);
                            problems.push(Problem { looked_at: Some(shown.clone()), ..problem });
                        }
                    }
                    return Some(candidate.by);
                }
            }
        }
        problems.push(problem(ProblemKind::Missing, Some(looked_at.join(", ")), "is not there".to_owned()));
        None
    }

    /// Where the file may be, in the order in which to look.
    fn candidates(&self, file: &PieceFile) -> Result<Vec<Candidate>, (ProblemKind, String)> {
        let refused = || (ProblemKind::Refused, "leaves the directory that it is said to lie in".to_owned());
        let path = match file {
            PieceFile::Flink { path, .. } => path,
            PieceFile::Relative(path) => {
                let root = Some(self.directory.to_owned());
                return Ok(vec![Candidate { root, below: path.clone(), by: FoundBy::Place }]);
            }
            // There is none in a file of Flink's.
            PieceFile::Ours { .. } => return Ok(Vec::new()),
        };
        if path.leaves_its_root() {
            return Err(refused());
        }
        if let Some((root, below)) = self.maps.iter().find_map(|map| map.divide(path)) {
            let (root, below) = (Some(root.to_owned()), below.to_owned());
            return Ok(vec![Candidate { root, below, by: FoundBy::Map }]);
        }
        let mut candidates: Vec<_> = self.next_to_the_snapshot(path).into_iter().collect();
        if let Some(local) = path.local() {
            let absolute = Candidate { root: None, below: local.to_owned(), by: FoundBy::Place };
            if candidates.iter().any(|candidate| candidate.path() == absolute.path()) {
                candidates.clear();
            }
            candidates.push(absolute);
        }
        if candidates.is_empty() {
            return Err((ProblemKind::Elsewhere, "lies on another file system: say with --map-root where".to_owned()));
        }
        Ok(candidates)
    }

    /// The path from the job's directory, or the snapshot's own, on: where it would be had they moved together.
    fn next_to_the_snapshot(&self, path: &FlinkPath) -> Option<Candidate> {
        let job = self.directory.parent().filter(|job| is_job(job));
        [job, Some(self.directory)].into_iter().flatten().find_map(|root| {
            let marker = format!("/{}/", root.file_name()?.to_str()?);
            let (at, _) = path.as_str().rmatch_indices(&marker).next()?;
            let below = path.as_str().get(at + marker.len()..)?.to_owned();
            Some(Candidate { root: Some(root.to_owned()), below, by: FoundBy::Layout })
        })
    }

    fn look(&mut self, candidate: &Candidate) -> Found {
        let Some(root) = &candidate.root else { return look_anywhere(&candidate.below) };
        let Ok(below) = RelPath::new(candidate.below.clone()) else {
            return Found::Problem(
                ProblemKind::Refused,
                "leaves the directory that it is said to lie in, or is no path of a file".to_owned(),
            );
        };
        let opened = match self.roots.get(root) {
            Some(opened) => opened,
            None => match LocalFileSystem::open(root) {
                Ok(opened) => self.roots.entry(root.clone()).or_insert(opened),
                Err(error) => return unreadable(&error),
            },
        };
        match opened.open(&below) {
            Ok(file) => Found::Length(file.length_bytes()),
            Err(error) if error.kind() == ErrorKind::NotFound => Found::Nothing,
            Err(error) => unreadable(&error),
        }
    }
}

impl Candidate {
    fn path(&self) -> PathBuf {
        self.root.as_deref().unwrap_or(Path::new("/")).join(&self.below)
    }

    fn shown(&self) -> String {
        self.path().to_string_lossy().into_owned()
    }
}

/// A path that Flink itself would open, wherever that leads. It is not opened here.
fn look_anywhere(path: &str) -> Found {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => Found::Length(found.len()),
        Ok(_) => Found::Problem(ProblemKind::Unreadable, "is no file".to_owned()),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Found::Nothing,
        Err(error) => Found::Problem(ProblemKind::Unreadable, error.to_string()),
    }
}

fn unreadable(error: &ckpt_core::Error) -> Found {
    Found::Problem(ProblemKind::Unreadable, CommandError::chain(error))
}

fn is_job(directory: &Path) -> bool {
    let name = directory.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.parse::<ckpt_core::id::JobId>().is_ok())
}
