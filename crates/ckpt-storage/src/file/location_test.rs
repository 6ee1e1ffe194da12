//! Publishing and discarding when something goes wrong at every step.

use ckpt_core::id::{LeaderEpoch, Writer, WriterId};
use ckpt_core::state::{ClaimId, FileRef, Place, Places, Root, StateHandle, SubtaskState};
use ckpt_core::uri::Uri;
use ckpt_core::{Digest, ErrorKind};

use crate::test_support::{Fault, MemoryDisk};
use crate::testing::sample::{commit, identity, job, metadata, metadata_with, nonce, operator_state};
use crate::{CheckpointStorage, FileSystemStorage, claim};

const METADATA: &str = "base/01010101010101010101010101010101/chk-1/_metadata";

fn storage() -> FileSystemStorage {
    FileSystemStorage::new("mem:/base")
}

#[test]
fn flink_26286_publishing_survives_a_fault_at_every_step() {
    let mut steps = 0;
    for fault in [Fault::Fails, Fault::ReplyLost, Fault::RequestLost] {
        for how_many in [1, 2, 1000] {
            for step in 0.. {
                let disk = MemoryDisk::default();
                let view = storage().coordinator_view(job(1), &disk.context()).unwrap();
                let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
                let identity = identity(&claimed, 1);
                let location = view.initialize_checkpoint(&identity).unwrap();
                let metadata = metadata(job(1), identity, &[]);
                let before = disk.operations();
                disk.fail(step, fault, how_many);
                let outcome = location.publish(&metadata);
                let untouched = disk.operations() - before <= step;
                disk.heal();
                match outcome {
                    Ok(published) => {
                        let _ = commit(&*view, &claimed, published.clone());
                        assert_eq!(view.load(&published).unwrap(), metadata);
                    }
                    Err(error) => {
                        assert!(matches!(error.kind(), ErrorKind::AbortCheckpoint | ErrorKind::Unknown));
                        assert!(error.to_string().contains("chk-1/_metadata"), "{error}");
                        if error.kind() == ErrorKind::Unknown {
                            // It may be there: then the same again succeeds.
                            let _ = location.publish(&metadata).unwrap();
                        }
                        location.discard().unwrap();
                        assert!(disk.files().is_empty(), "{fault:?} at {step}: {:?}", disk.files());
                    }
                }
                steps += 1;
                if untouched {
                    break;
                }
            }
        }
    }
    assert!(steps > 30, "{steps}");
}

/// The answer to the first try is lost, and no later try begins.
#[test]
fn what_may_be_published_is_unknown_whatever_fails_afterwards() {
    let disk = MemoryDisk::default();
    let view = storage().coordinator_view(job(1), &disk.context()).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let mut unknown = 0;
    for step in 0..8 {
        let identity = identity(&claimed, step + 1);
        let location = view.initialize_checkpoint(&identity).unwrap();
        disk.fail(step, Fault::ReplyLost, 1);
        disk.fail_more(step + 1, Fault::Fails, 1000);
        let outcome = location.publish(&metadata(job(1), identity, &[]));
        disk.heal();
        let is_there = disk.files().iter().any(|file| file.ends_with(&format!("chk-{}/_metadata", step + 1)));
        match outcome {
            Err(error) if is_there => {
                assert_eq!(error.kind(), ErrorKind::Unknown, "{step}: {error}");
                unknown += 1;
            }
            _ => {}
        }
    }
    assert!(unknown > 0);
}

#[test]
fn flink_35217_the_name_is_synced_before_anyone_is_told() {
    let disk = MemoryDisk::default();
    let view = storage().coordinator_view(job(1), &disk.context()).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let location = view.initialize_checkpoint(&identity(&claimed, 1)).unwrap();
    disk.take_log();
    let published = location.publish(&metadata(job(1), identity(&claimed, 1), &[])).unwrap();
    assert_eq!(disk.take_log(), [format!("publish {METADATA}"), format!("sync {METADATA}")]);
    // The retry of an earlier try whose sync may have been lost syncs again.
    assert_eq!(location.publish(&metadata(job(1), identity(&claimed, 1), &[])).unwrap(), published);
    assert!(disk.take_log().contains(&format!("sync {METADATA}")));
}

