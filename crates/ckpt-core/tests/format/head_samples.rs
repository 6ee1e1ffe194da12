//! HEADs to encode: fixed ones for the golden files, and what random histories leave.

use ckpt_core::Digest;
use ckpt_core::head::{
    ClaimMode, Collected, ForeignSnapshot, GoneBack, HandedOver, Head, JobState, Nonce, Ownership, RetainedSnapshot,
    SavepointInProgress, Uri, WrittenHead,
};
use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch, ReservedIds};
use ckpt_core::snapshot::{AfterSavepoint, JobEnd, RetentionPolicy, SavepointFormat, SnapshotKind};
use ckpt_core::state::{ClaimId, Root};

use crate::samples::{Random, checkpoint, savepoint};

impl Random {
    /// A HEAD as some history of transitions leaves it. What a history does not allow is left out.
    pub(crate) fn head(&mut self) -> Head {
        let job = JobId::new(self.id());
        let mut ids = ReservedIds::none();
        let mut written = self.first_head(job);
        for _ in 0..self.below(40) {
            ids.append(written.reserved.clone());
            let (head, current) = (&written.head, written.head.head());
            let some = |list: &[RetainedSnapshot], number: u64| {
                if !list.is_empty() { list[number as usize % list.len()].id } else { CheckpointId::FIRST }
            };
            let mut collected = Collected::none();
            collected.snapshots.extend(current.removed.iter().map(|removed| removed.id).filter(|_| self.below(2) == 0));
            collected
                .claims
                .extend(current.released_claims.iter().map(|claim| claim.id).filter(|_| self.below(2) == 0));
            let begun = current.savepoints_in_progress.first().cloned();
            let change = match self.below(16) {
                0 | 1 => {
                    ids = ReservedIds::none();
                    Head::claim(Some(current), job, Nonce::new(self.id()))
                }
                2 => Head::claim_going_back(current, job, Nonce::new(self.id()), some(&current.retained, self.next())),
                3 => Head::claim_ended(current, job, Nonce::new(self.id())),
                4 | 5 => {
                    let Some(id) = ids.take() else { continue };
                    let uri = uri(&format!("file:///savepoint-{id}"));
                    head.begin_savepoint(SavepointInProgress::new(id, uri), &collected)
                }
                6 => head.give_up_savepoint(begun.map_or(CheckpointId::FIRST, |it| it.id), &collected),
                7 => {
                    let Some(SavepointInProgress { id, uri, .. }) = begun else { continue };
                    let kind = savepoint(SavepointFormat::Canonical, AfterSavepoint::Suspend);
                    let digest = Digest::crc64_nvme(self.next());
                    let snapshot = RetainedSnapshot::new(id, current.epoch, kind, self.number(), digest);
                    head.stop(snapshot.elsewhere(uri, Ownership::Borrowed), &collected)
                }
                8 => head.discard(&[some(&current.set_aside, self.next())], &collected),
                9 if self.below(4) == 0 => head.end(JobEnd::Failed, RetentionPolicy::RetainOnFailure, &collected),
                10 => head.hand_over(some(&current.retained, self.next()), JobId::new(self.id()), &collected),
                _ => {
                    let Some(id) = ids.take() else { continue };
                    let kind = [SnapshotKind::Checkpoint, SnapshotKind::FullCheckpoint][self.below(2) as usize];
                    let digest = Digest::crc64_nvme(self.next());
                    let completed = RetainedSnapshot::new(id, current.epoch, kind, self.number(), digest);
                    let claims = current.claims.iter().map(|claim| claim.id).filter(|_| self.below(3) == 0);
                    let completed = completed.below_claims(claims.collect::<Vec<_>>());
                    head.commit(completed, 1 + self.below(4) as usize, &collected)
                }
            };
            if let Ok(change) = change {
                written = change.written();
            }
        }
        written.head.head().clone()
    }

    fn first_head(&mut self, job: JobId) -> WrittenHead {
        let nonce = Nonce::new(self.id());
        let mode = [ClaimMode::Claim, ClaimMode::NoClaim][self.below(2) as usize];
        let write = match self.below(3) {
            0 => Head::claim(None, job, nonce),
            roots => {
                let id = checkpoint(1 + self.below(1 << 40));
                let digest = Digest::crc64_nvme(self.next());
                let taken = RetainedSnapshot::new(id, LeaderEpoch::new(9), SnapshotKind::Checkpoint, 7, digest);
                let foreign = ForeignSnapshot::new(JobId::new(self.id()), &taken, uri("s3://bucket/chk"));
                let named = [(Root::JobShared, uri("s3://bucket/shared")), (Root::Borrowed(4), uri("file:///b"))];
                let foreign = foreign.naming(named.into_iter().take(roots as usize).collect());
                Head::claim_from(None, job, nonce, &foreign, mode)
            }
        };
        write.unwrap().written()
    }
}

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
