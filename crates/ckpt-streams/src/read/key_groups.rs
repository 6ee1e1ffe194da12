//! Reading keyed state by key group.

use std::io::{self, Read, Seek as _, SeekFrom};
use std::ops::Range;
use std::vec;

use ckpt_core::key_group::{KeyGroup, KeyGroupRange};
use ckpt_core::state::KeyGroupsState;
use ckpt_core::state_file::BLOCK_BYTES;
use ckpt_core::{Error, ErrorKind, Result};

use crate::io_error::{into_error, into_io};
use crate::read::cursor::within;
use crate::read::error::ReadError;
use crate::read::file::PIECE_BYTES;
use crate::read::section::collect;
use crate::read::{StateInputStream, StateReader};

/// The sections of some key groups of one piece of keyed state, in the order of the groups.
///
/// Of the piece, the blocks (64 KiB) that hold a part of such a section are read and verified, each once, and no others:
/// sections that follow one another are read together, whether one range or several named them.
///
/// ```
/// # use std::io::Read as _;
/// # use ckpt_core::Digest;
/// # use ckpt_core::key_group::{KeyGroup, KeyGroupRange};
/// # use ckpt_core::state::{KeyGroupsState, Place, StateHandle};
/// # use ckpt_streams::{FileStateReader, KeyGroupSections};
/// let bytes = bytes::Bytes::from("onetwothree");
/// let handle = StateHandle::assume_durable(Place::Inline(bytes.clone()), 11, Some(Digest::of(&bytes)));
/// let group = KeyGroup::new;
/// let state = KeyGroupsState::new(KeyGroupRange::new(group(1), group(3))?, [0, 3, 6], handle)?;
///
/// let reader = FileStateReader::new(Vec::new());
/// let mut sections = KeyGroupSections::open(&reader, &state, &[KeyGroupRange::new(group(2), group(9))?])?;
/// let mut found = Vec::new();
/// while let Some(mut section) = sections.next_section() {
///     let mut text = String::new();
///     section.read_to_string(&mut text)?;
///     found.push((section.group().get(), text));
/// }
/// assert_eq!(found, [(2, "two".to_owned()), (3, "three".to_owned())]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct KeyGroupSections {
    stream: Box<dyn StateInputStream>,
    /// Where the stream is.
    position: u64,
    wanted: vec::IntoIter<Wanted>,
    /// Blocks of the state, of which those bytes are held.
    piece: Vec<u8>,
    held: Range<u64>,
}

/// The bytes of one key group. What is not read is skipped.
#[derive(Debug)]
pub struct KeyGroupSection<'a> {
    sections: &'a mut KeyGroupSections,
    section: Wanted,
}

/// A section, and up to where its blocks and those of sections behind it follow one another.
#[derive(Clone, Debug)]
struct Wanted {
    group: KeyGroup,
    bytes: Range<u64>,
    run_end_bytes: u64,
}

impl KeyGroupSections {
    /// Opens the piece, for the groups that it has of those ranges. Ranges may overlap; a group comes once.
    ///
    /// # Errors
    ///
    /// Those of [`StateReader::open`]; `Corrupt` when a section is not within the piece.
    pub fn open(reader: &dyn StateReader, state: &KeyGroupsState, groups: &[KeyGroupRange]) -> Result<Self> {
        let stream = reader.open(state.handle())?;
        let mut wanted = Vec::new();
        for group in state.range().iter().filter(|group| groups.iter().any(|range| range.contains(*group))) {
            // Every group of the range has a section.
            let Some((begin, end)) = state.section_of(group) else { continue };
            let end = end.unwrap_or_else(|| stream.length_bytes());
            within(&*stream, begin, end)?;
            wanted.push(Wanted { group, bytes: begin..end, run_end_bytes: end });
        }
        join(&mut wanted);
        Ok(Self { stream, position: 0, wanted: wanted.into_iter(), piece: Vec::new(), held: 0..0 })
    }

