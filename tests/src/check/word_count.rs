//! A plain count.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};

use ckpt_core::Result;

use crate::error::Fault;
use crate::text::{InputFile, is_separator};

/// How often each word comes in the input, counted the plain way: one thread, one map, no splits.
#[derive(Clone, Debug, Default)]
pub struct WordCount {
    /// By word: its place in the order of first appearance.
    places: HashMap<Box<[u8]>, usize>,
    /// By place: the word's total.
    totals: Vec<u64>,
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
        match self.places.get(word) {
            Some(&place) => self.totals[place] += 1,
            None => {
                self.places.insert(word.into(), self.totals.len());
                self.totals.push(1);
            }
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
        self.places.get(word).copied()
    }

    pub(super) fn totals(&self) -> &[u64] {
        &self.totals
    }

    pub(super) fn word_at(&self, place: usize) -> &[u8] {
        self.places.iter().find(|(_, candidate)| **candidate == place).map_or(&[], |(word, _)| word)
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
}
