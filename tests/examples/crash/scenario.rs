//! What is done while power may be lost.

use bytes::Bytes;
use ckpt_core::id::OperatorId;
use ckpt_core::state::{OperatorState, StateHandle, SubtaskState, TaskSnapshot};
use ckpt_streams::file_system::Durability;
use ckpt_streams::testing::{Disk, Image, ImageOptions};
use ckpt_streams::{Staged, StateScope, StreamFactory};

use crate::history;
use crate::snapshots;
use crate::story::{Story, What, path};

/// Something to be done, drawn from a seed.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) tell: fn(u64) -> Box<dyn Tale>,
}

/// What one scenario did with one seed.
pub(crate) trait Tale {
    /// Where it was done.
    fn disk(&self) -> &Disk;

    /// Which images are looked at: all of them, as far as there are not too many.
    fn images(&self, seed: u64) -> ImageOptions {
        ImageOptions::with_seed(seed)
    }

    /// How much was begun and promised by that instant: where it differs, the same image may be right and wrong.
    fn epoch(&self, done: usize) -> usize;

    /// Looks at an image as a process that takes over does. What is wrong with it, if anything.
    fn check(&self, image: &Image) -> Result<(), String>;
}

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario { name: "seal", tell: |seed| told(seed, seal) },
    Scenario { name: "duplicate", tell: |seed| told(seed, duplicate) },
    // Files alone, and metadata as storage publishes it.
    Scenario {
        name: "publish",
        tell: |seed| if seed % 2 == 0 { told(seed, publish) } else { snapshots::tell_of_checkpoints(seed) },
    },
    Scenario { name: "record", tell: |seed| told(seed, record) },
    // Files alone, and leaders that go through storage.
    Scenario {
        name: "commit",
        tell: |seed| if seed % 2 == 0 { told(seed, commit) } else { history::tell_of_commits(seed) },
    },
    Scenario { name: "subsume", tell: history::tell_of_subsumption },
    Scenario { name: "collect", tell: history::tell_of_collection },
    Scenario { name: "claim", tell: history::tell_of_claims },
    Scenario { name: "savepoint", tell: snapshots::tell_of_savepoints },
    Scenario { name: "dispose", tell: snapshots::tell_of_disposals },
];

fn told(seed: u64, act: fn(&mut Story)) -> Box<dyn Tale> {
    let mut story = Story::new(seed);
    act(&mut story);
    Box::new(story)
}

/// Two checkpoints, each with files of both scopes, in directories of which some are new; one stream is aborted.
fn seal(story: &mut Story) {
    for checkpoint in 1..=2 {
        write_and_seal(story, checkpoint, Durability::Full);
        match story.draw(4) {
            0 => story.restart(),
            1 => {
                story.replace_directory(checkpoint);
                write_and_seal(story, checkpoint, Durability::Full);
            }
            _ => {}
        }
    }
}

/// State is copied, durable or not; the copy is.
fn duplicate(story: &mut Story) {
    let durability = if story.draw(2) == 0 { Durability::None } else { Durability::Full };
    let sealed = write_and_seal(story, 1, durability);
    let streams = story.streams(1, Durability::Full);
    let scope = scope_of(story.draw(2));
    let from: Vec<StateHandle> = sealed.iter().map(|(handle, _)| handle.clone()).collect();
    let copies = streams.duplicate(&from, scope).expect("a disk that works");
    let bytes = sealed.into_iter().map(|(_, bytes)| bytes).collect();
    let sealed = seal_all(&streams, copies, bytes);
    promise_sealed(story, 1, &sealed);
}

/// Files are published, and one of them by two at once.
fn publish(story: &mut Story) {
    for checkpoint in 1..=1 + story.draw(3) {
        let length = 1 + story.draw(6_000);
        story.publish(path(&format!("chk-{checkpoint}/_metadata")), length);
        if story.draw(2) == 0 {
            story.publish(path(&format!("chk-{checkpoint}/_metadata")), length + 1);
        }
        if story.draw(3) == 0 {
            story.restart();
        }
    }
}

/// Versions of a record, so many at times that old ones are removed.
fn record(story: &mut Story) {
    let versions = if story.draw(4) == 0 { 20 } else { 1 + story.draw(4) };
    for version in 1..=versions {
        let length = 1 + story.draw(700);
        if version > 1 && story.draw(4) == 0 {
            story.record_and_die(length);
        } else {
            story.record(length);
        }
        if story.draw(4) == 0 {
            story.restart();
        }
    }
}

/// All of it, in the order of a checkpoint.
fn commit(story: &mut Story) {
    for checkpoint in 1..=2 {
        write_and_seal(story, checkpoint, Durability::Full);
        let length = 1 + story.draw(900);
        story.publish(path(&format!("chk-{checkpoint}/_metadata")), length);
        story.record(200);
    }
}

fn write_and_seal(story: &mut Story, checkpoint: u64, durability: Durability) -> Vec<(StateHandle, Bytes)> {
    let streams = story.streams(checkpoint, durability);
    let (mut staged, mut all_bytes) = (Vec::new(), Vec::new());
    for _ in 0..1 + story.draw(4) {
        let length = match story.draw(8) {
            0 | 1 => 1 + story.draw(100),
            // Two blocks, and two writes.
            2 => 64 * 1024 + story.draw(5_000),
            _ => 101 + story.draw(3_000),
        };
        let bytes = story.bytes(length);
        let scope = scope_of(story.draw(2));
        let begun = match story.draw(4) {
            0 => streams.create_at(scope, story.next_name()),
            _ => streams.create(scope),
        };
        let mut stream = begun.expect("a disk that works");
        stream.write_all(&bytes).expect("room");
        if story.draw(6) == 0 {
            stream.abort().expect("a disk that works");
            continue;
        }
        staged.extend(stream.finish().expect("a disk that works"));
        all_bytes.push(bytes);
    }
    let sealed = seal_all(&streams, staged, all_bytes);
    if durability == Durability::Full {
        promise_sealed(story, checkpoint, &sealed);
    }
    sealed
}

fn seal_all(streams: &dyn StreamFactory, staged: Vec<Staged>, bytes: Vec<Bytes>) -> Vec<(StateHandle, Bytes)> {
    let operators = staged.into_iter().enumerate().map(|(number, staged)| {
        let state = OperatorState::new(Default::default(), staged);
        (OperatorId::new((number as u128).to_be_bytes()), SubtaskState::new(Vec::new(), vec![state]))
    });
    let sealed = streams.seal(TaskSnapshot::new(operators.collect())).expect("a disk that works");
    sealed.handles().cloned().zip(bytes).collect()
}

fn promise_sealed(story: &mut Story, checkpoint: u64, sealed: &[(StateHandle, Bytes)]) {
    for (handle, bytes) in sealed {
        story.promise(What::Sealed { checkpoint, handle: handle.clone(), bytes: bytes.clone() });
    }
}

fn scope_of(draw: u64) -> StateScope {
    if draw == 0 { StateScope::Exclusive } else { StateScope::Shared }
}
