//! Where in a piece the elements of its state begin.

use std::io;

use ckpt_flink::{Offsets, Source};

/// The first and the last of some positions: there may be millions, and these tell whether all are within the piece.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct OffsetBounds {
    count: usize,
    bounds: Option<[i64; 2]>,
}

impl OffsetBounds {
    /// The first and the last.
    pub(super) const fn bounds(self) -> Option<[i64; 2]> {
        self.bounds
    }
}

impl Offsets for OffsetBounds {
    fn take<S: Source>(source: &mut S, count: usize) -> io::Result<Self> {
        let mut bounds = None;
        for _ in 0..count {
            let mut number = [0; size_of::<i64>()];
            source.read_exact(&mut number)?;
            let number = i64::from_be_bytes(number);
            bounds = around(bounds, Some([number; 2]));
        }
        Ok(Self { count, bounds })
    }

    fn count(&self) -> usize {
        self.count
    }
}

/// The bounds of all.
pub(super) fn around(some: Option<[i64; 2]>, more: Option<[i64; 2]>) -> Option<[i64; 2]> {
    let (Some([first, last]), Some([more_first, more_last])) = (some, more) else { return some.or(more) };
    Some([first.min(more_first), last.max(more_last)])
}
