//! Key groups.

use proptest::prelude::*;

use crate::key_group::{KeyGroup, KeyGroupRange, MaxParallelism};

/// Any number of key groups; often a small one, which divides badly.
pub fn any_max_parallelism() -> BoxedStrategy<MaxParallelism> {
    prop_oneof![1..300_u32, 1..=MaxParallelism::UPPER_BOUND]
        .prop_map(|number| MaxParallelism::new(number).expect("a number within the bounds"))
        .boxed()
}

/// The last group of the largest maximum parallelism.
const MOST: u16 = (MaxParallelism::UPPER_BOUND - 1) as u16;

/// Any range of key groups; often one within a few.
pub fn any_key_group_range() -> BoxedStrategy<KeyGroupRange> {
    let ends = prop_oneof![(0..40_u16, 0..40_u16), (0..=MOST, 0..=MOST)];
    ends.prop_map(|(one, other)| {
        KeyGroupRange::new(KeyGroup::new(one.min(other)), KeyGroup::new(one.max(other))).expect("the lower one first")
    })
    .boxed()
}
