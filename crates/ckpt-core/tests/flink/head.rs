//! What stays in HEAD, and what a job begins from.

use ckpt_core::Digest;
use ckpt_core::head::{
    ClaimMode, ClaimedHead, Collected, ForeignSnapshot, Head, Nonce, Ownership, RetainedSnapshot, SavepointInProgress,
    WrittenHead,
};
use ckpt_core::id::{CheckpointId, JobId};
use ckpt_core::snapshot::{AfterSavepoint, SavepointFormat, SnapshotKind};
use ckpt_core::state::{ClaimId, Root};
use ckpt_core::uri::Uri;

const JOB: JobId = JobId::new([1; 16]);

fn id(number: u64) -> CheckpointId {
    CheckpointId::new(number).unwrap()
}

fn uri(text: &str) -> Uri {
    Uri::new(text).unwrap()
}

fn savepoint(then: AfterSavepoint) -> SnapshotKind {
    SnapshotKind::Savepoint { format: SavepointFormat::Native, then }
}

/// Snapshots that a leader takes one after the other.
struct Leader {
    head: ClaimedHead,
    /// What all writes removed.
    removed: Vec<u64>,
}

impl Leader {
    fn of(written: WrittenHead) -> Self {
        Self { head: written.head, removed: Vec::new() }
    }

    fn new() -> Self {
        Self::of(Head::claim(None, JOB, Nonce::new([0; 16])).unwrap().written())
    }

    /// The first leader of a job that begins from that snapshot of another.
    fn from(snapshot: &ForeignSnapshot, mode: ClaimMode) -> Self {
        Self::of(Head::claim_from(None, JOB, Nonce::new([0; 16]), snapshot, mode).unwrap().written())
    }

    /// The next leader, started without a word of where the job began.
    fn next(&self) -> Self {
        Self::of(Head::claim(Some(self.head()), JOB, Nonce::new([1; 16])).unwrap().written())
    }

    fn head(&self) -> &Head {
        self.head.head()
    }

    fn snapshot(&self, number: u64, kind: SnapshotKind) -> RetainedSnapshot {
        RetainedSnapshot::new(id(number), self.head().epoch, kind, 100, Digest::of(&number.to_le_bytes()))
    }

    fn written(&mut self, written: WrittenHead) {
        self.removed.extend(written.removed.iter().map(|removed| removed.snapshot().id.get()));
        self.head = written.head;
    }

    fn commit(&mut self, snapshot: RetainedSnapshot, retain: usize) {
        let write = self.head.commit(snapshot, retain, &Collected::none()).unwrap();
        self.written(write.written());
    }

    fn checkpoint(&mut self, number: u64, retain: usize) {
        self.commit(self.snapshot(number, SnapshotKind::Checkpoint), retain);
    }

    fn begin_savepoint(&mut self, number: u64) -> Uri {
        let place = uri(&format!("file:///savepoints/{number}"));
        let savepoint = SavepointInProgress::new(id(number), place.clone());
        let write = self.head.begin_savepoint(savepoint, &Collected::none()).unwrap();
        self.written(write.written());
        place
    }

    fn savepoint(&mut self, number: u64) {
        self.begin_savepoint(number);
        let write = self.head.savepoint_published(id(number), &Collected::none()).unwrap();
        self.written(write.written());
    }

    fn stop(&mut self, number: u64) {
        let place = self.begin_savepoint(number);
        let taken = self.snapshot(number, savepoint(AfterSavepoint::Suspend));
        let write = self.head.stop(taken.elsewhere(place, Ownership::Borrowed), &Collected::none()).unwrap();
        self.written(write.written());
    }

    fn retained(&self) -> Vec<u64> {
        self.head().retained.iter().map(|snapshot| snapshot.id.get()).collect()
    }

    fn restore_point(&self) -> Option<u64> {
        self.head().restore_point().map(|snapshot| snapshot.id.get())
    }
}

fn gone(number: u64) -> Collected {
    let mut collected = Collected::none();
    collected.snapshots.push(id(number));
    collected
}

/// Savepoint 40 of another job.
fn foreign() -> ForeignSnapshot {
    let kind = savepoint(AfterSavepoint::Continue);
    let taken = Leader::new().snapshot(40, kind);
    ForeignSnapshot::new(JobId::new([2; 16]), &taken, uri("file:///other/savepoint"))
}

