//! What holds of the savepoints of every storage.

use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::ErrorKind;
use ckpt_core::head::{ClaimedHead, Collected, Ownership, SavepointInProgress, SnapshotPlace, WrittenHead};
use ckpt_core::id::CheckpointId;
use ckpt_core::snapshot::{CheckpointBarrier, CheckpointIdentity, LocationReference};
use ckpt_core::state::{ClaimId, HandleView, Place, Places, Root, StateHandle, SubtaskState};
use ckpt_core::uri::Uri;
use ckpt_streams::ReadOptions;

use crate::testing::contract::StorageUnderTest;
use crate::testing::sample::{
    LARGE_BYTES, barrier_of_savepoint, commit_next, identity, job, metadata, nonce, opened, read_all, savepoint_of,
    write_head, written_state,
};
use crate::{AbandonedOutcome, CoordinatorView, InitializedSavepoint, Location, claim, make_savepoint_location};

pub(super) const CHECKS: &[fn(&StorageUnderTest)] = &[
    a_savepoint_needs_a_target,
    a_name_is_new_and_nothing_is_made_by_it,
    a_savepoint_is_published_where_its_name_says,
    a_name_is_one_savepoints,
    who_is_fenced_makes_no_place,
    only_a_savepoint_of_its_own_is_published,
    what_is_abandoned_goes_and_cannot_be_published,
    what_is_complete_stays_whoever_abandons_it,
    discarding_leaves_nothing_of_a_savepoint,
    a_savepoint_that_is_its_users_is_not_discarded,
    a_barrier_that_names_no_place_is_told,
    state_is_read_from_the_place_that_is_given,
];

/// A job that is being led, whose savepoints can be taken.
struct Led {
    view: Arc<dyn CoordinatorView>,
    head: ClaimedHead,
    target: Option<String>,
}

impl StorageUnderTest {
    /// `None` where no savepoint can be taken, for there is nowhere to put it.
    fn led(&self) -> Option<Led> {
        let view = self.coordinator();
        let head = claim(&*view.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
        let target = self.savepoint_target.clone();
        (target.is_some() || view.has_default_savepoint_location()).then_some(Led { view, head, target })
    }

    /// The state that is found by a pointer.
    fn found(&self, pointer: &str) -> Vec<Vec<u8>> {
        let found = self.storage.resolve(pointer, &self.context).expect("the pointer leads there");
        let reader = found.reader(ReadOptions::default()).expect("a reader");
        let mut state = Vec::new();
        let mut read = |handle: &HandleView<'_>| state.push(read_all(&*reader, &handle.to_handle()));
        found.metadata.visit_handles(&mut read).expect("what was read can be decoded");
        state
    }
}

impl Led {
    fn name(&self, number: u64) -> (CheckpointIdentity, Uri) {
        let identity = identity(&self.head, number);
        let uri = self.view.name_savepoint(&identity, self.target.as_deref()).expect("the target is one");
        (identity, uri)
    }

    /// Writes HEAD, then makes the directory.
    fn begin(&mut self, number: u64) -> (CheckpointIdentity, Uri, Arc<dyn Location>) {
        let (identity, uri) = self.name(number);
        let in_progress = SavepointInProgress::new(identity.id, uri.clone());
        let write = self.head.begin_savepoint(in_progress, &Collected::none()).expect("the savepoint may begin");
        self.head = write_head(&*self.view, write).head;
        (identity, uri.clone(), made(&*self.view, &identity, &uri))
    }

