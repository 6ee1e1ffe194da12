//! Whether stored state is what was written, told apart by what is wrong.

use std::fmt;
use std::io;
use std::ops::ControlFlow;

use ckpt_core::state::{FileRef, Place, StateHandle};
use ckpt_core::state_file::{BLOCK_BYTES, table_bytes};
use ckpt_core::{Digester, Error, ErrorKind};

use crate::read::FileStateReader;
use crate::read::error::ReadError;
use crate::read::file::{PIECE_BYTES, StateFile};
use crate::read::options::Verification;
use crate::read::reader::verify_inline;

/// What a verification of state came to.
#[derive(Debug)]
#[non_exhaustive]
pub enum StateVerdict {
    /// It is there, and as far as there is proof it is what was written.
    Whole(StateProof),
    /// It is not.
    Flawed {
        /// In what way.
        flaw: StateFlaw,
        /// The same as a reader would tell it.
        error: Error,
    },
    /// The caller did not want to know any more.
    Stopped,
}

/// What state was held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateProof {
    /// A digest of every byte.
    Digest,
    /// Its length alone: somebody else wrote the file and no digest is known, or nothing else was asked for.
    Length,
}

/// What is wrong with stored state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateFlaw {
    /// There is no such file.
    Missing,
    /// Nothing is known of where it lies.
    PlaceUnknown,
    /// What is there is no regular file.
    NotAFile,
    /// It ends too early.
    TooShort {
        /// The length that it must have.
        expected_bytes: u64,
        /// The length that it has.
        found_bytes: u64,
    },
    /// It goes on where it should end.
    TooLong {
        /// The length that it must have.
        expected_bytes: u64,
        /// The length that it has.
        found_bytes: u64,
    },
    /// Blocks of it are not what was written; everything else of it is.
    BlocksChanged {
        /// The first of them, counted from 0.
        first: u64,
        /// Where in the file that begins.
        offset_bytes: u64,
        /// How many there are.
        blocks: u64,
    },
    /// Its digest, or what stands behind the state in the file, is not what was written: of such a file no block can be
    /// told from another.
    Changed,
    /// It is there and cannot be read.
    Unreadable,
    /// Its handle has no digest, and must have one.
    NoDigest,
}

impl FileStateReader {
    /// The most memory that a verification of such state takes while it runs, besides a few hundred bytes.
    pub const fn verification_bytes(handle: &StateHandle) -> u64 {
        let length_bytes = handle.length_bytes();
        let piece = if length_bytes < PIECE_BYTES as u64 { length_bytes } else { PIECE_BYTES as u64 };
        piece.saturating_add(table_bytes(length_bytes))
    }

