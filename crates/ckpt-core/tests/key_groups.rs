//! Key groups, ranges and owners against what Flink's own class computed.

use ckpt_core::key_group::MaxParallelism;

const FROM_FLINK: &str = include_str!("../testdata/flink/key_groups.txt");

fn numbers(text: &str) -> Vec<i64> {
    text.split_whitespace().map(|number| number.parse().unwrap()).collect()
}

#[test]
fn same_groups_owners_and_ranges_as_flink() {
    let (mut keys, mut ranges, mut derived) = (0, 0, 0);
    for line in FROM_FLINK.lines().filter(|line| !line.starts_with('#')) {
        let (kind, rest) = line.split_once(' ').unwrap();
        let (given, expected) = rest.split_once(" = ").unwrap();
        let (given, expected) = (numbers(given), numbers(expected));
        let max = |number: i64| MaxParallelism::new(u32::try_from(number).unwrap()).unwrap();
        let found = match kind {
            "key" => {
                keys += 1;
                let group = max(given[1]).key_group(i32::try_from(given[0]).unwrap());
                let owner = max(given[1]).subtask_of(group, u32::try_from(given[2]).unwrap()).unwrap();
                vec![i64::from(group.get()), i64::from(owner)]
            }
            "range" => {
                ranges += 1;
                let subtask = u32::try_from(given[2]).unwrap();
                let range = max(given[0]).range_of(subtask, u32::try_from(given[1]).unwrap()).unwrap();
                vec![i64::from(range.first().get()), i64::from(range.last().get())]
            }
            "derived" => {
                derived += 1;
                vec![i64::from(MaxParallelism::derived(u32::try_from(given[0]).unwrap()).unwrap().get())]
            }
            other => panic!("unknown kind of line: {other}"),
        };
        assert_eq!(found, expected, "{line}");
    }
    assert!(keys > 1000 && ranges > 90 && derived > 10, "{keys} keys, {ranges} ranges, {derived} derived");
}
