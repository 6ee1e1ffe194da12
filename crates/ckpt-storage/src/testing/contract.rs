//! What holds of every storage.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Arc;

use ckpt_core::head::{Collected, Head, Nonce};
use ckpt_core::id::{CheckpointId, FileName, LeaderEpoch, Writer, WriterId};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::shared::RemovedFiles;
use ckpt_core::snapshot::CheckpointIdentity;
use ckpt_core::snapshot::{JobEnd, RetentionPolicy};
use ckpt_core::state::{HandleView, Place, Places, Root};
use ckpt_core::{ErrorKind, Timestamp};
use ckpt_streams::StateScope;

use crate::testing::sample::{
    barrier, commit, commit_next, identity, job, metadata, metadata_of, nonce, publish, read_all, written_state,
};
use crate::testing::{savepoints, workers};
use crate::{CheckpointStorage, CoordinatorView, HeadOutcome, StorageContext, WorkerView, claim};

/// An empty storage and the process that it is used in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StorageUnderTest {
    /// The description.
    pub storage: Arc<dyn CheckpointStorage>,
    /// Builds views from it.
    pub context: StorageContext,
    /// Where savepoints go. Without it, and where the storage has no default for them, none are taken.
    pub savepoint_target: Option<String>,
    /// Whether copies of shared files are known to be cheap.
    pub(super) copies_cheaply: bool,
}

impl StorageUnderTest {
    /// That storage, used there.
    pub fn new(storage: Arc<dyn CheckpointStorage>, context: StorageContext) -> Self {
        Self { storage, context, savepoint_target: None, copies_cheaply: false }
    }

    /// Takes savepoints there.
    #[must_use]
    pub fn with_savepoint_target(mut self, target: impl Into<String>) -> Self {
        self.savepoint_target = Some(target.into());
        self
    }

    /// A copy of a shared file costs less than its bytes there, and the toolset has to say so. Whether it does is nothing
    /// that can be found out otherwise.
    #[must_use]
    pub const fn with_cheap_copies(mut self) -> Self {
        self.copies_cheaply = true;
        self
    }

    pub(super) fn coordinator(&self) -> Arc<dyn CoordinatorView> {
        let view = self.storage.coordinator_view(job(1), &self.context).expect("a coordinator's view");
        view.initialize_base_locations().expect("base locations");
        view
    }

    pub(super) fn worker(&self, epoch: LeaderEpoch, writer: u64) -> Arc<dyn WorkerView> {
        let writer = Writer::new(epoch, WriterId::new(writer));
        self.storage.worker_view(job(1), writer, &self.context).expect("a worker's view")
    }
}

fn writer_file(epoch: LeaderEpoch, number: u32) -> FileName {
    Writer::new(epoch, WriterId::new(1)).file(number)
}

/// Checks everything that holds of every storage. `open` gives an empty storage each time.
///
/// # Panics
///
/// When the storage does not keep the contract.
pub fn check_storage(open: &mut dyn FnMut() -> StorageUnderTest) {
    let checks: &[fn(&StorageUnderTest)] = &[
        base_locations_are_made_as_often_as_wanted,
        each_claim_has_a_higher_epoch,
        racing_claims_have_epochs_of_their_own,
        a_job_that_ended_is_not_claimed,
        writing_the_same_head_again_is_harmless,
        a_second_leader_fences_the_first,
        a_commit_is_found_by_the_next_leader,
        what_is_highly_available_is_found_by_other_processes,
        publishing_replaces_nothing,
        a_place_is_given_out_while_it_is_empty,
        state_is_read_as_it_was_written,
        a_writer_uses_no_name_twice,
        cancelling_reaches_the_streams_of_a_checkpoint,
        removing_takes_a_checkpoint_and_no_more,
        discarding_spares_what_is_committed,
        orphans_go_and_what_is_named_stays,
        what_a_former_leader_removed_can_be_removed,
    ];
    for check in checks.iter().chain(savepoints::CHECKS).chain(workers::CHECKS) {
        check(&open());
    }
}

