//! What should be: one map from numbers to where each is, written without a list and without a look at the transitions.

use std::collections::{BTreeMap, BTreeSet};

use ckpt_core::head::{Collected, Head, JobState};
use ckpt_core::snapshot::{JobEnd, RetentionPolicy};

/// A change of HEAD, as a leader wants it.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Claim,
    Begin,
    GoBack(u64),
    ClaimEnded,
    Commit { id: u64, full: bool, claims: BTreeSet<u64>, retain: usize },
    Reserve,
    BeginSavepoint(u64),
    Published(u64),
    GiveUp(u64),
    Stop(u64),
    End(JobEnd, RetentionPolicy),
    Discard(u64),
    HandOver(u64, u8),
    HandBack(u64),
    Collect,
}

/// Where HEAD has a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Retained,
    StoppedAt,
    SetAside,
    HandedOver(u8),
    Removed,
    InProgress,
    Abandoned,
    Nowhere,
}

#[derive(Clone, Debug)]
pub(crate) struct Thing {
    pub(crate) place: Place,
    pub(crate) ours: bool,
    epoch: u64,
    claims: BTreeSet<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Active,
    Released,
    Gone,
}

/// The number of the snapshot that the job may begin from, and the claims that it needs.
pub(crate) const ORIGIN: u64 = 5;
pub(crate) const CLAIMS: [u64; 3] = [1, 2, 3];
/// The job that the sample of a last claim belongs to.
pub(crate) const TAKER: u8 = 1;

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) version: u64,
    pub(crate) epoch: u64,
    first: u64,
    end: u64,
    state: Option<JobState>,
    pub(crate) things: BTreeMap<u64, Thing>,
    pub(crate) claims: BTreeMap<u64, Held>,
    /// Whether a snapshot that the job begins from becomes its own.
    pub(crate) owns_origin: bool,
    has_begun: bool,
    /// What the present leader began from.
    pub(crate) restored: Option<u64>,
    /// What a restore must take: changed by a commit, by a stop and by going back, and by nothing else.
    pub(crate) newest: Option<u64>,
    gone_back: Option<(u64, u64, u64)>,
}

impl Model {
    /// No HEAD yet, of a job that may begin from a snapshot which becomes its own or not.
    pub(crate) fn new(owns_origin: bool) -> Self {
        Self { owns_origin, ..Self::default() }
    }

    pub(crate) fn at(&self, place: Place) -> Vec<u64> {
        self.things.iter().filter(|(_, thing)| thing.place == place).map(|(id, _)| *id).collect()
    }

    pub(crate) fn place(&self, id: u64) -> Place {
        self.things.get(&id).map_or(Place::Nowhere, |thing| thing.place)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.state.is_some()
    }

    fn must_be_full(&self) -> bool {
        self.newest.is_some_and(|newest| !self.things[&newest].ours)
    }

    fn may_use(&self, id: u64) -> bool {
        let stopped = self.at(Place::StoppedAt).iter().any(|id| self.things[id].epoch == self.epoch);
        (self.first..self.end).contains(&id) && self.place(id) == Place::Nowhere && !stopped
    }

