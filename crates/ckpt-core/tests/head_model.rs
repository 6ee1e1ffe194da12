//! HEAD's transitions over random histories, against a model so plain that it cannot be wrong.

use std::collections::BTreeSet;

use ckpt_core::head::{
    AtEnd, Claim, ClaimedHead, Head, HeadWrite, JobState, Nonce, Ownership, RetainedSnapshot, SavepointInProgress,
    WrittenHead,
};
use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch, ReservedIds};
use ckpt_core::snapshot::{AfterSavepoint, SavepointFormat, SnapshotKind};
use ckpt_core::state::ClaimId;
use ckpt_core::{Digest, ErrorKind};

const JOB: JobId = JobId::new([1; 16]);
const KIND: SnapshotKind = SnapshotKind::Checkpoint;

fn id(number: u64) -> CheckpointId {
    CheckpointId::new(number).unwrap()
}

fn snapshot(id: CheckpointId, epoch: LeaderEpoch) -> RetainedSnapshot {
    RetainedSnapshot::new(id, epoch, KIND, 100, Digest::of(&id.get().to_le_bytes()))
}

fn claim(current: Option<&Head>) -> WrittenHead {
    Head::claim(current, JOB, Nonce::new([9; 16])).unwrap().written()
}

fn ids(snapshots: &[RetainedSnapshot]) -> Vec<u64> {
    snapshots.iter().map(|snapshot| snapshot.id.get()).collect()
}

/// What should be: plain lists.
#[derive(Default)]
struct Model {
    version: u64,
    epoch: u64,
    used: BTreeSet<u64>,
    highest: u64,
    retained: Vec<u64>,
    removed: Vec<u64>,
    borrowed: BTreeSet<u64>,
    claims: Vec<Claim>,
}

impl Model {
    fn write(
        &mut self,
        write: HeadWrite,
        mut removes: Vec<u64>,
        collected: &[CheckpointId],
        ids_left: &mut ReservedIds,
    ) -> ClaimedHead {
        self.version += 1;
        removes.retain(|id| !self.borrowed.contains(id));
        self.removed.retain(|id| !collected.iter().any(|collected| collected.get() == *id));
        self.removed.extend(&removes);
        let written = write.written();
        let removed: Vec<_> = written.removed.iter().map(|removed| removed.snapshot().id.get()).collect();
        assert_eq!(removed, removes);
        let all: Vec<_> = written.all_removed().iter().map(|removed| removed.snapshot().id.get()).collect();
        assert_eq!(all, self.removed);
        let head = written.head.head();
        assert_eq!((head.version.get(), head.epoch.get()), (self.version, self.epoch));
        assert_eq!((ids(&head.retained), ids(&head.removed)), (self.retained.clone(), self.removed.clone()));
        assert_eq!((&head.claims, head.next_claim.get()), (&self.claims, 1 + self.claims.len() as u64));
        assert_eq!(Head::decode(&head.encode().unwrap()).unwrap(), *head);
        ids_left.append(written.reserved.clone());
        written.head
    }

    /// Every number is handed out once and lies below the boundary that HEAD records.
    fn take(&mut self, head: &ClaimedHead, ids_left: &mut ReservedIds) -> Option<CheckpointId> {
        let taken = ids_left.take()?;
        assert!(taken.get() > self.highest && self.used.insert(taken.get()) && taken < head.head().unreserved_id);
        self.highest = taken.get();
        Some(taken)
    }
}

