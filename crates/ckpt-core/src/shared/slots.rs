//! Sets of registered files.

/// The place of a file in the registry. Places are dense: one that is free is given to the next file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot(pub(super) u32);

/// A set of slots: one bit for each up to the highest that was ever in it.
///
/// Thousands of files that several checkpoints name alike are compared in one step, which is why a commit costs next to
/// nothing for files that it does not touch.
#[derive(Clone, Debug, Default)]
pub(super) struct SlotSet(Vec<u64>);

/// Slots that hold nothing.
///
/// They wait until they are a quarter of all, and are then given out in ascending order: what died here and there lies
/// closer together by then, and slots that are neighbours cost less to fill than slots far apart.
#[derive(Clone, Debug, Default)]
pub(super) struct FreeSlots {
    waiting: SlotSet,
    waiting_count: usize,
    /// The next one to give out is the last.
    next: Vec<Slot>,
}

impl FreeSlots {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.waiting_count + self.next.len()
    }

    pub(super) fn put(&mut self, slot: Slot) {
        self.waiting.insert(slot);
        self.waiting_count += 1;
    }

    /// One of `all` slots that may be filled; `None` when a new one is better.
    pub(super) fn take(&mut self, all: usize) -> Option<Slot> {
        if self.next.is_empty() && self.waiting_count > 0 && self.waiting_count >= all / 4 {
            self.next.extend(self.waiting.without(&[]));
            self.next.reverse();
            (self.waiting, self.waiting_count) = (SlotSet::default(), 0);
        }
        self.next.pop()
    }
}

impl Slot {
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

impl SlotSet {
    pub(super) fn insert(&mut self, slot: Slot) {
        let word = slot.index() / 64;
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (slot.index() % 64);
    }

    pub(super) fn remove(&mut self, slot: Slot) {
        if let Some(word) = self.0.get_mut(slot.index() / 64) {
            *word &= !(1 << (slot.index() % 64));
        }
    }

    pub(super) fn contains(&self, slot: Slot) -> bool {
        self.word(slot.index() / 64) >> (slot.index() % 64) & 1 == 1
    }

    /// Those that are in none of `others`, ascending.
    pub(super) fn without<'a, 'b: 'a>(&'a self, others: &'a [&'b Self]) -> impl Iterator<Item = Slot> + 'a {
        let words = self.0.iter().enumerate().filter(|(_, word)| **word != 0);
        words.flat_map(|(index, word)| {
            let left = others.iter().fold(*word, |left, other| left & !other.word(index));
            Bits(left).map(move |bit| Slot(index as u32 * 64 + bit))
        })
    }

    fn word(&self, index: usize) -> u64 {
        self.0.get(index).copied().unwrap_or(0)
    }
}

/// The places of the bits of a word, ascending.
struct Bits(u64);

impl Iterator for Bits {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.0 == 0 {
            return None;
        }
        let bit = self.0.trailing_zeros();
        self.0 &= self.0 - 1;
        Some(bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(slots: &[u32]) -> SlotSet {
        let mut set = SlotSet::default();
        slots.iter().for_each(|slot| set.insert(Slot(*slot)));
        set
    }

    #[test]
    fn differences_of_sets_of_any_length_ascend() {
        let (all, some, more) = (set(&[0, 63, 64, 65, 500, 700]), set(&[63, 500]), set(&[0, 1_000]));
        let left: Vec<_> = all.without(&[&some, &more]).map(|slot| slot.0).collect();
        assert_eq!(left, [64, 65, 700]);
        assert_eq!(all.without(&[]).count(), 6);
        assert_eq!(some.without(&[&all]).count(), 0);
    }

    #[test]
    fn free_slots_wait_until_they_are_a_quarter_of_all_and_ascend() {
        let mut free = FreeSlots::default();
        assert_eq!(free.take(0), None);
        [7, 2].into_iter().for_each(|slot| free.put(Slot(slot)));
        assert_eq!((free.take(12), free.len()), (None, 2));
        assert_eq!((free.take(11), free.len()), (Some(Slot(2)), 1));
        // What is free from now on waits for its turn.
        free.put(Slot(1));
        assert_eq!((free.take(11), free.take(11), free.len()), (Some(Slot(7)), None, 1));
        assert_eq!((free.take(4), free.take(4), free.len()), (Some(Slot(1)), None, 0));
    }

    #[test]
    fn what_was_never_in_it_can_be_looked_for_and_taken_out() {
        let mut slots = set(&[3]);
        assert!(slots.contains(Slot(3)) && !slots.contains(Slot(2)) && !slots.contains(Slot(u32::MAX)));
        slots.remove(Slot(u32::MAX));
        slots.remove(Slot(3));
        assert!(!slots.contains(Slot(3)));
    }
}
