//! File storage keeps the contract, on a disk in memory and on a real one.

use std::sync::Arc;

use crate::FileSystemStorage;
use crate::test_support::{MemoryDisk, local_context};
use crate::testing::{StorageUnderTest, check_storage};

#[test]
fn contract_in_memory() {
    check_storage(&mut || {
        StorageUnderTest::new(Arc::new(FileSystemStorage::new("mem:/base")), MemoryDisk::default().context())
    });
}

#[test]
fn contract_on_disk() {
    let mut directories = Vec::new();
    check_storage(&mut || {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path().join("not/there/yet").into_os_string().into_string().unwrap();
        directories.push(directory);
        StorageUnderTest::new(Arc::new(FileSystemStorage::new(base)), local_context())
    });
}
