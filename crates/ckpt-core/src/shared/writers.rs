//! Who names files.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{FileName, LeaderEpoch, Writer, WriterId};
use crate::shared::SharedStateRefusal;
use crate::shared::numbers::NumberSet;

/// The writers of one leader's epoch.
#[derive(Clone, Debug)]
pub(super) struct Writers {
    epoch: LeaderEpoch,
    /// Of each that is alive, the numbers of its shared files that are dead; `None` of one that has ended.
    writers: BTreeMap<WriterId, Option<NumberSet>>,
    /// Those of which nobody has looked yet what they left.
    ended: BTreeSet<WriterId>,
}

impl Writers {
    pub(super) const fn new(epoch: LeaderEpoch) -> Self {
        Self { epoch, writers: BTreeMap::new(), ended: BTreeSet::new() }
    }

    pub(super) const fn epoch(&self) -> LeaderEpoch {
        self.epoch
    }

    pub(super) fn start(&mut self, writer: WriterId) -> Result<(), SharedStateRefusal> {
        match self.writers.entry(writer).or_insert_with(|| Some(NumberSet::default())) {
            Some(_) => Ok(()),
            None => Err(SharedStateRefusal::WriterAgain { writer }),
        }
    }

    /// One that was never started may not start any more either.
    pub(super) fn end(&mut self, writer: WriterId) {
        if !matches!(self.writers.insert(writer, None), Some(None)) {
            self.ended.insert(writer);
        }
    }

    pub(super) fn end_all(&mut self) {
        for (writer, dead) in &mut self.writers {
            if dead.take().is_some() {
                self.ended.insert(*writer);
            }
        }
    }

    /// Those that have ended since this was asked last.
    pub(super) fn take_ended(&mut self) -> BTreeSet<WriterId> {
        std::mem::take(&mut self.ended)
    }

    /// Those that have ended and are to be looked for once more.
    pub(super) fn ended_again(&mut self, writers: impl IntoIterator<Item = WriterId>) {
        self.ended.extend(writers);
    }

    pub(super) fn has_ended(&self, writer: WriterId) -> bool {
        self.writers.get(&writer).is_some_and(Option::is_none)
    }

    /// The numbers of a living writer's dead files; `None` when it does not live.
    pub(super) fn dead_of(&self, writer: Writer) -> Option<&NumberSet> {
        if writer.epoch == self.epoch { self.writers.get(&writer.id)?.as_ref() } else { None }
    }

    /// That file is dead for ever.
    pub(super) fn bury(&mut self, file: FileName) {
        let writer = self.writers.get_mut(&file.writer).filter(|_| file.epoch == self.epoch);
        if let Some(dead) = writer.and_then(Option::as_mut) {
            dead.insert(file.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writers_of_other_epochs_do_not_live() {
        let (epoch, id) = (LeaderEpoch::new(2), WriterId::new(7));
        let mut writers = Writers::new(epoch);
        let own = Writer::new(epoch, id);
        assert!(writers.dead_of(own).is_none(), "it never began");
        writers.start(id).unwrap();
        for other in [1, 3].map(|other| Writer::new(LeaderEpoch::new(other), id)) {
            assert!(writers.dead_of(other).is_none());
            writers.bury(other.file(5));
        }
        assert!(
            !writers.dead_of(own).unwrap().contains(5),
            "what another leader's writer wrote says nothing of its own"
        );
        writers.bury(own.file(5));
        assert!(writers.dead_of(own).unwrap().contains(5));
        writers.end(id);
        assert!(writers.dead_of(own).is_none());
    }
}
