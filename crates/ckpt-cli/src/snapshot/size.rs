//! How much state there is, and where.

use std::ops::AddAssign;

use serde::Serialize;

use super::piece::{Piece, PieceFile};

/// How much state there is, and where it lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Size {
    /// All of it, as its writer counts.
    pub(crate) state_bytes: i64,
    /// What was written for this snapshot and not for an earlier one.
    pub(crate) written_bytes: i64,
    /// In the metadata itself.
    pub(crate) inline_bytes: i64,
    /// In files of this snapshot's own directory; unknown when no state was looked at.
    pub(crate) exclusive_bytes: Option<i64>,
    /// In files elsewhere, which other snapshots may name too.
    pub(crate) shared_bytes: Option<i64>,
}

impl Size {
    /// Nothing, of which that is known.
    pub(crate) const NONE: Self =
        Self { state_bytes: 0, written_bytes: 0, inline_bytes: 0, exclusive_bytes: Some(0), shared_bytes: Some(0) };

    /// Where a piece lies; what it adds to the state its owner knows.
    pub(crate) fn add_place(&mut self, piece: &Piece) {
        // Flink's -1 stands for unknown.
        let bytes = piece.state_bytes.max(0);
        match &piece.file {
            None => self.inline_bytes = self.inline_bytes.saturating_add(bytes),
            Some(file) if file.is_exclusive() => self.exclusive_bytes = sum(self.exclusive_bytes, Some(bytes)),
            Some(_) => self.shared_bytes = sum(self.shared_bytes, Some(bytes)),
        }
    }
}

impl AddAssign for Size {
    fn add_assign(&mut self, other: Self) {
        self.state_bytes = self.state_bytes.saturating_add(other.state_bytes);
        self.written_bytes = self.written_bytes.saturating_add(other.written_bytes);
        self.inline_bytes = self.inline_bytes.saturating_add(other.inline_bytes);
        self.exclusive_bytes = sum(self.exclusive_bytes, other.exclusive_bytes);
        self.shared_bytes = sum(self.shared_bytes, other.shared_bytes);
    }
}

fn sum(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    Some(one?.saturating_add(other?))
}

impl PieceFile {
    fn is_exclusive(&self) -> bool {
        match self {
            Self::Ours { root, .. } => *root == ckpt_core::state::Root::ThisSnapshot,
            Self::Relative(_) => true,
            Self::Flink { exclusive, .. } => *exclusive,
        }
    }
}
