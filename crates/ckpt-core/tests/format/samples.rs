//! Values that stand in several golden files.

use bytes::Bytes;
use ckpt_core::id::{
    AttemptId, CheckpointId, FileName, LeaderEpoch, OperatorId, TaskAttempt, TaskId, VertexId, Writer, WriterId,
};
use ckpt_core::key_group::{KeyGroup, KeyGroupRange};
use ckpt_core::snapshot::{AfterSavepoint, CheckpointIdentity, SavepointFormat, SnapshotKind};
use ckpt_core::state::{
    ClaimId, FileRef, IncrementalState, KeyGroupsState, KeyedState, OperatorState, Partitions, Place, Places,
    Redistribution, RelPath, ReusedFile, Root, SharedFile, StateHandle, SubtaskState,
};
use ckpt_core::uri::Uri;
use ckpt_core::{Digest, Timestamp};

/// The digest of a handle that names [`fixed_state_file`].
pub(crate) const FIXED_STATE_FILE_DIGEST: Digest = Digest::crc64_nvme(0xc8b9_e43a_18c4_0915);

/// The name and the payload of a state file.
pub(crate) fn fixed_state_file() -> (FileName, &'static [u8]) {
    (Writer::new(LeaderEpoch::new(3), WriterId::new(0xab)).file(1), b"the state of a task")
}

pub(crate) fn checkpoint(number: u64) -> CheckpointId {
    CheckpointId::new(number).unwrap()
}

pub(crate) fn range(first: u16, last: u16) -> KeyGroupRange {
    KeyGroupRange::new(KeyGroup::new(first), KeyGroup::new(last)).unwrap()
}

pub(crate) fn savepoint(format: SavepointFormat, then: AfterSavepoint) -> SnapshotKind {
    SnapshotKind::Savepoint { format, then }
}

pub(crate) fn places() -> Places {
    let places = [(Root::Claimed(ClaimId::new(7)), "file:///claimed"), (Root::Borrowed(9), "s3://bucket/borrowed")];
    Places::new(places.map(|(root, uri)| (root, Uri::new(uri).unwrap())).to_vec()).unwrap()
}

/// State with every kind of handle and of place.
pub(crate) fn fixed_state() -> SubtaskState {
    let writer = Writer::new(LeaderEpoch::new(3), WriterId::new(0xab));
    let own = FileRef::Ours(writer.file(1));
    let file = |root, file, bytes| {
        StateHandle::assume_durable(Place::File { root, file }, bytes, Some(Digest::crc64_nvme(0x0123_4567_89ab_cdef)))
    };
    let groups = KeyGroupsState::new(range(0, 3), vec![0, 10, 10, 300], file(Root::ThisSnapshot, own.clone(), 1000));
    let shared = [
        ("000007.sst".to_owned(), SharedFile::Written(file(Root::JobShared, FileRef::Ours(writer.file(2)), 1 << 20))),
        ("000009.sst".to_owned(), SharedFile::Written(file(Root::Claimed(ClaimId::new(7)), own.clone(), 1 << 40))),
    ];
    let foreign = FileRef::Foreign(RelPath::new("chk-5/0c1d").unwrap());
    let borrowed = StateHandle::assume_durable(Place::File { root: Root::Borrowed(9), file: foreign }, 77, None);
    let segment = StateHandle::assume_durable(
        Place::Segment { root: Root::JobTaskOwned, file: own, offset_bytes: 4096 },
        55,
        Some(Digest::of(b"segment")),
    );
    let incremental = IncrementalState::new(
        OperatorId::new([0x22; 16]),
        range(4, 42),
        shared.into(),
        [("MANIFEST".to_owned(), borrowed), ("OPTIONS".to_owned(), segment)].into(),
        StateHandle::inline(Bytes::from_static(b"meta")),
    );
    let partitions =
        |ranges: &[std::ops::Range<u64>], redistribution| Partitions::new(ranges.to_vec(), redistribution).unwrap();
    let states = [
        ("broadcast".to_owned(), partitions(&[0..1, 1..2], Redistribution::Broadcast)),
        ("split".to_owned(), partitions(&[2..5, 6..6, 7..9], Redistribution::Split)),
        ("union".to_owned(), partitions(&[], Redistribution::Union)),
    ];
    let operator = OperatorState::new(states.into(), StateHandle::inline(Bytes::from_static(b"0123456789")));
    SubtaskState::new(
        vec![KeyedState::KeyGroups(groups.unwrap()), KeyedState::Incremental(incremental)],
        vec![operator],
    )
}

/// The same state, of which the last keyed one reuses a file and a piece of one besides.
pub(crate) fn with_reused(state: SubtaskState) -> SubtaskState {
    let mut parts = state.into_parts();
    let Some(KeyedState::Incremental(files)) = parts.keyed.pop() else { panic!("another sample") };
    let reused = FileRef::Ours(Writer::new(LeaderEpoch::new(2), WriterId::new(1)).file(4));
    let again = [
        ("000011.sst".into(), ReusedFile::whole(Root::JobShared, reused.clone())),
        ("000012.sst".into(), ReusedFile::segment(Root::Claimed(ClaimId::new(7)), reused, 70_000)),
    ];
    let again = again.map(|(name, reused)| (name, SharedFile::Reused(reused)));
    let shared = files.shared().clone().into_iter().chain(again);
    let private = files.private().clone();
    let files = IncrementalState::new(files.operator(), files.range(), shared.collect(), private, files.meta().clone());
    parts.keyed.push(KeyedState::Incremental(files));
    parts.into()
}

pub(crate) fn fixed_identity() -> CheckpointIdentity {
    let triggered = Timestamp::from_millis(1_767_225_600_000);
    CheckpointIdentity::new(checkpoint(1234), LeaderEpoch::new(3), triggered, Some(checkpoint(1200)))
}

pub(crate) fn fixed_attempt() -> TaskAttempt {
    TaskId::new(VertexId::new([0x33; 16]), 5).attempt(AttemptId::new(6))
}
