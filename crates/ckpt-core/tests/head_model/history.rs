//! Random histories: several leaders, writes that fail, get lost before or after they land, or come twice, deletions that
//! come late, from whoever was once allowed to. Each step is compared with the model, and with what is on disk.

use std::cell::Cell;
use std::collections::BTreeSet;

use ckpt_core::head::{
    ClaimMode, ClaimedHead, Collected, Head, HeadWrite, ReleasedClaim, RemovedSnapshot, WrittenHead,
};
use ckpt_core::id::{CheckpointId, JobId, ReservedIds};
use ckpt_core::snapshot::{JobEnd, RetentionPolicy};
use ckpt_core::state::ClaimId;
use ckpt_core::testing::strategies::cases;
use ckpt_core::{Result, head::AbandonedSavepoint};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::ends::released;
use crate::model::{CLAIMS, Change, Held, Model, ORIGIN, Place};
use crate::sample::{JOB, foreign, full, id, in_progress, nonce, stopping, taken};

/// Who does what, what comes of it, and two numbers to choose by.
type Step = (u8, u8, u8, u16, u16);

struct Leader {
    head: ClaimedHead,
    ids: ReservedIds,
    /// A change whose outcome it does not know: it does nothing else before it does.
    in_doubt: Option<(Change, Collected)>,
    /// What it may delete and has not.
    removed: Vec<RemovedSnapshot>,
    abandoned: Vec<AbandonedSavepoint>,
    released: Vec<ReleasedClaim>,
    /// What it has deleted and HEAD may still list.
    collected: Collected,
    /// Another has written: it changes nothing any more, but deletes as late as it likes what it was allowed to.
    is_fenced: bool,
}

struct World {
    model: Model,
    head: Option<Head>,
    leaders: Vec<Leader>,
    taken: BTreeSet<u64>,
    /// The directories that are there.
    disk: BTreeSet<u64>,
    last_claim: ReleasedClaim,
    nonces: u8,
}

/// What the histories have come by: that they did not pass by doing nothing.
#[derive(Default)]
struct Seen {
    changes: [Cell<u32>; 15],
    refused: Cell<u32>,
    fenced: Cell<u32>,
    in_doubt: Cell<u32>,
    deleted: Cell<u32>,
    released: Cell<u32>,
}

impl Seen {
    fn count(cell: &Cell<u32>) {
        cell.set(cell.get() + 1);
    }
}

impl World {
    fn new(owns_origin: bool) -> Self {
        let [_, last_claim] = released();
        let model = Model::new(owns_origin);
        let disk = BTreeSet::from([ORIGIN]);
        Self { model, head: None, leaders: Vec::new(), taken: BTreeSet::new(), disk, last_claim, nonces: 0 }
    }

    fn propose(&self, leader: Option<&ClaimedHead>, change: &Change, collected: &Collected) -> Result<HeadWrite> {
        let mode = if self.model.owns_origin { ClaimMode::Claim } else { ClaimMode::NoClaim };
        let (current, nonce) = (self.head.as_ref(), nonce(self.nonces));
        let on = |head: &Head| -> Result<HeadWrite> {
            match change {
                Change::GoBack(to) => Head::claim_going_back(head, JOB, nonce, id(*to)),
                _ => Head::claim_ended(head, JOB, nonce),
            }
        };
        match (change, leader) {
            (Change::Claim, _) => Head::claim(current, JOB, nonce),
            (Change::Begin, _) => Head::claim_from(current, JOB, nonce, &foreign(), mode),
            (Change::GoBack(_) | Change::ClaimEnded, _) => on(current.unwrap()),
            (_, None) => panic!("only a leader may {change:?}"),
            (Change::Commit { id, full: is_full, claims, retain }, Some(head)) => {
                let epoch = head.head().epoch.get();
                let snapshot = if *is_full { full(*id, epoch) } else { taken(*id, epoch) };
                let claims = claims.iter().map(|claim| ClaimId::new(*claim));
                head.commit(snapshot.below_claims(claims), *retain, collected)
            }
            (Change::Reserve, Some(head)) => head.reserve(collected),
            (Change::BeginSavepoint(id), Some(head)) => head.begin_savepoint(in_progress(*id), collected),
            (Change::Published(number), Some(head)) => head.savepoint_published(id(*number), collected),
            (Change::GiveUp(number), Some(head)) => head.give_up_savepoint(id(*number), collected),
            (Change::Stop(id), Some(head)) => head.stop(stopping(*id, head.head().epoch.get()), collected),
            (Change::End(end, policy), Some(head)) => head.end(*end, *policy, collected),
            (Change::Discard(number), Some(head)) => head.discard(&[id(*number)], collected),
            (Change::HandOver(number, to), Some(head)) => head.hand_over(id(*number), JobId::new([*to; 16]), collected),
            (Change::HandBack(number), Some(head)) => head.handed_back(id(*number), &self.last_claim, collected),
            (Change::Collect, Some(head)) => head.collected(collected),
        }
    }

