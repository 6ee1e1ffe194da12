//! How much memory state may take on its way into storage.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use ckpt_core::{Error, ErrorKind, Result};

use crate::sync::{Arc, AtomicBool, AtomicU32, Condvar, Mutex, Ordering};

/// How many bytes of state may be in memory on their way into storage: captured and not written, collected to be written,
/// or sent and not confirmed. There is one for each process; by default it is of
/// [`DEFAULT_LIMIT_BYTES`](Self::DEFAULT_LIMIT_BYTES).
///
/// A [`Charge`] is held for as long as its bytes are in memory, and given back by whoever has written them: by I/O, and
/// never by sealing, which may wait for other tasks. Two ways lead to one, and neither can end in a deadlock:
///
/// * [`try_charge`](BudgetAccount::try_charge) never waits. It is for what there is another way: a task declines a
///   checkpoint instead of capturing it, a stream makes do with a small buffer.
/// * [`charge`](BudgetAccount::charge) waits, in the order of coming. It is for pieces that must be collected before they
///   can be sent: the parts of an upload. Who waits does so for other pieces only, and never for captured state, which may
///   be its own: while no piece is charged, the next one passes whatever else is. So memory stays within the limit, and
///   that of one piece beyond it. Pieces that were sent are waited for however long I/O takes. Pieces that are still being
///   collected, by somebody who may wait for the one who waits, are waited for a second at most while none is sent.
///
/// A piece of more bytes than the whole budget is let pass while no other is charged.
///
/// So a stream into an upload holds a part from its first byte on. Others may wait for that part: such a stream is written
/// to its end, and neither left open nor handed to a job that may still be queued. Streams into files hold nothing that is
/// waited for.
pub struct Budget {
    shared: Arc<Shared>,
}

/// Charges a [`Budget`] on behalf of one checkpoint, and can be cancelled with it.
pub struct BudgetAccount {
    account: Arc<Account>,
}

/// Bytes that are counted until this is dropped.
#[must_use = "the bytes are counted for as long as this is held"]
pub struct Charge {
    account: Arc<Account>,
    bytes: u64,
    what: What,
}

/// What is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// Bytes that nobody has waited for.
    Held,
    /// A piece that is being collected: it goes when its owner goes on.
    Collecting,
    /// A piece that I/O alone ends.
    Sent,
}

#[derive(Debug, thiserror::Error)]
#[error("waiting for {bytes} bytes of the budget of {limit_bytes} bytes was cancelled")]
struct BudgetCancelled {
    bytes: u64,
    limit_bytes: u64,
}

struct Account {
    budget: Arc<Shared>,
    /// Written under the lock, so that nobody begins to wait after it.
    cancelled: AtomicBool,
    /// How many pieces are being collected. Read and written under the lock.
    collecting: AtomicU32,
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
    /// The part of it that was waited for.
    pieces_bytes: u64,
    most_charged_bytes: u64,
    /// How many pieces are sent.
    sent: u32,
    next_turn: u64,
    /// Who waits, in the order of coming: otherwise small pieces would keep a large one out for ever.
    turns: VecDeque<u64>,
}

/// How long a piece waits for others of which none is sent. Their owners send them in less, as long as they go on; but they
/// may be the one who waits, who writes several uploads in turns.
const PATIENCE: Duration = Duration::from_secs(1);

impl Budget {
    /// 1 GiB.
    pub const DEFAULT_LIMIT_BYTES: u64 = 1 << 30;

    /// At most that many bytes.
    pub fn new(limit_bytes: u64) -> Self {
        let (state, changed) = (Mutex::new(State::default()), Condvar::new());
        Self { shared: Arc::new(Shared { limit_bytes, state, changed }) }
    }

    /// Charges it on behalf of one checkpoint.
    pub fn account(&self) -> BudgetAccount {
        let budget = Arc::clone(&self.shared);
        let (cancelled, collecting) = (AtomicBool::new(false), AtomicU32::new(0));
        BudgetAccount { account: Arc::new(Account { budget, cancelled, collecting }) }
    }

    /// How many bytes are charged.
    pub fn charged_bytes(&self) -> u64 {
        self.shared.state.lock().charged_bytes
    }

    /// How many there were at most, ever.
    pub fn most_charged_bytes(&self) -> u64 {
        self.shared.state.lock().most_charged_bytes
    }

    /// How many pieces wait for others to be written.
    pub fn waiting(&self) -> usize {
        self.shared.state.lock().turns.len()
    }

    /// How many may be.
    pub fn limit_bytes(&self) -> u64 {
        self.shared.limit_bytes
    }
}

impl Default for Budget {
    /// Of [`DEFAULT_LIMIT_BYTES`](Self::DEFAULT_LIMIT_BYTES).
    fn default() -> Self {
        Self::new(Self::DEFAULT_LIMIT_BYTES)
    }
}

