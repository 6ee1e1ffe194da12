//! Metadata that is not what HEAD names.

use std::sync::Arc;

use ckpt_core::ErrorKind;
use ckpt_core::head::RetainedSnapshot;

use crate::test_support::{Fault, MemoryDisk};
use crate::testing::sample::{commit_next, identity, job, metadata, nonce, publish};
use crate::{CheckpointStorage, CoordinatorView, FileSystemStorage, claim};

const METADATA: &str = "base/01010101010101010101010101010101/chk-1/_metadata";

fn committed(disk: &MemoryDisk) -> (Arc<dyn CoordinatorView>, RetainedSnapshot) {
    let view = FileSystemStorage::new("mem:/base").coordinator_view(job(1), &disk.context()).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap();
    let written = commit_next(&*view, &claimed.head, 1, &[]);
    let retained = written.head.head().restore_point().unwrap().clone();
    (view, retained)
}

#[test]
fn flink_22502_damaged_metadata_is_an_error_that_names_the_file() {
    let disk = MemoryDisk::default();
    let (view, retained) = committed(&disk);
    let whole = metadata(job(1), view.load(&retained).unwrap().summary().identity, &[]).encode().unwrap().0;
    let mut damaged: Vec<Vec<u8>> = (0..whole.len()).map(|length| whole[..length].to_vec()).collect();
    damaged.extend((0..whole.len() * 8).map(|bit| {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    }));
    damaged.push([&whole[..], &[0]].concat());
    for bytes in damaged {
        disk.put(METADATA, &bytes);
        let error = view.load(&retained).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Configuration), "{error:?}");
        assert!(error.to_string().contains(METADATA), "{error}");
    }
    disk.put(METADATA, &whole);
    view.load(&retained).unwrap();
}

#[test]
fn metadata_of_another_checkpoint_epoch_or_job_is_refused() {
    let disk = MemoryDisk::default();
    let (view, retained) = committed(&disk);
    let claimed = claim(&*view.head(), job(1), nonce(2)).unwrap().head;
    let _ = publish(&*view, job(1), identity(&claimed, 2), &[]);
    let this = view.load(&retained).unwrap().summary().identity;
    for other in [
        metadata(job(1), identity(&claimed, 2), &[]),
        metadata(job(1), identity(&claimed, 1), &[]),
        metadata(job(2), this, &[]),
    ] {
        let (bytes, written) = other.encode().unwrap();
        disk.put(METADATA, &bytes);
        assert_eq!(view.load(&retained).unwrap_err().kind(), ErrorKind::Corrupt);
        // Length and digest may agree with a HEAD that was written for it; what it says of itself still decides.
        let mut forged = retained.clone();
        (forged.metadata_bytes, forged.index_digest) = (written.length_bytes, written.index_digest);
        let error = view.load(&forged).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.to_string().contains(METADATA), "{error}");
    }
}

#[test]
fn missing_metadata_and_metadata_that_cannot_be_read_are_told_apart() {
    let disk = MemoryDisk::default();
    let (view, mut retained) = committed(&disk);
    disk.fail(0, Fault::Fails, 1);
    assert_eq!(view.load(&retained).unwrap_err().kind(), ErrorKind::Retry);
    view.load(&retained).unwrap();
    retained.id = retained.id.next().unwrap();
    let error = view.load(&retained).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("chk-2/_metadata"), "{error}");
}
