//! What is deleted, what is not, and in which order.

use std::sync::Arc;

use ckpt_core::head::{ClaimMode, Collected, ForeignSnapshot, Head, WrittenHead};
use ckpt_core::id::{CheckpointId, FileName, LeaderEpoch, Writer, WriterId};
use ckpt_core::shared::RemovedFiles;
use ckpt_core::snapshot::{JobEnd, RetentionPolicy};
use ckpt_core::state::{FileRef, Place, Root, StateHandle, SubtaskState};
use ckpt_core::uri::Uri;
use ckpt_core::{Digest, ErrorKind};

use crate::test_support::{Fault, MemoryDisk};
use crate::testing::sample::{
    commit, commit_next, identity, job, metadata, metadata_of, nonce, operator_state, publish, removed_files,
    write_head,
};
use crate::{CheckpointStorage, CoordinatorView, FileSystemStorage, HeadOutcome, claim};

const BASE: &str = "base/01010101010101010101010101010101";

fn view(disk: &MemoryDisk) -> Arc<dyn CoordinatorView> {
    FileSystemStorage::new("mem:/base").coordinator_view(job(1), &disk.context()).unwrap()
}

fn file(epoch: u64, number: u32) -> FileName {
    Writer::new(LeaderEpoch::new(epoch), WriterId::new(1)).file(number)
}

/// Checkpoint 1, with three exclusive files and a shared one, was removed by the commit of checkpoint 2.
fn one_removed(disk: &MemoryDisk) -> (Arc<dyn CoordinatorView>, WrittenHead) {
    let view = view(disk);
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap();
    let first = commit_next(&*view, &claimed.head, 1, &[file(1, 9)]);
    let second = commit_next(&*view, &first.head, 2, &[]);
    for number in 0..3 {
        disk.put(&format!("{BASE}/chk-1/{}", file(1, number)), b"state");
    }
    disk.put(&format!("{BASE}/shared/{}", file(1, 9)), b"state");
    disk.take_log();
    (view, second)
}

#[test]
fn flink_22014_pointers_go_before_data() {
    let disk = MemoryDisk::default();
    let (view, written) = one_removed(&disk);
    assert!(written.head.head().retained.iter().all(|retained| *retained != *written.removed[0].snapshot()));
    view.remove(&written.removed[0], &removed_files(&[file(1, 9)])).unwrap();
    let removed = |path: String| format!("remove {BASE}/{path}");
    let expected = [
        removed(format!("shared/{}", file(1, 9))),
        removed(format!("chk-1/{}", file(1, 0))),
        removed(format!("chk-1/{}", file(1, 1))),
        removed(format!("chk-1/{}", file(1, 2))),
        removed("chk-1/_metadata".to_owned()),
    ];
    assert_eq!(disk.take_log(), expected);
    assert_eq!(disk.files(), [format!("{BASE}/chk-2/_metadata")]);
}

/// What is removed is what lies in the directory, not what each handle names.
#[test]
fn flink_17988_an_exclusive_file_of_two_handles_is_removed_once() {
    let disk = MemoryDisk::default();
    let view = view(&disk);
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap();
    let identity = identity(&claimed.head, 1);
    let piece = |offset_bytes| {
        let place = Place::Segment { root: Root::ThisSnapshot, file: FileRef::Ours(file(1, 0)), offset_bytes };
        StateHandle::assume_durable(place, 1, Some(Digest::of(b"x")))
    };
    let state = SubtaskState::new(Vec::new(), [0, 1].map(|offset| operator_state(piece(offset))).into());
    let published = view.initialize_checkpoint(&identity).unwrap().publish(&metadata_of(job(1), identity, Some(state)));
    disk.put(&format!("{BASE}/chk-1/{}", file(1, 0)), b"xx");
    let first = commit(&*view, &claimed.head, published.unwrap());
    let second = commit_next(&*view, &first.head, 2, &[]);
    disk.take_log();
    view.remove(&second.removed[0], &RemovedFiles::default()).unwrap();
    let removed = |path: String| format!("remove {BASE}/chk-1/{path}");
    assert_eq!(disk.take_log(), [removed(file(1, 0).to_string()), removed("_metadata".to_owned())]);
}

