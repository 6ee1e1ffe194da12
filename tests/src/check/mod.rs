//! Whether output is right: a plain count on one thread, and the output held against it.

mod verdict;
mod word_count;

pub use verdict::{Verdict, Wrong, verify};
pub use word_count::WordCount;
