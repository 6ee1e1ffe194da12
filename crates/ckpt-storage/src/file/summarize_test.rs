//! Looking at a checkpoint without its state.

use std::sync::Arc;

use ckpt_core::ErrorKind;
use ckpt_core::id::{Writer, WriterId};

use crate::test_support::MemoryDisk;
use crate::testing::sample::{barrier, commit, identity, job, metadata_of, nonce, written_state};
use crate::{CheckpointStorage, FileSystemStorage, MemoryStorage, claim};

#[test]
fn a_summary_is_that_of_the_metadata_and_reads_no_state() {
    let disk = MemoryDisk::default();
    let context = disk.context();
    let storage = FileSystemStorage::new("mem:/jobs");
    let view = storage.coordinator_view(job(1), &context).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let identity = identity(&claimed, 1);
    let location = view.initialize_checkpoint(&identity).unwrap();
    let writer = Writer::new(claimed.head().epoch, WriterId::new(1));
    let streams = storage.worker_view(job(1), writer, &context).unwrap().streams(&barrier(identity)).unwrap();
    let metadata = metadata_of(job(1), identity, Some(written_state(&*streams, &[7; 1000])));
    let _ = commit(&*view, &claimed, location.publish(&metadata).unwrap());
    let pointer = format!("mem:/jobs/{}/chk-1", job(1));
    let storages: [Arc<dyn CheckpointStorage>; 2] = [Arc::new(storage), Arc::new(MemoryStorage::new())];
    for storage in &storages {
        assert_eq!(storage.summarize(&pointer, &context).unwrap(), *metadata.summary());
        assert_eq!(storage.resolve(&pointer, &context).unwrap().metadata.summary(), metadata.summary());
    }
    // The state of the subtask stands first; it is damaged, and so is what nobody has to look at.
    disk.damage(&format!("/jobs/{}/chk-1/_metadata", job(1)).replacen('/', "", 1), |bytes| bytes[60] ^= 1);
    for storage in storages {
        assert_eq!(storage.summarize(&pointer, &context).unwrap(), *metadata.summary());
        assert_eq!(storage.resolve(&pointer, &context).unwrap_err().kind(), ErrorKind::Corrupt);
        for wrong in ["", "mem:/jobs/nothing", "mem:/jobs", "nowhere:/jobs"] {
            let said = |error: ckpt_core::Error| (error.kind(), error.to_string());
            let summary = storage.summarize(wrong, &context).map_err(said).unwrap_err();
            assert_eq!(summary, storage.resolve(wrong, &context).map(drop).map_err(said).unwrap_err());
        }
    }
}
