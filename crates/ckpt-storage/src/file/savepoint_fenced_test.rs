//! A savepoint whose directory is made by a leader that is fenced meanwhile.

use ckpt_core::ErrorKind;
use ckpt_core::head::{Collected, Head, SavepointInProgress};
use ckpt_core::uri::Uri;

use crate::test_support::MemoryDisk;
use crate::testing::sample::{identity, job, nonce, write_head};
use crate::{CheckpointStorage as _, FileSystemStorage, InitializedSavepoint, claim};

const HEAD: &str = "base/01010101010101010101010101010101/head/HEAD";
const DIRECTORY: &str = "save/savepoint-010101-0123456789ab";

/// Before each step of making it another leader takes over, deletes what is there of it, and drops it from HEAD. Whoever
/// makes the rest later finds that nobody would delete it, and does so.
#[test]
fn what_is_made_after_the_next_leader_has_looked_is_withdrawn() {
    let uri = Uri::new(format!("mem:/{DIRECTORY}")).unwrap();
    // Before every operation, until the whole of it passed without anybody coming.
    for at in 0.. {
        let disk = MemoryDisk::default();
        let view = FileSystemStorage::new("mem:/base").coordinator_view(job(1), &disk.context()).unwrap();
        let head = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
        let identity = identity(&head, 1);
        let savepoint = SavepointInProgress::new(identity.id, uri.clone());
        let head = write_head(&*view, head.begin_savepoint(savepoint, &Collected::none()).unwrap()).head;
        let next = Head::claim(Some(head.head()), job(1), nonce(2)).unwrap().written();
        let mut collected = Collected::none();
        collected.savepoints.push(identity.id);
        let collected = next.head.collected(&collected).unwrap().head().encode().unwrap();
        let came_at = disk.operations() + at;
        disk.meanwhile_all(at, move |files, records| {
            files.retain(|path, _| !path.starts_with(DIRECTORY));
            let (version, body) = records.get_mut(HEAD).unwrap();
            (*version, *body) = (*version + 2, collected);
        });
        match view.initialize_savepoint(&identity, &uri) {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Fenced, "before operation {at}: {error}");
                assert_eq!(disk.files(), [""; 0], "before operation {at}");
            }
            Ok(InitializedSavepoint::Made(_)) => {
                assert!(disk.operations() <= came_at, "before operation {at}: made though nobody would delete it");
                assert!(at > 3, "another leader comes at each step");
                return;
            }
            Ok(InitializedSavepoint::Taken) => panic!("before operation {at}: nobody else is there"),
        }
    }
}
