//! A job of ours, as ckpt-storage writes it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::sync::Arc;

use ckpt_core::head::{
    ClaimMode, ClaimedHead, Collected, ForeignSnapshot, Head, Nonce, Ownership, RetainedSnapshot, SavepointInProgress,
};
use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch, OperatorId, Writer, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::metadata::{
    CheckpointDescription, CheckpointMetadata, MasterState, MetadataWriter, OperatorDescription,
};
use ckpt_core::snapshot::{
    Admission, AfterSavepoint, CheckpointBarrier, CheckpointIdentity, CheckpointOptions, CheckpointProperties, JobEnd,
    LocationReference, RetentionPolicy, SavepointFormat, SnapshotKind,
};
use ckpt_core::state::{
    FileRef, IncrementalState, KeyedState, OperatorState, Partitions, Place, Places, Redistribution, Root, SharedFile,
    SortedMap, StateHandle, SubtaskReport, SubtaskState, TaskSnapshot,
};
use ckpt_core::uri::Uri;
use ckpt_core::{Digest, Timestamp};
use ckpt_storage::{
    CheckpointStorage as _, CoordinatorView, FileSystemStorage, HeadOutcome, StorageContext, WorkerView, claim,
};
use ckpt_streams::file_system::{Durability, FileSystems};
use ckpt_streams::{Pool, PoolOptions, Staged, StateScope, StreamFactory};

use super::run::Tree;

/// The job of the tree.
pub(crate) const JOB: &str = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

/// More than one block of a state file.
const STATE_BYTES: usize = 100_000;

/// Checkpoints 1 to 3 of a job that retains two, number 4 published and not committed, number 5 never finished.
pub(crate) fn plant(tree: &Tree) {
    let job: JobId = JOB.parse().unwrap();
    let (storage, context) = storage(tree);
    let view = storage.coordinator_view(job, &context).unwrap();
    let mut head = claim(&*view.head(), job, Nonce::new([1; 16])).unwrap().head;
    let epoch = head.head().epoch;
    let worker = storage.worker_view(job, Writer::new(epoch, WriterId::new(1)), &context).unwrap();
    for number in 1..=4 {
        let published = publish(&*view, &*worker, &head, number);
        if number <= 3 {
            head = commit(&*view, &head, published);
        }
    }
    tree.put(&format!("jobs/{JOB}/chk-5/0000000000000001-0000000000000001-000000ff"), b"half a file");
    tree.settle();
}

fn publish(view: &dyn CoordinatorView, worker: &dyn WorkerView, head: &ClaimedHead, number: u64) -> RetainedSnapshot {
    let id = CheckpointId::new(number).unwrap();
    let triggered_at = Timestamp::from_millis(1_795_000_000_000 + number * 1000);
    let identity = CheckpointIdentity::new(id, head.head().epoch, triggered_at, None);
    let options = CheckpointOptions::aligned(SnapshotKind::Checkpoint, LocationReference::Default);
    let location = view.initialize_checkpoint(&identity).unwrap();
    let streams = worker.streams(&CheckpointBarrier::new(identity, options)).unwrap();
    let properties = CheckpointProperties::checkpoint(RetentionPolicy::RetainOnCancellation);
    let mut description = CheckpointDescription::new(head.head().job, identity, properties);
    description.master_states = BTreeMap::from([("offsets".to_owned(), MasterState::new(7, vec![1, 2, 3].into()))]);
    let mut metadata = CheckpointMetadata::builder(description).unwrap();
    let (count, sink) = (OperatorId::from_uid("count"), OperatorId::from_uid("sink"));
    let maximum = MaxParallelism::new(128).unwrap();
    let mut described = OperatorDescription::new(sink, "Sink", 1, maximum);
    described.coordinator_state = Some(StateHandle::inline(vec![9; 20].into()));
    let mut operator = metadata.operator(&described).unwrap();
    let state = partitions_of(staged(&*streams, StateScope::Exclusive, &[4; 10]));
    operator.subtask(0, &sealed(&*streams, sink, SubtaskState::new(Vec::new(), vec![state]))).unwrap();
    let mut described = OperatorDescription::new(count, "Count words", 2, maximum);
    described.uid = Some("count".to_owned());
    let mut operator = metadata.operator(&described).unwrap();
    for subtask in 0..2 {
        operator.subtask(subtask, &sealed(&*streams, count, incremental(&*streams, count, maximum, subtask))).unwrap();
    }
    let completed_at = Timestamp::from_millis(triggered_at.millis() + 250);
    let metadata = metadata.finish(completed_at).unwrap();
    location.publish(&metadata).unwrap()
}