/// `testAtLeastOneCheckpointRetained`, `testOlderSavepointSubsumed`, `testNotSubsumedIfNotNeeded`: a savepoint is its
/// user's. It neither takes the room of a checkpoint nor leaves for one, so the newest checkpoint always stays.
#[test]
fn savepoints_take_no_room_among_what_is_retained() {
    let mut leader = Leader::new();
    leader.checkpoint(1, 1);
    leader.checkpoint(2, 1);
    for number in 3..6 {
        leader.savepoint(number);
    }
    assert_eq!((leader.retained(), leader.restore_point(), leader.removed.clone()), (vec![2], Some(2), vec![1]));
    leader.checkpoint(6, 1);
    assert_eq!((leader.retained(), leader.removed), (vec![6], vec![1, 2]));

    let mut leader = Leader::new();
    for number in [1, 3, 4] {
        leader.checkpoint(number, 3);
        leader.savepoint(number + 10);
    }
    assert_eq!((leader.retained(), leader.removed), (vec![1, 3, 4], vec![]));
}

/// `testSubsumeAfterStoppingWithSavepoint`: what the job was stopped with is what it goes on from, and the checkpoint
/// before it goes with the first one after it.
#[test]
fn a_stop_savepoint_takes_the_place_of_what_was_before() {
    let mut leader = Leader::new();
    leader.checkpoint(1, 1);
    leader.savepoint(2);
    leader.stop(3);
    assert_eq!((leader.restore_point(), leader.retained(), leader.removed.clone()), (Some(3), vec![1], vec![]));
    let mut next = leader.next();
    assert_eq!(next.head().restored_from, Some(id(3)));
    next.commit(next.snapshot(1001, SnapshotKind::FullCheckpoint), 1);
    assert_eq!(next.head().stopped_at, None);
    assert_eq!((next.restore_point(), next.retained(), next.removed), (Some(1001), vec![1001], vec![1]));
}

/// `testSubsumeAfterRecoverWithNoCheckpointInStore` and `…WithCheckpointInStore`: whatever was recovered, and whatever
/// savepoints come in between, the last checkpoints stay, as many as are wanted; what the job began from leaves in turn, and
/// is removed when it was claimed.
#[test]
fn after_a_recovery_the_last_checkpoints_stay_whatever_was_recovered() {
    for mode in [ClaimMode::Claim, ClaimMode::NoClaim] {
        // Each bit says whether the next one is a checkpoint.
        for (retain, order) in (1..=3).flat_map(|retain| (0..64_u64).map(move |order| (retain, order))) {
            let mut leader = Leader::from(&foreign(), mode);
            let mut expected = vec![40];
            for step in 0..6 {
                if step == 3 {
                    let removed = std::mem::take(&mut leader.removed);
                    leader = leader.next();
                    leader.removed = removed;
                }
                let number = leader.head().first_reserved_id.get() + step;
                if order >> step & 1 == 0 {
                    leader.savepoint(number);
                    continue;
                }
                leader.commit(leader.snapshot(number, SnapshotKind::FullCheckpoint), retain);
                expected.push(number);
            }
            let leaves = expected.len().saturating_sub(retain);
            let (gone, stays) = expected.split_at(leaves);
            assert_eq!(leader.retained(), stays, "{mode:?}, {retain} of {order:06b}");
            let ours = gone.iter().filter(|number| **number != 40 || mode == ClaimMode::Claim);
            assert_eq!(leader.removed, ours.copied().collect::<Vec<_>>(), "{mode:?}, {retain} of {order:06b}");
        }
    }
}

/// `CheckpointIDCounter.testSetCount` and `SavepointCoordinatorTest.testRollbackSetsCheckpointID`: numbers go on above the
/// snapshot that a job begins from.
#[test]
fn numbers_go_on_above_the_snapshot_that_a_job_begins_from() {
    for mode in [ClaimMode::Claim, ClaimMode::NoClaim] {
        let written = Head::claim_from(None, JOB, Nonce::new([0; 16]), &foreign(), mode).unwrap().written();
        let (head, mut numbers) = (written.head.head(), written.reserved);
        assert_eq!((head.first_reserved_id, head.unreserved_id), (id(41), id(1041)));
        assert_eq!((numbers.take(), numbers.take()), (Some(id(41)), Some(id(42))));
    }
}

/// `CheckpointIDCounter.testCounterIsNeverNegative`: there is no number below the first, so none can stand for "no checkpoint", and a
/// job that begins takes the first.
#[test]
fn no_number_lies_below_the_first() {
    assert_eq!((CheckpointId::new(0), CheckpointId::new(1)), (None, Some(CheckpointId::FIRST)));
    let mut written = Head::claim(None, JOB, Nonce::new([0; 16])).unwrap().written();
    assert_eq!(written.head.head().first_reserved_id, CheckpointId::FIRST);
    assert_eq!(written.reserved.take(), Some(CheckpointId::FIRST));
}

