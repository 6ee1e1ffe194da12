//! Changes of HEAD, chosen by bytes.

use ckpt_core::Digest;
use ckpt_core::head::{ClaimedHead, Collected, Head, HeadWrite, Nonce, Ownership, RetainedSnapshot, SavepointInProgress};
use ckpt_core::id::{CheckpointId, JobId, ReservedIds};
use ckpt_core::snapshot::{AfterSavepoint, JobEnd, RetentionPolicy, SavepointFormat, SnapshotKind};
use ckpt_core::state::ClaimId;
use ckpt_core::uri::Uri;

const NONCE: Nonce = Nonce::new([5; 16]);

/// Claims a HEAD that was read, as the first of `bytes` says, and changes it as the others say. Each HEAD that this yields
/// can be written and read again.
pub(crate) fn change(read: &Head, bytes: &[u8]) {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let claim = match first % 4 {
        0 => Head::claim_ended(read, read.job, NONCE),
        1 => Head::claim_going_back(read, read.job, NONCE, some(&read.retained, *first)),
        _ => Head::claim(Some(read), read.job, NONCE),
    };
    let mut reserved = ReservedIds::none();
    let Some(mut head) = claim.ok().map(|write| written(write, &mut reserved)) else { return };
    for byte in bytes {
        if let Some(write) = step(&head, &mut reserved, *byte) {
            head = written(write, &mut reserved);
        }
    }
}

/// One change, if it is allowed.
fn step(claimed: &ClaimedHead, reserved: &mut ReservedIds, byte: u8) -> Option<HeadWrite> {
    let (head, choice) = (claimed.head(), byte >> 4);
    let collected = if byte & 1 == 0 { Collected::none() } else { Collected::none().listed_in(head) };
    let begun = head.savepoints_in_progress.first();
    match byte & 0xf {
        0 | 1 => {
            let kind = [SnapshotKind::Checkpoint, SnapshotKind::FullCheckpoint][usize::from(choice & 1)];
            let completed = RetainedSnapshot::new(reserved.take()?, head.epoch, kind, 7, Digest::of(&[byte]));
            let claims: Vec<ClaimId> = head.claims.iter().take(choice.into()).map(|claim| claim.id).collect();
            claimed.commit(completed.below_claims(claims), 1 + usize::from(choice), &collected)
        }
        2 => claimed.reserve(&collected),
        3 => claimed.collected(&collected),
        4 => {
            let end = [JobEnd::Finished, JobEnd::Cancelled, JobEnd::Failed, JobEnd::Suspended][usize::from(choice % 4)];
            claimed.end(end, RetentionPolicy::RetainOnFailure, &collected)
        }
        5 => claimed.discard(&[some(&head.set_aside, choice)], &collected),
        6 => claimed.hand_over(some(&head.retained, choice), JobId::new([byte; 16]), &collected),
        7 | 8 => {
            let id = reserved.take()?;
            claimed.begin_savepoint(SavepointInProgress::new(id, uri(id)), &collected)
        }
        9 => claimed.savepoint_published(begun?.id, &collected),
        10 => claimed.give_up_savepoint(begun?.id, &collected),
        11 => {
            let begun = begun?;
            let kind = SnapshotKind::Savepoint { format: SavepointFormat::Native, then: AfterSavepoint::Terminate };
            let savepoint = RetainedSnapshot::new(begun.id, head.epoch, kind, 7, Digest::of(&[byte]));
            claimed.stop(savepoint.elsewhere(begun.uri.clone(), Ownership::Borrowed), &collected)
        }
        _ => Head::claim(Some(head), head.job, NONCE),
    }
    .ok()
}

fn written(write: HeadWrite, reserved: &mut ReservedIds) -> ClaimedHead {
    let bytes = write.head().encode().expect("what a change yields can be written");
    assert_eq!(Head::decode(&bytes).as_ref().ok(), Some(write.head()));
    let written = write.written();
    reserved.append(written.reserved);
    written.head
}

fn some(list: &[RetainedSnapshot], number: u8) -> CheckpointId {
    let chosen = list.get(usize::from(number) % list.len().max(1));
    chosen.map_or(CheckpointId::FIRST, |snapshot| snapshot.id)
}

fn uri(id: CheckpointId) -> Uri {
    Uri::new(format!("file:///savepoint-{id}")).expect("such a URI may be written down")
}
