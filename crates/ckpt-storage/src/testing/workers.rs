//! What holds of what the workers of every storage write, copy and read.

use std::collections::BTreeSet;
use std::io::Write as _;

use bytes::Bytes;
use ckpt_core::ErrorKind;
use ckpt_core::id::FileName;
use ckpt_core::state::{FileRef, Place, Places, Root, StateHandle, SubtaskState};
use ckpt_streams::{StateScope, StreamFactory};

use crate::claim;
use crate::testing::contract::StorageUnderTest;
use crate::testing::sample::{
    LARGE_BYTES, barrier, commit, commit_next, identity, job, metadata_of, nonce, opened, read_all, removed_files,
    written_state,
};

pub(super) const CHECKS: &[fn(&StorageUnderTest)] = &[
    state_stays_in_acknowledgements_where_the_view_says_so,
    a_location_opens_what_lies_in_it,
    shared_state_is_written_before_its_checkpoint_is_known,
    no_name_is_given_to_two_files,
    what_tasks_own_is_deleted_by_nobody_else,
    shared_files_go_with_the_last_checkpoint_that_names_them,
    shared_files_that_no_checkpoint_named_go,
    the_toolset_copies_what_it_says_it_can,
];

fn state_stays_in_acknowledgements_where_the_view_says_so(under_test: &StorageUnderTest) {
    let view = under_test.coordinator();
    let claimed = claim(&*view.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let worker = under_test.worker(claimed.head().epoch, 1);
    let streams = worker.streams(&barrier(identity(&claimed, 1))).expect("streams of the checkpoint");
    let state = written_state(&*streams, &vec![7; LARGE_BYTES]);
    let stays = state.operator().iter().all(|piece| matches!(piece.handle().place(), Place::Inline(_)));
    assert_eq!(stays, worker.keeps_state_in_acknowledgements());
}

fn a_location_opens_what_lies_in_it(under_test: &StorageUnderTest) {
    let view = under_test.coordinator();
    let claimed = claim(&*view.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let worker = under_test.worker(claimed.head().epoch, 1);
    for (number, bytes) in [(1, vec![1; 10]), (2, vec![2; LARGE_BYTES])] {
        let identity = identity(&claimed, number);
        let location = view.initialize_checkpoint(&identity).expect("its place is free");
        let state = written_state(&*worker.streams(&barrier(identity)).expect("streams of the checkpoint"), &bytes);
        for handle in handles_of(&state) {
            let found = opened(&*location, &handle);
            match handle.place() {
                Place::Inline(_) | Place::File { root: Root::ThisSnapshot, .. } => {
                    assert!(found.expect("it lies there") == bytes, "{handle:?}");
                }
                _ => assert_eq!(found.expect_err("it lies elsewhere").kind(), ErrorKind::NotFound, "{handle:?}"),
            }
        }
    }
}

fn shared_state_is_written_before_its_checkpoint_is_known(under_test: &StorageUnderTest) {
    let view = under_test.coordinator();
    let claimed = claim(&*view.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let worker = under_test.worker(claimed.head().epoch, 1);
    let streams = worker.shared_streams().expect("streams of no checkpoint");
    for scope in [StateScope::Shared, StateScope::Exclusive] {
        let handle = sealed(&*streams, scope, 4);
        assert!(matches!(handle.place(), Place::Inline(_) | Place::File { root: Root::JobShared, .. }), "{handle:?}");
        let reader = worker.reader(identity(&claimed, 9).id, &Places::none()).expect("a reader");
        assert_eq!(read_all(&*reader, &handle), vec![4; LARGE_BYTES]);
    }
    // Whoever gives these up leaves the next ones alone.
    drop(streams.cancel());
    let _ = sealed(&*worker.shared_streams().expect("streams of no checkpoint"), StateScope::Shared, 5);
}

fn no_name_is_given_to_two_files(under_test: &StorageUnderTest) {
    let view = under_test.coordinator();
    let claimed = claim(&*view.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let worker = under_test.worker(claimed.head().epoch, 1);
    let toolset = worker.task_owned_toolset();
    let mut names = BTreeSet::new();
    for number in 1..3 {
        let all = [
            worker.streams(&barrier(identity(&claimed, number))).expect("streams of the checkpoint"),
            worker.shared_streams().expect("streams of no checkpoint"),
            worker.task_owned_streams().expect("streams of the tasks"),
        ];
        let scopes = [StateScope::Exclusive, StateScope::Shared];
        let mut handles: Vec<StateHandle> =
            all.iter().flat_map(|streams| scopes.map(|scope| sealed(&**streams, scope, 1))).collect();
        let copied: Vec<StateHandle> = handles.iter().filter(|handle| toolset.can_duplicate(handle)).cloned().collect();
        if !copied.is_empty() {
            handles.extend(toolset.duplicate(&copied).expect("it said that it can"));
        }
        for (_, file) in handles.iter().filter_map(|handle| handle.place().file()) {
            assert!(names.insert(file.clone()), "{file} was used before");
        }
    }
}

fn what_tasks_own_is_deleted_by_nobody_else(under_test: &StorageUnderTest) {
    let former = under_test.coordinator();
    let claimed = claim(&*former.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let streams = under_test.worker(claimed.head().epoch, 1).task_owned_streams().expect("streams of the tasks");
    let owned = [StateScope::Exclusive, StateScope::Shared].map(|scope| sealed(&*streams, scope, 6));
    for handle in &owned {
        assert!(
            matches!(handle.place(), Place::Inline(_) | Place::File { root: Root::JobTaskOwned, .. }),
            "{handle:?}"
        );
    }

    let view = under_test.coordinator();
    let present = claim(&*view.head(), job(1), nonce(2)).expect("HEAD is claimed").head;
    assert_eq!(view.collect_orphans(present.head(), &[]).expect("orphans are deleted"), 0, "there are none");
    // Shared files of these names are others.
    view.remove_files(&removed_files(&files_of(&owned))).expect("they need not be there");
    let first = commit_next(&*view, &present, 1001, &files_of(&owned));
    let second = commit_next(&*view, &first.head, 1002, &[]);
    view.remove(&second.removed[0], &removed_files(&files_of(&owned))).expect("it can be removed");
    let reader = under_test.worker(present.head().epoch, 2).reader(identity(&present, 1).id, &Places::none());
    let reader = reader.expect("a reader");
    for handle in &owned {
        assert!(read_all(&*reader, handle) == vec![6; LARGE_BYTES], "{handle:?}");
    }
}

fn shared_files_go_with_the_last_checkpoint_that_names_them(under_test: &StorageUnderTest) {
    let view = under_test.coordinator();
    let claimed = claim(&*view.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let worker = under_test.worker(claimed.head().epoch, 1);
    let identity_1 = identity(&claimed, 1);
    let location = view.initialize_checkpoint(&identity_1).expect("its place is free");
    let streams = worker.streams(&barrier(identity_1)).expect("streams of the checkpoint");
    let state = written_state(&*streams, &vec![1; LARGE_BYTES]);
    let handles = handles_of(&state);
    let kept = sealed(&*worker.shared_streams().expect("streams of no checkpoint"), StateScope::Shared, 2);
    let published = location.publish(&metadata_of(job(1), identity_1, Some(state))).expect("nothing is in the way");
    let first = commit(&*view, &claimed, published);
    let second = commit_next(&*view, &first.head, 2, &files_of(std::slice::from_ref(&kept)));

    let shared = handles.iter().filter(|handle| matches!(handle.place(), Place::File { root: Root::JobShared, .. }));
    let files = removed_files(&files_of(&shared.cloned().collect::<Vec<_>>()));
    for _ in 0..2 {
        view.remove(&second.removed[0], &files).expect("removing is idempotent");
    }
    let reader = worker.reader(identity_1.id, &Places::none()).expect("a reader");
    for handle in handles.iter().filter(|handle| handle.place().file().is_some()) {
        let error = reader.open(handle).map(drop).expect_err("it went with its checkpoint");
        assert_eq!(error.kind(), ErrorKind::NotFound, "{handle:?}: {error}");
    }
    assert!(read_all(&*reader, &kept) == vec![2; LARGE_BYTES]);
}

fn shared_files_that_no_checkpoint_named_go(under_test: &StorageUnderTest) {
    let view = under_test.coordinator();
    let claimed = claim(&*view.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let worker = under_test.worker(claimed.head().epoch, 1);
    let streams = worker.shared_streams().expect("streams of no checkpoint");
    let [gone, kept] = [1, 2].map(|byte| sealed(&*streams, StateScope::Shared, byte));
    let files = removed_files(&files_of(std::slice::from_ref(&gone)));
    for _ in 0..2 {
        view.remove_files(&files).expect("removing is idempotent");
    }
    let reader = worker.reader(identity(&claimed, 1).id, &Places::none()).expect("a reader");
    if gone.place().file().is_some() {
        let error = reader.open(&gone).map(drop).expect_err("it was deleted");
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    }
    assert!(read_all(&*reader, &kept) == vec![2; LARGE_BYTES]);
}

fn the_toolset_copies_what_it_says_it_can(under_test: &StorageUnderTest) {
    let view = under_test.coordinator();
    let claimed = claim(&*view.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let worker = under_test.worker(claimed.head().epoch, 1);
    let toolset = worker.task_owned_toolset();
    let inline = StateHandle::inline(Bytes::from_static(b"inline"));
    assert!(!toolset.can_duplicate(&inline), "what stays in its handle is no file");
    let error = toolset.duplicate(&[inline]).expect_err("what stays in its handle is no file");
    assert_eq!(error.kind(), ErrorKind::FailJob, "{error}");

    let streams = worker.shared_streams().expect("streams of no checkpoint");
    let originals = [1, 2].map(|byte| sealed(&*streams, StateScope::Shared, byte));
    let copies_all = originals.iter().all(|handle| toolset.can_duplicate(handle));
    assert!(copies_all || !under_test.copies_cheaply, "copies are said to be cheap here, and it makes none");
    if !copies_all {
        return;
    }
    let copies = toolset.duplicate(&originals).expect("it said that it can");
    view.remove_files(&removed_files(&files_of(&originals))).expect("the originals can be deleted");
    let reader = worker.reader(identity(&claimed, 9).id, &Places::none()).expect("a reader");
    for ((copy, original), byte) in copies.iter().zip(&originals).zip([1, 2]) {
        assert!(matches!(copy.place(), Place::File { root: Root::JobTaskOwned, .. }), "{copy:?}");
        assert_eq!(copy.length_bytes(), original.length_bytes());
        assert_eq!(read_all(&*reader, copy), vec![byte; LARGE_BYTES]);
    }
}

fn sealed(streams: &dyn StreamFactory, scope: StateScope, byte: u8) -> StateHandle {
    let mut stream = streams.create(scope).expect("a stream begins");
    stream.write_all(&vec![byte; LARGE_BYTES]).expect("the bytes are written");
    let staged = stream.finish().expect("the stream ends").expect("bytes were written");
    streams.seal_piece(staged).expect("it is sealed")
}

fn handles_of(state: &SubtaskState) -> Vec<StateHandle> {
    state.operator().iter().map(|state| state.handle().clone()).collect()
}

/// The names of those that are files of ours.
fn files_of(handles: &[StateHandle]) -> Vec<FileName> {
    let named = |handle: &StateHandle| match handle.place().file() {
        Some((_, FileRef::Ours(name))) => Some(*name),
        _ => None,
    };
    handles.iter().filter_map(named).collect()
}
