//! An answer that is to come.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use ckpt_core::{Error, ErrorKind};

use crate::sync::{Arc, Condvar, Mutex};

/// An answer that is to come: a future, and something to wait for. Dropping it changes nothing.
///
/// It ends in [`Abandoned`] when the promise was dropped without an answer; so nobody waits for ever.
pub struct Pending<T> {
    shared: Arc<Shared<T>>,
}

/// The duty to give an answer. Dropping it abandons whoever waits.
pub struct Promise<T> {
    shared: Arc<Shared<T>>,
}

/// The answer will not come: who owed it is gone. What was asked for may have happened or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("the answer will not come: who owed it is gone")]
#[non_exhaustive]
pub struct Abandoned;

struct Shared<T> {
    answer: Mutex<Answer<T>>,
    answered: Condvar,
}

enum Answer<T> {
    Awaited(Option<Waker>),
    Given(T),
    /// Never given, or taken by an earlier wait.
    Gone,
}

impl<T> Pending<T> {
    /// A promise, and what waits for it.
    pub fn channel() -> (Promise<T>, Self) {
        let shared = Arc::new(Shared { answer: Mutex::new(Answer::Awaited(None)), answered: Condvar::new() });
        (Promise { shared: Arc::clone(&shared) }, Self { shared })
    }

    /// An answer that is there already.
    pub fn ready(answer: T) -> Self {
        Self { shared: Arc::new(Shared { answer: Mutex::new(Answer::Given(answer)), answered: Condvar::new() }) }
    }

    /// Blocks until the answer is there.
    ///
    /// # Errors
    ///
    /// [`Abandoned`] when the promise was dropped.
    pub fn wait(self) -> Result<T, Abandoned> {
        let mut answer = self.shared.answer.lock();
        loop {
            if let Some(outcome) = answer.take() {
                return outcome;
            }
            self.shared.answered.wait(&mut answer);
        }
    }

    /// Blocks until the answer is there, or that long: then it is `None`, and one may wait again. An answer is given out
    /// once; afterwards this is [`Abandoned`].
    ///
    /// # Errors
    ///
    /// [`Abandoned`] when the promise was dropped.
    pub fn wait_timeout(&mut self, timeout: Duration) -> Option<Result<T, Abandoned>> {
        // A timeout too long for the clock is one that never passes.
        let deadline = Instant::now().checked_add(timeout);
        let mut answer = self.shared.answer.lock();
        loop {
            if let Some(outcome) = answer.take() {
                return Some(outcome);
            }
            match deadline {
                None => self.shared.answered.wait(&mut answer),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() || self.shared.answered.wait_for(&mut answer, left).timed_out() {
                        return answer.take();
                    }
                }
            }
        }
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, Abandoned>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut answer = self.shared.answer.lock();
        if let Some(outcome) = answer.take() {
            return Poll::Ready(outcome);
        }
        *answer = Answer::Awaited(Some(context.waker().clone()));
        Poll::Pending
    }
}

impl<T> Promise<T> {
    /// Gives the answer.
    pub fn keep(self, answer: T) {
        self.settle(Answer::Given(answer));
    }

    /// The first call counts; the one of the drop after it does nothing.
    fn settle(&self, outcome: Answer<T>) {
        let mut answer = self.shared.answer.lock();
        if let Answer::Awaited(waker) = &mut *answer {
            let waker = waker.take();
            *answer = outcome;
            drop(answer);
            self.shared.answered.notify_all();
            // Outside of the lock: a waker may poll at once.
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        self.settle(Answer::Gone);
    }
}

impl<T> Answer<T> {
    fn take(&mut self) -> Option<Result<T, Abandoned>> {
        match self {
            Self::Awaited(_) => None,
            Self::Gone => Some(Err(Abandoned)),
            Self::Given(_) => match std::mem::replace(self, Self::Gone) {
                Self::Given(answer) => Some(Ok(answer)),
                Self::Awaited(_) | Self::Gone => Some(Err(Abandoned)),
            },
        }
    }
}

impl From<Abandoned> for Error {
    fn from(abandoned: Abandoned) -> Self {
        Self::new(ErrorKind::Unknown, abandoned)
    }
}

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Promise").finish_non_exhaustive()
    }
}
