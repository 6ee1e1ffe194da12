//! Something that a verification has found.

use std::fmt;

use ckpt_core::Error;
use ckpt_core::id::OperatorId;
use ckpt_core::state::{FileRef, RelPath, Root, StateHandle};
use ckpt_streams::StateFlaw;

/// Something that a verification has found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Finding {
    /// What the file lies below.
    pub root: Root,
    /// The file; `None` when it is the whole directory that could not be listed, or something that is no file.
    pub file: Option<FileRef>,
    /// The name of something that is no file.
    pub name: Option<String>,
    /// What is the matter with it.
    pub kind: FindingKind,
    /// The same in words, with the path, what was expected and what was found. Of an extra file there is nothing to say.
    pub error: Option<Error>,
    /// Every piece of state that needs the file, in the order of operators and subtasks.
    pub owners: Vec<StateOwner>,
}

/// What is the matter with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FindingKind {
    /// State that the snapshot names is not what was written, in this way.
    State(StateFlaw),
    /// The snapshot's own directory could not be listed, so that it is not known what else is in it.
    NotListed,
    /// Nobody names a file in the snapshot's own directory. The snapshot is as whole without it.
    Extra,
    /// Something in the snapshot's own directory is no file, or has a name that no file of ours can have. The snapshot is as whole
    /// without it.
    ExtraEntry,
    /// A mark beside the snapshot cannot be read, so nobody knows what it says, and nobody begins from the snapshot.
    Mark,
}

/// A piece of state, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateOwner {
    /// The operator.
    pub operator: OperatorId,
    /// Its uid, or else its name.
    pub operator_name: String,
    /// The subtask; `None` of what the operator's coordinator stored.
    pub subtask: Option<u32>,
    /// What the state is to it.
    pub role: StateRole,
    /// What its metadata says of it.
    pub handle: StateHandle,
}

/// What a piece of state in a file is to its operator. What participants that are no tasks store is in no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StateRole {
    /// State that belongs to keys, kept by the state backend.
    Keyed,
    /// State that belongs to keys, written by the operator itself.
    RawKeyed,
    /// State that belongs to the subtask, kept by the state backend.
    Operator,
    /// State that belongs to the subtask, written by the operator itself.
    RawOperator,
    /// Data that had arrived and was not processed yet.
    InputChannel,
    /// Data that was emitted and had not left yet.
    ResultSubpartition,
    /// What the operator's coordinator stored.
    Coordinator,
}

impl Finding {
    /// A file in the snapshot's own directory that nobody names.
    pub(super) fn extra(path: RelPath) -> Self {
        let file = Some(path.as_str().parse().map_or(FileRef::Foreign(path), FileRef::Ours));
        Self { root: Root::ThisSnapshot, file, name: None, kind: FindingKind::Extra, error: None, owners: Vec::new() }
    }

    /// Something in it that is no file.
    pub(super) const fn extra_entry(name: String) -> Self {
        let (root, kind) = (Root::ThisSnapshot, FindingKind::ExtraEntry);
        Self { root, file: None, name: Some(name), kind, error: None, owners: Vec::new() }
    }

    /// A mark that cannot be read.
    pub(super) fn mark(path: RelPath, error: Error) -> Self {
        let (root, file) = (Root::ThisSnapshot, Some(FileRef::Foreign(path)));
        Self { root, file, name: None, kind: FindingKind::Mark, error: Some(error), owners: Vec::new() }
    }

    /// The snapshot's own directory could not be listed.
    pub(super) const fn not_listed(error: Error) -> Self {
        let (root, kind) = (Root::ThisSnapshot, FindingKind::NotListed);
        Self { root, file: None, name: None, kind, error: Some(error), owners: Vec::new() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, &self.name) {
            (Some(file), _) => write!(f, "file {file} below {} is {}", self.root, self.kind)?,
            (None, Some(name)) => write!(f, "'{name}' below {} is {}", self.root, self.kind)?,
            (None, None) => write!(f, "{} is {}", self.root, self.kind)?,
        }
        match self.owners.as_slice() {
            [] => Ok(()),
            [first] => write!(f, "; it is {first}"),
            [first, more @ ..] => write!(f, "; it is {first}, and needed by {} more", more.len()),
        }
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(flaw) => flaw.fmt(f),
            Self::NotListed => f.write_str("not to be listed"),
            Self::Extra => f.write_str("named by nobody"),
            Self::ExtraEntry => f.write_str("no file of ours"),
            Self::Mark => f.write_str("a mark that cannot be read"),
        }
    }
}

impl fmt::Display for StateOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operator, operator_name, subtask, role, .. } = self;
        write!(f, "{role} state of operator {operator_name} ({operator})")?;
        subtask.map_or(Ok(()), |subtask| write!(f, ", subtask {subtask}"))
    }
}

impl fmt::Display for StateRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keyed => "keyed",
            Self::RawKeyed => "raw keyed",
            Self::Operator => "operator",
            Self::RawOperator => "raw operator",
            Self::InputChannel => "input channel",
            Self::ResultSubpartition => "result subpartition",
            Self::Coordinator => "coordinator",
        })
    }
}
