//! Numbers and truth values as Flink writes them.

use std::fmt;

use super::{Kind, Unreadable};
use crate::id::CheckpointId;

/// How many times as large as the state in them merged files may become. Below 1 they may become as large as they like.
///
/// Always a finite number.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct SpaceAmplification(f32);

impl SpaceAmplification {
    /// Twice as large, the default.
    pub const TWICE: Self = Self(2.0);

    /// `None` when it is infinite or no number.
    pub const fn new(factor: f32) -> Option<Self> {
        if factor.is_finite() { Some(Self(factor)) } else { None }
    }

    /// The factor.
    pub const fn factor(self) -> f32 {
        self.0
    }
}

/// Finite numbers are equal to themselves.
impl Eq for SpaceAmplification {}

impl fmt::Display for SpaceAmplification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // With a digit behind the point, as Java writes it.
        write!(f, "{:?}", self.0)
    }
}

impl Kind for SpaceAmplification {
    const TYPE: &'static str = "float";
    const REMEDY: &'static str = "write a decimal number, such as 2.0";

    /// Java's notation without its infinities, its hexadecimal numbers and what is no number.
    fn read(text: &str) -> Result<Self, Unreadable> {
        let decimal = text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text);
        if !decimal.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) {
            return Err(Unreadable::NotFloat);
        }
        let factor = decimal.parse::<f32>().map_err(|_| Unreadable::NotFloat)?;
        Self::new(factor).ok_or(Unreadable::TooLarge)
    }

    fn write(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Kind for bool {
    const TYPE: &'static str = "boolean";
    const REMEDY: &'static str = "write true or false";

    fn read(text: &str) -> Result<Self, Unreadable> {
        match text {
            _ if text.eq_ignore_ascii_case("true") => Ok(true),
            _ if text.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err(Unreadable::NotBoolean),
        }
    }

    fn write(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// Flink's `Integer`, in a type that holds whatever a setter is given as well.
impl Kind for i64 {
    const TYPE: &'static str = "integer";
    const REMEDY: &'static str = "write a whole number of at most 2147483647";

    fn read(text: &str) -> Result<Self, Unreadable> {
        text.parse::<i32>().map(Self::from).map_err(|_| Unreadable::NotInteger)
    }

    fn write(&self) -> Option<String> {
        Some(self.to_string())
    }

    fn fits(&self) -> Result<(), Unreadable> {
        i32::try_from(*self).map(drop).map_err(|_| Unreadable::TooLarge)
    }
}

/// Flink's `Long` that is a checkpoint's number, or -1 for none.
impl Kind for Option<CheckpointId> {
    const TYPE: &'static str = "long";
    const REMEDY: &'static str = "write the number of a checkpoint, 1 or more, or -1 for none";

    fn read(text: &str) -> Result<Self, Unreadable> {
        match text.parse::<i64>().map_err(|_| Unreadable::NotInteger)? {
            -1 => Ok(None),
            number => {
                let number = u64::try_from(number).map_err(|_| Unreadable::NoCheckpoint)?;
                CheckpointId::new(number).map(Some).ok_or(Unreadable::NoCheckpoint)
            }
        }
    }

    fn write(&self) -> Option<String> {
        Some(self.map_or_else(|| "-1".to_owned(), |id| id.get().to_string()))
    }

    fn fits(&self) -> Result<(), Unreadable> {
        self.map_or(Ok(()), |id| i64::try_from(id.get()).map(drop).map_err(|_| Unreadable::TooLarge))
    }
}