    fn give_up(&mut self, identity: &CheckpointIdentity) -> WrittenHead {
        let write = self.head.give_up_savepoint(identity.id, &Collected::none()).expect("it is in progress");
        let written = write_head(&*self.view, write);
        self.head = written.head.clone();
        written
    }
}

fn made(view: &dyn CoordinatorView, identity: &CheckpointIdentity, uri: &Uri) -> Arc<dyn Location> {
    match view.initialize_savepoint(identity, uri).expect("the directory can be made") {
        InitializedSavepoint::Made(location) => location,
        InitializedSavepoint::Taken => panic!("nobody else has the name '{uri}'"),
    }
}

fn write_into(under_test: &StorageUnderTest, barrier: &CheckpointBarrier, bytes: &[u8]) -> SubtaskState {
    let worker = under_test.worker(barrier.identity.epoch, barrier.id().get());
    written_state(&*worker.streams(barrier).expect("streams of the savepoint"), bytes)
}

fn a_savepoint_needs_a_target(under_test: &StorageUnderTest) {
    let view = under_test.coordinator();
    let claimed = claim(&*view.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let identity = identity(&claimed, 1);
    let named = view.name_savepoint(&identity, None);
    assert_eq!(named.is_ok(), view.has_default_savepoint_location());
    let refused = named.err().into_iter().chain(
        ["", "relative/target", "mem:", "/"]
            .map(|target| view.name_savepoint(&identity, Some(target)).expect_err("it is no target")),
    );
    for error in refused {
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    }
}

fn a_name_is_new_and_nothing_is_made_by_it(under_test: &StorageUnderTest) {
    let Some(led) = under_test.led() else { return };
    let ((_, first), (_, second)) = (led.name(1), led.name(2));
    assert_ne!(first, second);
    let error = under_test.storage.resolve(first.as_str(), &under_test.context).expect_err("nothing is there");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

fn a_savepoint_is_published_where_its_name_says(under_test: &StorageUnderTest) {
    let Some(mut led) = under_test.led() else { return };
    let mut named = Vec::new();
    let identity_1 = identity(&led.head, 1);
    let made = make_savepoint_location(&*led.view, &identity_1, led.target.as_deref(), &mut |uri| {
        named.push(uri.clone());
        Ok(())
    });
    let (uri, _) = made.expect("a directory can be made");
    assert_eq!(named, [uri], "the name is told before");

    for (number, bytes) in [(2, vec![1; 10]), (3, vec![2; LARGE_BYTES])] {
        let (identity, uri, location) = led.begin(number);
        let state = write_into(under_test, &barrier_of_savepoint(identity, location.reference()), &bytes);
        let metadata = savepoint_of(job(1), identity, Some(state));
        let published = location.publish(&metadata).expect("nothing is in the way");
        assert_eq!(published.place, SnapshotPlace::Elsewhere(uri));
        assert_eq!(published.ownership, Ownership::Borrowed, "it is its user's");
        assert_eq!(location.publish(&metadata).expect("the same again"), published);
        let write = led.head.savepoint_published(identity.id, &Collected::none()).expect("it was in progress");
        led.head = write_head(&*led.view, write).head;
        // Its pointer is all that is needed to find everything.
        assert_eq!(under_test.found(&led.view.pointer(&published)), [bytes.as_slice(), bytes.as_slice()]);
    }
    // A checkpoint is taken as before.
    let _ = commit_next(&*led.view, &led.head, 4, &[]);
}

fn a_name_is_one_savepoints(under_test: &StorageUnderTest) {
    let Some(mut led) = under_test.led() else { return };
    let (identity_1, uri, location) = led.begin(1);
    let identity_2 = identity(&led.head, 2);
    for identity in [&identity_1, &identity_2] {
        let again = led.view.initialize_savepoint(identity, &uri).expect("it can be told whose it is");
        assert!(matches!(again, InitializedSavepoint::Taken));
    }
    let published = location.publish(&savepoint_of(job(1), identity_1, None)).expect("nobody else was let in");
    let again = led.view.initialize_savepoint(&identity_2, &uri).expect("it can be told whose it is");
    assert!(matches!(again, InitializedSavepoint::Taken));
    under_test.storage.resolve(&led.view.pointer(&published), &under_test.context).expect("it was not touched");
    let elsewhere = Uri::new(uri.as_str().replace("savepoint-", "another-")).expect("a place beside it");
    let error = led.view.initialize_savepoint(&identity_2, &elsewhere).expect_err("no savepoint lies there");
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
}

fn who_is_fenced_makes_no_place(under_test: &StorageUnderTest) {
    let Some(led) = under_test.led() else { return };
    let (identity, uri) = led.name(1);
    let next = under_test.coordinator();
    let _ = claim(&*next.head(), job(1), nonce(2)).expect("HEAD is claimed");
    let error = led.view.initialize_savepoint(&identity, &uri).expect_err("another leads the job");
    assert_eq!(error.kind(), ErrorKind::Fenced, "{error}");
    let made = make_savepoint_location(&*led.view, &identity, led.target.as_deref(), &mut |_| Ok(()));
    assert_eq!(made.expect_err("another leads the job").kind(), ErrorKind::Fenced);
    let error = under_test.storage.resolve(uri.as_str(), &under_test.context).expect_err("nothing is left");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

fn only_a_savepoint_of_its_own_is_published(under_test: &StorageUnderTest) {
    let Some(mut led) = under_test.led() else { return };
    let (identity_1, uri, location) = led.begin(1);
    let other = identity(&led.head, 2);
    for wrong in
        [metadata(job(1), identity_1, &[]), savepoint_of(job(2), identity_1, None), savepoint_of(job(1), other, None)]
    {
        let error = location.publish(&wrong).expect_err("it does not belong there");
        assert_eq!(error.kind(), ErrorKind::AbortCheckpoint, "{error}");
    }
    let error = under_test.storage.resolve(uri.as_str(), &under_test.context).expect_err("nothing was published");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

fn what_is_abandoned_goes_and_cannot_be_published(under_test: &StorageUnderTest) {
    let Some(mut led) = under_test.led() else { return };
    let (identity, uri, location) = led.begin(1);
    let state = write_into(under_test, &barrier_of_savepoint(identity, location.reference()), &vec![1; LARGE_BYTES]);
    let abandoned = led.give_up(&identity).abandoned;
    for _ in 0..2 {
        let outcome = led.view.remove_abandoned(&abandoned[0]).expect("it can be deleted");
        assert_eq!(outcome, AbandonedOutcome::Gone);
    }
    // Whoever took it does not know.
    let error = location.publish(&savepoint_of(job(1), identity, Some(state))).expect_err("it was given up");
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint, "{error}");
    let error = under_test.storage.resolve(uri.as_str(), &under_test.context).expect_err("nothing is left");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");

    // One whose directory was never made.
    let (identity, uri) = led.name(2);
    let in_progress = SavepointInProgress::new(identity.id, uri);
    let write = led.head.begin_savepoint(in_progress, &Collected::none()).expect("the savepoint may begin");
    led.head = write_head(&*led.view, write).head;
    let abandoned = led.give_up(&identity).abandoned;
    assert_eq!(led.view.remove_abandoned(&abandoned[0]).expect("nothing is there"), AbandonedOutcome::Gone);
}

fn what_is_complete_stays_whoever_abandons_it(under_test: &StorageUnderTest) {
    let Some(mut led) = under_test.led() else { return };
    let (identity, _, location) = led.begin(1);
    let state = write_into(under_test, &barrier_of_savepoint(identity, location.reference()), &vec![1; LARGE_BYTES]);
    let published = location.publish(&savepoint_of(job(1), identity, Some(state))).expect("nothing is in the way");
    // Its leader dies before HEAD says that it is published.
    let next = under_test.coordinator();
    let claimed = claim(&*next.head(), job(1), nonce(2)).expect("HEAD is claimed");
    let abandoned = claimed.all_abandoned();
    assert_eq!(abandoned.len(), 1);
    for _ in 0..2 {
        let outcome = next.remove_abandoned(&abandoned[0]).expect("it can be told that it is complete");
        assert_eq!(outcome, AbandonedOutcome::Complete);
    }
    assert_eq!(under_test.found(&next.pointer(&published)), [vec![1; LARGE_BYTES], vec![1; LARGE_BYTES]]);
}

fn discarding_leaves_nothing_of_a_savepoint(under_test: &StorageUnderTest) {
    let Some(mut led) = under_test.led() else { return };
    let (identity, uri, location) = led.begin(1);
    let state = write_into(under_test, &barrier_of_savepoint(identity, location.reference()), &vec![1; LARGE_BYTES]);
    for _ in 0..2 {
        location.discard().expect("discarding is idempotent");
    }
    let error = location.publish(&savepoint_of(job(1), identity, Some(state))).expect_err("it was discarded");
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint, "{error}");
    let error = under_test.storage.resolve(uri.as_str(), &under_test.context).expect_err("nothing is left");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

fn a_savepoint_that_is_its_users_is_not_discarded(under_test: &StorageUnderTest) {
    let Some(mut led) = under_test.led() else { return };
    let (identity, _, location) = led.begin(1);
    let state = write_into(under_test, &barrier_of_savepoint(identity, location.reference()), &[1; 10]);
    let published = location.publish(&savepoint_of(job(1), identity, Some(state))).expect("nothing is in the way");
    assert_eq!(location.discard().expect_err("it is complete").kind(), ErrorKind::FailJob);
    assert_eq!(under_test.found(&led.view.pointer(&published)), [[1; 10], [1; 10]]);
}

fn a_barrier_that_names_no_place_is_told(under_test: &StorageUnderTest) {
    let view = under_test.coordinator();
    let claimed = claim(&*view.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let worker = under_test.worker(claimed.head().epoch, 1);
    let nowhere = LocationReference::at(Bytes::from_static(b"nowhere at all")).expect("bytes are a reference");
    let streams = worker.streams(&barrier_of_savepoint(identity(&claimed, 1), nowhere));
    match worker.keeps_state_in_acknowledgements() {
        // It does not matter where.
        true => drop(streams.expect("streams in memory")),
        false => assert_eq!(streams.expect_err("no such place").kind(), ErrorKind::AbortCheckpoint),
    }
}

fn state_is_read_from_the_place_that_is_given(under_test: &StorageUnderTest) {
    let Some(mut led) = under_test.led() else { return };
    let (identity, uri, location) = led.begin(1);
    let bytes = vec![3; LARGE_BYTES];
    let state = write_into(under_test, &barrier_of_savepoint(identity, location.reference()), &bytes);
    let handles: Vec<StateHandle> = state.operator().iter().map(|state| state.handle().clone()).collect();
    for handle in &handles {
        assert!(opened(&*location, handle).expect("it lies in the savepoint") == bytes);
    }
    location.publish(&savepoint_of(job(1), identity, Some(state))).expect("nothing is in the way");

    let worker = under_test.worker(identity.epoch, 2);
    for root in [Root::Claimed(ClaimId::FIRST), Root::Borrowed(0)] {
        let places = Places::new(vec![(root, uri.clone())]).expect("it is one place");
        let reader = worker.reader(CheckpointId::FIRST, &places).expect("a reader");
        for handle in &handles {
            let Some((_, file)) = handle.place().file() else { continue };
            let place = Place::File { root, file: file.clone() };
            let there = StateHandle::assume_durable(place, handle.length_bytes(), handle.digest());
            assert!(read_all(&*reader, &there) == bytes, "{root:?}");
        }
    }
}
