//! Pieces of a file that are read before they are asked for.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc as StdArc;

use crate::read::file::{PIECE_BYTES, StateFile};
use crate::read::options::ReadAhead;
use crate::spawn::Spawn;
use crate::sync::{Arc, Condvar, Mutex};

/// The pieces that one stream will ask for next, in order. Jobs read them, and whoever asks for one that no job has begun
/// reads it itself: so nobody waits for a job that is queued, and all goes on when every job is refused.
///
/// Dropping it takes every piece from the jobs; one that is being read then ends, and its bytes go.
pub(super) struct Ahead {
    shared: Arc<Shared>,
    spawn: StdArc<dyn Spawn>,
    most: usize,
}

/// What there is at a position.
#[derive(Debug)]
pub(super) enum Next {
    /// The bytes from there on, verified.
    Piece(Vec<u8>),
    /// Nothing yet: to be read by whoever asks, up to where a job may be reading.
    Alone(u64),
}

struct Shared {
    file: StdArc<StateFile>,
    list: Mutex<List>,
    changed: Condvar,
}

#[derive(Default)]
struct List {
    pieces: VecDeque<Piece>,
    /// Of pieces that were used.
    spare: Vec<Vec<u8>>,
    /// How many that were cancelled are being read. They count, so that memory is bounded.
    cancelled: usize,
    tickets: u64,
}

struct Piece {
    ticket: u64,
    at: u64,
    length: usize,
    state: State,
}

enum State {
    Wanted,
    BeingRead,
    Read(Vec<u8>),
    /// Whoever asks for it reads it again, and meets the error in its own place.
    Failed,
}

/// A piece that a job reads. Whatever becomes of the job, nobody waits for it in vain.
struct Turn<'a> {
    shared: &'a Shared,
    ticket: u64,
    outcome: State,
}

impl Ahead {
    pub(super) fn new(file: StdArc<StateFile>, options: &ReadAhead) -> Self {
        let shared = Shared { file, list: Mutex::new(List::default()), changed: Condvar::new() };
        let most = (options.bytes / PIECE_BYTES).max(1);
        Self { shared: Arc::new(shared), spawn: StdArc::clone(&options.spawn), most }
    }

    /// What there is at that position; waits for a piece that is being read. `spent` is a buffer for later ones.
    pub(super) fn next(&self, at: u64, spent: &mut Vec<u8>) -> Next {
        let mut list = self.shared.list.lock();
        loop {
            let Some(front) = list.pieces.front() else { return Next::Alone(u64::MAX) };
            match &front.state {
                // The bytes between two pieces are those of one that was left to whoever asks.
                _ if front.at > at => return Next::Alone(front.at),
                State::BeingRead if front.at == at => self.shared.changed.wait(&mut list),
                _ if front.at < at => list.cancel(),
                _ => match list.pieces.pop_front() {
                    Some(Piece { state: State::Read(bytes), .. }) => {
                        list.spare.push(std::mem::take(spent));
                        return Next::Piece(bytes);
                    }
                    Some(left) => return Next::Alone(left.at + left.length as u64),
                    None => return Next::Alone(u64::MAX),
                },
            }
        }
    }

    /// Wants what follows, from there or from the last piece on, as far as `until`.
    pub(super) fn request(&self, from: u64, until: u64) {
        let mut jobs = 0;
        let mut list = self.shared.list.lock();
        let mut at = list.pieces.back().map_or(from, |last| last.at + last.length as u64);
        while list.pieces.len() + list.cancelled < self.most && at < until {
            // At most a piece, so it fits.
            let length = (until - at).min(PIECE_BYTES as u64) as usize;
            list.tickets += 1;
            let ticket = list.tickets;
            list.pieces.push_back(Piece { ticket, at, length, state: State::Wanted });
            at += length as u64;
            jobs += 1;
        }
        drop(list);
        for _ in 0..jobs {
            let shared = Arc::clone(&self.shared);
            // Without a job the piece is read when it is asked for.
            let _ = self.spawn.spawn("read ahead", Box::new(move || shared.read_one()));
        }
    }

    /// Wants nothing any more.
    pub(super) fn cancel(&self) {
        self.shared.list.lock().cancel();
    }
}

impl Shared {
    /// The work of a job: the first piece that nobody reads yet.
    fn read_one(&self) {
        let mut list = self.list.lock();
        let Some(piece) = list.pieces.iter_mut().find(|piece| matches!(piece.state, State::Wanted)) else { return };
        piece.state = State::BeingRead;
        let (ticket, at, length) = (piece.ticket, piece.at, piece.length);
        let mut bytes = list.spare.pop().unwrap_or_default();
        drop(list);
        let mut turn = Turn { shared: self, ticket, outcome: State::Failed };
        bytes.resize(length, 0);
        if self.file.read_blocks(at, &mut bytes).is_ok_and(|read| read == length) {
            turn.outcome = State::Read(bytes);
        }
    }
}

impl List {
    fn cancel(&mut self) {
        let being_read = self.pieces.iter().filter(|piece| matches!(piece.state, State::BeingRead));
        self.cancelled += being_read.count();
        self.pieces.clear();
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut list = self.shared.list.lock();
        match list.pieces.iter_mut().find(|piece| piece.ticket == self.ticket) {
            Some(piece) => piece.state = std::mem::replace(&mut self.outcome, State::Failed),
            None => {
                debug_assert!(list.cancelled > 0, "it was counted when it was cancelled");
                list.cancelled -= 1;
            }
        }
        drop(list);
        self.shared.changed.notify_all();
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ahead").field("most", &self.most).finish_non_exhaustive()
    }
}
