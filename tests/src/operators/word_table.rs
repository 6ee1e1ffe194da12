//! Counts of words.

use ckpt_core::Result;

use crate::error::Fault;

/// The counts of the words of one key group: a hash table over one arena, so that a snapshot is one pass over memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct WordTable {
    /// One more than the index of an entry, or zero; a power of two of them.
    slots: Vec<u32>,
    entries: Vec<Entry>,
    arena: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u32,
    begin: usize,
    length: usize,
    count: u64,
}

impl WordTable {
    /// Counts a word once more and returns how often it has come.
    #[inline]
    pub(crate) fn increment(&mut self, hash: u32, word: &[u8]) -> u64 {
        let entry = self.entry(hash, word);
        entry.count += 1;
        entry.count
    }

    /// Appends all counts: for each word its length, its count, its bytes; the numbers as LEB128.
    pub(crate) fn encode(&self, to: &mut Vec<u8>) {
        for entry in &self.entries {
            push_number(to, entry.length as u64);
            push_number(to, entry.count);
            to.extend_from_slice(&self.arena[entry.begin..entry.begin + entry.length]);
        }
    }

    /// How many bytes [`encode`](Self::encode) appends at most: no number takes more than ten.
    pub(crate) fn most_encoded_bytes(&self) -> usize {
        self.arena.len() + 20 * self.entries.len()
    }

    /// Adds counts that were written by [`encode`](Self::encode).
    ///
    /// # Errors
    ///
    /// `Corrupt` when the bytes are not such counts, or count a word twice.
    pub(crate) fn decode(&mut self, mut from: &[u8], hash: fn(&[u8]) -> u32) -> Result<()> {
        let damaged = |what: &str| Fault::State { operator: "count", what: what.to_owned() };
        while !from.is_empty() {
            let length = take_number(&mut from).ok_or_else(|| damaged("a length does not end"))?;
            let count = take_number(&mut from).ok_or_else(|| damaged("a count does not end"))?;
            let (word, rest) = usize::try_from(length)
                .ok()
                .and_then(|length| from.split_at_checked(length))
                .ok_or_else(|| damaged("a word is longer than its section"))?;
            from = rest;
            let entry = self.entry(hash(word), word);
            if entry.count != 0 || count == 0 || word.is_empty() {
                return Err(damaged("a word is counted twice, or never, or is empty").into());
            }
            entry.count = count;
        }
        Ok(())
    }

    fn entry(&mut self, hash: u32, word: &[u8]) -> &mut Entry {
        if 2 * self.entries.len() >= self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut slot = spread(hash) & mask;
        loop {
            let Some(index) = self.slots[slot].checked_sub(1) else {
                let begin = self.arena.len();
                self.arena.extend_from_slice(word);
                self.entries.push(Entry { hash, begin, length: word.len(), count: 0 });
                let index = self.entries.len() - 1;
                self.slots[slot] = index as u32 + 1;
                return &mut self.entries[index];
            };
            let found = self.entries[index as usize];
            if found.hash == hash && &self.arena[found.begin..found.begin + found.length] == word {
                return &mut self.entries[index as usize];
            }
            slot = (slot + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let length = (2 * self.slots.len()).max(64);
        self.slots.clear();
        self.slots.resize(length, 0);
        for (number, entry) in (1..).zip(&self.entries) {
            let mut slot = spread(entry.hash) & (length - 1);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (length - 1);
            }
            self.slots[slot] = number;
        }
    }
}

/// All bits of the hash have a say in its slot.
const fn spread(hash: u32) -> usize {
    ((hash as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize
}

fn push_number(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn take_number(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = from.split_first()?;
        *from = rest;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::text::{Random, key_hash};

    #[test]
    fn counts_as_a_map_does_and_survives_being_written() {
        let mut random = Random::new(3);
        let (mut table, mut map) = (WordTable::default(), BTreeMap::<Vec<u8>, u64>::new());
        for step in 0..20_000 {
            let word: Vec<u8> = (0..=random.below(3)).map(|_| random.below(20) as u8).collect();
            // Few hashes, so that words collide.
            let count = table.increment(key_hash(&word) % 50, &word);
            let expected = map.entry(word).or_default();
            *expected += 1;
            assert_eq!(count, *expected, "{step}");
        }
        let mut bytes = Vec::new();
        table.encode(&mut bytes);
        let mut restored = WordTable::default();
        restored.decode(&bytes, key_hash).unwrap();
        for (word, count) in &map {
            assert_eq!(restored.increment(key_hash(word), word), count + 1);
        }
        assert_eq!(restored.entries.len(), map.len());
    }

    #[test]
    fn damaged_sections_are_refused() {
        for bad in [&[3][..], &[1, 1], &[5, 1, b'a'], &[1, 0, b'a'], &[0, 1], &[1, 1, b'a', 1, 1, b'a'], &[0xff; 12]] {
            assert!(WordTable::default().decode(bad, key_hash).is_err(), "{bad:?}");
        }
    }
}
