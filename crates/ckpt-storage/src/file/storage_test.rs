//! File storage keeps the contract, on a disk in memory and on a real one.

use std::sync::Arc;

use ckpt_streams::file_system::FileSystems;

use crate::test_support::{MemoryDisk, SpawnHere};
use crate::testing::{StorageUnderTest, check_storage};
use crate::{FileSystemStorage, StorageContext};

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
        let context = StorageContext::new(Arc::new(FileSystems::local()), Arc::new(SpawnHere));
        StorageUnderTest::new(Arc::new(FileSystemStorage::new(base)), context)
    });
}
