//! Names that are told in one cell.

use std::fmt;

/// The first of some names, and how many more there are: a handle may have a million of them.
#[derive(Debug, Default)]
pub(super) struct Names {
    first: String,
    more: u64,
}

impl Names {
    /// Further names are counted and not told when those before have so many bytes.
    const ENOUGH_BYTES: usize = 256;

    pub(super) fn of(names: impl Iterator<Item = impl AsRef<str>>) -> Self {
        let mut all = Self::default();
        names.for_each(|name| all.add(name.as_ref()));
        all
    }

    pub(super) fn add(&mut self, name: &str) {
        if self.first.len() >= Self::ENOUGH_BYTES {
            self.more += 1;
            return;
        }
        if !self.first.is_empty() {
            self.first.push_str(", ");
        }
        self.first.push_str(name);
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first)?;
        if self.more > 0 {
            write!(f, " and {} more", self.more)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        assert_eq!(Names::default().to_string(), "");
        assert_eq!(Names::of(["a", "b", "c"].iter()).to_string(), "a, b, c");
        let long = "n".repeat(Names::ENOUGH_BYTES);
        assert_eq!(Names::of([&long].into_iter()).to_string(), long);
        assert_eq!(Names::of([&long[1..], "b", "c", "d"].iter()).to_string(), format!("{}, b and 2 more", &long[1..]));
        assert_eq!(Names::of((0..1_000_000).map(|_| "name")).to_string().len(), 256 + " and 999957 more".len());
    }
}