fn commit(view: &dyn CoordinatorView, head: &ClaimedHead, published: RetainedSnapshot) -> ClaimedHead {
    match view.head().write(head.commit(published, 2, &Collected::none()).unwrap()) {
        HeadOutcome::Written(written) => written.head,
        other => panic!("expected HEAD to be written, found {other:?}"),
    }
}

fn incremental(
    streams: &dyn StreamFactory,
    operator: OperatorId,
    maximum: MaxParallelism,
    subtask: u32,
) -> SubtaskState<Staged> {
    let range = maximum.range_of(subtask, 2).unwrap();
    let state = |byte, length| vec![byte; length];
    let shared = staged(streams, StateScope::Shared, &state(subtask as u8 + 1, STATE_BYTES));
    let private = staged(streams, StateScope::Exclusive, &state(7, 2000));
    let meta = staged(streams, StateScope::Exclusive, &state(8, 100));
    let shared = [("000007.sst", SharedFile::Written(shared))].into();
    let state = IncrementalState::new(operator, range, shared, [("MANIFEST", private)].into(), meta);
    SubtaskState::new(vec![KeyedState::Incremental(state)], Vec::new())
}

fn partitions_of<H>(handle: H) -> OperatorState<H> {
    let partitions = Partitions::new([0..4, 4..10], Redistribution::Split).unwrap();
    OperatorState::new([("pending commits", partitions)].into(), handle)
}

fn staged(streams: &dyn StreamFactory, scope: StateScope, bytes: &[u8]) -> Staged {
    let mut stream = streams.create(scope).unwrap();
    stream.write_all(bytes).unwrap();
    stream.finish().unwrap().unwrap()
}

fn sealed(streams: &dyn StreamFactory, operator: OperatorId, state: SubtaskState<Staged>) -> SubtaskState {
    let sealed = streams.seal(TaskSnapshot::new([(operator, state)].into())).unwrap();
    sealed.into_operators().into_iter().map(|(_, state)| state).next().unwrap()
}

/// A snapshot that names a file of a snapshot of the tree, as one that lies at that URI.
pub(crate) fn plant_borrowed(tree: &Tree, directory: &str, uri: &str) {
    let root = Root::Borrowed(0);
    let places = Places::new(vec![(root, Uri::new(uri).unwrap())]).unwrap();
    plant_altered(tree, directory, places, |handle| {
        let Some((Root::ThisSnapshot, file)) = handle.place().file() else {
            return StateHandle::inline(vec![1].into());
        };
        let place = Place::File { root, file: file.clone() };
        StateHandle::assume_durable(place, handle.length_bytes(), handle.digest())
    });
}

/// A snapshot that names two segments of one file of its directory; where that is, and where the second begins.
pub(crate) fn plant_segments(tree: &Tree, directory: &str) -> (String, usize) {
    let mut found = None;
    let mut offset_bytes = 7;
    plant_altered(tree, directory, Places::default(), |handle| {
        if let Some((Root::ThisSnapshot, file)) = handle.place().file() {
            let bytes = std::fs::read(tree.join(&format!("jobs/{JOB}/chk-3/{file}"))).unwrap();
            found = Some((file.clone(), handle.length_bytes(), handle.digest(), bytes));
        }
        StateHandle::inline(vec![1].into())
    });
    let (file, length_bytes, digest, bytes) = found.unwrap();
    plant_altered(tree, directory, Places::default(), |handle| {
        if handle.place().file().is_none() {
            return handle.clone();
        }
        let place = Place::Segment { root: Root::ThisSnapshot, file: file.clone(), offset_bytes };
        offset_bytes += bytes.len() as u64;
        StateHandle::assume_durable(place, length_bytes, digest)
    });
    let path = format!("{directory}/{file}");
    tree.put(&path, &[&[0; 7][..], &bytes, &bytes, &[0; 9]].concat());
    (path, 7 + bytes.len())
}

