//! Operator state at another parallelism.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ckpt_core::Result;
use ckpt_core::state::{OperatorState, Partitions, Redistribution};

use crate::restore::plan::StoredOperator;

/// The partitions of one state in one piece of an old subtask.
#[derive(Clone, Copy)]
struct Part<'a> {
    subtask: u32,
    /// The piece's place among those of the subtask.
    index: usize,
    piece: &'a OperatorState,
    name: &'a str,
    partitions: &'a Partitions,
}

/// What one new subtask gets, by old subtask and piece.
type Share<'a> = BTreeMap<(u32, usize), SharedPiece<'a>>;

/// What one new subtask gets of one piece.
struct SharedPiece<'a> {
    piece: &'a OperatorState,
    states: BTreeMap<&'a str, (Redistribution, Vec<Range<u64>>)>,
}

/// Whether operator state changes hands even at the same parallelism: all subtasks read what is to be united, and those
/// that reported nothing take what is broadcast from one that did.
pub(super) fn is_needed(stored: &StoredOperator) -> bool {
    let mut reported: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for part in all(stored) {
        match part.partitions.redistribution() {
            Redistribution::Split => {}
            Redistribution::Union => return true,
            Redistribution::Broadcast => {
                reported.entry(part.name).or_default().insert(part.subtask);
            }
        }
    }
    reported.values().any(|subtasks| subtasks.len() < stored.parallelism as usize)
}

/// The operator state of each new subtask; one that gets none may be absent.
///
/// # Errors
///
/// None for partitions that ascend, as they always do: a part of them ascends too.
pub(super) fn operator_state(stored: &StoredOperator, parallelism: u32) -> Result<BTreeMap<u32, Vec<OperatorState>>> {
    let mut by_state: BTreeMap<(Redistribution, &str), Vec<Part<'_>>> = BTreeMap::new();
    for part in all(stored) {
        by_state.entry((part.partitions.redistribution(), part.name)).or_default().push(part);
    }
    let mut shares: BTreeMap<u32, Share<'_>> = BTreeMap::new();
    let mut first_in_turn = 0;
    for ((redistribution, _), parts) in by_state {
        match redistribution {
            Redistribution::Split if stored.parallelism == parallelism => {
                for part in parts {
                    give(&mut shares, part.subtask, part, part.partitions.ranges_bytes());
                }
            }
            Redistribution::Split => split(&mut shares, parallelism, &mut first_in_turn, &parts),
            Redistribution::Union => {
                for heir in 0..parallelism {
                    for &part in &parts {
                        give(&mut shares, heir, part, part.partitions.ranges_bytes());
                    }
                }
            }
            Redistribution::Broadcast => broadcast(&mut shares, parallelism, &parts),
        }
    }
    shares.into_iter().map(|(heir, share)| Ok((heir, pieces(share)?))).collect()
}

/// Every new subtask gets as many partitions as any other or one less, in the order of the old subtasks. Those that get
/// one more take turns from state to state (as in Flink), so that many small states do not all end up with the first.
fn split<'a>(shares: &mut BTreeMap<u32, Share<'a>>, parallelism: u32, first_in_turn: &mut u32, parts: &[Part<'a>]) {
    let total: usize = parts.iter().map(|part| part.partitions.ranges_bytes().len()).sum();
    let (each, one_more) = (total / parallelism as usize, total % parallelism as usize);
    let mut left = parts.iter().flat_map(|part| part.partitions.ranges_bytes().iter().map(move |range| (*part, range)));
    for turn in 0..parallelism {
        let heir = (*first_in_turn + turn) % parallelism;
        for (part, range) in left.by_ref().take(each + usize::from((turn as usize) < one_more)) {
            give(shares, heir, part, std::slice::from_ref(range));
        }
    }
    // The remainder is less than the parallelism, so it fits.
    *first_in_turn = (*first_in_turn + one_more as u32) % parallelism;
}

/// Every new subtask gets what one old subtask reported, in turn.
fn broadcast<'a>(shares: &mut BTreeMap<u32, Share<'a>>, parallelism: u32, parts: &[Part<'a>]) {
    let reporters: Vec<&[Part<'a>]> = parts.chunk_by(|one, next| one.subtask == next.subtask).collect();
    for (heir, reported) in (0..parallelism).zip(reporters.into_iter().cycle()) {
        for &part in reported {
            give(shares, heir, part, part.partitions.ranges_bytes());
        }
    }
}

fn give<'a>(shares: &mut BTreeMap<u32, Share<'a>>, heir: u32, part: Part<'a>, ranges: &[Range<u64>]) {
    let share = shares.entry(heir).or_default();
    let shared = share
        .entry((part.subtask, part.index))
        .or_insert_with(|| SharedPiece { piece: part.piece, states: BTreeMap::new() });
    let (_, given) = shared.states.entry(part.name).or_insert_with(|| (part.partitions.redistribution(), Vec::new()));
    given.extend_from_slice(ranges);
}

fn pieces(share: Share<'_>) -> Result<Vec<OperatorState>> {
    let pieces = share.into_values().map(|SharedPiece { piece, states }| {
        let states = states
            .into_iter()
            .map(|(name, (redistribution, ranges))| Ok((name, Partitions::new(ranges, redistribution)?)));
        Ok(OperatorState::new(states.collect::<Result<_>>()?, piece.handle().clone()))
    });
    pieces.collect()
}

/// Every state of every piece, in the order of the old subtasks.
fn all(stored: &StoredOperator) -> impl Iterator<Item = Part<'_>> {
    stored.subtasks.iter().flat_map(|(&subtask, state)| {
        state.operator().iter().enumerate().flat_map(move |(index, piece)| {
            let part = move |(name, partitions)| Part { subtask, index, piece, name, partitions };
            piece.states().iter().map(|(name, partitions)| (&**name, partitions)).map(part)
        })
    })
}