    /// Whether the leader of what is there may.
    pub(crate) fn permits(&self, change: &Change) -> bool {
        let goes_on = self.version > 0 && self.state.is_none();
        let is_newer = |id| self.newest.is_none_or(|newest| newest < id);
        match change {
            Change::Claim => self.state.is_none(),
            Change::Begin => {
                let is_free = self.newest.is_none() && self.place(ORIGIN) == Place::Nowhere;
                self.state.is_none() && (self.has_begun || is_free)
            }
            Change::GoBack(to) => goes_on && self.newest != Some(*to) && self.place(*to) == Place::Retained,
            Change::ClaimEnded => self.state.is_some(),
            Change::Commit { id, full, claims, retain } => {
                let held = |claim| self.claims.get(claim) == Some(&Held::Active);
                let fits = self.may_use(*id) && is_newer(*id) && (*full || !self.must_be_full());
                goes_on && fits && claims.iter().all(held) && *retain > 0
            }
            Change::Reserve => goes_on,
            Change::BeginSavepoint(id) => goes_on && self.may_use(*id),
            Change::Published(id) | Change::GiveUp(id) => goes_on && self.place(*id) == Place::InProgress,
            Change::Stop(id) => {
                let stopped = self.at(Place::StoppedAt).iter().any(|id| self.things[id].epoch == self.epoch);
                goes_on && self.place(*id) == Place::InProgress && is_newer(*id) && !stopped
            }
            Change::End(end, _) => goes_on && *end != JobEnd::Suspended,
            Change::Discard(id) => match self.place(*id) {
                Place::SetAside => true,
                Place::Retained => self.state.is_some(),
                _ => false,
            },
            Change::HandOver(id, to) => match self.place(*id) {
                Place::HandedOver(owner) => owner == *to,
                Place::Retained => self.state.is_some() && self.things[id].ours,
                _ => false,
            },
            Change::HandBack(id) => self.state.is_some() && self.place(*id) == Place::HandedOver(TAKER),
            Change::Collect => self.version > 0,
        }
    }

    /// It is written.
    pub(crate) fn apply(&mut self, change: &Change, collected: &Collected) {
        self.version += 1;
        for id in &collected.snapshots {
            self.moves(|at, place| at == id.get() && place == Place::Removed, Place::Nowhere);
        }
        for id in &collected.savepoints {
            self.moves(|at, place| at == id.get() && place == Place::Abandoned, Place::Nowhere);
        }
        for claim in &collected.claims {
            self.claims.insert(claim.get(), Held::Gone);
        }
        match change {
            Change::Claim => self.take_over(),
            Change::Begin => {
                self.take_over();
                if !self.has_begun {
                    self.begin();
                }
            }
            Change::GoBack(to) => {
                let from = self.newest.replace(*to).unwrap();
                self.take_over();
                self.moves(|at, place| at > *to && place == Place::Retained, Place::SetAside);
                self.moves(|_, place| place == Place::StoppedAt, Place::Nowhere);
                self.gone_back = Some((from, *to, self.epoch));
            }
            Change::ClaimEnded => self.epoch += 1,
            Change::Commit { id, claims, retain, .. } => {
                self.moves(|_, place| place == Place::StoppedAt, Place::Nowhere);
                self.enter(*id, Place::Retained, claims.clone());
                self.newest = Some(*id);
                while self.at(Place::Retained).len() > *retain {
                    let oldest = self.at(Place::Retained)[0];
                    self.leave(oldest);
                }
                if self.end - id <= 500 {
                    self.end += 1000;
                }
            }
            Change::Reserve => self.end += 1000,
            Change::BeginSavepoint(id) => self.enter(*id, Place::InProgress, BTreeSet::new()),
            Change::Published(id) => self.moves(|at, _| at == *id, Place::Nowhere),
            Change::GiveUp(id) => self.moves(|at, _| at == *id, Place::Abandoned),
            Change::Stop(id) => {
                self.moves(|_, place| place == Place::StoppedAt, Place::Nowhere);
                self.moves(|at, _| at == *id, Place::StoppedAt);
                self.things.get_mut(id).unwrap().ours = false;
                self.newest = Some(*id);
            }
            Change::End(end, policy) => {
                self.state = Some(match end {
                    JobEnd::Finished => JobState::Finished,
                    JobEnd::Cancelled => JobState::Cancelled,
                    _ => JobState::Failed,
                });
                self.moves(|_, place| place == Place::InProgress, Place::Abandoned);
                if policy.discards_on(*end) {
                    let all = [self.at(Place::Retained), self.at(Place::SetAside)].concat();
                    all.into_iter().for_each(|id| self.leave(id));
                }
            }
            Change::Discard(id) => self.leave(*id),
            Change::HandOver(id, to) => self.moves(|at, _| at == *id, Place::HandedOver(*to)),
            Change::HandBack(id) => self.moves(|at, _| at == *id, Place::Nowhere),
            Change::Collect => {}
        }
        self.release();
    }

    fn moves(&mut self, which: impl Fn(u64, Place) -> bool, to: Place) {
        self.things.iter_mut().filter(|(id, thing)| which(**id, thing.place)).for_each(|(_, thing)| thing.place = to);
    }

