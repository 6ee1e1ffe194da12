//! Sizes in memory as Flink writes them.

use std::fmt;

use super::{Kind, Unreadable, no_unit, trim};

/// A number of bytes (Flink's `MemorySize`). Written `20 kb`, `1g`, `64 kibibytes` or as a bare number of bytes; units
/// are powers of 1024 in any case.
///
/// ```
/// use ckpt_core::config::MemorySize;
///
/// assert_eq!(MemorySize::from_kibibytes(20).bytes(), 20_480);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemorySize(u64);

/// Units and the power of 1024 of each.
const UNITS: [(&[&str], u32); 5] = [
    (&["", "b", "bytes"], 0),
    (&["k", "kb", "kibibytes"], 1),
    (&["m", "mb", "mebibytes"], 2),
    (&["g", "gb", "gibibytes"], 3),
    (&["t", "tb", "tebibytes"], 4),
];

impl MemorySize {
    /// That many bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// That many times 1024 bytes; what does not fit is the most there is.
    pub const fn from_kibibytes(kibibytes: u64) -> Self {
        Self(kibibytes.saturating_mul(1 << 10))
    }

    /// That many times 1024 × 1024 bytes; what does not fit is the most there is.
    pub const fn from_mebibytes(mebibytes: u64) -> Self {
        Self(mebibytes.saturating_mul(1 << 20))
    }

    /// The number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

/// With the largest unit that leaves a whole number.
impl fmt::Display for MemorySize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let power = if self.0 == 0 { 0 } else { (self.0.trailing_zeros() / 10).min(4) };
        let unit = ["bytes", "kb", "mb", "gb", "tb"][power as usize];
        write!(f, "{} {unit}", self.0 >> (10 * power))
    }
}

impl Kind for MemorySize {
    const TYPE: &'static str = "memory size";
    const REMEDY: &'static str = "write a whole number and a unit of b, kb, mb, gb or tb";

    fn read(text: &str) -> Result<Self, Unreadable> {
        let text = trim(text);
        let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
        if number.is_empty() {
            return Err(Unreadable::NoNumber);
        }
        let unit = trim(unit).to_lowercase();
        let (_, power) =
            UNITS.iter().find(|(names, _)| names.contains(&unit.as_str())).ok_or_else(|| no_unit(&unit))?;
        let number = number.parse::<u64>().map_err(|_| Unreadable::TooLarge)?;
        number.checked_mul(1 << (10 * power)).map(Self).ok_or(Unreadable::TooLarge)
    }

    fn write(&self) -> Option<String> {
        Some(self.to_string())
    }

    /// Flink counts bytes in 63 bits.
    fn fits(&self) -> Result<(), Unreadable> {
        i64::try_from(self.0).map(drop).map_err(|_| Unreadable::TooLarge)
    }
}