/// The first subtask of the newest checkpoint of the tree, with other handles.
fn plant_altered(tree: &Tree, directory: &str, places: Places, mut alter: impl FnMut(&StateHandle) -> StateHandle) {
    let identity = CheckpointIdentity::new(
        CheckpointId::new(9).unwrap(),
        LeaderEpoch::new(1),
        Timestamp::from_millis(1_795_000_000_000),
        None,
    );
    let mut description = CheckpointDescription::new(JOB.parse().unwrap(), identity, CheckpointProperties::unclaimed());
    description.places = places;
    let mut metadata = CheckpointMetadata::builder(description).unwrap();
    let count = OperatorId::from_uid("count");
    let maximum = MaxParallelism::new(128).unwrap();
    let mut operator = metadata.operator(&OperatorDescription::new(count, "Count words", 1, maximum)).unwrap();
    let before =
        CheckpointMetadata::decode(std::fs::read(tree.join(&format!("jobs/{JOB}/chk-3/_metadata"))).unwrap().into());
    let before = before.unwrap();
    let reported = before.operator(count).unwrap().subtask(0).unwrap();
    let Some(SubtaskReport::State(state)) = reported else { panic!("it has state") };
    let state = state.try_map_handles::<StateHandle, ckpt_core::Error>(&mut |handle| Ok(alter(&handle)));
    operator.subtask(0, &state.unwrap()).unwrap();
    let metadata = metadata.finish(Timestamp::from_millis(1_795_000_000_001)).unwrap();
    tree.put(&format!("{directory}/_metadata"), &metadata.encode().unwrap().0);
}

/// A snapshot whose metadata holds more than it is read as a whole for: so many operators with 1 MB of state each. `root` is
/// where one more piece lies.
pub(crate) fn plant_large(tree: &Tree, directory: &str, operators: u8, root: Option<Root>) {
    let id = CheckpointId::new(4).unwrap();
    let identity = CheckpointIdentity::new(id, LeaderEpoch::new(1), Timestamp::from_millis(0), None);
    let properties = CheckpointProperties::checkpoint(RetentionPolicy::RetainOnCancellation);
    let description = CheckpointDescription::new(JOB.parse().unwrap(), identity, properties);
    let mut metadata = CheckpointMetadata::builder(description).unwrap();
    let maximum = MaxParallelism::new(128).unwrap();
    for number in 0..operators {
        let description = OperatorDescription::new(OperatorId::new([number; 16]), "large", 4, maximum);
        let mut operator = metadata.operator(&description).unwrap();
        for subtask in 0..2 {
            let mut states = vec![partitions_of(StateHandle::inline(vec![number; 500_000].into()))];
            states.extend(root.map(|root| {
                let name = Writer::new(LeaderEpoch::new(1), WriterId::new(1)).file(u32::from(number));
                let place = Place::File { root, file: FileRef::Ours(name) };
                partitions_of(StateHandle::assume_durable(place, 77, Some(Digest::of(b"x"))))
            }));
            operator.subtask(subtask, &SubtaskState::new(Vec::new(), states)).unwrap();
        }
        operator.finished_subtask(3).unwrap();
    }
    let metadata = metadata.finish(Timestamp::from_millis(1)).unwrap();
    tree.put(&format!("{directory}/_metadata"), &metadata.encode().unwrap().0);
}

/// Metadata of one subtask with so many pieces of inline state, of a byte each.
pub(crate) fn plant_pieces(tree: &Tree, directory: &str, pieces: usize) {
    let id = CheckpointId::new(4).unwrap();
    let identity = CheckpointIdentity::new(id, LeaderEpoch::new(1), Timestamp::from_millis(0), None);
    let properties = CheckpointProperties::checkpoint(RetentionPolicy::RetainOnCancellation);
    let description = CheckpointDescription::new(JOB.parse().unwrap(), identity, properties);
    let mut metadata = CheckpointMetadata::builder(description).unwrap();
    let piece = OperatorState::new(SortedMap::default(), StateHandle::inline(vec![7].into()));
    let state = SubtaskState::new(Vec::new(), vec![piece; pieces]);
    let maximum = MaxParallelism::new(128).unwrap();
    let description = OperatorDescription::new(OperatorId::new([1; 16]), "large", 1, maximum);
    metadata.operator(&description).unwrap().subtask(0, &state).unwrap();
    let metadata = metadata.finish(Timestamp::from_millis(1)).unwrap();
    tree.put(&format!("{directory}/_metadata"), &metadata.encode().unwrap().0);
}