    /// Compare-and-swap: `None` when something else was written.
    fn write(&mut self, write: HeadWrite, change: &Change, collected: &Collected) -> Option<WrittenHead> {
        // The same write again finds itself there.
        if self.head.as_ref() != Some(write.head()) {
            let version = self.head.as_ref().map_or(0, |head| head.version.get());
            if write.head().version.get() != version + 1 {
                return None;
            }
            if let Some(former) = &self.head {
                assert!(former.epoch <= write.head().epoch, "epochs never descend");
                assert!(former.unreserved_id <= write.head().unreserved_id);
            }
            assert_eq!(Head::decode(&write.head().encode().unwrap()).unwrap(), *write.head());
            self.head = Some(write.head().clone());
            self.model.apply(change, collected);
            if let Change::Commit { id, .. } | Change::BeginSavepoint(id) = change {
                self.disk.insert(*id);
            }
        }
        Some(write.written())
    }

    /// A leader does one thing; what it does, by `kind` and two numbers.
    fn change(&mut self, leader: usize, kind: u8, a: u16, b: u16) -> Change {
        let head = &self.leaders[leader].head;
        let pick = |ids: Vec<u64>| if ids.is_empty() { 1 + u64::from(a % 12) } else { ids[usize::from(a) % ids.len()] };
        let listed = |place| pick(self.model.at(place));
        // After the end, what is possible then is tried more often.
        let kind = match kind {
            1..=15 if self.model.has_ended() => [30, 32, 32, 28][usize::from(kind) % 4],
            kind => kind,
        };
        match kind {
            0..=15 => {
                let retain = usize::from(b % 4) + usize::from(b % 50 != 0);
                let claims = CLAIMS.iter().copied().filter(|claim| {
                    let held = self.model.claims.get(claim) == Some(&Held::Active) || a % 97 == 0;
                    held && (b >> (claim + 4)) % 2 == 0
                });
                let claims = claims.collect();
                let full = head.head().requires_full_checkpoint() || b % 5 == 0;
                let full = if a % 11 == 0 { !full } else { full };
                let id = if a % 37 == 0 { listed(Place::Retained) } else { self.take(leader, a) };
                Change::Commit { id, full, claims, retain }
            }
            16 | 17 => Change::Reserve,
            18..=21 if a % 13 == 0 => Change::BeginSavepoint(listed(Place::InProgress)),
            18..=21 => Change::BeginSavepoint(self.take(leader, a)),
            22 => Change::Published(listed(Place::InProgress)),
            23 => Change::GiveUp(listed(Place::InProgress)),
            24..=26 => Change::Stop(listed(Place::InProgress)),
            27 if a % 3 == 0 => {
                let end = [JobEnd::Finished, JobEnd::Cancelled, JobEnd::Failed, JobEnd::Suspended];
                let policy = [
                    RetentionPolicy::default(),
                    RetentionPolicy::RetainOnFailure,
                    RetentionPolicy::RetainOnCancellation,
                ];
                Change::End(end[usize::from(b) % 4], policy[usize::from(b >> 4) % 3])
            }
            28 | 29 => Change::Discard(listed(if b % 2 == 0 { Place::SetAside } else { Place::Retained })),
            30 | 31 => {
                let place = if b % 4 == 0 { Place::HandedOver(1) } else { Place::Retained };
                Change::HandOver(listed(place), [1, 1, 1, 2][usize::from(b >> 2) % 4])
            }
            32 | 33 => Change::HandBack(listed(Place::HandedOver([1, 1, 1, 2][usize::from(b) % 4]))),
            _ => Change::Collect,
        }
    }

