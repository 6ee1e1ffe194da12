//! Time that passes when a test says so.

use std::fmt;
use std::time::Duration;

use crate::sync::{Arc, Condvar, Mutex};

/// How long nothing may happen while sleepers are waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A clock that a test advances. Whoever sleeps by it sleeps until it was advanced that far, and not a moment of real
/// time longer. Clones are the same clock.
#[derive(Clone)]
pub struct VirtualClock {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    now: Duration,
    /// When those who sleep wake up.
    wake: Vec<Duration>,
}

impl VirtualClock {
    /// It begins at zero.
    pub fn new() -> Self {
        let state = State { now: Duration::ZERO, wake: Vec::new() };
        Self { shared: Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() }) }
    }

    /// How much has passed.
    pub fn now(&self) -> Duration {
        self.shared.state.lock().now
    }

    /// Lets time pass. Whoever has slept long enough wakes up.
    pub fn advance(&self, by: Duration) {
        self.shared.state.lock().now += by;
        self.shared.changed.notify_all();
    }

    /// Blocks until so much has passed.
    pub fn sleep(&self, duration: Duration) {
        if duration.is_zero() {
            return;
        }
        let mut state = self.shared.state.lock();
        let wake = state.now + duration;
        state.wake.push(wake);
        self.shared.changed.notify_all();
        while state.now < wake {
            self.shared.changed.wait(&mut state);
        }
        if let Some(at) = state.wake.iter().position(|other| *other == wake) {
            state.wake.swap_remove(at);
        }
    }

    /// Blocks until so many sleep, whom the time that has passed does not wake: then nothing happens before it is
    /// advanced.
    ///
    /// # Panics
    ///
    /// When fewer do and nobody falls asleep for a minute of real time, so that a test fails that would hang.
    pub fn wait_for_sleepers(&self, count: usize) {
        let mut state = self.shared.state.lock();
        loop {
            let sleeping = state.wake.iter().filter(|wake| **wake > state.now).count();
            if sleeping >= count {
                return;
            }
            let timed_out = self.shared.changed.wait_for(&mut state, PATIENCE).timed_out();
            assert!(!timed_out, "{sleeping} of {count} sleep");
        }
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for VirtualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VirtualClock({:?})", self.now())
    }
}
