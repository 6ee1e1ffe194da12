//! What must always hold, and what must be reached.

use std::collections::BTreeSet;

use ckpt_core::head::{Head, JobState};
use stateright::Property;

use crate::configuration::Bounds;
use crate::history::Broken;
use crate::leader::Leader;
use crate::scene::Event;
use crate::store::{Deletion, SavepointMetadata};
use crate::world::{Commit, World};

/// All properties of a configuration. The names in parentheses are those of the list in `ARCHITECTURE.md`.
pub(crate) fn all(bounds: &Bounds) -> Vec<Property<Commit>> {
    let mut properties = vec![
        Property::always("what is retained is readable", |_, world: &World| is_readable(world, world.store.present())),
        Property::always("what a late write would retain is readable", |_, world: &World| {
            world.store.heads_to_come().all(|head| is_readable(world, Some(head)))
        }),
        Property::always("nothing that lives is being deleted", |_, world: &World| {
            world.store.deletions.iter().all(|deletion| spares_the_living(world, deletion))
        }),
        Property::always("versions and epochs ascend", |_, world: &World| {
            !is_broken(world, &[Broken::VersionsDoNotAscend, Broken::GoesOnAfterTheEnd])
        }),
        Property::always("a fenced leader writes nothing", |_, world: &World| {
            !is_broken(world, &[Broken::WrittenAfterALaterLeader])
        }),
        Property::always("one leader writes in an epoch", |_, world: &World| {
            !is_broken(world, &[Broken::TwoLeadersOfOneEpoch])
        }),
        Property::always("numbers in HEAD ascend and stand for one checkpoint", |_, world: &World| {
            !is_broken(world, &[Broken::NumbersDoNotAscend])
        }),
        Property::always("a number is used once", |_, world: &World| !is_broken(world, &[Broken::NumberUsedTwice])),
        Property::always("what left HEAD never comes back", |_, world: &World| {
            !is_broken(world, &[Broken::NamedAgain])
        }),
        Property::always("no file is written twice", |_, world: &World| !is_broken(world, &[Broken::FileWrittenTwice])),
        Property::always("HEAD is whole", |_, world: &World| !is_broken(world, &[Broken::HeadNotWhole])),
        Property::always("what is right is not refused", |_, world: &World| {
            !matches!(world.broken, Some(Broken::Stuck(_)))
        }),
        Property::always("nothing is announced before it is committed", |_, world: &World| {
            world.history.announced.iter().all(|id| world.history.was_committed(*id))
        }),
        Property::always("what was given up is never committed", |_, world: &World| {
            !world.history.aborted.iter().any(|id| world.history.was_committed(*id))
        }),
        Property::always("a restore takes the newest that is committed", |_, world: &World| {
            let head = world.store.present().filter(|head| head.state == JobState::Active);
            head.is_none_or(|head| head.restore_point().map(|point| point.id) == world.history.newest)
        }),
        Property::always("a fresh leader goes on and leaves no orphan", goes_on),
    ];
    let mut reached = |event: bool, property: Property<Commit>| {
        if event {
            properties.push(property);
        }
    };
    let faulty = bounds.faults > 0;
    reached(
        bounds.claims > 1 && bounds.checkpoints > 0,
        Property::sometimes("a later leader commits", |model, _| model.events.has(Event::SecondLeaderCommits)),
    );
    let twice = bounds.claims > 1;
    reached(faulty, Property::sometimes("an answer is lost", |model, _| model.events.has(Event::AnswerLost)));
    reached(faulty, Property::sometimes("a late write lands", |model, _| model.events.has(Event::LateWriteLanded)));
    reached(
        faulty,
        Property::sometimes("a late write is refused", |model, _| model.events.has(Event::LateWriteRefused)),
    );
    reached(
        faulty,
        Property::sometimes("a leader finds that its write has landed", |model, _| {
            model.events.has(Event::OwnWriteFound)
        }),
    );
    reached(
        faulty && twice,
        Property::sometimes("a claim lands late", |model, _| model.events.has(Event::LateClaimLanded)),
    );
    reached(faulty, Property::sometimes("a read shows the past", |model, _| model.events.has(Event::PastRead)));
    reached(twice, Property::sometimes("a zombie is fenced", |model, _| model.events.has(Event::ZombieFenced)));
    reached(
        twice && bounds.checkpoints > 0,
        Property::sometimes("orphans are collected", |model, _| model.events.has(Event::OrphanCollected)),
    );
    reached(
        bounds.checkpoints > 1,
        Property::sometimes("files of the base are named again", |model, _| model.events.has(Event::BaseReused)),
    );
    reached(
        twice && bounds.checkpoints > bounds.retained as u8,
        Property::sometimes("a later leader collects what a former one removed", |model, _| {
            model.events.has(Event::RemovedByALaterLeader)
        }),
    );
    reached(
        bounds.concurrent > 1 && bounds.checkpoints > 2,
        Property::sometimes("a removal waits for a pending checkpoint", |model, _| {
            model.events.has(Event::RemovalWaitsForABase)
        }),
    );
    reached(
        bounds.checkpoints > 1 && bounds.aborts > 0,
        Property::sometimes("a file of an aborted checkpoint is named again", |model, _| {
            model.events.has(Event::KeptFileNamed)
        }),
    );
    let saves = bounds.savepoints > 0;
    reached(
        saves,
        Property::always("a leader that has stopped the job commits nothing more", |_, world: &World| {
            !is_broken(world, &[Broken::CommittedAfterTheStop])
        }),
    );
    reached(
        saves,
        Property::always("a savepoint of which its user was told stays", |_, world: &World| {
            world.history.savepoints_told.iter().all(|id| {
                let files = world.store.savepoints.get(id);
                files.is_some_and(|files| files.mark && files.state && files.metadata == SavepointMetadata::Published)
            })
        }),
    );
    reached(
        saves,
        Property::always("a savepoint that is found is whole", |_, world: &World| {
            let found =
                |files: &&crate::store::SavepointFiles| files.mark && files.metadata == SavepointMetadata::Published;
            world.store.savepoints.values().filter(found).all(|files| files.state)
        }),
    );
    reached(
        saves && twice,
        Property::sometimes("an abandoned savepoint is removed", |model, _| {
            model.events.has(Event::SavepointAbandoned)
        }),
    );
    reached(
        saves && twice,
        Property::sometimes("a published savepoint is kept", |model, _| {
            model.events.has(Event::PublishedSavepointKept)
        }),
    );
    reached(
        saves && twice,
        Property::sometimes("a savepoint is kept from being published", |model, _| {
            model.events.has(Event::SavepointKeptOut)
        }),
    );
    reached(
        saves && twice,
        Property::sometimes("who published finds that the mark is gone", |model, _| {
            model.events.has(Event::SavepointMarkGone)
        }),
    );
    reached(
        saves,
        Property::sometimes("a job is stopped with a savepoint", |model, _| model.events.has(Event::Stopped)),
    );
    reached(
        saves && twice,
        Property::sometimes("a job goes on from the savepoint that it was stopped with", |model, _| {
            model.events.has(Event::RestoredFromSavepoint)
        }),
    );
    let ends = bounds.ends > 0;
    reached(ends, Property::sometimes("a job ends", |model, _| model.events.has(Event::Ended)));
    reached(
        ends && twice,
        Property::sometimes("what an ended job left is collected", |model, _| {
            model.events.has(Event::CollectedAfterTheEnd)
        }),
    );
    properties
}

