//! Which bytes key groups have, and which blocks are read for them.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::ops::Range;
use std::sync::Arc;

use ckpt_core::key_group::{KeyGroup, KeyGroupRange};
use ckpt_core::state::KeyGroupsState;
use ckpt_core::state_file::BLOCK_BYTES;
use ckpt_core::{ErrorKind, Result};
use proptest::prelude::*;

use crate::read::file::PIECE_BYTES;
use crate::read::stored_test::{Stored, payload, store};
use crate::{FileStateReader, KeyGroupSections, Pool, PoolOptions, ReadAhead, ReadOptions};

fn range(first: u16, last: u16) -> KeyGroupRange {
    KeyGroupRange::new(KeyGroup::new(first), KeyGroup::new(last)).unwrap()
}

fn keyed(stored: &Stored, first: u16, offsets: &[u64]) -> KeyGroupsState {
    let last = first + u16::try_from(offsets.len() - 1).unwrap();
    KeyGroupsState::new(range(first, last), offsets, stored.files[0].1.clone()).unwrap()
}

/// What was read of the payload since, in the order in which it was.
fn blocks_read(stored: &Stored) -> Vec<Range<u64>> {
    let length_bytes = stored.files[0].1.length_bytes();
    let reads = std::mem::take(&mut *stored.reads.lock());
    let of_payload = reads.into_iter().filter(|(at, ..)| *at < length_bytes);
    of_payload.map(|(at, length, _)| at..at + length as u64).collect()
}

const BLOCK: u64 = BLOCK_BYTES as u64;

#[test]
fn sections_that_follow_one_another_are_read_together_and_no_others() {
    let stored = store(&[20 * BLOCK_BYTES + 5]);
    // Ten groups of a block and a half.
    let offsets: Vec<u64> = (0..10).map(|group| group * BLOCK * 3 / 2).collect();
    let state = keyed(&stored, 100, &offsets);
    let read = |ranges: &[KeyGroupRange]| {
        let mut sections = KeyGroupSections::open(&stored.reader, &state, ranges).unwrap();
        let mut found = Vec::new();
        while let Some(section) = sections.next_section() {
            let group = section.group();
            let begin = usize::try_from(state.section_of(group).unwrap().0).unwrap();
            let (length, bytes) = (section.left_bytes(), section.into_bytes().unwrap());
            assert!(bytes.len() as u64 == length && payload(20 * BLOCK_BYTES + 5)[begin..].starts_with(&bytes));
            found.push(group.get());
        }
        (found, blocks_read(&stored))
    };
    // Group 102 begins with block 3, and 103 ends with block 5. The part of a group that is whole blocks goes straight
    // to where it is wanted, so that the blocks between two groups are held.
    let (groups, blocks) = read(&[range(102, 103)]);
    assert_eq!(groups, [102, 103]);
    assert_eq!(blocks, [3 * BLOCK..4 * BLOCK, 4 * BLOCK..6 * BLOCK]);
    // The same of several ranges, which may overlap.
    assert_eq!(read(&[range(103, 103), range(102, 102), range(102, 103)]), (groups, blocks));
    // Far from one another.
    let (groups, blocks) = read(&[range(0, 100), range(108, 200)]);
    assert_eq!(groups, [100, 108, 109]);
    assert_eq!(blocks.first(), Some(&(0..BLOCK)));
    assert_eq!(blocks[1], BLOCK..2 * BLOCK, "nothing behind the first group");
    assert_eq!(blocks[2], 12 * BLOCK..13 * BLOCK);
    assert_eq!(blocks.last().unwrap().end, 20 * BLOCK + 5);
    assert_eq!(read(&[range(0, 99)]), (vec![], vec![]));
    assert_eq!(read(&[]), (vec![], vec![]));
}

#[test]
fn many_small_sections_are_read_in_pieces() {
    let stored = store(&[6 * BLOCK_BYTES]);
    let offsets: Vec<u64> = (0..3000).map(|group| group * 131).collect();
    let state = keyed(&stored, 0, &offsets);
    let mut sections = KeyGroupSections::open(&stored.reader, &state, &[range(1, 2998)]).unwrap();
    while let Some(section) = sections.next_section() {
        assert_eq!(section.into_bytes().unwrap().len(), 131);
    }
    let piece = PIECE_BYTES as u64;
    assert_eq!(blocks_read(&stored), [0..piece, piece..6 * BLOCK]);
}

#[test]
fn sections_of_whole_blocks_that_are_adjacent_are_read_in_pieces() {
    let stored = store(&[7 * BLOCK_BYTES]);
    let offsets: Vec<u64> = (0..7).map(|group| group * BLOCK).collect();
    let state = keyed(&stored, 0, &offsets);
    let mut sections = KeyGroupSections::open(&stored.reader, &state, &[range(0, 4), range(6, 6)]).unwrap();
    let mut buffer = [0; 1000];
    while let Some(mut section) = sections.next_section() {
        while section.read(&mut buffer).unwrap() > 0 {}
    }
    assert_eq!(blocks_read(&stored), [0..4 * BLOCK, 4 * BLOCK..5 * BLOCK, 6 * BLOCK..7 * BLOCK]);
}

