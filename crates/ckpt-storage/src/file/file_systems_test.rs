//! Both storages keep the contract on every file system that there is, and on those that are slow, forgetful, or go wrong
//! in ways that code has to expect.

use std::sync::Arc;

use ckpt_streams::file_system::{FileSystem, MemoryFileSystem};
use ckpt_streams::testing::{
    Delays, Disk, FailingCalls, FailingFileSystem, Failure, Fault, Injection, ObjectStoreFileSystem, SlowFileSystem,
    VirtualClock,
};

use crate::test_support::context_over;
use crate::testing::{StorageUnderTest, check_storage};
use crate::{CheckpointStorage, FileSystemStorage, MemoryStorage};

/// Runs the contract with both storages, on a new file system each time.
fn check(open: &dyn Fn() -> Arc<dyn FileSystem>) {
    let storages: [Arc<dyn CheckpointStorage>; 2] = [
        Arc::new(FileSystemStorage::new("sim:/base")),
        Arc::new(MemoryStorage::new().with_base_checkpoint_dir("sim:/base")),
    ];
    for storage in storages {
        check_storage(&mut || {
            StorageUnderTest::new(Arc::clone(&storage), context_over(open())).with_savepoint_target("sim:/save")
        });
    }
}

#[test]
fn contract_in_the_memory_of_a_process() {
    check(&|| Arc::new(MemoryFileSystem::new()));
}

#[test]
fn contract_on_a_simulated_disk() {
    for shares_bytes in [false, true] {
        check(&|| {
            let disk = Disk::new();
            if shares_bytes {
                disk.share_bytes();
            }
            Arc::new(disk.open("/").unwrap())
        });
    }
}

#[test]
fn contract_on_what_a_loss_of_power_left() {
    check(&|| {
        let disk = Disk::new();
        let before = context_over(Arc::new(disk.open("/").unwrap()));
        let view = FileSystemStorage::new("sim:/base").coordinator_view(crate::testing::sample::job(2), &before);
        view.unwrap().initialize_base_locations().unwrap();
        Arc::new(disk.lose_power().open("/").unwrap())
    });
}

#[test]
fn contract_with_the_rules_of_an_object_store() {
    for part_bytes in [0, 64 * 1024] {
        check(&|| Arc::new(ObjectStoreFileSystem::new().with_part_bytes(part_bytes)));
    }
}

#[test]
fn contract_on_a_slow_file_system() {
    check(&|| Arc::new(SlowFileSystem::new(Arc::new(MemoryFileSystem::new()), VirtualClock::new(), Delays::default())));
}

#[test]
fn contract_where_all_goes_wrong_that_is_harmless() {
    for fault in Fault::ALL.into_iter().filter(|fault| fault.is_harmless()) {
        let injection = Injection::new(fault, 1, Failure::FromThereOn);
        check(&|| Arc::new(FailingFileSystem::new(Arc::new(MemoryFileSystem::new()), injection)));
        check(&|| Arc::new(FailingCalls::on(&Disk::new(), injection).open("/").unwrap()));
    }
}

#[test]
fn contract_where_no_link_is_answered() {
    let injection = Injection::new(Fault::LinkAnswerLost, 1, Failure::FromThereOn);
    check(&|| Arc::new(FailingCalls::on(&Disk::new(), injection).open("/").unwrap()));
}
