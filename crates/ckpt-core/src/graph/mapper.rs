//! Who inherits records in flight when a vertex is rescaled.

use std::ops::RangeInclusive;

use super::error::GraphError;
use crate::error::Result;
use crate::key_group::MaxParallelism;

/// Which old subtasks' records in flight a new subtask inherits when a vertex is rescaled (Flink's
/// `SubtaskStateMapper`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubtaskStateMapper {
    /// As it comes: in fact [`RoundRobin`](Self::RoundRobin).
    Arbitrary,
    /// The first one inherits everything.
    First,
    /// Everyone inherits everything, and drops what is not its own.
    Full,
    /// Those whose key groups overlap, and they drop what is not their own. Counted in the most key groups that there
    /// can be.
    Range,
    /// Old subtasks go to new ones in turn.
    RoundRobin,
    /// The vertex cannot be rescaled with records in flight here.
    Unsupported,
}

impl SubtaskStateMapper {
    /// Whether several new subtasks may inherit the same records, so that each must drop those that are not its own.
    pub const fn is_ambiguous(self) -> bool {
        matches!(self, Self::Full | Self::Range)
    }

    /// The old subtasks from which that new one inherits, in ascending order.
    ///
    /// # Errors
    ///
    /// `Configuration` when records in flight cannot be handed on here, or there is no such subtask or parallelism.
    pub fn old_subtasks(
        self,
        subtask: u32,
        old_parallelism: u32,
        new_parallelism: u32,
    ) -> Result<impl Iterator<Item = u32> + use<>> {
        let bounds = 1..=MaxParallelism::UPPER_BOUND;
        if !bounds.contains(&old_parallelism) || !bounds.contains(&new_parallelism) || subtask >= new_parallelism {
            return Err(GraphError::NoRescale { subtask, old_parallelism, new_parallelism }.into());
        }
        let (run, step) = match self {
            Self::Arbitrary | Self::RoundRobin => (subtask..old_parallelism, new_parallelism),
            Self::First if subtask > 0 => (0..0, 1),
            Self::First | Self::Full => (0..old_parallelism, 1),
            Self::Range => {
                let overlapping = overlapping(subtask, old_parallelism, new_parallelism)?;
                (*overlapping.start()..overlapping.end() + 1, 1)
            }
            Self::Unsupported => return Err(GraphError::RescaleUnsupported.into()),
        };
        Ok(run.step_by(step as usize))
    }
}

/// The old subtasks that share key groups with the new one.
fn overlapping(subtask: u32, old_parallelism: u32, new_parallelism: u32) -> Result<RangeInclusive<u32>> {
    let max = MaxParallelism::new(MaxParallelism::UPPER_BOUND)?;
    let range = max.range_of(subtask, new_parallelism)?;
    Ok(max.subtask_of(range.first(), old_parallelism)?..=max.subtask_of(range.last(), old_parallelism)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(&str, SubtaskStateMapper); 6] = [
        ("ARBITRARY", SubtaskStateMapper::Arbitrary),
        ("FIRST", SubtaskStateMapper::First),
        ("FULL", SubtaskStateMapper::Full),
        ("RANGE", SubtaskStateMapper::Range),
        ("ROUND_ROBIN", SubtaskStateMapper::RoundRobin),
        ("UNSUPPORTED", SubtaskStateMapper::Unsupported),
    ];

    #[test]
    fn the_same_old_subtasks_as_flink() {
        let of = |name: &str| ALL.iter().find(|(known, _)| *known == name).unwrap().1;
        let (mut ambiguous, mut mappings) = (Vec::new(), 0);
        let lines = include_str!("../../testdata/flink/subtask_state_mappers.txt").lines();
        for line in lines.filter(|line| !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix("ambiguous ") {
                ambiguous.push(of(name));
                continue;
            }
            let (given, expected) = line.split_once(" = ").unwrap();
            let (name, numbers) = given.split_once(' ').unwrap();
            let numbers: Vec<u32> = numbers.split(' ').map(|number| number.parse().unwrap()).collect();
            let found = match of(name).old_subtasks(numbers[0], numbers[1], numbers[2]) {
                Ok(old) => old.map(|old| old.to_string()).collect::<Vec<_>>().join(" "),
                Err(_) => "unsupported".to_owned(),
            };
            assert_eq!(found, expected, "{line}");
            mappings += 1;
        }
        for (name, mapper) in ALL {
            assert_eq!(mapper.is_ambiguous(), ambiguous.contains(&mapper), "{name}");
        }
        assert!(mappings > 500, "{mappings}");
    }

    #[test]
    fn every_old_subtask_is_inherited_and_by_one_only_unless_ambiguous() {
        for (_, mapper) in ALL.into_iter().filter(|(_, mapper)| *mapper != SubtaskStateMapper::Unsupported) {
            for (old, new) in [(1, 1), (1, 5), (5, 1), (3, 7), (7, 3), (32_768, 3), (3, 32_768)] {
                let mut heirs = vec![0; old as usize];
                for subtask in 0..new {
                    for inherited in mapper.old_subtasks(subtask, old, new).unwrap() {
                        heirs[inherited as usize] += 1;
                    }
                }
                assert!(heirs.iter().all(|&heirs| heirs == 1 || heirs > 1 && mapper.is_ambiguous()), "{mapper:?}");
            }
        }
    }

    #[test]
    fn what_does_not_exist_is_refused() {
        for (subtask, old, new) in [(0, 0, 1), (0, 1, 0), (2, 2, 2), (0, 32_769, 1), (0, 1, 32_769)] {
            for (_, mapper) in ALL {
                assert!(mapper.old_subtasks(subtask, old, new).is_err(), "{mapper:?} {subtask} {old} {new}");
            }
        }
    }
}
