//! The aligner against a naive model: every interleaving of channels, drawn from a seed, must cut them consistently.

use std::collections::{BTreeMap, BTreeSet};

use ckpt_core::id::{CheckpointId, LeaderEpoch};
use ckpt_core::message::Marker;

use crate::barrier::aligner::tests::{ALIGNED, at, barrier, drain};
use crate::barrier::{BarrierAction, BarrierAligner, BarrierEvent};

const LAST_CHECKPOINT: u64 = 8;

/// A sequence that its seed determines (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Item {
    Record,
    Barrier(u64),
    Cancel(u64),
    End,
}

/// What one sender sends: checkpoints in ascending order, some cancelled, some never heard of, and at last the end.
fn channel(random: &mut Random) -> Vec<Item> {
    let mut items = Vec::new();
    let ends_after = 1 + random.below(LAST_CHECKPOINT + 4);
    for id in 1..=LAST_CHECKPOINT.min(ends_after) {
        items.extend(std::iter::repeat_n(Item::Record, random.below(4) as usize));
        match random.below(20) {
            0 => items.push(Item::Cancel(id)),
            1 => {}
            2 => items.extend([Item::Barrier(id), Item::Barrier(id)]),
            _ => items.push(Item::Barrier(id)),
        }
    }
    items.extend(std::iter::repeat_n(Item::Record, random.below(4) as usize));
    items.push(Item::End);
    items
}

/// The model: how many records of a channel belong to a checkpoint. All, if it ends without a barrier of it.
fn records_before(channel: &[Item], id: u64) -> usize {
    channel.iter().take_while(|&&item| item != Item::Barrier(id)).filter(|&&item| item == Item::Record).count()
}

#[derive(Default)]
struct Answers {
    snapshots: BTreeSet<u64>,
    aborted: BTreeSet<u64>,
    cancels_forwarded: BTreeSet<u64>,
}

fn run(seed: u64) -> Answers {
    let mut random = Random(seed);
    let channels: Vec<Vec<Item>> = (0..1 + random.below(5)).map(|_| channel(&mut random)).collect();
    let mut aligner = BarrierAligner::new(channels.len() as u32);
    let mut next = vec![0; channels.len()];
    let mut blocked = vec![false; channels.len()];
    let mut notified = BTreeSet::new();
    let mut answers = Answers::default();
    let epoch = LeaderEpoch::new(1);
    for step in 0.. {
        let open: Vec<usize> = (0..channels.len()).filter(|&n| next[n] < channels[n].len()).collect();
        let ready: Vec<usize> = open.iter().copied().filter(|&n| !blocked[n]).collect();
        if open.is_empty() {
            break;
        }
        assert!(!ready.is_empty(), "seed {seed}: every input that is left is blocked");
        if random.below(40) == 0 {
            let id = 1 + random.below(LAST_CHECKPOINT);
            notified.insert(id);
            aligner.handle(at(step), BarrierEvent::AbortNotified { epoch, id: CheckpointId::new(id).unwrap() });
        } else {
            let chosen = ready[random.below(ready.len() as u64) as usize];
            let input = chosen as u32;
            let item = channels[chosen][next[chosen]];
            next[chosen] += 1;
            let event = match item {
                Item::Record => continue,
                Item::Barrier(id) => BarrierEvent::BarrierArrived { input, barrier: barrier(1, id, 0, ALIGNED) },
                Item::Cancel(id) => BarrierEvent::CancelArrived { input, epoch, id: CheckpointId::new(id).unwrap() },
                Item::End => BarrierEvent::InputEnded { input },
            };
            aligner.handle(at(step), event);
        }
        for action in drain(&mut aligner) {
            match action {
                BarrierAction::Block { input } => {
                    assert!(!std::mem::replace(&mut blocked[input as usize], true), "seed {seed}: blocked twice");
                }
                BarrierAction::UnblockAll => blocked.fill(false),
                BarrierAction::Snapshot { barrier, .. } => {
                    let id = barrier.id().get();
                    assert!(answers.snapshots.last() < Some(&id), "seed {seed}: {id} out of order");
                    answers.snapshots.insert(id);
                    for (channel, &next) in channels.iter().zip(&next) {
                        let taken = channel[..next].iter().filter(|&&item| item == Item::Record).count();
                        assert_eq!(
                            taken,
                            records_before(channel, id),
                            "seed {seed}: the cut of {id} through {channel:?}"
                        );
                    }
                }
                BarrierAction::Forward(Marker::Cancel { id, .. }) => {
                    assert!(answers.cancels_forwarded.insert(id.get()), "seed {seed}: cancellation of {id} doubled");
                }
                BarrierAction::Forward(marker) => panic!("seed {seed}: {marker:?}"),
                BarrierAction::Abort { id, .. } => {
                    assert!(answers.aborted.insert(id.get()), "seed {seed}: {id} aborted twice");
                }
            }
        }
    }
    assert!(blocked.iter().all(|&blocked| !blocked), "seed {seed}: an input stays blocked");
    assert!(answers.snapshots.is_disjoint(&answers.cancels_forwarded), "seed {seed}");
    assert!(answers.aborted.is_subset(&answers.cancels_forwarded), "seed {seed}");
    for id in 1..=LAST_CHECKPOINT {
        let whole = channels.iter().all(|channel| channel.contains(&Item::Barrier(id)));
        if whole && !notified.contains(&id) {
            assert!(answers.snapshots.contains(&id), "seed {seed}: {id} could complete");
        }
        if channels.iter().any(|channel| channel.contains(&Item::Cancel(id))) {
            assert!(!answers.snapshots.contains(&id), "seed {seed}: {id} was cancelled");
        }
    }
    answers
}

#[test]
fn random_interleavings_cut_every_channel_at_its_barrier() {
    let mut hits: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..20_000 {
        let answers = run(seed);
        *hits.entry("snapshots").or_default() += answers.snapshots.len();
        *hits.entry("aborts").or_default() += answers.aborted.len();
        *hits.entry("silent").or_default() += answers.cancels_forwarded.difference(&answers.aborted).count();
    }
    for kind in ["snapshots", "aborts", "silent"] {
        assert!(hits.get(kind).is_some_and(|&count| count > 1000), "{hits:?}");
    }
}
