//! Output held against a plain count.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use ckpt_core::Result;

use crate::check::WordCount;
use crate::error::Fault;

/// Whether output is right.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Each word of total n appears with 1 to n, each once.
    Right {
        /// Lines of output.
        lines: u64,
        /// Files of output.
        files: usize,
    },
    /// It does not.
    Wrong(Wrong),
}

/// What is wrong with output: the first word, in the order of the input, that did not come as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wrong {
    /// A line is none of `word<TAB>count`.
    Line {
        /// The file.
        path: PathBuf,
        /// What it says instead; its beginning.
        found: Vec<u8>,
    },
    /// A word is not in the input.
    Unknown {
        /// The file.
        path: PathBuf,
        /// The word.
        word: Vec<u8>,
    },
    /// A count of a word did not come.
    Lost {
        /// The word.
        word: Vec<u8>,
        /// The lowest count that is missing.
        count: u64,
        /// How often the word comes in the input.
        total: u64,
    },
    /// A count of a word came twice.
    Doubled {
        /// The word.
        word: Vec<u8>,
        /// The count.
        count: u64,
        /// How often the word comes in the input.
        total: u64,
    },
    /// A count of a word is zero or above its total.
    Beyond {
        /// The word.
        word: Vec<u8>,
        /// The count.
        count: u64,
        /// How often the word comes in the input.
        total: u64,
    },
}

/// Holds the committed files in `directory` against the count.
///
/// # Errors
///
/// `FailJob` when the output cannot be read.
pub fn verify(directory: &Path, expected: &WordCount) -> Result<Verdict> {
    let fault = |path: &Path| {
        let path = path.to_owned();
        move |source| Fault::Output { path, verb: "read", source }
    };
    let mut seen = Seen::new(expected);
    let mut files = 0;
    for entry in fs::read_dir(directory).map_err(fault(directory))? {
        let path = entry.map_err(fault(directory))?.path();
        if !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"part-")) {
            continue;
        }
        files += 1;
        let file = File::open(&path).map_err(fault(&path))?;
        let wrong = seen.read(BufReader::with_capacity(1 << 20, file), &path).map_err(fault(&path))?;
        if let Some(wrong) = wrong {
            return Ok(Verdict::Wrong(wrong));
        }
    }
    Ok(match seen.first_wrong() {
        Some(wrong) => Verdict::Wrong(wrong),
        None => Verdict::Right { lines: expected.total(), files },
    })
}

/// One bit for each count of each word.
struct Seen<'a> {
    expected: &'a WordCount,
    /// By place of the word: where its bits begin.
    begins: Vec<u64>,
    bits: Vec<u64>,
    /// By place: a count that was wrong in itself.
    wrong: Vec<(usize, Excess, u64)>,
}

#[derive(Clone, Copy)]
enum Excess {
    Doubled,
    Beyond,
}

impl<'a> Seen<'a> {
    fn new(expected: &'a WordCount) -> Self {
        let mut next = 0;
        let begins = expected.totals().iter().map(|total| {
            next += total;
            next - total
        });
        let begins = begins.collect();
        Self { expected, begins, bits: vec![0; next.div_ceil(64) as usize], wrong: Vec::new() }
    }

    /// Takes the lines of a file; stops at one that fits no word.
    fn read(&mut self, mut file: impl BufRead, path: &Path) -> io::Result<Option<Wrong>> {
        let mut line = Vec::new();
        loop {
            line.clear();
            if file.read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            let Some((word, count)) = parse(&line) else {
                let found = line[..line.len().min(100)].to_vec();
                return Ok(Some(Wrong::Line { path: path.to_owned(), found }));
            };
            let Some(place) = self.expected.place_of(word) else {
                return Ok(Some(Wrong::Unknown { path: path.to_owned(), word: word.to_vec() }));
            };
            if count == 0 || count > self.expected.totals()[place] {
                self.wrong.push((place, Excess::Beyond, count));
                continue;
            }
            let bit = self.begins[place] + count - 1;
            let (index, mask) = ((bit / 64) as usize, 1 << (bit % 64));
            if self.bits[index] & mask != 0 {
                self.wrong.push((place, Excess::Doubled, count));
            }
            self.bits[index] |= mask;
        }
    }