    /// The next number of a leader, after some that it uses up otherwise. No number is ever handed out twice.
    fn take(&mut self, leader: usize, a: u16) -> u64 {
        let ids = &mut self.leaders[leader].ids;
        let skipped = if a % 7 == 0 { a % 600 } else { 0 };
        for _ in 0..skipped {
            ids.take();
        }
        let Some(number) = ids.take().map(CheckpointId::get) else { return 1 };
        assert!(self.taken.insert(number), "{number} is handed out twice");
        number
    }

    fn delete(&mut self, leader: usize, seen: &Seen) {
        let leader = &mut self.leaders[leader];
        if let Some(removed) = leader.removed.pop() {
            let number = removed.snapshot().id;
            let there = &self.model.things[&number.get()];
            assert!(
                there.ours && matches!(there.place, Place::Removed | Place::Nowhere),
                "{number} is deleted: {there:?}"
            );
            self.disk.remove(&number.get());
            leader.collected.snapshots.push(number);
            Seen::count(&seen.deleted);
        }
        if let Some(abandoned) = leader.abandoned.pop() {
            let number = abandoned.savepoint().id;
            assert!(matches!(self.model.place(number.get()), Place::Abandoned | Place::Nowhere));
            leader.collected.savepoints.push(number);
        }
        if let Some(released) = leader.released.pop() {
            let claim = released.claim().id;
            assert_ne!(self.model.claims[&claim.get()], Held::Active);
            leader.collected.claims.push(claim);
            Seen::count(&seen.released);
        }
    }

    fn step(&mut self, (who, kind, outcome, a, b): Step, seen: &Seen) {
        self.nonces = self.nonces.wrapping_add(1);
        let takes_over = self.leaders.is_empty() || kind >= 36;
        if takes_over {
            let retained = self.model.at(Place::Retained);
            let change = match kind {
                _ if self.model.has_ended() && b % 8 != 0 => Change::ClaimEnded,
                37 if !retained.is_empty() => Change::GoBack(retained[usize::from(a) % retained.len()]),
                38 | 39 => Change::Begin,
                _ => Change::Claim,
            };
            let slot = usize::from(who).min(self.leaders.len());
            return self.attempt(slot, None, change, Collected::none(), outcome, seen);
        }
        let who = usize::from(who) % self.leaders.len();
        if kind % 3 == 0 {
            self.delete(who, seen);
        }
        if self.leaders[who].is_fenced {
            return;
        }
        let (change, collected) = match self.leaders[who].in_doubt.take() {
            Some(in_doubt) => in_doubt,
            None => (self.change(who, kind, a, b), self.leaders[who].collected.clone()),
        };
        let head = self.leaders[who].head.clone();
        self.attempt(who, Some(&head), change, collected, outcome, seen);
    }

    fn attempt(
        &mut self,
        who: usize,
        head: Option<&ClaimedHead>,
        change: Change,
        collected: Collected,
        outcome: u8,
        seen: &Seen,
    ) {
        let is_current = head.is_none_or(|head| Some(head.head()) == self.head.as_ref());
        let proposed = self.propose(head, &change, &collected);
        if is_current {
            assert_eq!(proposed.is_ok(), self.model.permits(&change), "{change:?}: {proposed:?}\n{:?}", self.model);
        }
        let Ok(write) = proposed else { return Seen::count(&seen.refused) };
        let written = match outcome {
            // It certainly failed.
            0 => return,
            // The request gets lost, or the answer does.
            1 | 2 if head.is_some() => {
                if outcome == 2 {
                    let _ = self.write(write, &change, &collected);
                }
                self.leaders[who].in_doubt = Some((change, collected));
                return Seen::count(&seen.in_doubt);
            }
            // It comes twice.
            3 => {
                let again = self.propose(head, &change, &collected).unwrap();
                let first = self.write(write, &change, &collected);
                let second = self.write(again, &change, &collected);
                assert_eq!(first, second);
                second
            }
            _ => self.write(write, &change, &collected),
        };
        match written {
            Some(written) => {
                Seen::count(&seen.changes[kind_of(&change)]);
                self.learn(who, head.is_none(), written);
            }
            None => {
                self.leaders[who].is_fenced = true;
                Seen::count(&seen.fenced);
            }
        }
    }

