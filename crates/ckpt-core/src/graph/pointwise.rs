//! Who is connected with whom by a pointwise edge (Flink's `VertexInputInfoComputationUtils`).
//!
//! Parallelisms are at most 2^15, so the products fit.

use std::ops::Range;

/// The producers that a consumer reads from.
pub(super) const fn producers(consumer: u32, producers: u32, consumers: u32) -> Range<u32> {
    let first = consumer * producers / consumers;
    let end = (consumer + 1) * producers / consumers;
    first..if end > first { end } else { first + 1 }
}

/// The consumers that read from a producer.
pub(super) const fn consumers(producer: u32, producers: u32, consumers: u32) -> Range<u32> {
    let first = if producers < consumers {
        (producer * consumers).div_ceil(producers)
    } else {
        ((producer + 1) * consumers - 1) / producers
    };
    let end = ((producer + 1) * consumers).div_ceil(producers);
    first..if end > first { end } else { first + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_producers_as_flink() {
        let mut count = 0;
        let lines = include_str!("../../testdata/flink/pointwise_edges.txt").lines();
        for line in lines.filter(|line| !line.starts_with('#')) {
            let numbers: Vec<u32> = line.split(' ').filter_map(|number| number.parse().ok()).collect();
            let [from, to, consumer, first, last] = numbers[..] else { panic!("{line}") };
            assert_eq!(producers(consumer, from, to), first..last + 1, "{line}");
            count += 1;
        }
        assert!(count > 250, "{count}");
    }

    #[test]
    fn both_directions_agree_and_nobody_is_left_out() {
        let sizes = [1, 2, 3, 5, 7, 16, 100, 127];
        for (from, to) in sizes.iter().flat_map(|&from| sizes.map(|to| (from, to))) {
            for producer in 0..from {
                let expected: Vec<u32> =
                    (0..to).filter(|&consumer| producers(consumer, from, to).contains(&producer)).collect();
                assert_eq!(consumers(producer, from, to).collect::<Vec<_>>(), expected, "{producer}: {from} to {to}");
                assert!(!expected.is_empty());
            }
        }
        let most = 1 << 15;
        assert_eq!(producers(most - 1, most, most), most - 1..most);
        assert_eq!(consumers(0, 1, most), 0..most);
    }
}
