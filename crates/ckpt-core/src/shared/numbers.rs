//! Sets of the numbers by which a writer names its files.

use std::collections::BTreeMap;

/// Numbers of a writer's files. A counter gives them out, so they stand close together and a bit for
/// each is less than anything else; only stretches in which there is one take memory, so a wild number costs no more than
/// any other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NumberSet(BTreeMap<u32, [u64; STRETCH / 64]>);

/// How many numbers stand together.
const STRETCH: usize = 1024;

impl NumberSet {
    pub(super) fn insert(&mut self, number: u32) {
        let (stretch, word, bit) = place(number);
        self.0.entry(stretch).or_insert([0; STRETCH / 64])[word] |= bit;
    }

    pub(super) fn contains(&self, number: u32) -> bool {
        let (stretch, word, bit) = place(number);
        self.0.get(&stretch).is_some_and(|words| words[word] & bit != 0)
    }
}

/// The stretch of a number, and its word and bit there.
const fn place(number: u32) -> (u32, usize, u64) {
    let within = number as usize % STRETCH;
    (number / STRETCH as u32, within / 64, 1 << (within % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_their_neighbours() {
        let mut numbers = NumberSet::default();
        let inserted = [0, 63, 64, 1023, 1024, 65_536, u32::MAX];
        inserted.into_iter().for_each(|number| numbers.insert(number));
        for number in (0..70_000).chain([u32::MAX - 1, u32::MAX]) {
            assert_eq!(numbers.contains(number), inserted.contains(&number), "{number}");
        }
    }
}
