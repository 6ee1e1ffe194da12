//! One write of HEAD under way: the shipping state machine and what it waits for.

use bytes::Bytes;
use ckpt_core::head::Head;
use ckpt_storage::{HeadAnswer, HeadStep, HeadSwap, SeenHead};

/// How often a write is sent before its outcome stays unknown.
const TRIES: u32 = 2;

/// One write of HEAD under way.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Swap {
    machine: HeadSwap,
    pub(crate) step: HeadStep,
    in_doubt: bool,
}

impl Swap {
    pub(crate) fn begin(next: &Head, body: Bytes, seen: Option<&SeenHead>) -> Self {
        let mut machine = HeadSwap::new(next, body, TRIES);
        let step = machine.begin(seen);
        Self { machine, step, in_doubt: false }
    }

    /// The same write once more, after its outcome stayed unknown.
    pub(crate) fn again(&self, next: &Head) -> Self {
        let mut machine = HeadSwap::new(next, self.machine.body().clone(), TRIES).in_doubt();
        let step = machine.begin(None);
        Self { machine, step, in_doubt: true }
    }

    /// Whether it was sent once more already.
    pub(crate) const fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    pub(crate) const fn body(&self) -> &Bytes {
        self.machine.body()
    }

    pub(crate) fn answered(&mut self, answer: HeadAnswer) {
        self.step = self.machine.answered(answer);
    }
}