fn base_locations_are_made_as_often_as_wanted(under_test: &StorageUnderTest) {
    let view = under_test.coordinator();
    view.initialize_base_locations().expect("the second time is harmless");
    assert_eq!(view.head().read().expect("HEAD can be read"), None, "looking makes no HEAD");
}

fn each_claim_has_a_higher_epoch(under_test: &StorageUnderTest) {
    let mut last: Option<Head> = None;
    for number in 1..4 {
        // A view of its own each time, as another process has.
        let head = under_test.coordinator().head();
        let claimed = claim(&*head, job(1), nonce(number)).expect("HEAD is claimed").head.head().clone();
        if let Some(last) = last {
            assert!(claimed.epoch > last.epoch && claimed.unreserved_id > last.unreserved_id);
        }
        assert_eq!(head.read().expect("HEAD can be read").as_ref(), Some(&claimed));
        last = Some(claimed);
    }
    let error = claim(&*under_test.coordinator().head(), job(2), nonce(9)).expect_err("HEAD is of another job");
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

fn racing_claims_have_epochs_of_their_own(under_test: &StorageUnderTest) {
    const LEADERS: u8 = 4;
    const CLAIMS: u8 = 5;
    let claims_of = |leader: u8| -> Vec<Head> {
        let head = under_test.coordinator().head();
        let claim_once = |number| {
            let nonce = Nonce::new([leader, number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            claim(&*head, job(1), nonce).expect("HEAD is claimed in the end").head.head().clone()
        };
        (0..CLAIMS).map(claim_once).collect()
    };
    let all: Vec<Head> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..LEADERS).map(|leader| scope.spawn(move || claims_of(leader))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no claim panics")).collect()
    });
    let distinct = |number: &dyn Fn(&Head) -> u64| all.iter().map(number).collect::<BTreeSet<_>>().len();
    let expected = usize::from(LEADERS * CLAIMS);
    assert_eq!(distinct(&|head| head.epoch.get()), expected, "no epoch is given out twice");
    assert_eq!(distinct(&|head| head.version.get()), expected, "no version is written twice");
    assert_eq!(distinct(&|head| head.unreserved_id.get()), expected, "no number is reserved twice");
}

fn a_job_that_ended_is_not_claimed(under_test: &StorageUnderTest) {
    let head = under_test.coordinator().head();
    let claimed = claim(&*head, job(1), nonce(1)).expect("HEAD is claimed");
    let write = claimed
        .head
        .end(JobEnd::Failed, RetentionPolicy::RetainOnFailure, &Collected::none())
        .expect("the job may end");
    assert!(matches!(head.write(write), HeadOutcome::Written(_)));
    let error = claim(&*head, job(1), nonce(2)).expect_err("the job has ended");
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

fn writing_the_same_head_again_is_harmless(under_test: &StorageUnderTest) {
    let view = under_test.coordinator();
    let claimed = claim(&*view.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let published = publish(&*view, job(1), identity(&claimed, 1), &[]);
    let write = || claimed.commit(published.clone(), 1, &Collected::none()).expect("the commit is in order");
    for _ in 0..3 {
        assert!(matches!(view.head().write(write()), HeadOutcome::Written(_)));
    }
    assert_eq!(view.head().read().expect("HEAD can be read").as_ref(), Some(write().head()));
}

fn a_second_leader_fences_the_first(under_test: &StorageUnderTest) {
    let (first, second) = (under_test.coordinator(), under_test.coordinator());
    let first_claim = claim(&*first.head(), job(1), nonce(1)).expect("the first claims HEAD").head;
    let written = commit_next(&*first, &first_claim, 1, &[]);
    let published = publish(&*first, job(1), identity(&first_claim, 2), &[]);
    let second_claim = claim(&*second.head(), job(1), nonce(2)).expect("the second claims HEAD").head;

    // The first is fenced whatever it writes, before and after the second has committed.
    for number in [1001, 1002] {
        for write in [
            written.head.commit(published.clone(), 1, &Collected::none()).expect("the first does not know"),
            written.head.reserve(&Collected::none()).expect("the first does not know"),
            written
                .head
                .end(JobEnd::Failed, RetentionPolicy::default(), &Collected::none())
                .expect("the first does not know"),
        ] {
            let HeadOutcome::Fenced(error) = first.head().write(write) else { panic!("the first is not fenced") };
            assert_eq!(error.kind(), ErrorKind::Fenced);
        }
        let retained = second.head().read().expect("HEAD can be read").expect("HEAD is there").retained;
        for snapshot in retained {
            second.load(&snapshot).expect("what the second retains is there");
        }
        if number == 1001 {
            let _ = commit_next(&*second, &second_claim, number, &[]);
        }
    }
}

fn a_commit_is_found_by_the_next_leader(under_test: &StorageUnderTest) {
    let view = under_test.coordinator();
    let claimed = claim(&*view.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let _ = commit_next(&*view, &claimed, 1, &[]);
    let next = under_test.coordinator();
    let claimed_next = claim(&*next.head(), job(1), nonce(2)).expect("HEAD is claimed").head;
    let newest = claimed_next.head().restore_point().expect("the commit is retained");
    assert_eq!(next.load(newest).expect("its metadata is there"), metadata(job(1), identity(&claimed, 1), &[]));
}

fn what_is_highly_available_is_found_by_other_processes(under_test: &StorageUnderTest) {
    let view = under_test.coordinator();
    let claimed = claim(&*view.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let written = commit_next(&*view, &claimed, 1, &[]);
    let newest = written.head.head().restore_point().expect("the commit is retained");

    let StorageContext { file_systems, spawn, .. } = &under_test.context;
    let process = StorageContext::new(Arc::clone(file_systems), Arc::clone(spawn));
    let next = under_test.storage.coordinator_view(job(1), &process).expect("a coordinator's view");
    let head = next.head().read().expect("HEAD can be read");
    let found = under_test.storage.resolve(&view.pointer(newest), &process);
    if view.supports_high_availability() {
        assert_eq!(head.as_ref(), Some(written.head.head()), "it says that HEAD is found by everybody");
        let loaded = next.load(newest).expect("it says that everybody finds its metadata");
        assert_eq!(*found.expect("its pointer leads there").metadata, loaded);
    } else {
        assert_eq!(head, None, "it says that HEAD is found by nobody else");
        drop(found.expect_err("it says that nobody else finds it"));
    }
}

fn publishing_replaces_nothing(under_test: &StorageUnderTest) {
    let view = under_test.coordinator();
    let claimed = claim(&*view.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let identity = identity(&claimed, 1);
    let location = view.initialize_checkpoint(&identity).expect("its place is free");
    let rival = view.initialize_checkpoint(&identity).expect("its place is free still");
    let ours = metadata(job(1), identity, &[]);
    let published = location.publish(&ours).expect("nothing is in the way");
    assert_eq!(location.publish(&ours).expect("the same again"), published);
    let other = metadata(job(1), identity, &[writer_file(claimed.head().epoch, 0)]);
    let error = rival.publish(&other).expect_err("another one is there");
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
    assert_eq!(view.load(&published).expect("the first is there"), ours);
    let misplaced = metadata(job(2), identity, &[]);
    assert_eq!(location.publish(&misplaced).expect_err("another job's").kind(), ErrorKind::AbortCheckpoint);
}

fn a_place_is_given_out_while_it_is_empty(under_test: &StorageUnderTest) {
    let view = under_test.coordinator();
    let claimed = claim(&*view.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let _ = publish(&*view, job(1), identity(&claimed, 1), &[]);
    let error = view.initialize_checkpoint(&identity(&claimed, 1)).expect_err("something is there");
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
    view.initialize_checkpoint(&identity(&claimed, 11)).expect("its number only begins as the other's");
}

fn state_is_read_as_it_was_written(under_test: &StorageUnderTest) {
    let view = under_test.coordinator();
    let claimed = claim(&*view.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let epoch = claimed.head().epoch;
    for (number, bytes) in [(1, vec![1; 10]), (2, vec![2; 3_000_000])] {
        let identity = identity(&claimed, number);
        let location = view.initialize_checkpoint(&identity).expect("its place is free");
        let worker = under_test.worker(epoch, number);
        let streams = worker.streams(&barrier(identity)).expect("streams of the checkpoint");
        let state = written_state(&*streams, &bytes);
        let metadata = metadata_of(job(1), identity, Some(state));
        let loaded = view.load(&location.publish(&metadata).expect("nothing is in the way")).expect("it is there");
        assert_eq!(loaded, metadata);
        // Another process restores.
        let reader = under_test.worker(epoch, 100 + number).reader(identity.id, &Places::none()).expect("a reader");
        let mut read = Vec::new();
        let mut visit = |handle: &HandleView<'_>| read.push(read_all(&*reader, &handle.to_handle()));
        loaded.visit_handles(&mut visit).expect("what was read can be decoded");
        assert_eq!(read, [bytes.as_slice(), bytes.as_slice()]);
    }
}

fn a_writer_uses_no_name_twice(under_test: &StorageUnderTest) {
    let view = under_test.coordinator();
    let claimed = claim(&*view.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let worker = under_test.worker(claimed.head().epoch, 1);
    let mut places = BTreeSet::new();
    for number in 1..4 {
        let streams = worker.streams(&barrier(identity(&claimed, number))).expect("streams of the checkpoint");
        let state = written_state(&*streams, &vec![0; 3_000_000]);
        for handle in state.operator().iter().map(|state| state.handle()) {
            let Place::File { root, file } = handle.place() else { continue };
            assert!(matches!(root, Root::ThisSnapshot | Root::JobShared));
            assert!(places.insert(file.clone()), "{file} was used before");
        }
    }
    let foreign = CheckpointIdentity::new(
        CheckpointId::FIRST,
        LeaderEpoch::new(claimed.head().epoch.get() + 1),
        Timestamp::from_millis(0),
        None,
    );
    let error = worker.streams(&barrier(foreign)).expect_err("the barrier is of another leader");
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
}

fn cancelling_reaches_the_streams_of_a_checkpoint(under_test: &StorageUnderTest) {
    let view = under_test.coordinator();
    let claimed = claim(&*view.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let worker = under_test.worker(claimed.head().epoch, 1);
    let barrier_1 = barrier(identity(&claimed, 1));
    let writing = worker.streams(&barrier_1).expect("streams of the checkpoint");
    let mut stream = writing.create(StateScope::Exclusive).expect("a stream begins");
    stream.write_all(&[0; 1000]).expect("the bytes are written");
    // Whoever cancels knows the checkpoint only.
    drop(worker.streams(&barrier_1).expect("streams of the checkpoint").cancel());
    assert_eq!(stream.finish().expect_err("it is cancelled").kind(), ErrorKind::Cancelled);
    let other = worker.streams(&barrier(identity(&claimed, 2))).expect("streams of the next checkpoint");
    other
        .create(StateScope::Exclusive)
        .expect("the next checkpoint is not cancelled")
        .abort()
        .expect("nothing is left");
}

fn removing_takes_a_checkpoint_and_no_more(under_test: &StorageUnderTest) {
    let view = under_test.coordinator();
    let claimed = claim(&*view.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let first = commit_next(&*view, &claimed, 1, &[]);
    let second = commit_next(&*view, &first.head, 11, &[]);
    assert_eq!(second.removed.len(), 1);
    for _ in 0..2 {
        view.remove(&second.removed[0], &RemovedFiles::default()).expect("removing is idempotent");
    }
    let error = view.load(second.removed[0].snapshot()).expect_err("it is gone");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    view.load(second.head.head().restore_point().expect("the second is retained")).expect("the other is there");
}

fn discarding_spares_what_is_committed(under_test: &StorageUnderTest) {
    let view = under_test.coordinator();
    let claimed = claim(&*view.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let aborted = identity(&claimed, 1);
    let location = view.initialize_checkpoint(&aborted).expect("its place is free");
    let published = location.publish(&metadata(job(1), aborted, &[])).expect("nothing is in the way");
    for _ in 0..2 {
        location.discard().expect("discarding is idempotent");
    }
    assert_eq!(view.load(&published).expect_err("it is gone").kind(), ErrorKind::NotFound);

    let committed = identity(&claimed, 2);
    let location = view.initialize_checkpoint(&committed).expect("its place is free");
    let published = location.publish(&metadata(job(1), committed, &[])).expect("nothing is in the way");
    let _ = commit(&*view, &claimed, published.clone());
    assert_eq!(location.discard().expect_err("it is committed").kind(), ErrorKind::FailJob);
    view.load(&published).expect("it is there");
}

fn orphans_go_and_what_is_named_stays(under_test: &StorageUnderTest) {
    let former = under_test.coordinator();
    let claimed = claim(&*former.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let worker = under_test.worker(claimed.head().epoch, 1);
    let write = |number| {
        let identity = identity(&claimed, number);
        let location = former.initialize_checkpoint(&identity).expect("its place is free");
        let streams = worker.streams(&barrier(identity)).expect("streams of the checkpoint");
        let state = written_state(&*streams, &vec![9; 3_000_000]);
        (location, metadata_of(job(1), identity, Some(state)))
    };
    let (location, committed) = write(1);
    let published = location.publish(&committed).expect("nothing is in the way");
    let written = commit(&*former, &claimed, published);
    let orphaned = publish(&*former, job(1), identity(&claimed, 5), &[]);
    let (_, lost) = write(3);

    let view = under_test.coordinator();
    let present = claim(&*view.head(), job(1), nonce(2)).expect("HEAD is claimed").head;
    let own = under_test.worker(present.head().epoch, 1);
    let of_own = own.streams(&barrier(identity(&present, 1001))).expect("streams of the checkpoint");
    let of_own = metadata_of(job(1), identity(&present, 1001), Some(written_state(&*of_own, &vec![8; 3_000_000])));

    let error = view.collect_orphans(present.head(), &[]).expect_err("it is not known what is alive");
    assert_eq!(error.kind(), ErrorKind::FailJob);
    let retained = present.head().retained.iter();
    let retained: Vec<_> = retained.map(|snapshot| Arc::new(view.load(snapshot).expect("it is there"))).collect();
    // State that stays in its handle has no file that could be an orphan.
    let mut in_files = Vec::new();
    let mut visit = |handle: &HandleView<'_>| in_files.push(!matches!(handle.to_handle().place(), Place::Inline(_)));
    lost.visit_handles(&mut visit).expect("what was written can be decoded");
    let orphans = 1 + in_files.iter().filter(|in_file| **in_file).count() as u64;
    assert_eq!(view.collect_orphans(present.head(), &retained).expect("orphans are deleted"), orphans);
    assert_eq!(view.collect_orphans(present.head(), &retained).expect("none are left"), 0);

    assert_eq!(view.load(&orphaned).expect_err("the orphan is gone").kind(), ErrorKind::NotFound);
    view.load(written.head.head().restore_point().expect("it was committed")).expect("it is there");
    let open = |metadata: &CheckpointMetadata| {
        let reader = own.reader(metadata.summary().identity.id, &Places::none()).expect("a reader");
        let mut opened = Vec::new();
        let mut open = |handle: &HandleView<'_>| opened.push(reader.open(&handle.to_handle()).is_ok());
        metadata.visit_handles(&mut open).expect("what was read can be decoded");
        opened
    };
    assert_eq!(open(&committed), [true, true], "what is retained stays");
    assert_eq!(open(&of_own), [true, true], "what the present leader writes stays");
    let gone: Vec<bool> = open(&lost).into_iter().map(|opened| !opened).collect();
    assert_eq!(gone, in_files, "what nothing names goes");
}

fn what_a_former_leader_removed_can_be_removed(under_test: &StorageUnderTest) {
    let former = under_test.coordinator();
    let claimed = claim(&*former.head(), job(1), nonce(1)).expect("HEAD is claimed").head;
    let first = commit_next(&*former, &claimed, 1, &[]);
    let second = commit_next(&*former, &first.head, 2, &[]);
    let view = under_test.coordinator();
    let present = claim(&*view.head(), job(1), nonce(2)).expect("HEAD is claimed");
    let removed = present.all_removed();
    assert_eq!(removed, second.removed);
    view.remove(&removed[0], &RemovedFiles::default()).expect("it can be removed");
    assert_eq!(view.load(removed[0].snapshot()).expect_err("it is gone").kind(), ErrorKind::NotFound);
}
