//! Inputs for the word count: any bytes are words.

use crate::random::Random;

/// How an input file looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Lines of words, a few of them very frequent.
    Words,
    /// One line without an end.
    OneLine,
    /// Any bytes, hardly ever UTF-8.
    Bytes,
    /// Only what separates words.
    Separators,
    Empty,
}

/// What separates words.
const SEPARATORS: &[u8] = b" \t\n\x0b\x0c\r";

impl Shape {
    pub(super) fn draw(random: &mut Random) -> Self {
        const ALL: &[Shape] =
            &[Shape::Words, Shape::Words, Shape::OneLine, Shape::Bytes, Shape::Separators, Shape::Empty];
        random.one_of(ALL).copied().unwrap_or(Self::Words)
    }

    /// About so many bytes of this shape.
    pub(super) fn content(self, random: &mut Random, bytes: usize) -> Vec<u8> {
        let mut content = Vec::with_capacity(bytes + 64);
        match self {
            Self::Words => {
                let vocabulary = random.magnitude(1, 50_000);
                let words_a_line = random.magnitude(1, 200);
                while content.len() < bytes {
                    push_word(&mut content, random, vocabulary);
                    let end = random.once_in(words_a_line);
                    content.push(if end { b'\n' } else { *random.one_of(SEPARATORS).unwrap_or(&b' ') });
                }
                if random.once_in(2) {
                    // No newline at the end: the last word ends with the file.
                    content.truncate(content.trim_ascii_end().len());
                }
            }
            Self::OneLine => {
                let vocabulary = random.magnitude(1, 1_000);
                while content.len() < bytes {
                    push_word(&mut content, random, vocabulary);
                    content.push(b' ');
                }
            }
            Self::Bytes => {
                while content.len() < bytes {
                    content.extend_from_slice(&random.next().to_le_bytes());
                }
            }
            Self::Separators => {
                while content.len() < bytes {
                    content.push(*random.one_of(SEPARATORS).unwrap_or(&b' '));
                }
            }
            Self::Empty => {}
        }
        content
    }
}

/// A word of the vocabulary; low numbers are frequent.
fn push_word(content: &mut Vec<u8>, random: &mut Random, vocabulary: u64) {
    let number = random.magnitude(0, vocabulary);
    content.extend_from_slice(format!("w{number:x}").as_bytes());
    if number % 97 == 0 {
        // Some words are no UTF-8 and some are long.
        content.extend_from_slice(&[0xff, 0xc0, number as u8 | 0x80]);
        content.resize(content.len() + (number % 300) as usize, b'x');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_have_about_the_size_that_was_asked_for() {
        for shape in [Shape::Words, Shape::OneLine, Shape::Bytes, Shape::Separators] {
            let len = shape.content(&mut Random::new(3), 10_000).len();
            assert!((9_600..11_000).contains(&len), "{shape:?}: {len}");
        }
        assert!(Shape::Empty.content(&mut Random::new(3), 10_000).is_empty());
    }

    #[test]
    fn a_seed_gives_the_same_bytes() {
        let content = |seed| Shape::Words.content(&mut Random::new(seed), 5_000);
        assert_eq!(content(1), content(1));
        assert_ne!(content(1), content(2));
    }
}
