//! Marks beside snapshots, and the URI of a place, for the golden files.

use ckpt_core::head::Nonce;
use ckpt_core::id::{JobId, LeaderEpoch};
use ckpt_core::mark::{DisposalMark, OwnerRecord, SavepointMark};
use ckpt_core::state::ClaimId;
use ckpt_core::uri::Uri;
use ckpt_core::{Digest, Timestamp};

use crate::samples::checkpoint;

const JOB: JobId = JobId::new(*b"0123456789abcdef");
const AT: Timestamp = Timestamp::from_millis(1_767_225_600_000);

pub(crate) fn owner() -> OwnerRecord {
    OwnerRecord::new(JOB, LeaderEpoch::new(3), ClaimId::new(7), Nonce::new([0x66; 16]), AT)
}

pub(crate) fn disposal() -> DisposalMark {
    DisposalMark::new((JOB, checkpoint(1701)), 510_000, Digest::of(b"index"), Nonce::new([0x77; 16]), AT)
}

pub(crate) fn savepoint() -> SavepointMark {
    SavepointMark::new(JOB, checkpoint(1702), LeaderEpoch::new(3), Nonce::new([0x88; 16]), AT)
}

pub(crate) fn uri() -> Uri {
    Uri::new("s3://bucket/größe/savepoint-012345-0123456789ab").unwrap()
}