#[test]
fn removing_can_be_taken_up_after_a_stop_at_every_step() {
    for fails in [1, 1000] {
        for step in 0.. {
            let disk = MemoryDisk::default();
            let (view, written) = one_removed(&disk);
            let before = disk.operations();
            disk.fail(step, Fault::Fails, fails);
            let outcome = view.remove(&written.removed[0], &removed_files(&[file(1, 9)]));
            let untouched = disk.operations() - before <= step;
            disk.heal();
            if let Err(error) = outcome {
                assert_eq!(error.kind(), ErrorKind::Retry);
                assert!(disk.files().contains(&format!("{BASE}/chk-1/_metadata")), "step {step}: metadata goes last");
                // The leader dies here. What it left is removed by the next.
                let next = self::view(&disk);
                let present = claim(&*next.head(), job(1), nonce(2)).unwrap();
                let retained = Arc::new(next.load(present.head.head().restore_point().unwrap()).unwrap());
                next.remove(&present.all_removed()[0], &RemovedFiles::default()).unwrap();
                next.collect_orphans(present.head.head(), &[retained]).unwrap();
            }
            assert_eq!(disk.files(), [format!("{BASE}/chk-2/_metadata")], "step {step}");
            if untouched {
                break;
            }
        }
    }
}

#[test]
fn flink_27051_removing_twice_is_harmless() {
    let disk = MemoryDisk::default();
    let (view, written) = one_removed(&disk);
    for _ in 0..3 {
        view.remove(&written.removed[0], &removed_files(&[file(1, 9)])).unwrap();
    }
    view.load(written.head.head().restore_point().unwrap()).unwrap();
}

#[test]
fn a_snapshot_elsewhere_is_not_taken_for_the_directory_of_its_number() {
    let disk = MemoryDisk::default();
    let (view, written) = one_removed(&disk);
    // A job begins from checkpoint 2 of this one and removes it when it has taken its own.
    let uri = Uri::new("file:///other/chk-2").unwrap();
    let snapshot = ForeignSnapshot::new(job(1), written.head.head().restore_point().unwrap(), uri);
    let begun = Head::claim_from(None, job(1), nonce(2), &snapshot, ClaimMode::Claim).unwrap().written();
    let mut own = written.head.head().restore_point().unwrap().clone();
    own.id = CheckpointId::new(3).unwrap();
    let gone = begun.head.commit(own, 1, &Collected::none()).unwrap().written();
    let files = disk.files();
    let error = view.load(begun.head.head().restore_point().unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("/other/chk-2'"), "{error}");
    // HEAD holds no such claim: a later leader has given it back, and nothing there is this job's.
    view.remove(&gone.removed[0], &RemovedFiles::default()).unwrap();
    assert_eq!(disk.files(), files);
}

#[test]
fn files_that_are_not_ours_survive() {
    let disk = MemoryDisk::default();
    let (view, written) = one_removed(&disk);
    let foreign = [
        "chk-01/_metadata".to_owned(),
        "chk-1/_metadata.bak".to_owned(),
        format!("chk-1/{}.part", file(1, 0)),
        format!("chk-1/below/{}", file(1, 0)),
        "chk-1/notes.txt".to_owned(),
        "chk-7/notes.txt".to_owned(),
        format!("savepoints/{}", file(1, 0)),
        "shared/README".to_owned(),
        format!("taskowned/{}", file(1, 0)),
    ]
    .map(|path| format!("{BASE}/{path}"));
    for path in &foreign {
        disk.put(path, b"not ours");
    }
    view.remove(&written.removed[0], &removed_files(&[file(1, 9)])).unwrap();
    let next = self::view(&disk);
    let present = claim(&*next.head(), job(1), nonce(2)).unwrap();
    let retained = Arc::new(next.load(present.head.head().restore_point().unwrap()).unwrap());
    assert_eq!(next.collect_orphans(present.head.head(), &[retained]).unwrap(), 0);
    let mut expected = foreign.to_vec();
    expected.push(format!("{BASE}/chk-2/_metadata"));
    expected.sort();
    assert_eq!(disk.files(), expected);
}