/// `testTriggeringFullSnapshotAfterJobmasterFailover`, `testTriggeringFullCheckpoints`,
/// `testTriggeringCheckpointsWithCheckpointTypeAfterNoClaimSavepoint`: what was not claimed may be gone tomorrow, so the
/// first checkpoint reuses nothing of it. No change of leader and no savepoint in between lifts that.
#[test]
fn after_no_claim_the_first_checkpoint_is_full_whatever_comes_before_it() {
    let mut leader = Leader::from(&foreign(), ClaimMode::NoClaim);
    leader.savepoint(41);
    let mut next = leader.next();
    next.savepoint(1041);
    let number = 1042;
    let reusing = next.snapshot(number, SnapshotKind::Checkpoint);
    assert!(next.head().requires_full_checkpoint() && next.head().base().is_none());
    let refused = next.head.commit(reusing.clone(), 1, &Collected::none()).unwrap_err();
    assert!(refused.to_string().contains("1042"), "{refused}");
    next.commit(next.snapshot(number, SnapshotKind::FullCheckpoint), 1);
    assert!(!next.head().requires_full_checkpoint());
    assert_eq!(next.head().base().map(|base| base.id), Some(id(number)));
    next.checkpoint(1043, 1);
    assert_eq!(next.removed, [number]);

    // What was claimed may be reused at once.
    let mut claimed = Leader::from(&foreign(), ClaimMode::Claim);
    assert!(!claimed.head().requires_full_checkpoint());
    claimed.checkpoint(41, 1);
}

/// A failure while the job was restored from a savepoint started it again without the savepoint.
#[test]
fn flink_3390_a_start_that_fails_begins_from_the_same_savepoint_again() {
    for mode in [ClaimMode::Claim, ClaimMode::NoClaim] {
        let mut leader = Leader::from(&foreign(), mode);
        for attempt in 0..5 {
            assert_eq!(leader.restore_point(), Some(40));
            let of_origin = leader.head().retained[0].clone();
            assert_eq!(leader.head().roots_of(&of_origin)[0].uri, uri("file:///other/savepoint"));
            // Whether it is started with the savepoint again, or without a word of it.
            leader = match attempt % 2 {
                0 => leader.next(),
                _ => {
                    let again = Head::claim_from(Some(leader.head()), JOB, Nonce::new([2; 16]), &foreign(), mode);
                    Leader::of(again.unwrap().written())
                }
            };
        }
        // Once it has a checkpoint of its own, that is what it goes on from, however it is started.
        let number = leader.head().first_reserved_id.get();
        leader.commit(leader.snapshot(number, SnapshotKind::FullCheckpoint), 1);
        let again = Head::claim_from(Some(leader.head()), JOB, Nonce::new([3; 16]), &foreign(), mode).unwrap();
        assert_eq!(Leader::of(again.written()).restore_point(), Some(number));
    }
}

/// The first checkpoint after a claimed native savepoint named files of it that nobody could find any more.
#[test]
fn flink_39964_the_place_of_a_claimed_savepoint_is_known_while_a_checkpoint_names_its_files() {
    let mut leader = Leader::from(&foreign(), ClaimMode::Claim);
    let claim = ClaimId::FIRST;
    leader.commit(leader.snapshot(41, SnapshotKind::Checkpoint).below_claims([claim]), 1);
    assert_eq!(leader.removed, [40], "the savepoint itself is subsumed");
    // Another leader restores, after what was removed is gone.
    leader.head = leader.head.collected(&gone(40)).unwrap().written().head;
    let mut next = leader.next();
    let newest = next.head().restore_point().unwrap().clone();
    let roots = next.head().roots_of(&newest);
    assert_eq!(roots.len(), 1);
    assert_eq!((roots[0].named, roots[0].here), (Root::Claimed(claim), Root::Claimed(claim)));
    assert_eq!(roots[0].uri, uri("file:///other/savepoint"));
    // The claim goes when nothing names a file below it, and not earlier.
    assert!(next.head().released_claims.is_empty());
    next.commit(next.snapshot(1041, SnapshotKind::Checkpoint), 1);
    let released = next.head.collected(&gone(41)).unwrap().written().all_released();
    assert_eq!(released.iter().map(|released| released.claim().id).collect::<Vec<_>>(), [claim]);
}
