//! Where sections lie: Flink says where each begins, ckpt also where it ends.

use std::ops::Range;

use super::change::{ChangeKind, Refusal};

/// Who wrote keyed state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyedWriter {
    /// The state backend, whose stream begins with what describes the state: 0 stands for a key group without state.
    Backend,
    /// The operator, whose first key group may begin at 0: -1 stands for a key group that was never begun.
    Operator,
}

impl KeyedWriter {
    /// What Flink has in place of the offset of a key group without state.
    const fn untouched(self) -> i64 {
        match self {
            Self::Backend => 0,
            Self::Operator => -1,
        }
    }
}

/// Where the section of each key group begins. One without state is an empty section.
pub(super) fn key_group_bounds(offsets: &[i64], length: u64, writer: KeyedWriter) -> Result<Vec<u64>, Refusal> {
    let mut bounds = vec![0; offsets.len()];
    let mut next = length;
    for (bound, &offset) in bounds.iter_mut().zip(offsets).rev() {
        if offset != -1 && offset != writer.untouched() {
            let begin = within(offset, length)?;
            if begin > next {
                return Err(Refusal::found(ChangeKind::OffsetOrder, format_args!("{begin} before {next}")));
            }
            next = begin;
        }
        *bound = next;
    }
    Ok(bounds)
}

/// The offsets that Flink has for such sections.
pub(super) fn key_group_offsets(begins: &[u64], end: u64, writer: KeyedWriter) -> Result<Vec<i64>, Refusal> {
    let ends = begins.iter().skip(1).copied().chain([end]);
    let offset = |(&begin, end)| match i64::try_from(begin) {
        _ if begin == end => Ok(writer.untouched()),
        Ok(offset) if offset == writer.untouched() => Err(Refusal::new(ChangeKind::KeyGroupAtZero)),
        Ok(offset) => Ok(offset),
        Err(_) => Err(Refusal::found(ChangeKind::TooLarge, begin)),
    };
    begins.iter().zip(ends).map(offset).collect()
}

/// Where each section of one list ends that begin at these offsets: at the next beginning of any list in the same piece, or
/// with the piece. `all` has the beginnings of all lists, ascending.
pub(super) fn sections(offsets: &[i64], all: &[i64], length: u64) -> Result<Vec<Range<u64>>, Refusal> {
    let mut ranges = Vec::with_capacity(offsets.len());
    for (index, &offset) in offsets.iter().enumerate() {
        let begin = within(offset, length)?;
        // The next of the list may begin at the same place: then this one has no bytes.
        let next_of_list = offsets.get(index + 1).copied();
        if let Some(next) = next_of_list.filter(|next| *next < offset) {
            return Err(Refusal::found(ChangeKind::OffsetOrder, format_args!("{next} after {offset}")));
        }
        let next_of_all = all.get(all.partition_point(|other| *other <= offset)).copied();
        let ends = [next_of_list, next_of_all].into_iter().flatten().filter_map(|end| u64::try_from(end).ok());
        ranges.push(begin..ends.fold(length, u64::min));
    }
    Ok(ranges)
}

fn within(offset: i64, length: u64) -> Result<u64, Refusal> {
    let begin = u64::try_from(offset).ok().filter(|begin| *begin <= length);
    begin.ok_or_else(|| Refusal::found(ChangeKind::OffsetOutOfRange, format_args!("{offset} of {length}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(offsets: &[i64], writer: KeyedWriter) -> (Vec<u64>, Vec<i64>) {
        let bounds = key_group_bounds(offsets, 100, writer).unwrap();
        let back = key_group_offsets(&bounds, 100, writer).unwrap();
        (bounds, back)
    }

    #[test]
    fn a_key_group_without_state_is_an_empty_section() {
        let cases = [
            (KeyedWriter::Backend, &[0, 20, 0, 40, 0][..], [20, 20, 40, 40, 100]),
            (KeyedWriter::Backend, &[0, 0, 0, 0, 0], [100; 5]),
            (KeyedWriter::Operator, &[-1, 0, -1, 40, -1], [0, 0, 40, 40, 100]),
        ];
        for (writer, offsets, expected) in cases {
            let (bounds, back) = both(offsets, writer);
            assert_eq!(bounds, expected, "{offsets:?}");
            assert_eq!(back, offsets);
        }
        // One that was begun and has no bytes looks like one that was never begun.
        assert!(key_group_offsets(&[0, 20], 100, KeyedWriter::Backend).is_err());
        assert_eq!(key_group_offsets(&[0, 20], 100, KeyedWriter::Operator).unwrap(), [0, 20]);
        assert!(key_group_offsets(&[u64::MAX - 1], u64::MAX, KeyedWriter::Operator).is_err());
        assert_eq!(both(&[20, 20], KeyedWriter::Operator), (vec![20, 20], vec![-1, 20]));
    }

    #[test]
    fn offsets_that_cannot_be_are_refused() {
        let kind = |offsets: &[i64], writer| format!("{:?}", key_group_bounds(offsets, 100, writer).unwrap_err());
        for (offsets, writer, expected) in [
            (&[40, 20][..], KeyedWriter::Backend, "OffsetOrder"),
            (&[40, 0], KeyedWriter::Operator, "OffsetOrder"),
            (&[101], KeyedWriter::Operator, "OffsetOutOfRange"),
            (&[-2], KeyedWriter::Backend, "OffsetOutOfRange"),
        ] {
            assert!(kind(offsets, writer).contains(expected), "{offsets:?}");
        }
        assert!(sections(&[3, 2], &[2, 3], 9).is_err());
        assert!(sections(&[-1], &[-1], 9).is_err());
        assert!(sections(&[10], &[10], 9).is_err());
    }

    #[test]
    fn a_section_ends_where_any_other_begins() {
        assert_eq!(sections(&[2, 8], &[2, 5, 8], 9).unwrap(), [2..5, 8..9]);
        assert_eq!(sections(&[2, 2, 5], &[2, 2, 5], 9).unwrap(), [2..2, 2..5, 5..9]);
        assert_eq!(sections(&[], &[], 9).unwrap(), []);
    }
}
