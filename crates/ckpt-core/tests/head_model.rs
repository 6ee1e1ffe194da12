//! HEAD's transitions over random histories, against a model so plain that it cannot be wrong.

use std::collections::BTreeSet;

use ckpt_core::head::{
    AtEnd, ClaimMode, ClaimedHead, Collected, ForeignSnapshot, Head, HeadWrite, JobState, Nonce, Ownership,
    RetainedSnapshot, SavepointInProgress, Uri, WrittenHead,
};
use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch, ReservedIds};
use ckpt_core::snapshot::{AfterSavepoint, SavepointFormat, SnapshotKind};
use ckpt_core::state::Root;
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
}

impl Model {
    fn write(
        &mut self,
        write: HeadWrite,
        removes: Vec<u64>,
        collected: &Collected,
        ids_left: &mut ReservedIds,
    ) -> ClaimedHead {
        self.version += 1;
        self.removed.retain(|id| !collected.snapshots.iter().any(|collected| collected.get() == *id));
        self.removed.extend(&removes);
        let written = write.written();
        let removed: Vec<_> = written.removed.iter().map(|removed| removed.snapshot().id.get()).collect();
        assert_eq!(removed, removes);
        let all: Vec<_> = written.all_removed().iter().map(|removed| removed.snapshot().id.get()).collect();
        assert_eq!(all, self.removed);
        let head = written.head.head();
        assert_eq!((head.version.get(), head.epoch.get()), (self.version, self.epoch));
        assert_eq!((ids(&head.retained), ids(&head.removed)), (self.retained.clone(), self.removed.clone()));
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
    let mut head = model.write(write, Vec::new(), &Collected::none(), &mut ids_left);
    let (mut commits, mut reserves) = (0, 0);
    for _ in 0..60 {
        let mut collected = Collected::none();
        collected.snapshots = model.removed.iter().filter(|_| below(2) == 0).map(|number| id(*number)).collect();
        match below(6) {
            // A new leader: what the former one has left of its numbers is lost.
            0 => {
                model.epoch += 1;
                ids_left = ReservedIds::none();
                let write = Head::claim(Some(head.head()), JOB, Nonce::new([below(200) as u8; 16])).unwrap();
                head = model.write(write, Vec::new(), &Collected::none(), &mut ids_left);
                assert_eq!(head.head().restored_from.map(CheckpointId::get), model.retained.last().copied());
                assert_eq!(ids_left.remaining(), Head::ID_BLOCK);
            }
            // Checkpoints that are triggered and aborted use numbers up.
            1 => {
                for _ in 0..below(700) {
                    if model.take(&head, &mut ids_left).is_none() {
                        reserves += 1;
                        head = model.write(
                            head.reserve(&Collected::none()).unwrap(),
                            Vec::new(),
                            &Collected::none(),
                            &mut ids_left,
                        );
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
    let write = head.end(JobState::Finished, retention, &Collected::none()).unwrap();
    let ended = model.write(write, removes, &Collected::none(), &mut ids_left);
    assert_eq!(ended.head().state, JobState::Finished);
    for refused in [
        Head::claim(Some(ended.head()), JOB, Nonce::new([0; 16])),
        ended.reserve(&Collected::none()),
        ended.end(JobState::Failed, AtEnd::Retain, &Collected::none()),
    ] {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("has ended as finished"), "{error}");
    }
    let mut collected = Collected::none();
    collected.snapshots = ended.head().removed.iter().map(|removed| removed.id).collect();
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

/// A job that began from snapshot 5 of another.
fn begun(mode: ClaimMode) -> WrittenHead {
    let uri = |text| Uri::new(text).unwrap();
    let taken = snapshot(id(5), LeaderEpoch::new(70));
    let foreign = ForeignSnapshot::new(JobId::new([2; 16]), &taken, uri("file:///other/chk-5"));
    let foreign = foreign.naming(vec![(Root::JobShared, uri("file:///other/shared"))]);
    Head::claim_from(None, JOB, Nonce::new([9; 16]), &foreign, mode).unwrap().written()
}

#[test]
fn what_must_not_be_is_refused_with_what_was_found() {
    let head = claim(None).head;
    let (epoch, other) = (LeaderEpoch::new(1), LeaderEpoch::new(2));
    let head = head.commit(snapshot(id(5), epoch), 1, &Collected::none()).unwrap().written().head;
    let mut savepoint = snapshot(id(6), epoch);
    savepoint.kind = SnapshotKind::Savepoint { format: SavepointFormat::Native, then: AfterSavepoint::Continue };
    let borrowed = snapshot(id(6), epoch).elsewhere(Uri::new("file:///borrowed").unwrap(), Ownership::Borrowed);
    for (refused, expected) in [
        (
            head.commit(snapshot(id(5), epoch), 1, &Collected::none()),
            "snapshot 5 cannot be committed after snapshot 5: numbers ascend",
        ),
        (
            head.commit(snapshot(id(6), other), 1, &Collected::none()),
            "snapshot 6 was taken under epoch 2, expected the leader's own epoch 1",
        ),
        (
            head.commit(snapshot(id(1001), epoch), 1, &Collected::none()),
            "number 1001 was never reserved by this leader: expected one from 1 up to, and without, 1001",
        ),
        (
            head.commit(snapshot(id(6), epoch), 0, &Collected::none()),
            "0 checkpoints cannot be retained, expected 1 to 512",
        ),
        (
            head.commit(savepoint, 1, &Collected::none()),
            "a savepoint is owned by its user: HEAD does not retain savepoint 6",
        ),
        (
            head.commit(borrowed, 1, &Collected::none()),
            "checkpoint 6 has another owner or another place than this job: expected a checkpoint that it took itself",
        ),
        (head.end(JobState::Active, AtEnd::Retain, &Collected::none()), "a job cannot end as active"),
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
    for (mode, expected) in [(ClaimMode::Claim, vec![5]), (ClaimMode::NoClaim, vec![])] {
        let claimed = begun(mode).head;
        let mut full = snapshot(id(6), LeaderEpoch::new(1));
        full.kind = SnapshotKind::FullCheckpoint;
        let commit = claimed.commit(full, 1, &Collected::none()).unwrap();
        let end = claimed.end(JobState::Cancelled, AtEnd::Discard, &Collected::none()).unwrap();
        for (write, retained) in [(commit, vec![6]), (end, vec![])] {
            let written = write.written();
            let removed: Vec<_> = written.removed.iter().map(|removed| removed.snapshot().id.get()).collect();
            assert_eq!((&removed, ids(&written.head.head().retained)), (&expected, retained));
            assert_eq!(ids(&written.head.head().removed), expected);
        }
    }
}

#[test]
fn a_job_that_was_stopped_goes_on_from_its_savepoint_only() {
    let none = Collected::none();
    let epoch = LeaderEpoch::new(1);
    let uri = Uri::new("file:///savepoint").unwrap();
    let head = claim(None).head.commit(snapshot(id(5), epoch), 3, &none).unwrap().written().head;
    let begun = head.begin_savepoint(SavepointInProgress::new(id(7), uri.clone()), &none).unwrap().written().head;
    let mut savepoint = snapshot(id(7), epoch).elsewhere(uri, Ownership::Borrowed);
    savepoint.kind = SnapshotKind::Savepoint { format: SavepointFormat::Native, then: AfterSavepoint::Suspend };
    let stopped = begun.stop(savepoint, &none).unwrap().written().head;
    assert_eq!(stopped.head().restore_point(), stopped.head().stopped_at.as_ref());

    // The leader that stopped it commits nothing more, neither older nor newer.
    for (number, expected) in [
        (6, "snapshot 6 cannot be committed after snapshot 7: numbers ascend"),
        (8, "snapshot 8 cannot be taken: this leader has stopped the job with savepoint 7"),
    ] {
        let error = stopped.commit(snapshot(id(number), epoch), 3, &none).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::FailJob, expected));
    }
    // The next one goes back to the savepoint, and on from there.
    let next = claim(Some(stopped.head())).head;
    assert_eq!((next.head().restored_from, next.head().stopped_at.is_some()), (Some(id(7)), true));
    let mut full = snapshot(id(1001), LeaderEpoch::new(2));
    assert!(next.commit(full.clone(), 1, &none).is_err());
    full.kind = SnapshotKind::FullCheckpoint;
    let on = next.commit(full, 1, &none).unwrap().written();
    assert_eq!((on.removed.len(), on.head.head().restore_point().unwrap().id), (1, id(1001)));
    assert_eq!(on.head.head().stopped_at, None);
}
