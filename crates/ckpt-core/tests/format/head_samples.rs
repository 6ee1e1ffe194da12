//! The HEADs of the golden files.

use ckpt_core::Digest;
use ckpt_core::head::{
    ClaimMode, ForeignSnapshot, GoneBack, HandedOver, Head, JobState, Nonce, Ownership, RetainedSnapshot,
    SavepointInProgress,
};
use ckpt_core::id::{JobId, LeaderEpoch};
use ckpt_core::snapshot::{AfterSavepoint, SavepointFormat, SnapshotKind};
use ckpt_core::state::{ClaimId, Root};
use ckpt_core::uri::Uri;

use crate::samples::{checkpoint, savepoint};

pub(crate) fn uri(text: &str) -> Uri {
    Uri::new(text).unwrap()
}

/// One that has everything that HEAD can have while the job goes on.
pub(crate) fn fixed_head() -> Head {
    let (job, other) = (JobId::new(*b"0123456789abcdef"), JobId::new(*b"fedcba9876543210"));
    let nonce = |byte| Nonce::new([byte; 16]);
    let taken = fixed_snapshot(800, 8, SnapshotKind::Checkpoint);
    let origin = ForeignSnapshot::new(other, &taken, uri("s3://bucket/other/chk-800")).naming(vec![
        (Root::JobShared, uri("s3://bucket/other/shared")),
        (Root::Claimed(ClaimId::new(7)), uri("file:///elsewhere/shared")),
        (Root::Borrowed(0), uri("file:///lent")),
    ]);
    let mut head = Head::claim_from(None, job, nonce(0x33), &origin, ClaimMode::Claim).unwrap().head().clone();
    for byte in [0x44, 0x55] {
        head = Head::claim(Some(&head), job, nonce(byte)).unwrap().head().clone();
    }
    head.removed = std::mem::take(&mut head.retained);
    head.removed[0].claims.pop();
    head.released_claims = vec![head.claims.pop().unwrap()];
    head.origin.as_mut().unwrap().roots.remove(2);
    head.retained = vec![
        fixed_snapshot(1802, 2, SnapshotKind::FullCheckpoint),
        fixed_snapshot(1900, 2, SnapshotKind::Checkpoint).below_claims([ClaimId::new(2)]),
    ];
    head.set_aside = vec![fixed_snapshot(1905, 2, SnapshotKind::Checkpoint)];
    head.gone_back = Some(GoneBack::new(checkpoint(1905), checkpoint(1900), head.epoch));
    head.restored_from = Some(checkpoint(1900));
    let kind = savepoint(SavepointFormat::Native, AfterSavepoint::Terminate);
    let stopped_at = fixed_snapshot(2802, 3, kind).elsewhere(uri("file:///savepoint-2"), Ownership::Borrowed);
    head.stopped_at = Some(stopped_at);
    head.abandoned_savepoints = vec![SavepointInProgress::new(checkpoint(1903), uri("file:///savepoint-1"))];
    head.savepoints_in_progress = vec![SavepointInProgress::new(checkpoint(2803), uri("file:///savepoint-3"))];
    head
}

/// One that has everything that HEAD can have after the end of the job alone.
pub(crate) fn fixed_head_of_an_ended_job() -> Head {
    let (job, other) = (JobId::new(*b"0123456789abcdef"), JobId::new(*b"fedcba9876543210"));
    let kind = savepoint(SavepointFormat::Canonical, AfterSavepoint::Continue);
    let origin = ForeignSnapshot::new(other, &fixed_snapshot(80, 8, kind), uri("file:///savepoint"));
    let nonce = Nonce::new([0x66; 16]);
    let mut head = Head::claim_from(None, job, nonce, &origin, ClaimMode::NoClaim).unwrap().head().clone();
    head.state = JobState::Failed;
    let of_chk = |number| fixed_snapshot(number, 1, SnapshotKind::FullCheckpoint);
    head.retained.push(of_chk(90));
    head.handed_over = vec![HandedOver::new(of_chk(91), other), HandedOver::new(of_chk(92), job)];
    head
}

fn fixed_snapshot(number: u64, epoch: u64, kind: SnapshotKind) -> RetainedSnapshot {
    let digest = Digest::of(&number.to_le_bytes());
    RetainedSnapshot::new(checkpoint(number), LeaderEpoch::new(epoch), kind, 300 * number, digest)
}
