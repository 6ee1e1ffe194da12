//! Which files a snapshot of Flink's names, and for whom.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::mem;
use std::sync::Arc;

use ckpt_storage::METADATA_FILE;
use serde::{Serialize, Serializer};

use super::verdict::{Problem, ProblemKind};
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
    /// What is wrong with what the metadata says.
    pub(super) flaws: Vec<Problem>,
    /// How many pieces lie in the metadata itself.
    pub(super) inline: u64,
    /// Where files of Flink's lie, and where pieces would that are in the metadata because they are small.
    pub(super) directories: BTreeSet<FlinkPath>,
}

/// One file, and what is said of it. Several pieces may lie in one.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) file: PieceFile,
    /// What was said first. Most files are named once, and an empty map takes no memory.
    first: (Expected, Owners),
    /// What else was said.
    others: BTreeMap<Expected, Owners>,
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
    #[serde(flatten)]
    pub(super) operator: OperatorName,
    /// `None` of the coordinator.
    pub(super) subtask: Option<u32>,
    pub(super) kind: StateKind,
    pub(super) role: String,
}

/// What an operator is called, which all owners of it share.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct OperatorName {
    #[serde(rename = "operator", serialize_with = "shared_text")]
    pub(super) id: Arc<str>,
    /// Its uid or name.
    #[serde(rename = "operatorName", serialize_with = "shared_text_if_any")]
    pub(super) name: Option<Arc<str>>,
}

fn shared_text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

fn shared_text_if_any<S: Serializer>(text: &Option<Arc<str>>, serializer: S) -> Result<S::Ok, S::Error> {
    text.as_deref().serialize(serializer)
}

/// All files that a metadata file of Flink's names.
pub(super) fn of(file: &MetadataFile) -> Result<(SnapshotHead, References), CommandError> {
    let mut gathering = Gathering::default();
    let head = walk(file, &mut gathering)?;
    Ok((head, gathering.found))
}

#[derive(Default)]
struct Gathering {
    operator: OperatorName,
    subtask: Option<u32>,
    found: References,
}

impl Walk for Gathering {
    fn wanted(&self) -> Wanted {
        Wanted::Everything
    }

    fn operator(&mut self, operator: OperatorHead) {
        let name = operator.uid.or(operator.name);
        self.operator = OperatorName { id: operator.id.into(), name: name.map(Arc::from) };
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
        let owner = || Owner {
            operator: self.operator.clone(),
            subtask: self.subtask,
            kind: piece.kind,
            role: piece.role.clone(),
        };
        if let Some(offset_bytes) = piece.element_outside() {
            let file = piece.file.as_ref().map_or_else(|| METADATA_FILE.to_owned(), PieceFile::name);
            let message = format!("has state said to begin at byte {offset_bytes}, of {}", piece.length_bytes);
            let owners = Some(Owners { first: owner(), more: 0 });
            self.found.flaws.push(Problem::of_file(ProblemKind::Metadata, &file, message, owners));
        }
        let Some(file) = mem::take(&mut piece.file) else {
            self.found.inline += 1;
            return;
        };
        let expected = Expected::of(&piece);
        let owner =
            Owner { operator: self.operator.clone(), subtask: self.subtask, kind: piece.kind, role: piece.role };
        match self.found.files.entry(file.name()) {
            Entry::Occupied(known) => known.into_mut().needs(expected, owner),
            Entry::Vacant(place) => {
                let first = (expected, Owners { first: owner, more: 0 });
                place.insert(Reference { file, first, others: BTreeMap::new() });
            }
        }
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
    fn needs(&mut self, expected: Expected, owner: Owner) {
        let known = match &mut self.first {
            (first, owners) if *first == expected => Some(owners),
            _ => self.others.get_mut(&expected),
        };
        match known {
            Some(owners) => owners.more += 1,
            None => {
                self.others.insert(expected, Owners { first: owner, more: 0 });
            }
        }
    }

    /// What is said of its length, and by whom.
    pub(super) fn expected(&self) -> impl Iterator<Item = (Expected, &Owners)> {
        let (first, owners) = &self.first;
        iter::once((*first, owners)).chain(self.others.iter().map(|(expected, owners)| (*expected, owners)))
    }

    /// Everybody who needs it.
    pub(super) fn owners(&self) -> Owners {
        let more = self.others.values().map(|owners| owners.more + 1).sum::<u64>();
        let (_, owners) = &self.first;
        Owners { more: owners.more + more, ..owners.clone() }
    }
}

impl Owner {
    /// For people.
    pub(super) fn text(&self) -> String {
        let OperatorName { id, name } = &self.operator;
        let operator = name.as_ref().map_or_else(|| id.to_string(), |name| format!("{name} ({id})"));
        let place = self.subtask.map_or_else(|| "its coordinator".to_owned(), |index| format!("subtask {index}"));
        let role = if self.role.is_empty() { String::new() } else { format!(" ({})", self.role) };
        format!("operator {operator}, {place}, {} state{role}", self.kind.name())
    }
}