#[test]
fn flink_25486_a_former_leader_deletes_nothing_of_its_successor() {
    let disk = MemoryDisk::default();
    let former = view(&disk);
    let stale = claim(&*former.head(), job(1), nonce(1)).unwrap();
    let first = commit_next(&*former, &stale.head, 1, &[file(1, 9)]);
    disk.put(&format!("{BASE}/shared/{}", file(1, 9)), b"state");

    let present = view(&disk);
    let claimed = claim(&*present.head(), job(1), nonce(2)).unwrap();
    let committed = commit_next(&*present, &claimed.head, 1001, &[file(1, 9), file(2, 0)]);
    for path in [format!("chk-1002/{}", file(2, 1)), format!("shared/{}", file(2, 0))] {
        disk.put(&format!("{BASE}/{path}"), b"state");
    }
    let files = disk.files();
    // Whatever the former leader still does: commit, end with deletion, collect what it takes for orphans.
    let published = publish(&*former, job(1), identity(&first.head, 2), &[]);
    for write in [
        first.head.commit(published, 1, &Collected::none()).unwrap(),
        first.head.end(JobEnd::Cancelled, RetentionPolicy::default(), &Collected::none()).unwrap(),
    ] {
        assert!(matches!(former.head().write(write), HeadOutcome::Fenced(_)));
    }
    assert_eq!(former.collect_orphans(stale.head.head(), &[]).unwrap(), 0);
    let retained = Arc::new(former.load(first.head.head().restore_point().unwrap()).unwrap());
    assert_eq!(former.collect_orphans(first.head.head(), &[retained]).unwrap(), 0);
    for path in files {
        assert!(disk.files().contains(&path), "{path} is gone");
    }
    present.load(committed.head.head().restore_point().unwrap()).unwrap();
}

#[test]
fn flink_26985_shared_files_of_what_was_restored_stay() {
    let disk = MemoryDisk::default();
    let former = view(&disk);
    let claimed = claim(&*former.head(), job(1), nonce(1)).unwrap();
    let _ = commit_next(&*former, &claimed.head, 1, &[file(1, 0)]);
    for number in 0..3 {
        disk.put(&format!("{BASE}/shared/{}", file(1, number)), b"state");
    }
    // Two leaders come and go before one commits.
    for number in 2..5 {
        let view = view(&disk);
        let present = claim(&*view.head(), job(1), nonce(number)).unwrap();
        let retained = Arc::new(view.load(present.head.head().restore_point().unwrap()).unwrap());
        let expected = if number == 2 { 2 } else { 0 };
        assert_eq!(view.collect_orphans(present.head.head(), &[retained]).unwrap(), expected);
    }
    let shared = format!("{BASE}/shared/{}", file(1, 0));
    assert!(disk.files().contains(&shared));
}

