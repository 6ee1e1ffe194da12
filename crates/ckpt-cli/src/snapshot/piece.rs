//! A piece of state: what one handle names.

use ckpt_core::state::{FileRef, Root, StateHandle};
use serde::Serialize;

use crate::flink::path::FlinkPath;

/// Some bytes of state, and what they are.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) kind: StateKind,
    /// What it is among the pieces of that kind: the name of a file of a database, the names of the states in it.
    pub(crate) role: String,
    /// The first and the last key group.
    pub(crate) key_groups: Option<[i32; 2]>,
    /// Where it lies; `None` when that is the metadata itself.
    pub(crate) file: Option<PieceFile>,
    /// The file of Flink's that it would lie in had it been larger, when it lies in the metadata and that is told.
    pub(crate) unwritten: Option<FlinkPath>,
    /// Where in the file it begins, when it shares that with others.
    pub(crate) offset_bytes: Option<i64>,
    /// Where in it the first and the last of its elements or key groups begin, of Flink's that are told everything of. Ours
    /// are known to be within it when they are read.
    pub(crate) elements_at: Option<[i64; 2]>,
    /// How many bytes the handle names; -1 of a file of Flink's whose length it does not know.
    pub(crate) length_bytes: i64,
    pub(crate) extent: Extent,
    /// How many of those its owner counts as its own: Flink's handles of data in flight and of changes name whole files
    /// that hold more.
    pub(crate) state_bytes: i64,
    pub(crate) digest: Option<String>,
}

impl Piece {
    /// Where something is said to begin that cannot be there.
    pub(crate) fn element_outside(&self) -> Option<i64> {
        let [first, last] = self.elements_at?;
        let is_behind = self.length_bytes >= 0 && last > self.length_bytes;
        Some(first).filter(|first| *first < 0).or_else(|| Some(last).filter(|_| is_behind))
    }
}

/// How much of its file a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it.
    Whole,
    /// Others may lie in it too.
    Part,
    /// All of it, but for a byte in front that says whether the changes behind it are compressed. The length is that of the
    /// changes before they were.
    Changes,
}

/// What state is to its operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum StateKind {
    ManagedKeyed,
    RawKeyed,
    ManagedOperator,
    RawOperator,
    InputChannel,
    ResultSubpartition,
    Coordinator,
}

/// The file that a piece lies in.
#[derive(Clone, Debug)]
pub(crate) enum PieceFile {
    /// Ours, with all that its handle says.
    Ours { root: Root, handle: Box<StateHandle> },
    /// Flink's, below the directory of the metadata.
    Relative(String),
    /// Flink's, anywhere.
    Flink {
        path: FlinkPath,
        /// Whether it is named as one of this snapshot's own directory.
        exclusive: bool,
    },
}

impl StateKind {
    /// For people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ManagedKeyed => "keyed",
            Self::RawKeyed => "raw keyed",
            Self::ManagedOperator => "operator",
            Self::RawOperator => "raw operator",
            Self::InputChannel => "input channel",
            Self::ResultSubpartition => "result subpartition",
            Self::Coordinator => "coordinator",
        }
    }
}

impl PieceFile {
    /// What the metadata calls it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Ours { root, handle } => {
                handle.place().file().map_or_else(String::new, |(_, file)| file_name(*root, file))
            }
            Self::Relative(path) => path.clone(),
            Self::Flink { path, .. } => path.as_str().to_owned(),
        }
    }
}

/// What a file of ours is called.
pub(crate) fn file_name(root: Root, file: &FileRef) -> String {
    match root {
        Root::ThisSnapshot => file.to_string(),
        root => format!("{}/{file}", root_name(root)),
    }
}

/// What a root of ours is called: by the directory that it is next to the snapshot, or by its number.
pub(crate) fn root_name(root: Root) -> String {
    match root {
        Root::ThisSnapshot => ".".to_owned(),
        Root::JobShared => "shared".to_owned(),
        Root::JobTaskOwned => "taskowned".to_owned(),
        Root::Claimed(claim) => format!("claimed-{}", claim.get()),
        Root::Borrowed(number) => format!("borrowed-{number}"),
        other => format!("{other:?}"),
    }
}
