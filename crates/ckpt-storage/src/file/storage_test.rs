//! File storage keeps the contract, on a disk in memory and on a real one.

use std::sync::Arc;

use ckpt_core::ErrorKind;

use crate::test_support::{MemoryDisk, local_context};
use crate::testing::sample::{identity, job, nonce, publish};
use crate::testing::{StorageUnderTest, check_storage};
use crate::{CheckpointStorage as _, FileSystemStorage, claim};

#[test]
fn contract_in_memory() {
    check_storage(&mut || {
        StorageUnderTest::new(Arc::new(FileSystemStorage::new("mem:/base")), MemoryDisk::default().context())
            .with_savepoint_target("mem:/save")
    });
}

#[test]
fn contract_on_disk() {
    let mut directories = Vec::new();
    check_storage(&mut || {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path().join("not/there/yet").into_os_string().into_string().unwrap();
        let target = directory.path().join("not/there/either").into_os_string().into_string().unwrap();
        directories.push(directory);
        StorageUnderTest::new(Arc::new(FileSystemStorage::new(base)), local_context())
            .with_savepoint_target(target)
            .with_cheap_copies()
    });
}

#[test]
fn contract_without_a_level_for_jobs() {
    check_storage(&mut || {
        let storage = FileSystemStorage::new("mem:/base").with_create_subdir(false);
        StorageUnderTest::new(Arc::new(storage), MemoryDisk::default().context())
    });
}

#[test]
fn contract_with_savepoints_on_another_file_system() {
    let directory = tempfile::tempdir().unwrap();
    check_storage(&mut || {
        let storage =
            FileSystemStorage::new("mem:/base").with_default_savepoint_dir(directory.path().to_str().unwrap());
        StorageUnderTest::new(Arc::new(storage), MemoryDisk::default().context())
    });
    let mut bases = 0..;
    check_storage(&mut || {
        let base = directory.path().join(format!("base-{}", bases.next().unwrap()));
        let storage = FileSystemStorage::new(base.to_str().unwrap());
        StorageUnderTest::new(Arc::new(storage), MemoryDisk::default().context()).with_savepoint_target("mem:/save")
    });
}

#[test]
fn without_a_level_for_jobs_another_job_is_refused() {
    let disk = MemoryDisk::default();
    let storage = FileSystemStorage::new("mem:/base").with_create_subdir(false);
    let head = |of| storage.coordinator_view(job(of), &disk.context()).unwrap().head();
    let _ = claim(&*head(1), job(1), nonce(1)).unwrap();
    let head_file = |file: &String| file.starts_with("base/head/");
    assert!(disk.records().iter().any(head_file), "{:?}", disk.records());
    let error = claim(&*head(2), job(2), nonce(2)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let told = format!("{error}: {:?}", std::error::Error::source(&error).map(ToString::to_string));
    assert!(told.contains(&job(1).to_string()), "{told}");
    assert_eq!(head(1).read().unwrap().unwrap().job, job(1));
}

#[test]
fn jobs_below_one_directory_do_not_meet() {
    let disk = MemoryDisk::default();
    let storage = FileSystemStorage::new("mem:/base");
    let views = [1, 2].map(|of| storage.coordinator_view(job(of), &disk.context()).unwrap());
    let published = [1, 2].map(|of| {
        let view = &views[usize::from(of) - 1];
        let claimed = claim(&*view.head(), job(of), nonce(of)).unwrap().head;
        publish(&**view, job(of), identity(&claimed, 7), &[])
    });
    let pointers = [0, 1].map(|at| views[at].pointer(&published[at]));
    assert_eq!(pointers, [1, 2].map(|of| format!("mem:/base/{}/chk-7", job(of))));
    for (view, published, of) in [(&views[0], &published[0], 1), (&views[1], &published[1], 2)] {
        assert_eq!(view.load(published).unwrap().summary().job, job(of));
    }
}