#[test]
fn flink_5063_what_a_dead_leader_left_goes_with_the_next_claim_at_every_step() {
    for fault in [None, Some(Fault::Fails)] {
        for step in 0.. {
            let disk = MemoryDisk::default();
            let former = view(&disk);
            let claimed = claim(&*former.head(), job(1), nonce(1)).unwrap();
            let _ = commit_next(&*former, &claimed.head, 1, &[]);
            // One that was published and never committed, one whose state was being written.
            let _ = publish(&*former, job(1), identity(&claimed.head, 2), &[]);
            disk.put(&format!("{BASE}/chk-2/{}", file(1, 0)), b"state");
            disk.put(&format!("{BASE}/chk-3/{}", file(1, 1)), b"state");
            disk.put(&format!("{BASE}/shared/{}", file(1, 2)), b"state");
            let view = view(&disk);
            let present = claim(&*view.head(), job(1), nonce(2)).unwrap();
            let retained = [Arc::new(view.load(present.head.head().restore_point().unwrap()).unwrap())];
            let before = disk.operations();
            if let Some(fault) = fault {
                disk.fail(step, fault, 1);
            }
            let outcome = view.collect_orphans(present.head.head(), &retained);
            let untouched = disk.operations() - before <= step;
            disk.heal();
            if let Err(error) = &outcome {
                assert_eq!(error.kind(), ErrorKind::Retry);
            }
            view.load(present.head.head().restore_point().unwrap()).unwrap();
            view.collect_orphans(present.head.head(), &retained).unwrap();
            assert_eq!(disk.files(), [format!("{BASE}/chk-1/_metadata")], "step {step}");
            if untouched || fault.is_none() {
                break;
            }
        }
    }
}

#[test]
fn nothing_is_collected_while_it_is_not_known_what_is_alive() {
    let disk = MemoryDisk::default();
    let former = view(&disk);
    let claimed = claim(&*former.head(), job(1), nonce(1)).unwrap();
    let _ = commit_next(&*former, &claimed.head, 1, &[file(1, 0)]);
    disk.put(&format!("{BASE}/shared/{}", file(1, 5)), b"state");
    let files = disk.files();
    let view = view(&disk);
    let present = claim(&*view.head(), job(1), nonce(2)).unwrap();
    let of_another = Arc::new(metadata(job(1), identity(&claimed.head, 3), &[]));
    let other_job = Arc::new(metadata(job(2), identity(&claimed.head, 1), &[]));
    for retained in [&[][..], &[of_another], &[other_job]] {
        let error = view.collect_orphans(present.head.head(), retained).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FailJob);
    }
    let other = FileSystemStorage::new("mem:/base").coordinator_view(job(2), &disk.context()).unwrap();
    assert_eq!(other.collect_orphans(present.head.head(), &[]).unwrap_err().kind(), ErrorKind::FailJob);
    assert_eq!(disk.files(), files);
}

/// A checkpoint that the job did not restore, on request, is evidence with all that it names.
#[test]
fn what_was_set_aside_keeps_its_shared_files_as_far_as_it_can_be_read() {
    for damaged in [false, true] {
        let disk = MemoryDisk::default();
        let view = view(&disk);
        let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap();
        let mut head = claimed.head;
        for number in 1..=2 {
            let shared = file(1, u32::try_from(number).unwrap());
            let published = publish(&*view, job(1), identity(&head, number), &[shared]);
            head = write_head(&*view, head.commit(published, 2, &Collected::none()).unwrap()).head;
            disk.put(&format!("{BASE}/shared/{shared}"), b"state");
        }
        let (from, to) = (CheckpointId::new(2).unwrap(), CheckpointId::new(1).unwrap());
        let gone_back = crate::claim_going_back(&*view.head(), job(1), nonce(2), from, to).unwrap();
        let now = gone_back.head.head();
        assert_eq!(now.set_aside.len(), 1);
        if damaged {
            disk.damage(&format!("{BASE}/chk-2/_metadata"), |bytes| bytes.truncate(10));
        }
        let retained = now.retained.iter().map(|snapshot| Arc::new(view.load(snapshot).unwrap())).collect::<Vec<_>>();
        view.collect_orphans(now, &retained).unwrap();
        assert!(disk.files().contains(&format!("{BASE}/chk-2/_metadata")));
        assert!(disk.files().contains(&format!("{BASE}/shared/{}", file(1, 1))));
        assert_eq!(disk.files().contains(&format!("{BASE}/shared/{}", file(1, 2))), !damaged);
    }
}