    /// Reads all of the state of a handle, whatever the options of this reader, and says in what way it is not what was
    /// written. `buffer` may be empty: it grows to the piece that is read at once, and serves the next call as well.
    ///
    /// `go_on` is told of every piece how many bytes were read, and says whether to go on.
    pub fn verify(
        &self,
        handle: &StateHandle,
        buffer: &mut Vec<u8>,
        go_on: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> StateVerdict {
        match self.verify_place(handle, buffer, go_on) {
            Ok(verdict) => verdict,
            Err(error) => StateVerdict::flawed(flaw_of(&error), error),
        }
    }

    /// Whether the state of a handle is there and has its length, whatever the options of this reader: of a file of ours its
    /// trailer is read, of one of others nothing.
    pub fn verify_length(&self, handle: &StateHandle) -> StateVerdict {
        let verified = match handle.place() {
            Place::Inline(bytes) => verify_inline(handle, bytes, Verification::Lengths),
            Place::File { root, file } | Place::Segment { root, file, .. } => self
                .directory(*root, file)
                .and_then(|directory| StateFile::open(directory, file, handle, Verification::Lengths))
                .map(drop),
            place => Err(ReadError::UnknownPlace { place: format!("{place:?}") }),
        };
        match verified {
            Ok(()) => StateVerdict::Whole(StateProof::Length),
            Err(error) => StateVerdict::flawed(flaw_of(&error), error),
        }
    }

    fn verify_place(
        &self,
        handle: &StateHandle,
        buffer: &mut Vec<u8>,
        go_on: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<StateVerdict, ReadError> {
        let (root, file) = match handle.place() {
            Place::Inline(bytes) => {
                verify_inline(handle, bytes, Verification::Always)?;
                return Ok(match go_on(handle.length_bytes()) {
                    ControlFlow::Continue(()) => StateVerdict::Whole(StateProof::Digest),
                    ControlFlow::Break(()) => StateVerdict::Stopped,
                });
            }
            Place::File { root, file } | Place::Segment { root, file, .. } => (*root, file),
            place => return Err(ReadError::UnknownPlace { place: format!("{place:?}") }),
        };
        let directory = self.directory(root, file)?;
        // The whole of a file of others has one digest, which is computed while it is read here, and not twice.
        let whole = handle.digest().filter(|_| matches!(file, FileRef::Foreign(_)));
        let verification = if whole.is_some() { Verification::Lengths } else { Verification::Always };
        let file = StateFile::open(directory, file, handle, verification)?;
        let mut digester = Digester::new();
        let mut changed: Option<(StateFlaw, ReadError)> = None;
        let length_bytes = handle.length_bytes();
        // At most a piece, so it fits.
        buffer.resize(length_bytes.min(PIECE_BYTES as u64) as usize, 0);
        let mut at = 0;
        while at < length_bytes {
            // At most what is in memory.
            let take = (length_bytes - at).min(buffer.len() as u64) as usize;
            let piece = &mut buffer[..take];
            let read = match file.read_blocks(at, piece) {
                Ok(read) => read,
                Err(error @ ReadError::Damaged { .. }) => {
                    count(&mut changed, handle, at, error);
                    take.min(BLOCK_BYTES)
                }
                Err(error) => return Err(error),
            };
            if whole.is_some() {
                digester.update(&piece[..read]);
            }
            at += read as u64;
            if go_on(read as u64).is_break() {
                return Ok(StateVerdict::Stopped);
            }
        }
        if let Some((flaw, error)) = changed {
            return Ok(StateVerdict::flawed(flaw, error));
        }
        match (whole, digester.finish()) {
            (Some(expected), found) if found != expected => {
                Err(ReadError::Whole { file: file.name().to_owned(), expected, found })
            }
            _ if handle.digest().is_some() => Ok(StateVerdict::Whole(StateProof::Digest)),
            _ => Ok(StateVerdict::Whole(StateProof::Length)),
        }
    }
}

/// One more block that is not what was written; what is told is the error of the first.
fn count(changed: &mut Option<(StateFlaw, ReadError)>, handle: &StateHandle, at: u64, error: ReadError) {
    match changed {
        Some((StateFlaw::BlocksChanged { blocks, .. }, _)) => *blocks += 1,
        _ => {
            let begin_bytes = match handle.place() {
                Place::Segment { offset_bytes, .. } => *offset_bytes,
                _ => 0,
            };
            let offset_bytes = begin_bytes.saturating_add(at);
            *changed =
                Some((StateFlaw::BlocksChanged { first: at / BLOCK_BYTES as u64, offset_bytes, blocks: 1 }, error));
        }
    }
}

fn flaw_of(error: &ReadError) -> StateFlaw {
    match error {
        ReadError::Missing { .. } => StateFlaw::Missing,
        ReadError::UnknownRoot { .. } | ReadError::UnknownPlace { .. } => StateFlaw::PlaceUnknown,
        // What is there was opened, and is something else.
        ReadError::NotOpened { source } if source.kind() == ErrorKind::Corrupt => StateFlaw::NotAFile,
        ReadError::FileLength { expected_bytes, found_bytes, .. }
        | ReadError::Length { expected_bytes, found_bytes, .. } => {
            let (expected_bytes, found_bytes) = (*expected_bytes, *found_bytes);
            match found_bytes < expected_bytes {
                true => StateFlaw::TooShort { expected_bytes, found_bytes },
                false => StateFlaw::TooLong { expected_bytes, found_bytes },
            }
        }
        // A newer program wrote it.
        ReadError::Damaged { source, .. } if source.kind() == ErrorKind::Configuration => StateFlaw::Unreadable,
        ReadError::Damaged { .. }
        | ReadError::Whole { .. }
        | ReadError::Inline { .. }
        | ReadError::InlineLength { .. } => StateFlaw::Changed,
        // It was cut off after it was opened.
        ReadError::EndsBefore { payload_bytes, present_bytes, .. } => {
            StateFlaw::TooShort { expected_bytes: *payload_bytes, found_bytes: *present_bytes }
        }
        ReadError::Io { source, .. } if source.kind() == io::ErrorKind::UnexpectedEof => StateFlaw::Changed,
        ReadError::NoDigest { .. } => StateFlaw::NoDigest,
        _ => StateFlaw::Unreadable,
    }
}

impl StateVerdict {
    fn flawed(flaw: StateFlaw, error: ReadError) -> Self {
        Self::Flawed { flaw, error: error.into() }
    }
}

impl fmt::Display for StateFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("missing"),
            Self::PlaceUnknown => f.write_str("of a place that is not known"),
            Self::NotAFile => f.write_str("no regular file"),
            Self::TooShort { expected_bytes, found_bytes } => {
                write!(f, "too short: {found_bytes} bytes, expected {expected_bytes}")
            }
            Self::TooLong { expected_bytes, found_bytes } => {
                write!(f, "too long: {found_bytes} bytes, expected {expected_bytes}")
            }
            Self::BlocksChanged { first, offset_bytes, blocks } => {
                write!(f, "changed in {blocks} blocks, the first of which is block {first} at byte {offset_bytes}")
            }
            Self::Changed => f.write_str("changed"),
            Self::Unreadable => f.write_str("unreadable"),
            Self::NoDigest => f.write_str("of a handle without a digest"),
        }
    }
}
