//! Copies of stored state, made side by side.

use std::sync::Arc as StdArc;

use ckpt_core::state::StateHandle;
use ckpt_core::{Error, Result};

use crate::spawn::Spawn;
use crate::stream::StateScope;
use crate::stream::error::StreamError;
use crate::stream::file::FileStreamsInner;
use crate::stream::lanes::Lease;
use crate::stream::staged::Staged;
use crate::stream::unsealed::HELPERS;
use crate::sync::{Condvar, Mutex};

/// Copies every piece. The caller's thread works through the list; jobs only help it, and nobody waits for one that did
/// not begin. An error drops those that were made, which removes them.
pub(crate) fn duplicate(
    streams: Lease<FileStreamsInner>,
    from: &[StateHandle],
    scope: StateScope,
) -> Result<Vec<Staged>> {
    if let [from] = from {
        return Ok(vec![streams.duplicate_one(from, streams.directory(scope))?]);
    }
    let spawn: StdArc<dyn Spawn> = StdArc::clone(&streams.spawn);
    let helpers = from.len().saturating_sub(1).min(HELPERS);
    let ahead = from.iter().cloned().enumerate().collect();
    let state = Mutex::new(CopyState { ahead, running: 0, made: Vec::new(), failure: None });
    let copies = StdArc::new(Copies { streams, scope, state, ended: Condvar::new() });
    for _ in 0..helpers {
        let copies = StdArc::clone(&copies);
        if spawn.spawn("copy state files", Box::new(move || copies.work())).is_err() {
            break;
        }
    }
    copies.work();
    copies.join()
}

/// Pieces to be copied, by whoever takes one next.
struct Copies {
    streams: Lease<FileStreamsInner>,
    scope: StateScope,
    state: Mutex<CopyState>,
    ended: Condvar,
}

/// Pieces are known by their place among those to be copied.
struct CopyState {
    ahead: Vec<(usize, StateHandle)>,
    running: usize,
    made: Vec<(usize, Staged)>,
    failure: Option<Error>,
}

impl Copies {
    /// Copies pieces until none is ahead or one has failed.
    fn work(&self) {
        let mut state = self.state.lock();
        while state.failure.is_none() {
            let Some((place, from)) = state.ahead.pop() else { break };
            state.running += 1;
            drop(state);
            let mut running = Running { copies: self, place, outcome: Some(Err(StreamError::CopyPanicked.into())) };
            running.outcome = Some(self.streams.duplicate_one(&from, self.streams.directory(self.scope)));
            drop(running);
            state = self.state.lock();
        }
    }

    /// Waits for the pieces that others have taken: their threads are running, so they come to an end.
    fn join(&self) -> Result<Vec<Staged>> {
        let mut state = self.state.lock();
        while state.running > 0 {
            self.ended.wait(&mut state);
        }
        let mut made = std::mem::take(&mut state.made);
        let failure = state.failure.take();
        // What was made may have to be removed, which is no work to do under the lock.
        drop(state);
        if let Some(error) = failure {
            return Err(error);
        }
        made.sort_unstable_by_key(|(place, _)| *place);
        Ok(made.into_iter().map(|(_, staged)| staged).collect())
    }
}

/// A piece that is being copied. It counts as ended even if the file system panics.
struct Running<'a> {
    copies: &'a Copies,
    place: usize,
    outcome: Option<Result<Staged>>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut state = self.copies.state.lock();
        state.running -= 1;
        match self.outcome.take() {
            Some(Ok(staged)) => state.made.push((self.place, staged)),
            Some(Err(error)) => {
                state.failure.get_or_insert(error);
            }
            None => {}
        }
        drop(state);
        self.copies.ended.notify_all();
    }
}
