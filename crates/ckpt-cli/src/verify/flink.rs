//! Files of Flink's: they are there, and have the right length. Flink keeps no digests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use ckpt_core::ErrorKind;
use ckpt_core::state::RelPath;
use ckpt_streams::file_system::{FileSystem as _, LocalFileSystem};

use super::copies::{is_original_of, originals};
use super::maps::Maps;
use super::moves::{Here, MovedDirectory, Moves, SnapshotSort};
use super::references::{Reference, References};
use super::verdict::{FoundBy, Moved, Problem, ProblemKind, VerifiedSnapshot};
use crate::error::CommandError;
use crate::flink::path::{FlinkPath, Location};
use crate::metadata_file::{MetadataFile, open_file};
use crate::snapshot::{PieceFile, SnapshotHead};

/// Looks for each file.
pub(super) struct FlinkFiles<'a> {
    directory: &'a Path,
    maps: &'a Maps,
    moves: Moves,
    /// Those in which something was looked for.
    moved: BTreeSet<MovedDirectory>,
    /// What was opened already.
    roots: BTreeMap<PathBuf, LocalFileSystem>,
}

/// Where a file must be.
struct Place {
    /// Nothing outside of it is looked at; `None` when the path is looked at as Flink would open it.
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
    pub(super) fn new(file: &'a MetadataFile, head: &SnapshotHead, references: &References, maps: &'a Maps) -> Self {
        let sort = match head.kind.as_deref() {
            None => SnapshotSort::Unknown,
            Some(kind) if kind.contains("savepoint") => SnapshotSort::Savepoint,
            Some(_) => SnapshotSort::Checkpoint,
        };
        let here = Here { directory: &file.directory, checkpoint_id: head.checkpoint_id, sort };
        let originals = || originals(&file.directory, &references.directories, |path| is_original_of(file, path));
        let moves = Moves::of(here, &references.directories, is_same, originals);
        Self { directory: &file.directory, maps, moves, moved: BTreeSet::new(), roots: BTreeMap::new() }
    }

    /// Looks for all of them.
    pub(super) fn verify(mut self, references: &References, verified: &mut VerifiedSnapshot) {
        for (name, reference) in &references.files {
            match self.verify_one(name, reference) {
                Ok(by) => {
                    verified.files.without_digest += 1;
                    verified.files.add(1, by);
                }
                Err(problems) => verified.problems.extend(problems),
            }
        }
        verified.moved.extend(
            self.moved.into_iter().map(|moved| Moved {
                from: moved.from.as_str().to_owned(),
                to: moved.to.to_string_lossy().into_owned(),
            }),
        );
    }

    fn verify_one(&mut self, name: &str, reference: &Reference) -> Result<FoundBy, Vec<Problem>> {
        let problem =
            |kind, looked_at, message, owners| Problem { looked_at, ..Problem::of_file(kind, name, message, owners) };
        let found = self.find(&reference.file);
        let (place, found) =
            found.map_err(|(kind, message)| vec![problem(kind, None, message, Some(reference.owners()))])?;
        let shown = place.path().to_string_lossy().into_owned();
        let (kind, looked_at, message) = match found {
            Found::Length(found) => {
                let flaws = reference.expected().filter_map(|(expected, owners)| {
                    let (message, owners) = (expected.flaw(found, || self.first_byte(&place))?, Some(owners.clone()));
                    Some(problem(ProblemKind::WrongLength, Some(shown.clone()), message, owners))
                });
                let flaws: Vec<_> = flaws.collect();
                return if flaws.is_empty() { Ok(place.by) } else { Err(flaws) };
            }
            Found::Problem(kind, message) => (kind, shown, message),
            Found::Nothing if place.by != FoundBy::Layout => (ProblemKind::Missing, shown, "is not there".to_owned()),
            Found::Nothing => match left_behind(&reference.file) {
                Some(before) => {
                    let message = "is not with the snapshot, but still where that was before it moved";
                    (ProblemKind::LeftBehind, format!("{shown}, {before}"), message.to_owned())
                }
                None => {
                    let message = "is not with the snapshot: if it is elsewhere, say with --map-root where";
                    (ProblemKind::Missing, shown, message.to_owned())
                }
            },
        };
        Err(vec![problem(kind, Some(looked_at), message, Some(reference.owners()))])
    }

