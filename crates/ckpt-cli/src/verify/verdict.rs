//! What was found.

use std::path::Path;

use serde::Serialize;

use super::jobs::VerifiedJob;
use super::references::{Owner, Owners};
use crate::metadata_file::MetadataFormat;

/// What was found of all snapshots that were looked at.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verification {
    pub(super) path: String,
    pub(super) snapshots: Vec<VerifiedSnapshot>,
    /// What was not looked at.
    pub(super) skipped: Vec<Skipped>,
    /// What lies in the directories of jobs that HEAD does not name.
    pub(super) jobs: Vec<VerifiedJob>,
    /// What is wrong with no snapshot in particular.
    pub(super) problems: Vec<Problem>,
}

/// A snapshot that was not looked at.
#[derive(Debug, Serialize)]
pub(super) struct Skipped {
    pub(super) path: String,
    pub(super) reason: SkipReason,
}

/// Why a snapshot needs not be whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum SkipReason {
    /// It has no `_metadata`.
    Incomplete,
    /// HEAD retains it no more, and its files are being deleted.
    Removed,
}

/// What was found of one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VerifiedSnapshot {
    pub(super) path: String,
    pub(super) format: Option<MetadataFormat>,
    pub(super) checkpoint_id: Option<u64>,
    pub(super) files: FileCounts,
    /// Directories whose files are next to the snapshot now.
    pub(super) moved: Vec<Moved>,
    /// Files in the directory of one of ours that it does not name. `None` when that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extra: Option<Vec<String>>,
    pub(super) problems: Vec<Problem>,
}

/// A directory that is somewhere else now.
#[derive(Debug, Serialize)]
pub(super) struct Moved {
    pub(super) from: String,
    pub(super) to: String,
}

/// How many files there were.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileCounts {
    /// That are named.
    pub(super) named: u64,
    /// Pieces in the metadata itself.
    pub(super) inline: u64,
    /// That are there with the right length, and no digest is known.
    pub(super) without_digest: u64,
    /// That are there with the right length and digest.
    pub(super) with_digest: u64,
    /// Found where they were said to be: below the snapshot, or by its roots.
    pub(super) found_in_place: u64,
    /// And of those, what lies neither in the directory of the snapshot nor in that of its job.
    pub(super) found_outside: u64,
    /// Found by `--map-root`.
    pub(super) found_by_map: u64,
    /// Found at the same place next to the snapshot as they had next to it before it moved.
    pub(super) found_by_layout: u64,
}

/// Something that is wrong.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Problem {
    pub(super) kind: ProblemKind,
    /// The file as the metadata names it, or the path of what is wrong.
    pub(super) file: String,
    /// Where it was looked for, when that is another place.
    pub(super) looked_at: Option<String>,
    pub(super) message: String,
    /// Who needs it: the first.
    pub(super) owner: Option<Owner>,
    /// How many more need it.
    pub(super) other_owners: u64,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum ProblemKind {
    /// There is no such file.
    Missing,
    /// It was next to the snapshot, is not there after that has moved, and still is where it was.
    LeftBehind,
    /// It has another length.
    WrongLength,
    /// Its bytes are not those that were written.
    Damaged,
    /// It is there and cannot be read.
    Unreadable,
    /// It is named by a path that leaves the directory which it is said to lie in; nobody looked.
    Refused,
    /// It lies on a file system that is not looked at; a map may say where it is here.
    Elsewhere,
    /// The metadata, or HEAD, is damaged.
    Metadata,
    /// It is being disposed of: nobody may begin from it, and files of it may be gone at any time.
    BeingDisposedOf,
    /// A mark beside it cannot be read, so nobody begins from it.
    Mark,
}

impl ProblemKind {
    /// For people.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::LeftBehind => "left behind",
            Self::WrongLength => "wrong length",
            Self::Damaged => "damaged",
            Self::Unreadable => "unreadable",
            Self::Refused => "refused",
            Self::Elsewhere => "elsewhere",
            Self::Metadata => "damaged metadata",
            Self::BeingDisposedOf => "being disposed of",
            Self::Mark => "unreadable mark",
        }
    }
}

impl Problem {
    /// Something that is wrong with a file that somebody needs.
    pub(super) fn of_file(kind: ProblemKind, file: &str, message: String, owners: Option<Owners>) -> Self {
        let (owner, other_owners) = owners.map_or((None, 0), |owners| (Some(owners.first), owners.more));
        Self { kind, file: file.to_owned(), looked_at: None, message, owner, other_owners }
    }

    /// Something that is wrong with what a URI names, at the place where that is here.
    pub(super) fn at(kind: ProblemKind, uri: &str, place: &Path, message: String) -> Self {
        let looked_at = Some(place.to_string_lossy().into_owned());
        Self { looked_at, ..Self::of_file(kind, uri, message, None) }
    }

    /// Something that is wrong with metadata or HEAD.
    pub(super) fn of_metadata(file: String, message: String) -> Self {
        Self { kind: ProblemKind::Metadata, file, looked_at: None, message, owner: None, other_owners: 0 }
    }
}

/// How a file was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FoundBy {
    /// In the directory of the snapshot, or in that of its job.
    Place,
    /// Where it is said to be, which is elsewhere.
    OtherPlace,
    Map,
    Layout,
}

impl VerifiedSnapshot {
    /// One of which nothing is known yet.
    pub(super) fn at(directory: &Path) -> Self {
        Self {
            path: directory.to_string_lossy().into_owned(),
            format: None,
            checkpoint_id: None,
            files: FileCounts::default(),
            moved: Vec::new(),
            extra: None,
            problems: Vec::new(),
        }
    }
}

impl FileCounts {
    /// So many more that are well.
    pub(super) fn add(&mut self, files: u64, by: FoundBy) {
        match by {
            FoundBy::Place => self.found_in_place += files,
            FoundBy::OtherPlace => {
                self.found_in_place += files;
                self.found_outside += files;
            }
            FoundBy::Map => self.found_by_map += files,
            FoundBy::Layout => self.found_by_layout += files,
        }
    }
}

impl Verification {
    pub(super) fn all_problems(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().chain(self.snapshots.iter().flat_map(|snapshot| &snapshot.problems))
    }
}
