//! HEAD, and the small files beside snapshots.

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

use super::id::{any_checkpoint_id, any_digest, any_epoch, any_job_id, any_timestamp, number};
use super::snapshot::{any_snapshot_kind, any_uri};
use crate::digest::Digest;
use crate::head::{
    ClaimMode, ClaimedHead, Collected, ForeignSnapshot, Head, HeadWrite, Nonce, Ownership, RetainedSnapshot,
    SavepointInProgress, WrittenHead,
};
use crate::id::{CheckpointId, JobId, LeaderEpoch, ReservedIds};
use crate::mark::{DisposalMark, OwnerRecord, SavepointMark};
use crate::snapshot::{AfterSavepoint, JobEnd, RetentionPolicy, SavepointFormat, SnapshotKind};
use crate::state::{ClaimId, Root};
use crate::uri::Uri;

/// A change of HEAD. One that the present HEAD does not allow is left out.
#[derive(Clone, Debug)]
enum Step {
    Claim(Nonce),
    GoBack(Nonce, Index),
    Commit { kind: SnapshotKind, metadata_bytes: u64, digest: Digest, claims: Vec<Index>, retain: usize },
    BeginSavepoint(Uri),
    GiveUp(Index),
    Stop { metadata_bytes: u64, digest: Digest, savepoint: Index },
    Discard(Index),
    HandOver(Index, JobId),
    Collect(Index),
    End(JobEnd, RetentionPolicy),
}

/// Any HEAD that some history leads to: what it lists came by the transitions that there are.
pub fn any_head() -> BoxedStrategy<Head> {
    let mode = prop_oneof![Just(ClaimMode::Claim), Just(ClaimMode::NoClaim)];
    let begin = (any_job_id(), any_nonce(), option::of((any_foreign_snapshot(), mode)));
    (begin, vec(any_step(), 0..30))
        .prop_map(|((job, nonce, origin), steps)| {
            let first = match &origin {
                Some((snapshot, mode)) => Head::claim_from(None, job, nonce, snapshot, *mode),
                None => Head::claim(None, job, nonce),
            };
            let mut history = History::of(first.expect("the first claim of a job").written());
            steps.iter().for_each(|step| history.take(step));
            history.head.head().clone()
        })
        .boxed()
}

/// A snapshot of another job, which names a few places.
pub fn any_foreign_snapshot() -> BoxedStrategy<ForeignSnapshot> {
    let root = prop_oneof![
        Just(Root::JobShared),
        Just(Root::JobTaskOwned),
        (0..4_u64).prop_map(|number| Root::Claimed(ClaimId::new(number))),
        (0..4_u16).prop_map(Root::Borrowed),
    ];
    let number = (1..1_u64 << 50).prop_map(|number| CheckpointId::new(number).unwrap_or(CheckpointId::FIRST));
    let taken = (number, any_epoch(), any_snapshot_kind(), number_and_digest());
    (any_job_id(), taken, btree_set(root, 0..4), any_uri())
        .prop_map(|(job, (id, epoch, kind, (metadata_bytes, digest)), roots, uri)| {
            let below = |name: usize| Uri::new(format!("{}/{name}", uri.as_str())).expect("a place below another");
            let roots = roots.into_iter().enumerate().map(|(name, root)| (root, below(name))).collect();
            let taken = RetainedSnapshot::new(id, epoch, kind, metadata_bytes, digest);
            ForeignSnapshot::new(job, &taken, uri.clone()).naming(roots)
        })
        .boxed()
}

/// Whoever may own a savepoint.
pub fn any_owner_record() -> BoxedStrategy<OwnerRecord> {
    let claim = number().prop_map(|number| ClaimId::new(number.max(1)));
    (any_job_id(), any_epoch(), claim, any_nonce(), any_timestamp())
        .prop_map(|(job, epoch, claim, nonce, claimed_at)| OwnerRecord::new(job, epoch, claim, nonce, claimed_at))
        .boxed()
}

/// Any mark of a savepoint.
pub fn any_savepoint_mark() -> BoxedStrategy<SavepointMark> {
    (any_job_id(), any_checkpoint_id(), any_epoch(), any_nonce(), any_timestamp())
        .prop_map(|(job, id, epoch, nonce, began_at)| SavepointMark::new(job, id, epoch, nonce, began_at))
        .boxed()
}

/// Any disposal of a snapshot.
pub fn any_disposal_mark() -> BoxedStrategy<DisposalMark> {
    (any_job_id(), any_checkpoint_id(), number_and_digest(), any_nonce(), any_timestamp())
        .prop_map(|(job, id, (metadata_bytes, index_digest), nonce, began_at)| {
            DisposalMark::new((job, id), metadata_bytes, index_digest, nonce, began_at)
        })
        .boxed()
}

fn any_nonce() -> BoxedStrategy<Nonce> {
    any::<[u8; 16]>().prop_map(Nonce::new).boxed()
}

fn number_and_digest() -> BoxedStrategy<(u64, Digest)> {
    (number(), any_digest()).boxed()
}

