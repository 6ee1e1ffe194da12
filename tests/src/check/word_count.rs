//! A plain count.

use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader};

use ckpt_core::Result;

use crate::error::Fault;
use crate::text::{InputFile, is_separator};

/// How often each word comes in the input, counted the plain way: one thread, one map, no splits.
///
/// Nearly every word may be a different one, and the check must not take longer than the job: so words lie one behind the
/// other in the order of their first appearance, which is about that of the output too, and only a slot is looked up.
#[derive(Clone, Debug, Default)]
pub struct WordCount {
    hasher: RandomState,
    /// Open addressing; a power of two of them, at most half of them taken.
    slots: Vec<Slot>,
    /// By place, which is the order of first appearance: where the word ends in `bytes`.
    ends: Vec<usize>,
    bytes: Vec<u8>,
    /// By place: the word's total.
    totals: Vec<u64>,
}

/// Where a word is, and enough of its hash to tell most others apart without looking at them.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    hash: u32,
    /// One more than the place; zero when no word is there.
    next_place: u32,
}

impl WordCount {
    /// Counts the words of files.
    ///
    /// # Errors
    ///
    /// `Configuration` when a file cannot be read.
    pub fn of_files(files: &[InputFile]) -> Result<Self> {
        let mut count = Self::default();
        for file in files {
            count
                .add_all(BufReader::with_capacity(1 << 20, file.open()?))
                .map_err(|source| Fault::Input { path: file.path.clone(), source })?;
        }
        Ok(count)
    }

    fn add_all(&mut self, mut text: impl BufRead) -> std::io::Result<()> {
        // A word that began in an earlier piece of the text.
        let mut begun = Vec::new();
        loop {
            let piece = text.fill_buf()?;
            if piece.is_empty() {
                self.add(&begun);
                return Ok(());
            }
            let mut words = piece.split(|&byte| is_separator(byte)).peekable();
            while let Some(word) = words.next() {
                let ends = words.peek().is_some();
                match (begun.is_empty(), ends) {
                    (true, true) => self.add(word),
                    (false, true) => {
                        begun.extend_from_slice(word);
                        self.add(&begun);
                        begun.clear();
                    }
                    (_, false) => begun.extend_from_slice(word),
                }
            }
            let length = piece.len();
            text.consume(length);
        }
    }

    fn add(&mut self, word: &[u8]) {
        if word.is_empty() {
            return;
        }
        if 2 * self.totals.len() >= self.slots.len() {
            self.grow();
        }
        let hash = self.hash(word);
        let slot = self.slot_of(hash, word);
        match self.slots[slot].place() {
            Some(place) => self.totals[place] += 1,
            None => {
                self.bytes.extend_from_slice(word);
                self.ends.push(self.bytes.len());
                self.totals.push(1);
                // More words than that do not fit into memory.
                self.slots[slot] = Slot { hash: hash as u32, next_place: self.totals.len() as u32 };
            }
        }
    }

    fn hash(&self, word: &[u8]) -> u64 {
        self.hasher.hash_one(word)
    }

    /// The slot of a word, or the one that it would have; there is always a free one.
    fn slot_of(&self, hash: u64, word: &[u8]) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = (hash >> 32) as usize & mask;
        while let Some(place) = self.slots[slot].place() {
            if self.slots[slot].hash == hash as u32 && self.word_at(place) == word {
                break;
            }
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        let length = (2 * self.slots.len()).max(1024);
        self.slots = vec![Slot::default(); length];
        for place in 0..self.totals.len() {
            let hash = self.hash(self.word_at(place));
            let mut slot = (hash >> 32) as usize & (length - 1);
            while self.slots[slot].next_place != 0 {
                slot = (slot + 1) & (length - 1);
            }
            self.slots[slot] = Slot { hash: hash as u32, next_place: place as u32 + 1 };
        }
    }

    /// How many words there are in all.
    pub fn total(&self) -> u64 {
        self.totals.iter().sum()
    }

    /// How many different ones.
    pub fn different(&self) -> usize {
        self.totals.len()
    }

    pub(super) fn place_of(&self, word: &[u8]) -> Option<usize> {
        if self.slots.is_empty() {
            return None;
        }
        self.slots[self.slot_of(self.hash(word), word)].place()
    }

    pub(super) fn totals(&self) -> &[u64] {
        &self.totals
    }

    pub(super) fn word_at(&self, place: usize) -> &[u8] {
        let begin = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[begin..self.ends[place]]
    }
}

impl Slot {
    fn place(self) -> Option<usize> {
        self.next_place.checked_sub(1).map(|place| place as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_do_not_cut_words() {
        let text = b" a bb  a\nccc\x0ba bb";
        for capacity in 1..text.len() + 1 {
            let mut count = WordCount::default();
            count.add_all(BufReader::with_capacity(capacity, &text[..])).unwrap();
            let totals: Vec<_> =
                [&b"a"[..], b"bb", b"ccc"].map(|word| count.totals()[count.place_of(word).unwrap()]).into();
            assert_eq!((totals, count.different(), count.total()), (vec![3, 2, 1], 3, 6), "{capacity}");
        }
    }
    #[test]
    fn as_many_words_as_there_are() {
        let text: String = (0..5000).map(|number| format!("w{} w{} ", number, number % 7)).collect();
        let mut count = WordCount::default();
        count.add_all(text.as_bytes()).unwrap();
        assert_eq!((count.different(), count.total()), (5000, 10_000));
        for number in 0..5000 {
            let word = format!("w{number}");
            let place = count.place_of(word.as_bytes()).unwrap();
            assert_eq!(count.word_at(place), word.as_bytes());
            assert_eq!(count.totals()[place], if number < 7 { 1 + (5006 - number) / 7 } else { 1 });
        }
        assert_eq!((count.place_of(b"w5000"), WordCount::default().place_of(b"a")), (None, None));
    }
}