impl BudgetAccount {
    /// Waits until those who came before have theirs, and that many bytes are free or no other piece is charged. For a
    /// piece that is collected and then [sent](Charge::sent) without waiting for anything else.
    ///
    /// It passes at once when this account collects another piece already, which might not be sent before this one:
    /// who writes several uploads of one checkpoint at once exceeds the limit by a piece for each rather than wait for
    /// itself. One who writes several of different checkpoints does the same after a second for each piece: a budget should
    /// have room for one of each.
    ///
    /// # Errors
    ///
    /// `Cancelled` after a cancellation, at once.
    pub fn charge(&self, bytes: u64) -> Result<Charge> {
        let Shared { limit_bytes, state, changed } = &*self.account.budget;
        let mut state = state.lock();
        let turn = state.next_turn;
        state.next_turn += 1;
        state.turns.push_back(turn);
        // Since when it has been the next, and nothing was sent.
        let (mut idle_since, mut is_patient) = (None, true);
        loop {
            let cancelled = self.is_cancelled();
            let is_next = state.turns.front() == Some(&turn);
            let free = is_next && state.piece_fits(bytes, *limit_bytes);
            if !cancelled && !free && self.account.collecting.load(Ordering::Relaxed) == 0 {
                if !is_next || state.sent > 0 {
                    // Ended by I/O, or by the one before.
                    (idle_since, is_patient) = (None, true);
                    changed.wait(&mut state);
                    continue;
                }
                if is_patient {
                    let left = PATIENCE.saturating_sub(idle_since.get_or_insert_with(Instant::now).elapsed());
                    is_patient = !changed.wait_for(&mut state, left).timed_out();
                    continue;
                }
            }
            state.turns.retain(|waiting| *waiting != turn);
            let charge = (!cancelled).then(|| self.add(&mut state, bytes, What::Collecting));
            drop(state);
            // The next in turn may fit as well.
            changed.notify_all();
            let error = || BudgetCancelled { bytes, limit_bytes: *limit_bytes };
            return charge.ok_or_else(|| Error::new(ErrorKind::Cancelled, error()));
        }
    }

    /// The same without waiting, for whatever may be held while something else is waited for; `None` when the bytes are
    /// not free, others wait for them or it was cancelled.
    pub fn try_charge(&self, bytes: u64) -> Option<Charge> {
        let Shared { limit_bytes, state, .. } = &*self.account.budget;
        let mut state = state.lock();
        let free = state.turns.is_empty() && state.fits(bytes, *limit_bytes);
        (free && !self.is_cancelled()).then(|| self.add(&mut state, bytes, What::Held))
    }

    /// Ends every wait of this account, and refuses later ones. What is charged stays so until it is given back.
    pub fn cancel(&self) {
        let Shared { state, changed, .. } = &*self.account.budget;
        let state = state.lock();
        self.account.cancelled.store(true, Ordering::Relaxed);
        drop(state);
        changed.notify_all();
    }

    pub(crate) fn limit_bytes(&self) -> u64 {
        self.account.budget.limit_bytes
    }

    fn is_cancelled(&self) -> bool {
        self.account.cancelled.load(Ordering::Relaxed)
    }

    fn add(&self, state: &mut State, bytes: u64, what: What) -> Charge {
        // One that passes alone may be longer than can be counted beside others.
        let bytes = bytes.min(u64::MAX - state.charged_bytes);
        state.charged_bytes += bytes;
        state.most_charged_bytes = state.most_charged_bytes.max(state.charged_bytes);
        if what == What::Collecting {
            state.pieces_bytes += bytes;
            self.account.collecting.fetch_add(1, Ordering::Relaxed);
        }
        Charge { account: Arc::clone(&self.account), bytes, what }
    }
}

impl Charge {
    /// How many bytes it counts.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The piece is on its way: nothing but I/O is needed for this to be dropped.
    pub fn sent(&mut self) {
        if self.what == What::Collecting {
            let mut state = self.account.budget.state.lock();
            self.account.collecting.fetch_sub(1, Ordering::Relaxed);
            state.sent += 1;
            drop(state);
            self.what = What::Sent;
        }
    }

    /// Gives that many of them back, which were written and are not in memory any more; all, if it has no more.
    pub fn give_back(&mut self, bytes: u64) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        let mut state = self.account.budget.state.lock();
        state.charged_bytes -= bytes;
        if self.what != What::Held {
            state.pieces_bytes -= bytes;
        }
        drop(state);
        self.account.budget.changed.notify_all();
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.sent();
        if self.what == What::Sent {
            self.account.budget.state.lock().sent -= 1;
        }
        // Whoever waits hears of both.
        self.give_back(self.bytes);
    }
}

impl State {
    /// Whether so many more may be charged. Whatever it is, it may when nothing else is.
    fn fits(&self, bytes: u64, limit_bytes: u64) -> bool {
        self.charged_bytes == 0 || bytes <= limit_bytes.saturating_sub(self.charged_bytes)
    }

    /// Whether a piece of so many bytes may be: whatever else is charged, the only one may.
    fn piece_fits(&self, bytes: u64, limit_bytes: u64) -> bool {
        self.pieces_bytes == 0 || self.fits(bytes, limit_bytes)
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
        f.debug_struct("BudgetAccount").field("cancelled", &self.account.cancelled).finish_non_exhaustive()
    }
}

impl fmt::Debug for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Charge({} bytes)", self.bytes)
    }
}