/// Metadata whose summary is as large as it may be: of so many operators with names of so many bytes, each with a piece of
/// inline state of so many bytes, and of 1,024 places.
pub(crate) fn plant_operators(tree: &Tree, directory: &str, operators: u32, name_bytes: usize, state_bytes: usize) {
    let id = CheckpointId::new(4).unwrap();
    let identity = CheckpointIdentity::new(id, LeaderEpoch::new(1), Timestamp::from_millis(0), None);
    let properties = CheckpointProperties::checkpoint(RetentionPolicy::RetainOnCancellation);
    let mut description = CheckpointDescription::new(JOB.parse().unwrap(), identity, properties);
    let place = |number| {
        let uri = Uri::new(format!("file:///{}/{number}", "d".repeat(4000))).unwrap();
        (Root::Borrowed(number), uri)
    };
    description.places = Places::new((0..Places::MAX_PLACES as u16).map(place).collect()).unwrap();
    tree.put(&format!("{directory}/_metadata"), b"");
    let mut out = BufWriter::new(File::create(tree.join(directory).join("_metadata")).unwrap());
    let mut metadata = MetadataWriter::new(description, &mut out).unwrap();
    let maximum = MaxParallelism::new(128).unwrap();
    let state = StateHandle::inline(vec![7; state_bytes].into());
    let state = SubtaskState::new(Vec::new(), vec![partitions_of(state)]);
    for number in 0..u128::from(operators) {
        let id = OperatorId::new(number.to_be_bytes());
        let description = OperatorDescription::new(id, "n".repeat(name_bytes), 1, maximum);
        metadata.operator(&description).unwrap().subtask(0, &state).unwrap();
    }
    metadata.finish(Timestamp::from_millis(1)).unwrap();
}

/// The job of the tree is stopped with the savepoint at `stopped_at`, and takes another one at `in_progress`.
pub(crate) fn plant_savepoints(tree: &Tree, in_progress: &str, stopped_at: &str) {
    let job: JobId = JOB.parse().unwrap();
    let (storage, context) = storage(tree);
    let view = storage.coordinator_view(job, &context).unwrap();
    let mut claimed = claim(&*view.head(), job, Nonce::new([2; 16])).unwrap();
    let mut head = claimed.head;
    let write = |write| match view.head().write(write) {
        HeadOutcome::Written(written) => written.head,
        other => panic!("expected HEAD to be written, found {other:?}"),
    };
    let uri = |path: &str| Uri::new(format!("file://{}", tree.join(path).display())).unwrap();
    for path in [in_progress, stopped_at] {
        let id = claimed.reserved.take().unwrap();
        std::fs::create_dir_all(tree.join(path)).unwrap();
        head = write(head.begin_savepoint(SavepointInProgress::new(id, uri(path)), &Collected::none()).unwrap());
        if path == stopped_at {
            let kind = SnapshotKind::Savepoint { format: SavepointFormat::Canonical, then: AfterSavepoint::Suspend };
            let epoch = head.head().epoch;
            let stopped = RetainedSnapshot::new(id, epoch, kind, 100, Digest::of(b"its index"));
            let stopped = stopped.elsewhere(uri(path), Ownership::Borrowed);
            head = write(head.stop(stopped, &Collected::none()).unwrap());
        }
    }
}

/// The job of the tree goes back from its third checkpoint to the second.
pub(crate) fn plant_gone_back(tree: &Tree) {
    let job: JobId = JOB.parse().unwrap();
    let (storage, context) = storage(tree);
    let head = storage.coordinator_view(job, &context).unwrap().head();
    let before = head.read().unwrap().unwrap();
    let write = Head::claim_going_back(&before, job, Nonce::new([3; 16]), CheckpointId::new(2).unwrap()).unwrap();
    let HeadOutcome::Written(_) = head.write(write) else { panic!("expected HEAD to be written") };
}

/// Another job, which begins from the newest checkpoint of the tree's job and has claimed it as one whose directory is at
/// that URI.
pub(crate) fn plant_claim(tree: &Tree, other: &str, job_uri: &str) {
    let (storage, context) = storage(tree);
    let head = |job: &str| storage.coordinator_view(job.parse().unwrap(), &context).unwrap();
    let before = head(JOB).head().read().unwrap().unwrap();
    let newest = before.restore_point().unwrap();
    let uri = |path: &str| Uri::new(format!("{job_uri}/{path}")).unwrap();
    let snapshot = ForeignSnapshot::new(before.job, newest, uri(&format!("chk-{}", newest.id)))
        .naming(vec![(Root::JobShared, uri("shared"))]);
    let job = other.parse().unwrap();
    let write = Head::claim_from(None, job, Nonce::new([3; 16]), &snapshot, ClaimMode::Claim).unwrap();
    match head(other).head().write(write) {
        HeadOutcome::Written(_) => {}
        other => panic!("expected HEAD to be written, found {other:?}"),
    }
}