#[test]
fn a_metadata_of_another_is_neither_replaced_nor_taken_for_ours() {
    let disk = MemoryDisk::default();
    let view = storage().coordinator_view(job(1), &disk.context()).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let location = view.initialize_checkpoint(&identity(&claimed, 1)).unwrap();
    let metadata = metadata(job(1), identity(&claimed, 1), &[]);
    let ours = metadata.encode().unwrap().0;
    let mut same_length = ours.clone();
    *same_length.last_mut().unwrap() ^= 1;
    for other in [Vec::new(), same_length, b"something else".to_vec()] {
        disk.put(METADATA, &other);
        let error = location.publish(&metadata).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
        assert!(error.to_string().contains(METADATA), "{error}");
        disk.damage(METADATA, |bytes| assert_eq!(*bytes, other));
    }
}

#[test]
fn flink_24611_discarding_a_checkpoint_spares_shared_files() {
    let disk = MemoryDisk::default();
    let view = storage().coordinator_view(job(1), &disk.context()).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let base = "base/01010101010101010101010101010101";
    let name = "0000000000000001-0000000000000001-00000000";
    let location = view.initialize_checkpoint(&identity(&claimed, 1)).unwrap();
    for path in ["chk-1", "shared", "taskowned", "chk-10"] {
        disk.put(&format!("{base}/{path}/{name}"), b"state");
    }
    location.discard().unwrap();
    assert_eq!(disk.files(), ["chk-10", "shared", "taskowned"].map(|path| format!("{base}/{path}/{name}")));
}

#[test]
fn discarding_takes_metadata_last() {
    let disk = MemoryDisk::default();
    let view = storage().coordinator_view(job(1), &disk.context()).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let location = view.initialize_checkpoint(&identity(&claimed, 1)).unwrap();
    let _ = location.publish(&metadata(job(1), identity(&claimed, 1), &[])).unwrap();
    let state = METADATA.replace("_metadata", "0000000000000001-0000000000000001-00000000");
    disk.put(&state, b"state");
    disk.take_log();
    location.discard().unwrap();
    assert_eq!(disk.take_log(), [format!("remove {state}"), format!("remove {METADATA}")]);
}

#[test]
fn discarding_needs_head() {
    let disk = MemoryDisk::default();
    let view = storage().coordinator_view(job(1), &disk.context()).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let location = view.initialize_checkpoint(&identity(&claimed, 1)).unwrap();
    let _ = location.publish(&metadata(job(1), identity(&claimed, 1), &[])).unwrap();
    disk.fail(0, Fault::Fails, 1);
    assert_eq!(location.discard().unwrap_err().kind(), ErrorKind::Retry);
    assert_eq!(disk.files(), [METADATA]);
}

/// By them HEAD knows which claims are needed: what lies below one that nothing needs is given back and deleted.
#[test]
fn a_published_checkpoint_says_below_which_claims_its_state_lies() {
    let disk = MemoryDisk::default();
    let view = storage().coordinator_view(job(1), &disk.context()).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let first = identity(&claimed, 1);
    let published = view.initialize_checkpoint(&first).unwrap().publish(&metadata(job(1), first, &[])).unwrap();
    assert_eq!(published.claims, []);

    let file = Writer::new(LeaderEpoch::new(1), WriterId::new(1)).file(1);
    let place = Place::File { root: Root::Claimed(ClaimId::FIRST), file: FileRef::Ours(file) };
    let handle = StateHandle::assume_durable(place, 1, Some(Digest::of(b"x")));
    let state = SubtaskState::new(Vec::new(), vec![operator_state(handle)]);
    let places = Places::new(vec![(Root::Claimed(ClaimId::FIRST), Uri::new("mem:/other").unwrap())]).unwrap();
    let second = identity(&claimed, 2);
    let metadata = metadata_with(job(1), second, Some(state), places);
    let published = view.initialize_checkpoint(&second).unwrap().publish(&metadata).unwrap();
    assert_eq!(published.claims, [ClaimId::FIRST]);
}