    /// The first wrong word in the order of the input.
    fn first_wrong(&self) -> Option<Wrong> {
        let totals = self.expected.totals();
        let excess = self.wrong.iter().min_by_key(|(place, ..)| *place);
        let limit = excess.map_or(totals.len(), |(place, ..)| *place);
        for (place, &total) in totals[..limit].iter().enumerate() {
            let first = self.begins[place];
            let missing = (first..first + total).find(|bit| self.bits[(bit / 64) as usize] & 1 << (bit % 64) == 0);
            if let Some(bit) = missing {
                let word = self.expected.word_at(place).to_vec();
                return Some(Wrong::Lost { word, count: bit - first + 1, total });
            }
        }
        let &(place, excess, count) = excess?;
        let (word, total) = (self.expected.word_at(place).to_vec(), totals[place]);
        Some(match excess {
            Excess::Doubled => Wrong::Doubled { word, count, total },
            Excess::Beyond => Wrong::Beyond { word, count, total },
        })
    }
}

/// `word<TAB>count<LF>`.
fn parse(line: &[u8]) -> Option<(&[u8], u64)> {
    let line = line.strip_suffix(b"\n")?;
    let tab = line.iter().rposition(|&byte| byte == b'\t')?;
    let digits = &line[tab + 1..];
    if digits.is_empty() || digits.len() > 20 || digits[0] == b'0' {
        return None;
    }
    let mut count = 0_u64;
    for digit in digits {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        count = count.checked_mul(10)?.checked_add(digit)?;
    }
    Some((&line[..tab], count))
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { path, found } => {
                write!(f, "{} holds a line that is no count of a word: '{}'", path.display(), found.escape_ascii())
            }
            Self::Unknown { path, word } => {
                write!(f, "{} counts the word {}, which is not in the input", path.display(), shown(word))
            }
            Self::Lost { word, count, total } => {
                write!(f, "the word {} comes {total} times, and its count {count} is missing", shown(word))
            }
            Self::Doubled { word, count, total } => {
                write!(f, "the word {} comes {total} times, and its count {count} is there twice", shown(word))
            }
            Self::Beyond { word, count, total } => {
                write!(f, "the word {} comes {total} times, and its count {count} is there too", shown(word))
            }
        }
    }
}

/// A word for people: escaped, and cut when it is long.
fn shown(word: &[u8]) -> String {
    const MOST_BYTES: usize = 60;
    match word.get(..MOST_BYTES) {
        Some(begin) if word.len() > MOST_BYTES => format!("'{}'… of {} bytes", begin.escape_ascii(), word.len()),
        _ => format!("'{}'", word.escape_ascii()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::InputFile;

    fn verdict_on(input: &str, output: &[&str]) -> Verdict {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("input");
        fs::write(&path, input).unwrap();
        for (number, part) in output.iter().enumerate() {
            fs::write(directory.path().join(format!("part-{number}")), part).unwrap();
        }
        fs::write(directory.path().join(".staged-1"), "b\t9\n").unwrap();
        let expected = WordCount::of_files(&[InputFile::inspect(&path).unwrap()]).unwrap();
        verify(directory.path(), &expected).unwrap()
    }

    #[test]
    fn each_count_of_each_word_once_in_any_order() {
        let right = Verdict::Right { lines: 4, files: 2 };
        assert_eq!(verdict_on("a b a\nc", &["c\t1\na\t2\n", "b\t1\na\t1\n"]), right);
        assert_eq!(verdict_on("", &[]), Verdict::Right { lines: 0, files: 0 });
    }

    #[test]
    fn lost_doubled_and_foreign_records_show() {
        let word = || b"a".to_vec();
        for (output, expected) in [
            ("a\t1\nb\t1\n", Wrong::Lost { word: word(), count: 2, total: 2 }),
            ("a\t2\nb\t1\n", Wrong::Lost { word: word(), count: 1, total: 2 }),
            ("b\t1\na\t1\na\t1\na\t2\n", Wrong::Doubled { word: word(), count: 1, total: 2 }),
            ("b\t1\na\t1\na\t2\na\t3\n", Wrong::Beyond { word: word(), count: 3, total: 2 }),
            ("a\t1\na\t2\n", Wrong::Lost { word: b"b".to_vec(), count: 1, total: 1 }),
            // The first wrong word is named, though the other shows first.
            ("b\t1\nb\t1\na\t1\n", Wrong::Lost { word: word(), count: 2, total: 2 }),
        ] {
            assert_eq!(verdict_on("a b a", &[output]), Verdict::Wrong(expected), "{output:?}");
        }
        for damaged in ["a\t1\nb\t1\na\t2", "a 1\n", "\n", "a\t01\n", "a\t-1\n", "a\t\n", "a\t99999999999999999999\n"] {
            let verdict = verdict_on("a b a", &[damaged]);
            assert!(matches!(verdict, Verdict::Wrong(Wrong::Line { .. })), "{damaged:?} {verdict:?}");
        }
        assert!(matches!(verdict_on("a", &["x\t1\n"]), Verdict::Wrong(Wrong::Unknown { .. })));
    }
}