    fn learn(&mut self, who: usize, is_new: bool, written: WrittenHead) {
        if is_new {
            let (removed, abandoned, released) =
                (written.all_removed(), written.all_abandoned(), written.all_released());
            let (head, ids, collected) = (written.head, written.reserved, Collected::none());
            let (in_doubt, is_fenced) = (None, false);
            let leader = Leader { head, ids, in_doubt, removed, abandoned, released, collected, is_fenced };
            match self.leaders.get_mut(who) {
                Some(former) => *former = leader,
                None => self.leaders.push(leader),
            }
            return;
        }
        let leader = &mut self.leaders[who];
        leader.collected = std::mem::take(&mut leader.collected).listed_in(written.head.head());
        leader.ids.append(written.reserved);
        leader.removed.extend(written.removed);
        leader.abandoned.extend(written.abandoned);
        leader.released.extend(written.released);
        leader.head = written.head;
    }

    /// What holds after each step, whatever happened.
    fn check(&self) {
        let Some(head) = &self.head else { return };
        self.model.check(head);
        let kept: Vec<_> = head.kept().chain(&head.stopped_at).map(|snapshot| snapshot.id.get()).collect();
        assert!(kept.iter().all(|number| self.disk.contains(number)), "{kept:?} of {:?}", self.disk);
        assert!(!head.removed.iter().any(|removed| kept.contains(&removed.id.get())));
        let needed = head.kept().chain(&head.removed).flat_map(|snapshot| &snapshot.claims);
        for claim in needed {
            assert!(head.claims.iter().any(|held| held.id == *claim) && *claim < head.next_claim);
        }
        for snapshot in head.kept().chain(&head.stopped_at) {
            let expected = match snapshot.uri() {
                None => snapshot.claims.len(),
                Some(_) if head.origin.as_ref().is_some_and(|origin| origin.id == snapshot.id) => 5,
                Some(_) => 1,
            };
            assert_eq!(head.roots_of(snapshot).len(), expected);
        }
    }
}

fn kind_of(change: &Change) -> usize {
    match change {
        Change::Claim => 0,
        Change::Begin => 1,
        Change::GoBack(_) => 2,
        Change::ClaimEnded => 3,
        Change::Commit { .. } => 4,
        Change::Reserve => 5,
        Change::BeginSavepoint(_) => 6,
        Change::Published(_) => 7,
        Change::GiveUp(_) => 8,
        Change::Stop(_) => 9,
        Change::End(..) => 10,
        Change::Discard(_) => 11,
        Change::HandOver(..) => 12,
        Change::HandBack(_) => 13,
        Change::Collect => 14,
    }
}

#[test]
fn random_histories_agree_with_the_model() {
    let seen = Seen::default();
    let steps = vec((0u8..3, 0u8..40, 0u8..16, any::<u16>(), any::<u16>()), 1..150);
    let outcome = TestRunner::new(cases(1000)).run(&(any::<bool>(), steps), |(owns_origin, steps)| {
        let mut world = World::new(owns_origin);
        for step in steps {
            world.step(step, &seen);
            world.check();
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    // Each change was written often, and every way to fail was met.
    let changes: Vec<_> = seen.changes.iter().map(Cell::get).collect();
    let others = [&seen.refused, &seen.fenced, &seen.in_doubt, &seen.deleted, &seen.released].map(Cell::get);
    assert!(changes.iter().all(|count| *count > 3) && others.iter().all(|count| *count > 30), "{changes:?} {others:?}");
}
