//! Input: what a word is, how files are cut into splits, how a split is read from any position, and made-up input.

mod input;
mod random;
mod split;
mod split_reader;
mod word;
mod zipf;

pub use input::InputFile;
pub use random::Random;
pub use split::Split;
pub use split_reader::{Reading, SplitReader};
pub use word::{is_separator, key_hash};
pub use zipf::write_zipf_words;
