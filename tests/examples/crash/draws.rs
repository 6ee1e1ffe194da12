//! What a seed decides.

use bytes::Bytes;

/// Numbers that are drawn from a seed.
#[derive(Debug)]
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// A number below that one.
    pub(crate) const fn below(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13 | 1;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % below
    }

    /// Never two the same, and no zeros, which a hole reads as.
    pub(crate) fn bytes(&mut self, length: u64) -> Bytes {
        (0..length).map(|_| 1 + u8::try_from(self.below(255)).unwrap_or(0)).collect()
    }
}
