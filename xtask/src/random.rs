//! Numbers drawn from a seed: the same seed, the same numbers, on every machine.

/// A splitmix generator: one addition and three mixing steps a number, which is plenty to draw test cases from.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `first` to `last`, both included.
    pub(crate) fn within(&mut self, first: u64, last: u64) -> u64 {
        first + self.next() % (last - first + 1)
    }

    /// A number from `first` to `last` whose magnitude is drawn evenly, so that small ones are as usual as large ones.
    pub(crate) fn magnitude(&mut self, first: u64, last: u64) -> u64 {
        let bits = |number: u64| u64::from(u64::BITS - number.leading_zeros());
        let width = self.within(bits(first), bits(last));
        let (low, high) = if width == 0 { (0, 0) } else { (1 << (width - 1), u64::MAX >> (64 - width)) };
        self.within(low.max(first), high.min(last))
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.next() % times == 0
    }

    /// One of these.
    pub(crate) fn one_of<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        (!of.is_empty()).then(|| &of[self.within(0, of.len() as u64 - 1) as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_within_their_bounds_and_repeat() {
        let (mut a, mut b) = (Random::new(7), Random::new(7));
        for _ in 0..1000 {
            assert_eq!(a.next(), b.next());
            assert!((5..=200).contains(&a.within(5, 200)));
            assert!((0..=9).contains(&a.magnitude(0, 9)));
            assert!((65..=1 << 23).contains(&a.magnitude(65, 1 << 23)));
            b = Random(a.0);
        }
    }
}