    /// What is where the file must be.
    fn find(&mut self, file: &PieceFile) -> Result<(Place, Found), (ProblemKind, String)> {
        let found = self.place(file).map(|place| {
            let found = self.look(&place);
            (place, found)
        });
        let may_be_elsewhere = match &found {
            Ok((place, Found::Nothing)) => matches!(place.by, FoundBy::Place | FoundBy::OtherPlace),
            Ok(_) => false,
            Err((kind, _)) => *kind == ProblemKind::Elsewhere,
        };
        if let (true, PieceFile::Flink { path, .. }) = (may_be_elsewhere, file) {
            for (guess, below) in self.moves.guesses(path) {
                let place = Place { root: Some(guess.to), below: below.to_owned(), by: FoundBy::Layout };
                if let found @ Found::Length(_) = self.look(&place) {
                    self.moved.insert(guess.of);
                    return Ok((place, found));
                }
            }
        }
        found
    }

    /// Where the file must be.
    fn place(&mut self, file: &PieceFile) -> Result<Place, (ProblemKind, String)> {
        let path = match file {
            PieceFile::Flink { path, .. } => path,
            PieceFile::Relative(path) => {
                let root = Some(self.directory.to_owned());
                return Ok(Place { root, below: path.clone(), by: FoundBy::Place });
            }
            PieceFile::Ours { .. } => {
                return Err((ProblemKind::Metadata, "is named as a file of ours".to_owned()));
            }
        };
        if path.path().len() > RelPath::MAX_BYTES {
            let message = format!("has {} bytes, expected at most {}", path.path().len(), RelPath::MAX_BYTES);
            return Err((ProblemKind::Refused, message));
        }
        if path.leaves_its_root() {
            return Err((ProblemKind::Refused, "goes up by '..', or cannot be a path: nobody looked".to_owned()));
        }
        if let Some((root, below)) = self.maps.divide(path) {
            return Ok(Place { root: Some(root.to_owned()), below: below.to_owned(), by: FoundBy::Map });
        }
        if let Some((moved, below)) = self.moves.around(path) {
            self.moved.insert(moved.of.clone());
            return Ok(Place { root: Some(moved.to.clone()), below: below.to_owned(), by: FoundBy::Layout });
        }
        match path.location() {
            Location::Local(local) => {
                let by = if self.moves.is_outside(path) { FoundBy::OtherPlace } else { FoundBy::Place };
                Ok(Place { root: None, below: local.to_owned(), by })
            }
            Location::Nowhere => Err((ProblemKind::Refused, Location::Nowhere.why_it_is_not_looked_at())),
            location => Err((ProblemKind::Elsewhere, location.why_it_is_not_looked_at())),
        }
    }

    fn look(&mut self, place: &Place) -> Found {
        let Some(root) = &place.root else { return look_anywhere(&place.below) };
        let below = match RelPath::new(place.below.clone()) {
            Ok(below) => below,
            Err(error) => return Found::Problem(ProblemKind::Refused, CommandError::chain(&error)),
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

    /// The first byte of the file that is there, if there is one.
    fn first_byte(&self, place: &Place) -> Option<u8> {
        let mut first = [0];
        match &place.root {
            Some(root) => {
                let below = RelPath::new(place.below.clone()).ok()?;
                self.roots.get(root)?.open(&below).ok()?.read_exact_at(&mut first, 0).ok()?;
            }
            None => open_file(Path::new(&place.below)).ok()?.read_exact(&mut first).ok()?,
        }
        Some(first[0])
    }
}

impl Place {
    fn path(&self) -> PathBuf {
        self.root.as_deref().unwrap_or(Path::new("/")).join(&self.below)
    }
}

/// Where a file is that it should not be needed at any more.
fn left_behind(file: &PieceFile) -> Option<&str> {
    let PieceFile::Flink { path, .. } = file else { return None };
    path.local().filter(|local| matches!(look_anywhere(local), Found::Length(_)))
}

/// Whether a path is that of a directory, whatever links lead there.
fn is_same(path: &FlinkPath, directory: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).map(|it| (it.dev(), it.ino())).ok();
    let there = path.local().filter(|_| !path.leaves_its_root()).and_then(|path| identity(Path::new(path)));
    there.is_some() && there == identity(directory)
}

/// A path that Flink itself would open, wherever that leads. It is not opened here: it may be a pipe.
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