fn is_broken(world: &World, rules: &[Broken]) -> bool {
    world.broken.is_some_and(|broken| rules.contains(&broken))
}

/// Whether every byte that HEAD names is there.
fn is_readable(world: &World, head: Option<Head>) -> bool {
    head.is_none_or(|head| head.kept().all(|snapshot| world.store.is_readable(snapshot.id, snapshot.epoch)))
}

/// Whether that deletion, should it land now, takes nothing that HEAD names or will name, or that the leader in office is
/// about to commit or bases a checkpoint on.
fn spares_the_living(world: &World, deletion: &Deletion) -> bool {
    let store = &world.store;
    let spares = |head: &Head| {
        head.kept().all(|snapshot| {
            let metadata = store.metadata.get(&snapshot.id);
            metadata.is_none_or(|metadata| !deletion.what.takes_of(snapshot.id, metadata))
        })
    };
    let present = store.present();
    let in_office = |leader: &&Leader| {
        let own = leader.head.head();
        present.as_ref().is_some_and(|head| (head.epoch, head.nonce) == (own.epoch, own.nonce))
    };
    present.iter().all(spares)
        && store.heads_to_come().all(|head| spares(&head))
        && world.leaders().filter(in_office).all(|leader| {
            leader.pending.iter().all(|(id, pending)| {
                let own = leader.book(*id).is_none_or(|book| !deletion.what.takes_of(*id, book));
                let base = pending.base.and_then(|base| store.metadata.get(&base));
                own && base.is_none_or(|base| !deletion.what.takes_shared_of(base))
            })
        })
}

/// Whether a process that starts now, while nobody else is there, leads the job, and when it has collected nothing is left
/// but what HEAD names.
fn goes_on(model: &Commit, world: &World) -> bool {
    if world.broken.is_some() {
        return true;
    }
    let Ok(after) = model.after_a_fresh_start(world) else { return false };
    let Some(head) = after.store.present() else { return false };
    let retained: BTreeSet<_> = head.kept().map(|snapshot| snapshot.id).collect();
    let store = &after.store;
    let named: BTreeSet<_> =
        retained.iter().filter_map(|id| store.metadata.get(id)).flat_map(|it| &it.shared).collect();
    let found_again = |id| !after.history.savepoints_made_late.contains(id);
    store.shared.iter().collect::<BTreeSet<_>>() == named
        && store.metadata.keys().copied().collect::<BTreeSet<_>>() == retained
        && store.state.iter().all(|(id, _)| retained.contains(id))
        && head.removed.is_empty()
        && head.abandoned_savepoints.is_empty()
        && head.savepoints_in_progress.is_empty()
        && store
            .savepoints
            .iter()
            .filter(|(id, _)| found_again(id))
            .all(|(_, files)| files.metadata == SavepointMetadata::Published)
}