    fn leave(&mut self, id: u64) {
        let to = if self.things[&id].ours { Place::Removed } else { Place::Nowhere };
        self.moves(|at, _| at == id, to);
    }

    fn enter(&mut self, id: u64, place: Place, claims: BTreeSet<u64>) {
        self.things.insert(id, Thing { place, ours: true, epoch: self.epoch, claims });
    }

    fn take_over(&mut self) {
        self.epoch += 1;
        self.first = self.end.max(1);
        self.end = self.first + 1000;
        self.restored = self.newest;
        self.moves(|_, place| place == Place::InProgress, Place::Abandoned);
    }

    fn begin(&mut self) {
        self.has_begun = true;
        self.first = self.first.max(ORIGIN + 1);
        self.end = self.first + 1000;
        let claims = if self.owns_origin { BTreeSet::from(CLAIMS) } else { BTreeSet::new() };
        self.claims.extend(claims.iter().map(|claim| (*claim, Held::Active)));
        self.things.insert(ORIGIN, Thing { place: Place::Retained, ours: self.owns_origin, epoch: 0, claims });
        (self.newest, self.restored) = (Some(ORIGIN), Some(ORIGIN));
    }

    fn release(&mut self) {
        let listed = |place| matches!(place, Place::Retained | Place::Removed | Place::SetAside | Place::HandedOver(_));
        for (claim, held) in &mut self.claims {
            let needed = self.things.values().any(|thing| listed(thing.place) && thing.claims.contains(claim));
            if *held == Held::Active && !needed {
                *held = Held::Released;
            }
        }
    }

    /// HEAD says what the model says.
    pub(crate) fn check(&self, head: &Head) {
        use crate::sample::ids;
        assert_eq!((head.version.get(), head.epoch.get()), (self.version, self.epoch));
        assert_eq!((head.first_reserved_id.get(), head.unreserved_id.get()), (self.first, self.end));
        assert_eq!(head.state, self.state.unwrap_or(JobState::Active));
        assert_eq!(ids(&head.retained), self.at(Place::Retained));
        assert_eq!(ids(&head.stopped_at), self.at(Place::StoppedAt));
        assert_eq!(ids(&head.set_aside), self.at(Place::SetAside));
        assert_eq!(ids(&head.removed), self.at(Place::Removed));
        let mut handed_over: Vec<_> = (0..3).flat_map(|to| self.at(Place::HandedOver(to))).collect();
        handed_over.sort_unstable();
        assert_eq!(ids(head.handed_over.iter().map(|handed_over| &handed_over.snapshot)), handed_over);
        let savepoints =
            |list: &[ckpt_core::head::SavepointInProgress]| list.iter().map(|it| it.id.get()).collect::<Vec<_>>();
        assert_eq!(savepoints(&head.savepoints_in_progress), self.at(Place::InProgress));
        assert_eq!(savepoints(&head.abandoned_savepoints), self.at(Place::Abandoned));
        let claims = |list: &[ckpt_core::head::Claim]| list.iter().map(|claim| claim.id.get()).collect::<Vec<_>>();
        let of =
            |which| self.claims.iter().filter(|(_, held)| **held == which).map(|(claim, _)| *claim).collect::<Vec<_>>();
        assert_eq!(claims(&head.claims), of(Held::Active));
        assert_eq!(claims(&head.released_claims), of(Held::Released));
        assert_eq!(head.restored_from.map(|id| id.get()), self.restored);
        assert_eq!(head.gone_back.map(|it| (it.from.get(), it.to.get(), it.epoch.get())), self.gone_back);
        assert_eq!(head.origin.is_some(), self.has_begun);
        let roots = head.origin.as_ref().map_or(0, |origin| origin.roots.len());
        assert_eq!(roots > 0, self.has_begun && self.place(ORIGIN) != Place::Nowhere);
        if self.state.is_none() {
            assert_eq!(head.restore_point().map(|newest| newest.id.get()), self.newest);
            assert_eq!(head.requires_full_checkpoint(), self.must_be_full());
        }
    }
}
