//! Marks and location references: what is refused, and what tells one from another.

use bytes::Bytes;
use ckpt_core::head::Nonce;
use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch};
use ckpt_core::mark::{DisposalMark, OwnerRecord, SavepointMark};
use ckpt_core::snapshot::LocationReference;
use ckpt_core::state::{ClaimId, RelPath};
use ckpt_core::testing::Envelope;
use ckpt_core::uri::Uri;
use ckpt_core::{Digest, ErrorKind, Timestamp};

use crate::golden;
use crate::hostile::refused;
use crate::mark_samples::{disposal, owner, savepoint, uri};

fn reference(bytes: impl Into<Vec<u8>>) -> ckpt_core::Result<Option<Uri>> {
    LocationReference::at(Bytes::from(bytes.into()))?.to_uri()
}

#[test]
fn the_same_claim_is_known_whatever_its_time() {
    let ours = owner();
    let mut other = ours.clone();
    other.claimed_at = Timestamp::from_millis(1);
    assert!(ours.is_same_claim(&other));
    let changes: [fn(&mut OwnerRecord); 4] = [
        |owner| owner.job = JobId::new([1; 16]),
        |owner| owner.epoch = LeaderEpoch::new(4),
        |owner| owner.claim = ClaimId::new(8),
        |owner| owner.nonce = Nonce::new([1; 16]),
    ];
    for change in changes {
        let mut other = ours.clone();
        change(&mut other);
        assert!(!ours.is_same_claim(&other), "{other:?}");
    }
}

#[test]
fn a_disposal_is_of_one_metadata_file() {
    let mark = disposal();
    assert!(mark.is_of(510_000, Digest::of(b"index")));
    assert!(!mark.is_of(510_001, Digest::of(b"index")));
    assert!(!mark.is_of(510_000, Digest::of(b"another")));
}

#[test]
fn a_savepoint_is_known_by_its_job_and_number() {
    let mark = savepoint();
    assert!(mark.is_of(mark.job, mark.id));
    assert!(!mark.is_of(JobId::new([1; 16]), mark.id));
    assert!(!mark.is_of(mark.job, CheckpointId::FIRST));
}

#[test]
fn marks_that_no_writer_writes_are_refused() {
    let record = |epoch: u8, claim: u8, tail: &[u8]| {
        let body = [[1; 16].as_slice(), &[epoch, claim], &[2; 16], &[5], tail].concat();
        OwnerRecord::decode(&Envelope::OWNER.seal(&body))
    };
    assert!(record(1, 1, &[]).is_ok());
    refused("epoch 0", record(0, 1, &[]).unwrap_err(), "the epoch is 0, expected an epoch of 1 or more");
    refused("claim 0", record(1, 0, &[]).unwrap_err(), "the claim is 0, expected a number of 1 or more");
    refused(
        "left over",
        record(1, 1, &[0]).unwrap_err(),
        "the OWNER record ends at byte 35, expected its end at byte 36",
    );
    let long = vec![0; 4096 - 23];
    let error = OwnerRecord::decode(&Envelope::OWNER.seal(&long)).unwrap_err();
    refused("too long", error, "the OWNER record cannot be used: the length is 4097, expected at most 4096");
    let error = DisposalMark::decode(&golden::read("owner")).unwrap_err();
    refused(
        "another mark",
        error,
        "the mark of a disposal does not have the magic 'CKPTDISP' at byte 0, found 'CKPTOWNR'",
    );

    let record = |id: u8, epoch: u8, tail: &[u8]| {
        let body = [[1; 16].as_slice(), &[id, epoch], &[2; 16], &[5], tail].concat();
        SavepointMark::decode(&Envelope::SAVEPOINT.seal(&body))
    };
    assert!(record(1, 1, &[]).is_ok());
    refused("savepoint 0", record(0, 1, &[]).unwrap_err(), "the savepoint is 0");
    refused("epoch 0", record(1, 0, &[]).unwrap_err(), "the epoch is 0, expected an epoch of 1 or more");
    refused(
        "left over",
        record(1, 1, &[0]).unwrap_err(),
        "the mark of a savepoint ends at byte 35, expected its end at byte 36",
    );
    let mut of_no_leader = savepoint();
    of_no_leader.epoch = LeaderEpoch::new(0);
    assert_eq!(of_no_leader.encode().unwrap_err().kind(), ErrorKind::AbortCheckpoint);

    let mut unclaimed = owner();
    unclaimed.claim = ClaimId::new(0);
    assert_eq!(unclaimed.encode().unwrap_err().kind(), ErrorKind::AbortCheckpoint);
}

#[test]
fn no_state_has_the_name_of_a_mark() {
    // The names are paths, and none has the form in which we name state.
    for name in [OwnerRecord::FILE_NAME, SavepointMark::FILE_NAME, DisposalMark::FILE_NAME] {
        assert!(RelPath::new(name).is_ok());
        assert!(name.parse::<ckpt_core::id::FileName>().is_err());
    }
}

#[test]
fn a_reference_names_a_uri_or_the_default_place() {
    assert_eq!(LocationReference::Default.to_uri().unwrap(), None);
    let reference = LocationReference::of_uri(&uri()).unwrap();
    assert_eq!(reference.to_uri().unwrap(), Some(uri()));
    let of_bytes = |bytes| LocationReference::of_uri(&Uri::new(format!("file:///{}", "a".repeat(bytes - 8))).unwrap());
    assert!(of_bytes(LocationReference::MAX_BYTES - 14).is_ok());
    let error = of_bytes(LocationReference::MAX_BYTES - 13).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(error.to_string(), "a location reference has from 1 to 4096 bytes, found 4097");
}

#[test]
fn references_that_name_no_place_are_refused() {
    let sealed = |content: &[u8]| reference([content, &Digest::of(content).value().to_le_bytes()].concat());
    let with = |text: &[u8]| sealed(&[b"CKPL\x01\0", text].concat());
    assert!(with(b"file:///a").is_ok());
    for (result, expected) in [
        (reference(*b"x"), "at least 14 bytes, found 1"),
        (reference(*b"CKPL\x01\0digests"), "at least 14 bytes, found 13"),
        // Flink's own encoding of a path.
        (reference(*b"\x05\x5f\x3f\x18/checkpoints"), "the magic '\\x05_?\\x18', expected 'CKPL'"),
        (sealed(b"CKPL\x01\x07file:///a"), "a place of kind 7, expected 0"),
        (reference(*b"CKPL\x01\0file:///aNODIGEST"), "the digest of a location reference is"),
        (with(b"file:///\xff"), "a place that is not text"),
        (with(b""), "a place that cannot be used"),
        (with(b"/no/scheme"), "a place that cannot be used"),
        (with(b"s3://user:hunter2@host/bucket"), "a place that cannot be used"),
        (with(b"s3://bucket/a?token=hunter2"), "a place that cannot be used"),
        (with(b"file:///a/../b"), "a place that cannot be used"),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!format!("{error}{source}{error:?}").contains("hunter2"), "{error:?}");
    }
    let error = sealed(b"CKPL\x02\0file:///a").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
}
