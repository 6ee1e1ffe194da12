//! What Flink reads and never writes.

use std::fmt;

/// Something that Flink reads, that it never writes, and that is not written again as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// Where in the file.
    pub offset_bytes: u64,
    /// What it is.
    pub kind: NoteKind,
}

/// What Flink reads and never writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoteKind {
    /// A number that says whether something follows is neither 0 nor 1. It is taken, and written, for 1.
    Presence(i32),
    /// A handle that is said to follow is null. There is none then, and it is written that none follows.
    NullHandle,
    /// A truth value is neither 0 nor 1. It is taken, and written, for 1.
    Bool(u8),
    /// The number of subtasks that says that all are finished is below -1. It is taken, and written, for -1.
    FullyFinished(i32),
    /// The number of states from before Flink 1.2 is below 0. It is taken for 0; version 2 is never written.
    LegacyStates(i32),
    /// A run of key groups ends beyond 2,147,483,647. It is taken, and written, for the empty one.
    KeyGroupsBeyondInt {
        /// The first.
        first: i32,
        /// How many.
        count: i32,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset_bytes, kind } = self;
        match kind {
            NoteKind::Presence(found) => write!(f, "{found} at byte {offset_bytes} is taken for 1, something follows"),
            NoteKind::NullHandle => write!(f, "null at byte {offset_bytes} is taken for nothing that follows"),
            NoteKind::Bool(found) => write!(f, "{found} at byte {offset_bytes} is taken for 1, true"),
            NoteKind::FullyFinished(found) => {
                write!(f, "{found} at byte {offset_bytes} is taken for -1, all subtasks are finished")
            }
            NoteKind::LegacyStates(found) => write!(f, "{found} at byte {offset_bytes} is taken for 0, no old state"),
            NoteKind::KeyGroupsBeyondInt { first, count } => {
                write!(f, "{count} key groups from {first} on at byte {offset_bytes} are taken for none")
            }
        }
    }
}

/// The notes of a file: how many there are, and the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    first: Vec<Note>,
    total: u64,
}

impl Notes {
    /// How many notes are kept, so that a hostile file does not fill memory with them.
    pub const MOST_KEPT: usize = 1_000;

    /// The first of them, in the order of the file.
    pub fn first(&self) -> &[Note] {
        &self.first
    }

    /// How many there are, of which at most [`MOST_KEPT`](Self::MOST_KEPT) are kept.
    pub const fn total(&self) -> u64 {
        self.total
    }

    pub(crate) fn add(&mut self, offset_bytes: u64, kind: NoteKind) {
        self.total += 1;
        if self.first.len() < Self::MOST_KEPT {
            self.first.push(Note { offset_bytes, kind });
        }
    }
}
