//! Who wrote the files that one body names: most were written by one writer or a few.

use arrayvec::ArrayVec;

use crate::id::{LeaderEpoch, Writer, WriterId};
use crate::wire::{Flaw, Input, Invalid, put_u64};

/// The writers that were spelled out last, by the number under which they are named again.
#[derive(Debug)]
pub(super) struct Writers {
    /// Made for each body, so room for it is not filled before there is a writer.
    last: ArrayVec<Writer, { Writers::CAPACITY }>,
    /// How many were ever spelled out. Each goes to the place after the one before, the first place coming after the last.
    spelled_out: usize,
}

impl Writers {
    const CAPACITY: usize = 32;

    pub(super) const fn none() -> Self {
        Self { last: ArrayVec::new_const(), spelled_out: 0 }
    }

    fn enter(&mut self, writer: Writer) {
        if self.last.try_push(writer).is_err() {
            self.last[self.spelled_out % Self::CAPACITY] = writer;
        }
        self.spelled_out += 1;
    }

    /// Appends 0 and the writer, or the number, from 1 on, of one that was spelled out before; each as what stands for it
    /// behind `before`, the numbers that mean something else.
    #[inline]
    pub(super) fn put(&mut self, out: &mut Vec<u8>, before: u64, writer: Writer) -> Result<(), Invalid> {
        match self.last.iter().position(|known| *known == writer) {
            Some(at) => put_u64(out, before + 1 + at as u64),
            None => {
                check(writer)?;
                put_u64(out, before);
                put_u64(out, writer.epoch.get());
                put_u64(out, writer.id.get());
                self.enter(writer);
            }
        }
        Ok(())
    }

    /// The writer for which `number` stands, less what means something else.
    pub(super) fn read(&mut self, input: &mut Input<'_>, number: u64) -> Result<Writer, Flaw> {
        let known = &self.last;
        if let Some(at) = number.checked_sub(1) {
            let found = usize::try_from(at).ok().and_then(|at| known.get(at)).copied();
            return found.ok_or_else(|| {
                let expected = format!("one of the {} spelled out before", known.len());
                Invalid::value("the writer of a file", at, expected).into()
            });
        }
        let writer = Writer::new(LeaderEpoch::new(input.u64()?), WriterId::new(input.u64()?));
        check(writer)?;
        if known.contains(&writer) {
            let found = format!("{:?} of {:?} again", writer.id, writer.epoch);
            return Err(Invalid::value("the writer of a file", found, "its number").into());
        }
        self.enter(writer);
        Ok(writer)
    }
}

/// No leader has epoch 0.
#[inline]
fn check(writer: Writer) -> Result<(), Invalid> {
    match writer.epoch {
        LeaderEpoch::NONE => Err(Invalid::value("the epoch of a file", 0, "an epoch of 1 or more")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_thirty_two_are_named_by_number() {
        let writer = |number: u64| Writer::new(LeaderEpoch::new(1 + number / 7), WriterId::new(number));
        // Each is used, then the one 31 before it, which is known still, then the one 32 before, which is not.
        let used = (0..90).flat_map(|number: u64| [number, number.saturating_sub(31), number.saturating_sub(32)]);
        let (mut out, mut writers) = (Vec::new(), Writers::none());
        for number in used.clone() {
            writers.put(&mut out, 5, writer(number)).unwrap();
        }
        let (mut input, mut writers) = (Input::new(&out), Writers::none());
        for number in used {
            let found = input.u64().unwrap() - 5;
            assert_eq!(writers.read(&mut input, found).unwrap(), writer(number));
        }
        assert_eq!(input.position(), out.len());
    }

    #[test]
    fn there_is_one_way_to_name_a_writer() {
        let mut writers = Writers::none();
        let refused = |writers: &mut Writers, bytes: &[u8], number| match writers.read(&mut Input::new(bytes), number) {
            Err(Flaw::Invalid(invalid)) => invalid.to_string(),
            other => panic!("{other:?}"),
        };
        assert!(refused(&mut writers, &[], 1).contains("one of the 0 spelled out before"));
        assert!(refused(&mut writers, &[0, 7], 0).contains("an epoch of 1 or more"));
        assert!(writers.read(&mut Input::new(&[3, 7]), 0).is_ok());
        assert!(refused(&mut writers, &[3, 7], 0).contains("expected its number"));
        assert!(refused(&mut writers, &[], u64::MAX).contains("one of the 1 spelled out before"));
        assert!(Writers::none().put(&mut Vec::new(), 0, Writer::new(LeaderEpoch::NONE, WriterId::new(1))).is_err());
    }
}