#[test]
fn what_is_not_read_of_a_section_is_skipped() -> Result<()> {
    let stored = store(&[8 * BLOCK_BYTES]);
    let state = keyed(&stored, 0, &[0, 7 * BLOCK, 7 * BLOCK + 10]);
    let mut sections = KeyGroupSections::open(&stored.reader, &state, &[range(0, 2)])?;
    let mut first = [0; 3];
    sections.next_section().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(first, payload(3)[..]);
    let second = sections.next_section().unwrap().into_bytes()?;
    assert_eq!(second, payload(8 * BLOCK_BYTES)[7 * BLOCK_BYTES..][..10]);
    assert_eq!(sections.next_section().unwrap().left_bytes(), 8 * BLOCK - 7 * BLOCK - 10);
    assert!(sections.next_section().is_none());
    assert_eq!(blocks_read(&stored), [0..4 * BLOCK, 7 * BLOCK..8 * BLOCK]);
    Ok(())
}

#[test]
fn a_section_outside_of_the_state_is_refused() {
    let stored = store(&[1000]);
    for offsets in [&[0, 1001][..], &[0, u64::MAX], &[0, 500, 1000, 1001]] {
        let last = offsets.len() - 1;
        let state = KeyGroupsState::new(range(0, 1.max(last as u16 - 1)), offsets, stored.files[0].1.clone()).unwrap();
        let error = KeyGroupSections::open(&stored.reader, &state, &[range(0, 9)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.to_string().contains("is not within the 1000 bytes of '/"), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The bytes are those of the groups, and of the blocks each that holds one of them is read once, no other.
    #[test]
    fn blocks_that_are_needed_are_read_once(
        lengths in prop::collection::vec(prop_oneof![Just(0_u64), 1..200_u64, 60_000..70_000_u64, 0..400_000_u64], 1..12),
        chosen in prop::collection::vec((0..12_u16, 0..4_u16), 0..4),
        ahead: bool,
        read_bytes in prop_oneof![1000..3000_usize, Just(BLOCK_BYTES), Just(PIECE_BYTES), 60_000..600_000_usize],
    ) {
        let total: u64 = lengths.iter().sum();
        prop_assume!(total > 0);
        let stored = store(&[total as usize]);
        let offsets: Vec<u64> = lengths.iter().scan(0, |at, length| {
            let begin = *at;
            *at += length;
            Some(begin)
        }).collect();
        let state = keyed(&stored, 0, &offsets);
        let ranges: Vec<_> = chosen.iter().map(|(first, more)| range(*first, first + more)).collect();
        let expected = payload(total as usize);
        let mut options = ReadOptions::default();
        if ahead {
            let pool = Arc::new(Pool::new(PoolOptions::new(2, 16)).unwrap());
            options = options.with_read_ahead(ReadAhead::new(pool, 2 * PIECE_BYTES));
        }
        let reader = FileStateReader::new(vec![stored.directory.clone()]).with_options(options);
        let mut sections = KeyGroupSections::open(&reader, &state, &ranges).unwrap();
        let (mut groups, mut blocks) = (Vec::new(), BTreeSet::new());
        let mut buffer = vec![0; read_bytes];
        while let Some(mut section) = sections.next_section() {
            let group = section.group().get();
            let begin = offsets[usize::from(group)];
            let end = begin + lengths[usize::from(group)];
            prop_assert_eq!(section.left_bytes(), end - begin);
            let mut at = begin;
            loop {
                let read = section.read(&mut buffer).unwrap();
                if read == 0 {
                    break;
                }
                prop_assert!(expected[at as usize..].starts_with(&buffer[..read]));
                at += read as u64;
            }
            prop_assert_eq!(at, end);
            if begin < end {
                blocks.extend(begin / BLOCK..=(end - 1) / BLOCK);
            }
            groups.push(group);
        }
        let wanted: BTreeSet<u16> = ranges.iter().flat_map(|range| range.iter()).map(KeyGroup::get)
            .filter(|group| usize::from(*group) < lengths.len()).collect();
        prop_assert_eq!(groups, wanted.into_iter().collect::<Vec<_>>());
        let mut read: Vec<u64> = blocks_read(&stored).into_iter()
            .flat_map(|read| read.start / BLOCK..read.end.div_ceil(BLOCK)).collect();
        if ahead {
            read.sort_unstable();
        }
        prop_assert_eq!(read, blocks.into_iter().collect::<Vec<_>>());
    }
}