/// That other job retains a checkpoint of its own instead, of that number, which is not there, and has not deleted yet what it
/// claimed.
pub(crate) fn plant_commit_after_claim(tree: &Tree, other: &str) -> CheckpointId {
    let job = other.parse().unwrap();
    let (storage, context) = storage(tree);
    let view = storage.coordinator_view(job, &context).unwrap();
    let mut claimed = claim(&*view.head(), job, Nonce::new([4; 16])).unwrap();
    let id = claimed.reserved.take().unwrap();
    let epoch = claimed.head.head().epoch;
    let retained = RetainedSnapshot::new(id, epoch, SnapshotKind::Checkpoint, 100, Digest::of(b"its index"));
    let write = claimed.head.commit(retained, 1, &Collected::none()).unwrap();
    match view.head().write(write) {
        HeadOutcome::Written(_) => id,
        other => panic!("expected HEAD to be written, found {other:?}"),
    }
}

/// The job of the tree goes back from its third checkpoint to the second.
pub(crate) fn plant_going_back(tree: &Tree) {
    let job: JobId = JOB.parse().unwrap();
    let (storage, context) = storage(tree);
    let view = storage.coordinator_view(job, &context).unwrap();
    let head = view.head().read().unwrap().unwrap();
    let to = CheckpointId::new(2).unwrap();
    match view.head().write(Head::claim_going_back(&head, job, Nonce::new([5; 16]), to).unwrap()) {
        HeadOutcome::Written(_) => {}
        other => panic!("expected HEAD to be written, found {other:?}"),
    }
}

/// The job of the tree has ended so.
pub(crate) fn plant_end(tree: &Tree, end: JobEnd) {
    let job: JobId = JOB.parse().unwrap();
    let (storage, context) = storage(tree);
    let head = storage.coordinator_view(job, &context).unwrap().head();
    let claimed = claim(&*head, job, Nonce::new([6; 16])).unwrap().head;
    let write = claimed.end(end, RetentionPolicy::RetainOnCancellation, &Collected::none()).unwrap();
    let HeadOutcome::Written(_) = head.write(write) else { panic!("expected HEAD to be written") };
}

/// The job of the tree, which has ended, hands its newest checkpoint over to that one.
pub(crate) fn plant_handing_over(tree: &Tree, to: &str) {
    let job: JobId = JOB.parse().unwrap();
    let (storage, context) = storage(tree);
    let head = storage.coordinator_view(job, &context).unwrap().head();
    let before = head.read().unwrap().unwrap();
    let HeadOutcome::Written(claimed) = head.write(Head::claim_ended(&before, job, Nonce::new([7; 16])).unwrap())
    else {
        panic!("expected HEAD to be written")
    };
    let newest = before.restore_point().unwrap().id;
    let write = claimed.head.hand_over(newest, to.parse().unwrap(), &Collected::none()).unwrap();
    let HeadOutcome::Written(_) = head.write(write) else { panic!("expected HEAD to be written") };
}

/// What HEAD of the job of the tree says.
pub(crate) fn head_of(tree: &Tree) -> Head {
    let (storage, context) = storage(tree);
    storage.coordinator_view(JOB.parse().unwrap(), &context).unwrap().head().read().unwrap().unwrap()
}

/// A self-contained savepoint of the job of the tree, by its kind one that stops it.
pub(crate) fn plant_savepoint(tree: &Tree, directory: &str, then: AfterSavepoint) {
    let identity = CheckpointIdentity::new(
        CheckpointId::new(9).unwrap(),
        LeaderEpoch::new(1),
        Timestamp::from_millis(1_795_000_000_000),
        None,
    );
    let properties = CheckpointProperties::savepoint(SavepointFormat::Canonical, then, Admission::InTurn);
    let description = CheckpointDescription::new(JOB.parse().unwrap(), identity, properties);
    let metadata = CheckpointMetadata::builder(description).unwrap().finish(Timestamp::from_millis(1_795_000_000_001));
    tree.put(&format!("{directory}/_metadata"), &metadata.unwrap().encode().unwrap().0);
}

fn storage(tree: &Tree) -> (FileSystemStorage, StorageContext) {
    let storage = FileSystemStorage::new(tree.join("jobs").to_str().unwrap())
        .with_durability(Durability::None)
        .with_inline_threshold_bytes(1000);
    let pool = Arc::new(Pool::new(PoolOptions::default()).unwrap());
    (storage, StorageContext::new(Arc::new(FileSystems::local()), pool))
}
