//! What writers that have ended may have left.

use std::collections::BTreeMap;

use crate::id::{FileName, LeaderEpoch, Writer, WriterId};
use crate::shared::numbers::NumberSet;

/// Writers that have ended, and which of their shared files are alive. Every other one is dead for ever, though nobody may
/// ever have heard of it: no acknowledgement that names it is accepted any more, so whoever finds one may delete it.
///
/// Only a [`SharedStateRegistry`](super::SharedStateRegistry) yields them:
///
/// ```
/// # use ckpt_core::{id::{LeaderEpoch, Writer, WriterId}, shared::SharedStateRegistry};
/// let (epoch, writer) = (LeaderEpoch::new(1), WriterId::new(7));
/// let file = Writer::new(epoch, writer).file(0);
/// let mut registry = SharedStateRegistry::new(epoch);
/// registry.start_writer(writer)?;
/// assert!(!registry.take_ended().has_left(file), "it may be named yet");
/// let _ = registry.end_writers([writer]);
/// assert!(registry.take_ended().has_left(file));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// ```
/// # use ckpt_core::{id::LeaderEpoch, shared::{EndedWriters, SharedStateRegistry}};
/// fn ended(registry: &mut SharedStateRegistry, epoch: LeaderEpoch) -> EndedWriters {
///     registry.take_ended()
/// }
/// ```
///
/// Writers cannot be called ended:
///
/// ```compile_fail,E0451
/// # use ckpt_core::{id::LeaderEpoch, shared::{EndedWriters, SharedStateRegistry}};
/// fn ended(registry: &mut SharedStateRegistry, epoch: LeaderEpoch) -> EndedWriters {
///     EndedWriters { epoch, alive: Default::default() }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "what they have left stays until the next leader collects it"]
pub struct EndedWriters {
    epoch: LeaderEpoch,
    /// Of each, the numbers of the files that are alive.
    alive: BTreeMap<WriterId, NumberSet>,
}

impl EndedWriters {
    /// None of whose files is alive.
    pub(super) fn new(epoch: LeaderEpoch, writers: impl IntoIterator<Item = WriterId>) -> Self {
        Self { epoch, alive: writers.into_iter().map(|writer| (writer, NumberSet::default())).collect() }
    }

    /// That file of them is alive.
    pub(super) fn keep(&mut self, file: FileName) {
        if let Some(alive) = self.alive.get_mut(&file.writer).filter(|_| file.epoch == self.epoch) {
            alive.insert(file.number);
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.alive.is_empty()
    }

    /// Who has ended, in the order of the names of their files.
    pub fn writers(&self) -> impl Iterator<Item = Writer> {
        self.alive.keys().map(|writer| Writer::new(self.epoch, *writer))
    }

    /// Whether that shared file is one of theirs, and nothing names it or ever will.
    pub fn has_left(&self, file: FileName) -> bool {
        let alive = self.alive.get(&file.writer).filter(|_| file.epoch == self.epoch);
        alive.is_some_and(|alive| !alive.contains(file.number))
    }
}
