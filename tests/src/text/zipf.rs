//! Made-up text.

use std::io::{self, Write};

use crate::text::Random;

/// Different words that there are.
const VOCABULARY: usize = 50_000;

/// Writes exactly `length_bytes` bytes of words whose frequencies fall as in a language (Zipf's law), in lines.
///
/// # Errors
///
/// That of `to`.
pub fn write_zipf_words(to: &mut impl Write, seed: u64, length_bytes: u64) -> io::Result<()> {
    let mut random = Random::new(seed);
    let words: Vec<Vec<u8>> = (0..VOCABULARY).map(|rank| word(&mut random, rank)).collect();
    let mut total = 0.0;
    let cumulative: Vec<f64> = (1..=VOCABULARY)
        .map(|rank| {
            total += 1.0 / rank as f64;
            total
        })
        .collect();
    let mut left = usize::try_from(length_bytes).unwrap_or(usize::MAX);
    let mut in_line = 0;
    while left > 0 {
        let rank = cumulative.partition_point(|&sum| sum <= random.fraction() * total).min(VOCABULARY - 1);
        let word = &words[rank][..words[rank].len().min(left)];
        to.write_all(word)?;
        left -= word.len();
        if left > 0 {
            in_line += 1;
            let line_ends = in_line == 12;
            to.write_all(if line_ends { b"\n" } else { b" " })?;
            in_line *= usize::from(!line_ends);
            left -= 1;
        }
    }
    Ok(())
}

/// A pronounceable word; frequent ones are short. The rank in it keeps words apart.
fn word(random: &mut Random, rank: usize) -> Vec<u8> {
    let mut word = Vec::new();
    let mut rest = rank;
    loop {
        word.push(b"bdfgklmnprstvz"[rest % 14]);
        word.push(b"aeiou"[(rest / 14) % 5]);
        rest /= 70;
        if rest == 0 {
            break;
        }
    }
    for _ in 0..random.below(4) {
        word.push(b"nrst"[random.below(4) as usize]);
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes_of_the_length_asked_for() {
        for length in [0, 1, 7, 10_000] {
            let (mut first, mut second) = (Vec::new(), Vec::new());
            write_zipf_words(&mut first, 7, length).unwrap();
            write_zipf_words(&mut second, 7, length).unwrap();
            assert_eq!(first.len() as u64, length);
            assert_eq!(first, second);
        }
    }
}