fn any_step() -> BoxedStrategy<Step> {
    let commit = (any_snapshot_kind(), number_and_digest(), vec(any::<Index>(), 0..3), 1..5_usize).prop_map(
        |(kind, (metadata_bytes, digest), claims, retain)| Step::Commit {
            kind,
            metadata_bytes,
            digest,
            claims,
            retain,
        },
    );
    let stop = (number_and_digest(), any::<Index>()).prop_map(|((metadata_bytes, digest), savepoint)| Step::Stop {
        metadata_bytes,
        digest,
        savepoint,
    });
    let end = prop_oneof![Just(JobEnd::Finished), Just(JobEnd::Cancelled), Just(JobEnd::Failed)];
    let retention = prop_oneof![Just(RetentionPolicy::RetainOnFailure), Just(RetentionPolicy::RetainOnCancellation)];
    prop_oneof![
        3 => any_nonce().prop_map(Step::Claim),
        2 => (any_nonce(), any::<Index>()).prop_map(|(nonce, to)| Step::GoBack(nonce, to)),
        14 => commit,
        4 => any_uri().prop_map(Step::BeginSavepoint),
        2 => any::<Index>().prop_map(Step::GiveUp),
        2 => stop,
        1 => any::<Index>().prop_map(Step::Discard),
        3 => (any::<Index>(), any_job_id()).prop_map(|(snapshot, to)| Step::HandOver(snapshot, to)),
        2 => any::<Index>().prop_map(Step::Collect),
        1 => (end, retention).prop_map(|(end, retention)| Step::End(end, retention)),
    ]
    .boxed()
}

struct History {
    head: ClaimedHead,
    ids: ReservedIds,
}

impl History {
    fn of(written: WrittenHead) -> Self {
        Self { head: written.head, ids: written.reserved }
    }

    fn take(&mut self, step: &Step) {
        let Some(Ok(write)) = self.propose(step) else { return };
        let written = write.written();
        let is_new_leader = written.head.head().epoch != self.epoch();
        if is_new_leader {
            *self = Self::of(written);
        } else {
            self.ids.append(written.reserved);
            self.head = written.head;
        }
    }

    fn epoch(&self) -> LeaderEpoch {
        self.head.head().epoch
    }

    /// What the step comes to; `None` when there is nothing that it could choose.
    fn propose(&mut self, step: &Step) -> Option<crate::Result<HeadWrite>> {
        let (head, none) = (self.head.clone(), Collected::none());
        let current = head.head();
        Some(match step {
            Step::Claim(nonce) if current.state == crate::head::JobState::Active => {
                Head::claim(Some(current), current.job, *nonce)
            }
            Step::Claim(nonce) => Head::claim_ended(current, current.job, *nonce),
            Step::GoBack(nonce, to) => {
                Head::claim_going_back(current, current.job, *nonce, choose(&current.retained, to)?.id)
            }
            Step::Commit { kind, metadata_bytes, digest, claims, retain } => {
                let kind = if kind.is_savepoint() { SnapshotKind::FullCheckpoint } else { *kind };
                let claims = claims.iter().filter_map(|claim| Some(choose(&current.claims, claim)?.id));
                let taken = RetainedSnapshot::new(self.ids.take()?, current.epoch, kind, *metadata_bytes, *digest);
                head.commit(taken.below_claims(claims), *retain, &none)
            }
            Step::BeginSavepoint(uri) => {
                head.begin_savepoint(SavepointInProgress::new(self.ids.take()?, uri.clone()), &none)
            }
            Step::GiveUp(savepoint) => {
                head.give_up_savepoint(choose(&current.savepoints_in_progress, savepoint)?.id, &none)
            }
            Step::Stop { metadata_bytes, digest, savepoint } => {
                let SavepointInProgress { id, uri } = choose(&current.savepoints_in_progress, savepoint)?.clone();
                let (format, then) = (SavepointFormat::Native, AfterSavepoint::Terminate);
                let kind = SnapshotKind::Savepoint { format, then };
                let taken = RetainedSnapshot::new(id, current.epoch, kind, *metadata_bytes, *digest);
                head.stop(taken.elsewhere(uri, Ownership::Borrowed), &none)
            }
            Step::Discard(snapshot) => head.discard(&[choose(&current.set_aside, snapshot)?.id], &none),
            Step::HandOver(snapshot, to) => head.hand_over(choose(&current.retained, snapshot)?.id, *to, &none),
            Step::Collect(snapshot) => {
                let mut collected = Collected::none();
                collected.snapshots.extend(choose(&current.removed, snapshot).map(|removed| removed.id));
                collected.claims.extend(choose(&current.released_claims, snapshot).map(|claim| claim.id));
                collected.savepoints.extend(current.abandoned_savepoints.first().map(|savepoint| savepoint.id));
                head.collected(&collected)
            }
            Step::End(end, retention) => head.end(*end, *retention, &none),
        })
    }
}

/// One of them, if there is any.
fn choose<'a, T>(among: &'a [T], index: &Index) -> Option<&'a T> {
    (!among.is_empty()).then(|| index.get(among))
}
