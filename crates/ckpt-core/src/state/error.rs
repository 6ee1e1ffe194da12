//! Why a description of state is refused.

use std::ops::Range;

use super::{InFlightRescaling, Places, RelPath, Root};
use crate::error::{Error, ErrorKind};
use crate::key_group::KeyGroupRange;

/// Arguments of which no description of state is made.
#[derive(Debug, thiserror::Error)]
pub(super) enum StateError {
    #[error("'{}' is not a path below a root: {flaw}", shown(path))]
    Path { path: String, flaw: PathFlaw },
    #[error("the place of {root} cannot be given")]
    PlaceOfOurs { root: Root },
    #[error("the place of {root} is given twice")]
    PlaceTwice { root: Root },
    #[error("{found} places are given, expected at most {}", Places::MAX_PLACES)]
    Places { found: usize },
    #[error("keyed state of {range} has {found} offsets: expected {}, or one more, that never descend", range.count())]
    Offsets { range: KeyGroupRange, found: usize },
    #[error(
        "section {index} lies at bytes {}..{}: expected it to begin at {free_from} or later and to end no earlier than \
         it begins",
        found.start,
        found.end
    )]
    Section { index: usize, found: Range<u64>, free_from: u64 },
    #[error(
        "a task has data in flight of {found} gates or partitions, expected at most {}",
        InFlightRescaling::MAX_GATES
    )]
    Gates { found: usize },
    #[error("former subtask {second} stands behind {first}, expected them to ascend")]
    OldSubtasks { first: u32, second: u32 },
    #[error("former subtask {subtask} is ambiguous, expected one whose data comes here")]
    Ambiguous { subtask: u32 },
    #[error("a mapping of channels has {found} targets, expected {expected}")]
    Targets { expected: u64, found: usize },
    #[error("{written_bytes} bytes of incremental state were written: expected at most the {state_bytes} that it has")]
    Written { written_bytes: u64, state_bytes: u64 },
}

/// What is wrong with a path.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum PathFlaw {
    #[error("it is longer than {} bytes", RelPath::MAX_BYTES)]
    TooLong,
    #[error("it has a backslash or a control character")]
    Character,
    #[error("its first component has a colon, as a drive or a scheme has")]
    Scheme,
    #[error("it has a percent-encoded dot, slash, backslash or zero")]
    Encoded,
    #[error("it has an empty component")]
    EmptyComponent,
    #[error("it has a component that is '.' or '..'")]
    DotComponent,
    #[error("it has a component of more than {} bytes", RelPath::MAX_COMPONENT_BYTES)]
    LongComponent,
}

impl From<StateError> for Error {
    fn from(error: StateError) -> Self {
        // Whoever calls a constructor gave it these arguments; a reader says of its bytes that they are corrupt.
        Self::new(ErrorKind::Configuration, error)
    }
}

/// A path as it is shown in a message: short, and on one line.
fn shown(path: &str) -> String {
    path.chars().take(200).flat_map(char::escape_debug).collect()
}
