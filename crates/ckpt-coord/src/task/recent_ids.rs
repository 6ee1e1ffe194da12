//! A bounded memory of checkpoints.

use std::collections::BTreeSet;

use ckpt_core::id::CheckpointId;

/// Remembers which checkpoints it was told; of the oldest only that they are old: they all count as told.
#[derive(Debug, Default)]
pub(super) struct RecentIds {
    ids: BTreeSet<CheckpointId>,
    forgotten_upto: Option<CheckpointId>,
}

impl RecentIds {
    /// Far more than can be under way at once.
    const MAX: usize = 64;

    /// Whether it is told for the first time.
    pub(super) fn insert(&mut self, id: CheckpointId) -> bool {
        if self.contains(id) {
            return false;
        }
        self.ids.insert(id);
        if self.ids.len() > Self::MAX {
            self.forgotten_upto = self.ids.pop_first();
        }
        true
    }

    pub(super) fn contains(&self, id: CheckpointId) -> bool {
        self.forgotten_upto >= Some(id) || self.ids.contains(&id)
    }

    pub(super) fn newest(&self) -> Option<CheckpointId> {
        self.ids.last().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forgotten_counts_as_told() {
        let id = |number| CheckpointId::new(number).unwrap();
        let mut recent = RecentIds::default();
        assert!(!recent.contains(id(1)));
        for number in (2..=1000).step_by(2) {
            assert!(recent.insert(id(number)));
            assert!(!recent.insert(id(number)));
        }
        assert_eq!(recent.ids.len(), RecentIds::MAX);
        assert_eq!(recent.newest(), Some(id(1000)));
        assert!(recent.contains(id(1)) && recent.contains(id(998)));
        assert!(!recent.contains(id(999)) && !recent.contains(id(1001)));
    }
}
