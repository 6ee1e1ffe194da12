//! Key groups, their ranges and pointwise edges against a second implementation that counts instead of calculating.

use std::collections::BTreeSet;

use ckpt_core::graph::{Edge, JobGraph, Vertex};
use ckpt_core::id::VertexId;
use ckpt_core::key_group::{KeyGroup, KeyGroupRange, MaxParallelism};
use ckpt_core::testing::strategies::{any_key_group_range, any_max_parallelism, cases};
use proptest::prelude::*;

/// MurmurHash3 of 32 bits of one number of four bytes, bit by bit as it was published; Flink makes the result positive.
fn murmur(code: i32) -> u32 {
    let times =
        |a: u32, b: u32| (0..32).filter(|bit| b >> bit & 1 == 1).fold(0, |sum: u32, bit| sum.wrapping_add(a << bit));
    let mut hash = times(times(code as u32, 0xcc9e_2d51).rotate_left(15), 0x1b87_3593);
    hash = times(hash.rotate_left(13), 5).wrapping_add(0xe654_6b64) ^ 4;
    for (shift, factor) in [(16, 0x85eb_ca6b), (13, 0xc2b2_ae35), (16, 1)] {
        hash = times(hash ^ hash >> shift, factor);
    }
    match hash as i32 {
        i32::MIN => 0,
        hash => hash.unsigned_abs(),
    }
}

fn groups(range: KeyGroupRange) -> BTreeSet<u16> {
    (range.first().get()..=range.last().get()).collect()
}

/// Whose group it is: groups go to subtasks like marks on two rulers of the same length.
fn owner(group: u32, groups: u32, parallelism: u32) -> u32 {
    let (group, groups, parallelism) = (u64::from(group), u64::from(groups), u64::from(parallelism));
    (0..parallelism).rev().find(|subtask| subtask * groups <= group * parallelism).unwrap_or(0) as u32
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn key_groups_of_hashes(max in any_max_parallelism(), code in prop_oneof![any::<i32>(), -3..3_i32]) {
        prop_assert_eq!(u32::from(max.key_group(code).get()), murmur(code) % u32::from(max.get()));
    }

    #[test]
    fn owners_and_ranges(max in any_max_parallelism(), part in 1..=1000_u32, group in any::<u16>()) {
        let all = u32::from(max.get());
        let parallelism = (all * part).div_ceil(1000).min(600);
        let group = KeyGroup::new(group % max.get());
        let subtask = max.subtask_of(group, parallelism).unwrap();
        prop_assert_eq!(subtask, owner(group.get().into(), all, parallelism));
        let expected: BTreeSet<u16> =
            (0..max.get()).filter(|group| u32::from(*group) * parallelism / all == subtask).collect();
        let range = max.range_of(subtask, parallelism).unwrap();
        prop_assert!(range.contains(group));
        prop_assert_eq!(range.count(), expected.len());
        prop_assert_eq!(groups(range), expected);
    }

    #[test]
    fn derived_maximum(parallelism in 1..=MaxParallelism::UPPER_BOUND) {
        let enough = |power: &u32| 2 * power >= 3 * parallelism - parallelism % 2;
        let expected = (7..=15).map(|bit| 1 << bit).find(enough).unwrap_or(1 << 15);
        prop_assert_eq!(u32::from(MaxParallelism::derived(parallelism).unwrap().get()), expected);
    }

    #[test]
    fn intersections(one in any_key_group_range(), other in any_key_group_range()) {
        let common: BTreeSet<u16> = groups(one).intersection(&groups(other)).copied().collect();
        let found = one.intersection(other);
        prop_assert_eq!(found.map(groups).unwrap_or_default(), common);
        prop_assert_eq!(found, other.intersection(one));
        let each: Vec<u16> = one.iter().map(KeyGroup::get).collect();
        prop_assert_eq!(&each, &groups(one).into_iter().collect::<Vec<_>>());
        prop_assert!(one.iter().enumerate().all(|(index, group)| one.index_of(group) == Some(index)));
    }

    #[test]
    fn pointwise_edges(from in 1..200_u32, to in 1..200_u32) {
        let ids = [VertexId::new([1; 16]), VertexId::new([2; 16])];
        let max = MaxParallelism::new(200).unwrap();
        let vertices = vec![Vertex::single(ids[0], "from", from, max), Vertex::single(ids[1], "to", to, max)];
        let edge = Edge::pointwise(ids[0], ids[1]);
        let graph = JobGraph::new(vertices, vec![edge]).unwrap();
        // Each side is cut into as many pieces as the longer one has; a piece of the one is read by that of the other.
        let longer = from.max(to);
        let mut expected = BTreeSet::new();
        for piece in 0..longer {
            expected.insert(if from < to { ((piece * from) / to, piece) } else { (piece, (0..to).rev().find(|consumer| consumer * from / to <= piece).unwrap()) });
        }
        let forth = (0..to).flat_map(|to| graph.producers(&edge, to).map(move |from| (from, to)));
        let back = (0..from).flat_map(|from| graph.consumers(&edge, from).map(move |to| (from, to)));
        prop_assert_eq!(&forth.collect::<BTreeSet<_>>(), &expected);
        prop_assert_eq!(&back.collect::<BTreeSet<_>>(), &expected);
    }
}