    /// The section of the next group; `None` after the last. A group without state has an empty one.
    pub fn next_section(&mut self) -> Option<KeyGroupSection<'_>> {
        let section = self.wanted.next()?;
        Some(KeyGroupSection { sections: self, section })
    }

    /// Reads some of the bytes from there on, of which there are more than `buffer` is long.
    fn read_some(&mut self, at: u64, buffer: &mut [u8], run_end_bytes: u64) -> Result<usize> {
        if !self.held.contains(&at) {
            let straight = buffer.len().min(PIECE_BYTES) / BLOCK_BYTES * BLOCK_BYTES;
            if straight > 0 && at % BLOCK_BYTES as u64 == 0 {
                self.go_to(at, run_end_bytes)?;
                let read = self.stream.read(&mut buffer[..straight]).map_err(reading)?;
                self.position += read as u64;
                return Ok(read);
            }
            // With that much room, what follows this block goes straight there.
            let most = if straight > 0 { BLOCK_BYTES } else { PIECE_BYTES };
            self.hold(at - at % BLOCK_BYTES as u64, most, run_end_bytes)?;
        }
        // Within the piece, so it fits.
        let held = &self.piece[(at - self.held.start) as usize..(self.held.end - self.held.start) as usize];
        let take = held.len().min(buffer.len());
        buffer[..take].copy_from_slice(&held[..take]);
        Ok(take)
    }

    /// Holds blocks from there on: no more than that, and none behind the end of the run.
    fn hold(&mut self, begin: u64, most: usize, run_end_bytes: u64) -> Result<()> {
        self.held = 0..0;
        let run_end = run_end_bytes.checked_next_multiple_of(BLOCK_BYTES as u64).unwrap_or(u64::MAX);
        let run_end = run_end.min(self.stream.length_bytes());
        // At most a piece, so it fits.
        let length = (run_end - begin).min(most as u64) as usize;
        if self.piece.len() < length {
            self.piece.resize(length, 0);
        }
        self.go_to(begin, run_end_bytes)?;
        self.stream.read_exact(&mut self.piece[..length]).map_err(|error| {
            // Nobody knows how far it came.
            self.position = u64::MAX;
            reading(error)
        })?;
        self.held = begin..begin + length as u64;
        self.position = self.held.end;
        Ok(())
    }

    /// Begins to read a run in order, unless that is where it is being read.
    fn go_to(&mut self, at: u64, run_end_bytes: u64) -> Result<()> {
        if self.position != at {
            self.position = self.stream.seek(SeekFrom::Start(at)).map_err(reading)?;
        }
        self.stream.read_ahead_until(run_end_bytes);
        Ok(())
    }
}

fn reading(error: io::Error) -> Error {
    into_error(error, ErrorKind::Retry)
}

/// Says of each section up to where blocks can be read of which none is without need.
fn join(wanted: &mut [Wanted]) {
    let mut run: Option<Range<u64>> = None;
    for section in wanted.iter_mut().rev().filter(|section| !section.bytes.is_empty()) {
        let last_block = (section.bytes.end - 1) / BLOCK_BYTES as u64;
        let joined = run.filter(|run| run.start / BLOCK_BYTES as u64 <= last_block + 1);
        section.run_end_bytes = joined.map_or(section.bytes.end, |run| run.end);
        run = Some(section.bytes.start..section.run_end_bytes);
    }
}

impl KeyGroupSection<'_> {
    /// Whose bytes they are.
    pub const fn group(&self) -> KeyGroup {
        self.section.group
    }

    /// How many bytes are left to be read: at first all.
    pub const fn left_bytes(&self) -> u64 {
        self.section.bytes.end - self.section.bytes.start
    }

    /// The bytes that are left.
    ///
    /// # Errors
    ///
    /// Those of reading; `FailJob` when there is no memory for them.
    pub fn into_bytes(mut self) -> Result<Vec<u8>> {
        let Range { start, end } = self.section.bytes;
        let bytes = collect(start, end, |piece, _| self.read_exact(piece).map_err(reading))?;
        bytes.ok_or_else(|| {
            let stream = format!("{:?}", self.sections.stream);
            ReadError::SectionMemory { begin_bytes: start, end_bytes: end, stream }.into()
        })
    }
}

impl Read for KeyGroupSection<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left_bytes()).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let Wanted { bytes, run_end_bytes, .. } = &mut self.section;
        let read = self.sections.read_some(bytes.start, &mut buffer[..most], *run_end_bytes).map_err(into_io)?;
        bytes.start += read as u64;
        Ok(read)
    }
}
