//! Which files a snapshot names, and for whom.

use std::collections::BTreeMap;
use std::mem;

use crate::error::CommandError;
use crate::metadata_file::MetadataFile;
use crate::snapshot::{Extent, OperatorHead, Piece, PieceFile, SnapshotHead, SubtaskHead, Walk, walk};

/// The files of a snapshot by what its metadata calls them.
#[derive(Debug, Default)]
pub(super) struct References {
    pub(super) files: BTreeMap<String, Reference>,
    /// How many pieces lie in the metadata itself.
    pub(super) inline: u64,
}

/// One file, and what is said of it. Several pieces may lie in one.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) file: PieceFile,
    pub(super) expected: BTreeMap<Expected, Owners>,
}

/// What a handle says of the length of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Expected {
    /// Flink did not know.
    Anything,
    /// So many bytes and no more.
    Exactly(u64),
    /// At least so many, since there may be more in the file.
    AtLeast(u64),
    /// A length that no file has.
    Impossible(i64),
}

/// Who needs a file: the first, and how many more.
#[derive(Clone, Debug)]
pub(super) struct Owners {
    first: String,
    more: u64,
}

/// All files that a metadata file names.
pub(super) fn of(file: &MetadataFile) -> Result<(SnapshotHead, References), CommandError> {
    let mut gathering = Gathering::default();
    let head = walk(file, &mut gathering)?;
    Ok((head, gathering.found))
}

#[derive(Default)]
struct Gathering {
    operator: String,
    found: References,
}

impl Walk for Gathering {
    fn operator(&mut self, operator: OperatorHead) {
        let title = operator.uid.or(operator.name).map(|title| format!("{title} ({})", operator.id));
        self.operator = title.unwrap_or(operator.id);
    }

    fn subtask(&mut self, subtask: SubtaskHead, pieces: Vec<Piece>) {
        for mut piece in pieces {
            let Some(file) = mem::take(&mut piece.file) else {
                self.found.inline += 1;
                continue;
            };
            let expected = Expected::of(&piece);
            let reference =
                self.found.files.entry(file.name()).or_insert_with(|| Reference { file, expected: BTreeMap::new() });
            reference
                .expected
                .entry(expected)
                .and_modify(|owners| owners.more += 1)
                .or_insert_with(|| Owners { first: owner(&self.operator, subtask.index, &piece), more: 0 });
        }
    }
}

fn owner(operator: &str, subtask: Option<u32>, piece: &Piece) -> String {
    let place = subtask.map_or_else(|| "its coordinator".to_owned(), |index| format!("subtask {index}"));
    let role = if piece.role.is_empty() { String::new() } else { format!(" ({})", piece.role) };
    format!("operator {operator}, {place}, {} state{role}", piece.kind.name())
}

impl Expected {
    fn of(piece: &Piece) -> Self {
        if piece.offset_bytes.is_none() && piece.length_bytes == -1 {
            return Self::Anything;
        }
        let offset = u64::try_from(piece.offset_bytes.unwrap_or(0));
        match (offset, u64::try_from(piece.length_bytes), piece.extent) {
            (Ok(_), Ok(length), Extent::Whole) => Self::Exactly(length),
            (Ok(offset), Ok(length), Extent::Part) => Self::AtLeast(offset.saturating_add(length)),
            _ => Self::Impossible(piece.length_bytes),
        }
    }

    /// What is wrong with a file of that length.
    pub(super) fn flaw(self, found: u64) -> Option<String> {
        match self {
            Self::Anything => None,
            Self::Exactly(expected) if found == expected => None,
            Self::AtLeast(expected) if found >= expected => None,
            Self::Exactly(expected) => Some(format!("has {found} bytes, expected {expected}")),
            Self::AtLeast(expected) => Some(format!("has {found} bytes, expected at least {expected}")),
            Self::Impossible(expected) => Some(format!("is named with a length of {expected}, which no file has")),
        }
    }
}

impl Reference {
    /// Everybody who needs it.
    pub(super) fn owners(&self) -> Owners {
        let mut all = self.expected.values().cloned();
        // There is one at least, since every reference was made for one.
        let first = all.next().unwrap_or_else(|| Owners { first: String::new(), more: 0 });
        all.fold(first, |sum, owners| Owners { more: sum.more + owners.more + 1, ..sum })
    }
}

impl Owners {
    /// For people.
    pub(super) fn text(&self) -> String {
        match self.more {
            0 => self.first.clone(),
            more => format!("{}, and {more} more", self.first),
        }
    }
}
