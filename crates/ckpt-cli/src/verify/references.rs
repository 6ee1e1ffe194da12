//! Which files a snapshot names, and for whom.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use ckpt_core::state::StateHandle;
use serde::Serialize;

use crate::error::CommandError;
use crate::flink::path::FlinkPath;
use crate::metadata_file::MetadataFile;
use crate::snapshot::{
    Extent, OperatorHead, Piece, PieceFile, SnapshotHead, StateKind, SubtaskEnd, Walk, Wanted, walk,
};

/// The files of a snapshot by what its metadata calls them.
#[derive(Debug, Default)]
pub(super) struct References {
    pub(super) files: BTreeMap<String, Reference>,
    /// How many pieces lie in the metadata itself.
    pub(super) inline: u64,
    /// Where files of Flink's lie, and where pieces would that are in the metadata because they are small.
    pub(super) directories: BTreeSet<FlinkPath>,
}

/// One file, and what is said of it. Several pieces may lie in one.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) file: PieceFile,
    pub(super) expected: BTreeMap<Expected, Owners>,
    /// Of files of ours, what is named of it: all of it, or several segments.
    pub(super) named: BTreeMap<(Option<i64>, i64, Option<String>), Box<StateHandle>>,
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
    /// So many bytes of changes before they were compressed, if they are, behind a byte that says whether.
    Changes(u64),
    /// A length that no file has.
    Impossible(i64),
}

/// Who needs a file: the first, and how many more.
#[derive(Clone, Debug)]
pub(super) struct Owners {
    pub(super) first: Owner,
    pub(super) more: u64,
}

/// A piece of state that needs a file.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Owner {
    /// The id of its operator.
    operator: String,
    /// The operator's uid or name.
    operator_name: Option<String>,
    /// `None` of the coordinator.
    subtask: Option<u32>,
    kind: StateKind,
    role: String,
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
    operator_name: Option<String>,
    subtask: Option<u32>,
    found: References,
}

impl Walk for Gathering {
    fn wanted(&self) -> Wanted {
        Wanted::Everything
    }

    fn operator(&mut self, operator: OperatorHead) {
        self.operator_name = operator.uid.or(operator.name);
        self.operator = operator.id;
    }

    fn subtask(&mut self, index: Option<u32>) {
        self.subtask = index;
    }

    fn piece(&mut self, mut piece: Piece) {
        let path = match &piece.file {
            Some(PieceFile::Flink { path, .. }) => Some(path),
            _ => piece.unwritten.as_ref(),
        };
        self.found.directories.extend(path.and_then(FlinkPath::parent));
        let Some(file) = mem::take(&mut piece.file) else {
            self.found.inline += 1;
            return;
        };
        let expected = Expected::of(&piece);
        let handle = match &file {
            PieceFile::Ours { handle, .. } => Some(handle.clone()),
            _ => None,
        };
        let reference = self.found.files.entry(file.name()).or_insert_with(|| Reference::to(file));
        let named = (piece.offset_bytes, piece.length_bytes, piece.digest);
        reference.named.extend(handle.map(|handle| (named, handle)));
        reference.expected.entry(expected).and_modify(|owners| owners.more += 1).or_insert_with(|| Owners {
            first: Owner {
                operator: self.operator.clone(),
                operator_name: self.operator_name.clone(),
                subtask: self.subtask,
                kind: piece.kind,
                role: piece.role,
            },
            more: 0,
        });
    }

    fn end_of_subtask(&mut self, _: SubtaskEnd) {}
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
            (Ok(_), Ok(length), Extent::Changes) => Self::Changes(length),
            _ => Self::Impossible(piece.length_bytes),
        }
    }

    /// What is wrong with a file of that length, whose first byte can be asked for.
    pub(super) fn flaw(self, found: u64, first_byte: impl FnOnce() -> Option<u8>) -> Option<String> {
        match self {
            Self::Anything => None,
            Self::Exactly(expected) if found == expected => None,
            Self::AtLeast(expected) if found >= expected => None,
            Self::Changes(changes) if found == changes.saturating_add(1) => None,
            // How long they are when they are compressed is not said, but they are not nothing.
            Self::Changes(changes) if found > changes.min(1) && first_byte() == Some(COMPRESSED) => None,
            Self::Changes(changes) => Some(format!("has {found} bytes, expected {}", changes.saturating_add(1))),
            Self::Exactly(expected) => Some(format!("has {found} bytes, expected {expected}")),
            Self::AtLeast(expected) => Some(format!("has {found} bytes, expected at least {expected}")),
            Self::Impossible(expected) => Some(format!("is named with a length of {expected}, which no file has")),
        }
    }
}

/// What is in front of compressed changes.
const COMPRESSED: u8 = 1;

impl Reference {
    fn to(file: PieceFile) -> Self {
        Self { file, expected: BTreeMap::new(), named: BTreeMap::new() }
    }

    /// Everybody who needs it. There is one at least, since every reference was made for one.
    pub(super) fn owners(&self) -> Option<Owners> {
        let all = self.expected.values().cloned();
        all.reduce(|sum, owners| Owners { more: sum.more + owners.more + 1, ..sum })
    }
}

impl Owner {
    /// For people.
    pub(super) fn text(&self) -> String {
        let operator = match &self.operator_name {
            Some(name) => format!("{name} ({})", self.operator),
            None => self.operator.clone(),
        };
        let place = self.subtask.map_or_else(|| "its coordinator".to_owned(), |index| format!("subtask {index}"));
        let role = if self.role.is_empty() { String::new() } else { format!(" ({})", self.role) };
        format!("operator {operator}, {place}, {} state{role}", self.kind.name())
    }
}