fn history(seed: u64) -> (u32, u32) {
    let mut state = seed;
    let mut below = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let mut model = Model { epoch: 1, ..Model::default() };
    let mut ids_left = ReservedIds::none();
    let write = Head::claim(None, JOB, Nonce::new([0; 16])).unwrap();
    let mut head = model.write(write, Vec::new(), &[], &mut ids_left);
    let (mut commits, mut reserves) = (0, 0);
    for _ in 0..60 {
        let collected: Vec<_> = model.removed.iter().filter(|_| below(2) == 0).map(|number| id(*number)).collect();
        match below(6) {
            // A new leader: what the former one has left of its numbers is lost.
            0 => {
                model.epoch += 1;
                ids_left = ReservedIds::none();
                let mut former = head.head().clone();
                // Some of what is retained turns out to be another's.
                for snapshot in former.retained.iter_mut().filter(|snapshot| snapshot.ownership == Ownership::Job) {
                    let owner = match below(4) {
                        0 => {
                            let claim = Claim::new(former.next_claim, format!("file:///claimed/{}", snapshot.id));
                            former.next_claim = ClaimId::new(claim.id.get() + 1);
                            former.claims.push(claim.clone());
                            model.claims.push(claim.clone());
                            Ownership::Claimed(claim.id)
                        }
                        1 => {
                            model.borrowed.insert(snapshot.id.get());
                            Ownership::Borrowed
                        }
                        _ => continue,
                    };
                    *snapshot = snapshot.clone().elsewhere("file:///elsewhere", owner);
                }
                let write = Head::claim(Some(&former), JOB, Nonce::new([below(200) as u8; 16])).unwrap();
                head = model.write(write, Vec::new(), &[], &mut ids_left);
                assert_eq!(head.head().restored_from.map(CheckpointId::get), model.retained.last().copied());
                assert_eq!(ids_left.remaining(), Head::ID_BLOCK);
            }
            // Checkpoints that are triggered and aborted use numbers up.
            1 => {
                for _ in 0..below(700) {
                    if model.take(&head, &mut ids_left).is_none() {
                        reserves += 1;
                        head = model.write(head.reserve(&[]).unwrap(), Vec::new(), &[], &mut ids_left);
                        assert_eq!(ids_left.remaining(), Head::ID_BLOCK);
                    }
                }
            }
            _ => {
                let Some(number) = model.take(&head, &mut ids_left) else { continue };
                let retain = 1 + below(4) as usize;
                let write = head.commit(snapshot(number, head.head().epoch), retain, &collected).unwrap();
                model.retained.push(number.get());
                let excess = model.retained.len().saturating_sub(retain);
                let removes = model.retained.drain(..excess).collect();
                head = model.write(write, removes, &collected, &mut ids_left);
                assert!(head.head().retained.len() <= retain);
                assert!(ids_left.remaining() >= Head::ID_BLOCK / 2, "a commit leaves half a block at least");
                commits += 1;
            }
        }
    }
    let (retention, removes) = match below(2) {
        0 => (AtEnd::Retain, Vec::new()),
        _ => (AtEnd::Discard, std::mem::take(&mut model.retained)),
    };
    let write = head.end(JobState::Finished, retention, &[]).unwrap();
    let ended = model.write(write, removes, &[], &mut ids_left);
    assert_eq!(ended.head().state, JobState::Finished);
    for refused in [
        Head::claim(Some(ended.head()), JOB, Nonce::new([0; 16])),
        ended.reserve(&[]),
        ended.end(JobState::Failed, AtEnd::Retain, &[]),
    ] {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("has ended as finished"), "{error}");
    }
    let collected: Vec<_> = ended.head().removed.iter().map(|removed| removed.id).collect();
    let write = ended.collected(&collected).unwrap();
    let ended = model.write(write, Vec::new(), &collected, &mut ids_left);
    assert!(ended.head().removed.is_empty() && ended.head().state == JobState::Finished);
    (commits, reserves)
}

#[test]
fn random_histories_agree_with_the_model() {
    let (mut commits, mut reserves) = (0, 0);
    for seed in 0..300 {
        let (more_commits, more_reserves) = history(seed);
        (commits, reserves) = (commits + more_commits, reserves + more_reserves);
    }
    assert!(commits > 5000 && reserves > 100, "{commits} commits, {reserves} reserves");
}

#[test]
fn what_must_not_be_is_refused_with_what_was_found() {
    let head = claim(None).head;
    let (epoch, other) = (LeaderEpoch::new(1), LeaderEpoch::new(2));
    let head = head.commit(snapshot(id(5), epoch), 1, &[]).unwrap().written().head;
    let mut savepoint = snapshot(id(6), epoch);
    savepoint.kind = SnapshotKind::Savepoint { format: SavepointFormat::Native, then: AfterSavepoint::Continue };
    let borrowed = snapshot(id(6), epoch).elsewhere("file:///borrowed", Ownership::Borrowed);
    for (refused, expected) in [
        (
            head.commit(snapshot(id(5), epoch), 1, &[]),
            "checkpoint 5 cannot be committed after checkpoint 5: numbers ascend",
        ),
        (
            head.commit(snapshot(id(6), other), 1, &[]),
            "checkpoint 6 was taken under epoch 2, expected the leader's own epoch 1",
        ),
        (
            head.commit(snapshot(id(1001), epoch), 1, &[]),
            "checkpoint 1001 was never reserved: expected a number below 1001",
        ),
        (head.commit(snapshot(id(6), epoch), 0, &[]), "at least one checkpoint must be retained, found 0"),
        (head.commit(savepoint, 1, &[]), "a savepoint is owned by its user: HEAD does not retain savepoint 6"),
        (
            head.commit(borrowed, 1, &[]),
            "checkpoint 6 has another owner or another place than this job: expected a checkpoint that it took itself",
        ),
        (head.end(JobState::Active, AtEnd::Retain, &[]), "a job cannot end as active"),
    ] {
        let error = refused.unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::FailJob, expected));
    }
    let error = Head::claim(Some(head.head()), JobId::new([2; 16]), Nonce::new([0; 16])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("expected job 02020202"), "{error}");
}

