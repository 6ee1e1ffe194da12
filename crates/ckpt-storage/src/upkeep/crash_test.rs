//! What is left when an operator's call ends anywhere, and that the same call goes on from there.

use ckpt_core::ErrorKind;
use ckpt_core::id::CheckpointId;
use ckpt_core::snapshot::JobEnd;

use super::upkeep_test::{BASE, active_job, below, end, file, id, try_upkeep, view};
use super::{Authority, Upkept};
use crate::test_support::{Fault, MemoryDisk};

type Call = fn(&MemoryDisk) -> ckpt_core::Result<Upkept>;

fn remove_third(disk: &MemoryDisk) -> ckpt_core::Result<Upkept> {
    try_upkeep(disk)?.remove(id(3), Authority::Ended)
}

fn collect(disk: &MemoryDisk) -> ckpt_core::Result<Upkept> {
    try_upkeep(disk)?.collect(Authority::Ended)
}

/// Everything that HEAD retains is there, with what it names.
fn assert_whole(disk: &MemoryDisk, context: &str) {
    let view = view(disk);
    for snapshot in view.head().read().unwrap().unwrap().retained {
        let metadata = view.load(&snapshot).unwrap_or_else(|error| panic!("{context}: {}: {error}", snapshot.id));
        let shared = below(disk, "shared");
        for name in metadata.shared_files().unwrap() {
            assert!(shared.contains(&name.to_string()), "{context}: {} of {}", name, snapshot.id);
        }
        let own = u32::try_from(snapshot.id.get()).unwrap();
        assert!(below(disk, &format!("chk-{}", snapshot.id)).contains(&file(1, 10 + own).to_string()), "{context}");
    }
}

/// From the n-th operation on everything fails, as for a process that is killed there; or that one alone does.
fn ends_everywhere(call: Call, finished: &dyn Fn(&MemoryDisk) -> bool) {
    for (fault, how_many) in
        [(Fault::Fails, u64::MAX), (Fault::Fails, 1), (Fault::ReplyLost, 1), (Fault::RequestLost, 1)]
    {
        for step in 0.. {
            let disk = MemoryDisk::default();
            let head = active_job(&disk);
            end(&disk, &head, JobEnd::Failed);
            disk.put(&format!("{BASE}/shared/{}", file(1, 20)), b"orphan");
            let before = disk.operations();
            disk.fail(step, fault, how_many);
            let outcome = call(&disk);
            let untouched = disk.operations() - before <= step;
            disk.heal();
            let context = format!("{fault:?} {how_many} at step {step}");
            assert_whole(&disk, &context);
            match outcome {
                Ok(upkept) if upkept.is_complete() => assert!(finished(&disk), "{context}"),
                _ => match call(&disk) {
                    Ok(upkept) => assert!(upkept.is_complete() && finished(&disk), "{context}: {:?}", upkept.errors),
                    // Gone and forgotten, and only the answer was lost.
                    Err(error) => {
                        assert!(error.kind() == ErrorKind::Configuration && finished(&disk), "{context}: {error}")
                    }
                },
            }
            assert_whole(&disk, &context);
            if untouched {
                break;
            }
        }
    }
}

#[test]
fn a_removal_goes_on_where_it_ended() {
    ends_everywhere(remove_third, &|disk| {
        let head = view(disk).head().read().unwrap().unwrap();
        let names = |id: CheckpointId| head.kept().chain(&head.removed).any(|snapshot| snapshot.id == id);
        let shared = below(disk, "shared");
        !names(id(3)) && below(disk, "chk-3").is_empty() && shared.contains(&file(1, 9).to_string())
    });
}

#[test]
fn a_collection_goes_on_where_it_ended() {
    ends_everywhere(collect, &|disk| {
        let head = view(disk).head().read().unwrap().unwrap();
        let shared = [2, 3, 9].map(|number| file(1, number).to_string());
        head.removed.is_empty() && below(disk, "chk-1").is_empty() && below(disk, "shared") == shared
    });
}
