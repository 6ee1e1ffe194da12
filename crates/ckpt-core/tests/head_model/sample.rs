//! Small HEADs to begin with.

use ckpt_core::head::{
    ClaimMode, ClaimedHead, Collected, ForeignSnapshot, Head, HeadWrite, Nonce, Ownership, RetainedSnapshot,
    SavepointInProgress, WrittenHead,
};
use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch};
use ckpt_core::snapshot::{AfterSavepoint, SavepointFormat, SnapshotKind};
use ckpt_core::state::{ClaimId, Root};
use ckpt_core::uri::Uri;
use ckpt_core::{Digest, ErrorKind, Result};

pub(crate) const JOB: JobId = JobId::new([1; 16]);
pub(crate) const OTHER: JobId = JobId::new([2; 16]);
pub(crate) const STOPS: SnapshotKind =
    SnapshotKind::Savepoint { format: SavepointFormat::Native, then: AfterSavepoint::Suspend };

pub(crate) fn id(number: u64) -> CheckpointId {
    CheckpointId::new(number).unwrap()
}

pub(crate) fn uri(text: &str) -> Uri {
    Uri::new(text).unwrap()
}

pub(crate) const fn nonce(byte: u8) -> Nonce {
    Nonce::new([byte; 16])
}

/// A checkpoint of that number, taken under that epoch.
pub(crate) fn taken(number: u64, epoch: u64) -> RetainedSnapshot {
    of_kind(number, epoch, SnapshotKind::Checkpoint)
}

pub(crate) fn full(number: u64, epoch: u64) -> RetainedSnapshot {
    of_kind(number, epoch, SnapshotKind::FullCheckpoint)
}

pub(crate) fn of_kind(number: u64, epoch: u64, kind: SnapshotKind) -> RetainedSnapshot {
    RetainedSnapshot::new(
        id(number),
        LeaderEpoch::new(epoch),
        kind,
        number.saturating_add(100),
        Digest::of(&number.to_le_bytes()),
    )
}

pub(crate) fn savepoint_uri(number: u64) -> Uri {
    uri(&format!("file:///savepoint-{number}"))
}

pub(crate) fn in_progress(number: u64) -> SavepointInProgress {
    SavepointInProgress::new(id(number), savepoint_uri(number))
}

/// The savepoint that stops a job, as it is published.
pub(crate) fn stopping(number: u64, epoch: u64) -> RetainedSnapshot {
    of_kind(number, epoch, STOPS).elsewhere(savepoint_uri(number), Ownership::Borrowed)
}

/// Snapshot 5 of another job, which names its directory, its job's shared and task-owned ones, a place that its job had
/// claimed, and one that it had borrowed.
pub(crate) fn foreign() -> ForeignSnapshot {
    ForeignSnapshot::new(OTHER, &taken(5, 70), uri("file:///other/chk-5")).naming(vec![
        (Root::JobShared, uri("file:///other/shared")),
        (Root::JobTaskOwned, uri("file:///other/taskowned")),
        (Root::Claimed(ClaimId::new(9)), uri("s3://bucket/shared")),
        (Root::Borrowed(3), uri("file:///lent")),
    ])
}

/// The present HEAD is written.
pub(crate) fn written(write: Result<HeadWrite>) -> WrittenHead {
    let write = write.unwrap();
    assert_eq!(Head::decode(&write.head().encode().unwrap()).unwrap(), *write.head());
    write.written()
}

pub(crate) fn claimed(current: Option<&Head>) -> ClaimedHead {
    written(Head::claim(current, JOB, nonce(9))).head
}

/// A job that has begun from [`foreign`].
pub(crate) fn begun(mode: ClaimMode) -> ClaimedHead {
    written(Head::claim_from(None, JOB, nonce(9), &foreign(), mode)).head
}

/// A job whose first leader has committed those, and retains all.
pub(crate) fn retaining(numbers: &[u64]) -> ClaimedHead {
    numbers.iter().fold(claimed(None), |head, number| commit(&head, taken(*number, 1), 100).head)
}

pub(crate) fn commit(head: &ClaimedHead, snapshot: RetainedSnapshot, retain: usize) -> WrittenHead {
    written(head.commit(snapshot, retain, &Collected::none()))
}

/// The next version of a HEAD, in which nothing else has changed yet.
pub(crate) fn successor(head: &ClaimedHead) -> Head {
    let mut next = head.head().clone();
    next.version = next.version.next().unwrap();
    next
}

pub(crate) fn ids<'a>(snapshots: impl IntoIterator<Item = &'a RetainedSnapshot>) -> Vec<u64> {
    snapshots.into_iter().map(|snapshot| snapshot.id.get()).collect()
}

pub(crate) fn removed(written: &WrittenHead) -> Vec<u64> {
    ids(written.removed.iter().map(|removed| removed.snapshot()))
}

pub(crate) fn refused(result: Result<HeadWrite>, kind: ErrorKind, expected: &str) {
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, expected));
}