#[test]
fn what_is_borrowed_is_dropped_and_never_removed() {
    let mut former = claim(None).head.head().clone();
    former.claims = vec![Claim::new(ClaimId::FIRST, "file:///claimed")];
    former.next_claim = ClaimId::new(2);
    let elsewhere = |number, owner| snapshot(id(number), LeaderEpoch::new(70)).elsewhere("file:///claimed", owner);
    former.retained = vec![
        elsewhere(5, Ownership::Borrowed),
        elsewhere(6, Ownership::Claimed(ClaimId::FIRST)),
        elsewhere(7, Ownership::Borrowed),
    ];
    let removed = |written: &WrittenHead| -> Vec<u64> {
        let of_write = written.removed.iter().map(|removed| removed.snapshot().id.get()).collect();
        assert_eq!(ids(&written.head.head().removed), of_write);
        of_write
    };
    let claimed = claim(Some(&former));
    let commit = claimed.head.commit(snapshot(id(8), LeaderEpoch::new(2)), 1, &[]).unwrap().written();
    assert_eq!((removed(&commit), ids(&commit.head.head().retained)), (vec![6], vec![8]));
    let end = claimed.head.end(JobState::Cancelled, AtEnd::Discard, &[]).unwrap().written();
    assert_eq!((removed(&end), ids(&end.head.head().retained)), (vec![6], vec![]));

    // Should a list of removed ones name what is borrowed, nothing that could be deleted comes of it.
    former.removed = std::mem::take(&mut former.retained);
    let all: Vec<_> = claim(Some(&former)).all_removed().iter().map(|removed| removed.snapshot().id.get()).collect();
    assert_eq!(all, [6]);
}

#[test]
fn a_job_that_was_stopped_goes_on_from_its_savepoint_only() {
    let epoch = LeaderEpoch::new(1);
    let mut head = claim(None).head.commit(snapshot(id(5), epoch), 3, &[]).unwrap().written().head.head().clone();
    let mut savepoint = snapshot(id(7), LeaderEpoch::new(2)).elsewhere("file:///savepoint", Ownership::Borrowed);
    savepoint.kind = SnapshotKind::Savepoint { format: SavepointFormat::Native, then: AfterSavepoint::Suspend };
    head.savepoints_in_progress = vec![SavepointInProgress::new(id(9), "file:///other")];
    head.stopped_at = Some(savepoint);
    assert_eq!(head.restore_point(), head.stopped_at.as_ref());

    // The leader that stopped it commits nothing more, neither older nor newer.
    let stopped = claim(Some(&head)).head;
    assert_eq!(stopped.head().restored_from, Some(id(7)));
    for (number, expected) in [
        (6, "checkpoint 6 cannot be committed after checkpoint 7: numbers ascend"),
        (8, "checkpoint 8 cannot be committed: this leader has stopped the job with savepoint 7"),
    ] {
        let error = stopped.commit(snapshot(id(number), LeaderEpoch::new(2)), 3, &[]).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::FailJob, expected));
    }
    // The next one goes back to the savepoint, and on from there.
    let next = claim(Some(stopped.head())).head;
    assert_eq!(next.head().restored_from, Some(id(7)));
    let on = next.commit(snapshot(id(8), LeaderEpoch::new(3)), 1, &[]).unwrap().written();
    assert_eq!((on.removed.len(), on.head.head().restore_point().unwrap().id), (1, id(8)));
    for head in [stopped.head(), next.head(), on.head.head()] {
        assert_eq!(head.stopped_at.as_ref().map(|savepoint| savepoint.id), Some(id(7)));
        assert_eq!(head.savepoints_in_progress.len(), 1);
        assert_eq!(Head::decode(&head.encode().unwrap()).unwrap(), *head);
    }
}
