//! How much memory state may take on its way into storage.

use std::collections::VecDeque;
use std::fmt;

use ckpt_core::{Error, ErrorKind, Result};

use crate::sync::{Arc, AtomicBool, Condvar, Mutex, Ordering};

/// How many bytes of state may be in memory on their way into storage: captured and not written, or sent and not
/// confirmed. There is one for each process.
///
/// A [`Charge`] is held for as long as its bytes are, and given back by whoever has written them: by I/O, and never by
/// sealing, which may wait for other tasks. While storage stalls, whoever has more to write waits here, in the order of
/// coming, and memory stays within the budget.
///
/// Nothing waits for ever as long as one rule is kept: who holds a charge writes what it is for and does not wait for
/// another charge. A piece of more bytes than the whole budget is let pass while no other is charged.
pub struct Budget {
    shared: Arc<Shared>,
}

/// Charges a [`Budget`] on behalf of one checkpoint, and can be cancelled with it.
pub struct BudgetAccount {
    shared: Arc<Shared>,
    /// Written under the lock, so that nobody begins to wait after it.
    cancelled: AtomicBool,
}

/// Bytes that are counted until this is dropped.
#[must_use = "the bytes are counted for as long as this is held"]
pub struct Charge {
    shared: Arc<Shared>,
    bytes: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("waiting for {bytes} bytes of the budget of {limit_bytes} bytes was cancelled")]
struct BudgetCancelled {
    bytes: u64,
    limit_bytes: u64,
}

struct Shared {
    limit_bytes: u64,
    state: Mutex<State>,
    /// Bytes were given back, somebody got some, or an account was cancelled.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    charged_bytes: u64,
    next_turn: u64,
    /// Who waits, in the order of coming: otherwise small pieces would keep a large one out for ever.
    turns: VecDeque<u64>,
}

impl Budget {
    /// At most that many bytes.
    pub fn new(limit_bytes: u64) -> Self {
        let (state, changed) = (Mutex::new(State::default()), Condvar::new());
        Self { shared: Arc::new(Shared { limit_bytes, state, changed }) }
    }

    /// Charges it on behalf of one checkpoint.
    pub fn account(&self) -> BudgetAccount {
        BudgetAccount { shared: Arc::clone(&self.shared), cancelled: AtomicBool::new(false) }
    }

    /// How many bytes are charged.
    pub fn charged_bytes(&self) -> u64 {
        self.shared.state.lock().charged_bytes
    }

    /// How many may be.
    pub fn limit_bytes(&self) -> u64 {
        self.shared.limit_bytes
    }
}

impl BudgetAccount {
    /// Waits until that many bytes are free and those who came before have theirs.
    ///
    /// # Errors
    ///
    /// `Cancelled` after a cancellation, at once.
    pub fn charge(&self, bytes: u64) -> Result<Charge> {
        let Shared { limit_bytes, state, changed } = &*self.shared;
        let mut state = state.lock();
        let turn = state.next_turn;
        state.next_turn += 1;
        state.turns.push_back(turn);
        loop {
            let cancelled = self.cancelled.load(Ordering::Relaxed);
            let free = state.turns.front() == Some(&turn) && state.fits(bytes, *limit_bytes);
            if !cancelled && !free {
                changed.wait(&mut state);
                continue;
            }
            state.turns.retain(|waiting| *waiting != turn);
            if !cancelled {
                state.charged_bytes = state.charged_bytes.saturating_add(bytes);
            }
            drop(state);
            // The next in turn may fit as well.
            changed.notify_all();
            if cancelled {
                let error = BudgetCancelled { bytes, limit_bytes: *limit_bytes };
                return Err(Error::new(ErrorKind::Cancelled, error));
            }
            return Ok(Charge { shared: Arc::clone(&self.shared), bytes });
        }
    }

    /// The same without waiting; `None` when the bytes are not free, others wait for them or it was cancelled.
    pub fn try_charge(&self, bytes: u64) -> Option<Charge> {
        let mut state = self.shared.state.lock();
        let free = state.turns.is_empty() && state.fits(bytes, self.shared.limit_bytes);
        if self.cancelled.load(Ordering::Relaxed) || !free {
            return None;
        }
        state.charged_bytes = state.charged_bytes.saturating_add(bytes);
        Some(Charge { shared: Arc::clone(&self.shared), bytes })
    }

    /// Ends every wait of this account, and refuses later ones. What is charged stays so until it is given back.
    pub fn cancel(&self) {
        let state = self.shared.state.lock();
        self.cancelled.store(true, Ordering::Relaxed);
        drop(state);
        self.shared.changed.notify_all();
    }
}

impl Charge {
    /// How many bytes it counts.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives that many of them back, which were written and are not in memory any more; all, if it has no more.
    pub fn give_back(&mut self, bytes: u64) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.shared.state.lock().charged_bytes -= bytes;
        self.shared.changed.notify_all();
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.give_back(self.bytes);
    }
}

impl State {
    /// Whether so many more may be charged. Whatever it is, it may when nothing else is.
    fn fits(&self, bytes: u64, limit_bytes: u64) -> bool {
        self.charged_bytes == 0 || bytes <= limit_bytes.saturating_sub(self.charged_bytes)
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (charged_bytes, limit_bytes) = (self.charged_bytes(), self.limit_bytes());
        write!(f, "Budget({charged_bytes} of {limit_bytes} bytes)")
    }
}

impl fmt::Debug for BudgetAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BudgetAccount").field("cancelled", &self.cancelled).finish_non_exhaustive()
    }
}

impl fmt::Debug for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Charge({} bytes)", self.bytes)
    }
}
