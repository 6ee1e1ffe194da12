//! Values to encode: fixed ones for the golden files, and generated ones.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use ckpt_core::head::Uri;
use ckpt_core::id::{
    AttemptId, CheckpointId, FileName, LeaderEpoch, OperatorId, TaskAttempt, TaskId, VertexId, Writer, WriterId,
};
use ckpt_core::key_group::{KeyGroup, KeyGroupRange};
use ckpt_core::snapshot::{
    AfterSavepoint, Alignment, AlignmentTimeout, CheckpointBarrier, CheckpointIdentity, CheckpointMetrics,
    CheckpointMetricsBuilder, CheckpointOptions, LocationReference, SavepointFormat, SnapshotKind,
};
use ckpt_core::state::{
    ClaimId, FileRef, IncrementalState, KeyGroupsState, KeyedState, OperatorState, Partitions, Place, Places,
    Redistribution, RelPath, Root, SharedFile, StateHandle, SubtaskState,
};
use ckpt_core::{Digest, Timestamp};

/// A generator of values: the same seed gives the same values.
pub(crate) struct Random {
    state: u64,
    /// Where ranges of key groups lie.
    pub(crate) groups: KeyGroupRange,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed, groups: range(0, 127) }
    }

    /// SplitMix64.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn id(&mut self) -> [u8; 16] {
        std::array::from_fn(|_| self.next() as u8)
    }

    /// Small and large numbers alike.
    pub(crate) fn number(&mut self) -> u64 {
        let shift = self.below(64);
        self.next() >> shift
    }

    pub(crate) fn name(&mut self) -> String {
        (0..self.below(12)).map(|_| char::from(b'a' + self.below(26) as u8)).chain(['ä']).collect()
    }

    pub(crate) fn checkpoint(&mut self) -> CheckpointId {
        checkpoint(self.number().max(1))
    }

    pub(crate) fn epoch(&mut self) -> LeaderEpoch {
        LeaderEpoch::new(self.number().max(1))
    }

    pub(crate) fn attempt(&mut self) -> TaskAttempt {
        TaskId::new(VertexId::new(self.id()), self.next() as u32).attempt(AttemptId::new(self.number()))
    }

    fn kind(&mut self) -> SnapshotKind {
        match self.below(5) {
            0 => SnapshotKind::FullCheckpoint,
            1 => savepoint(SavepointFormat::Canonical, AfterSavepoint::Continue),
            2 => savepoint(SavepointFormat::Native, AfterSavepoint::Suspend),
            3 => savepoint(SavepointFormat::Native, AfterSavepoint::Terminate),
            _ => SnapshotKind::Checkpoint,
        }
    }

    pub(crate) fn identity(&mut self) -> CheckpointIdentity {
        let id = self.checkpoint();
        let latest = CheckpointId::new(self.below(id.get()));
        CheckpointIdentity::new(id, self.epoch(), Timestamp::from_millis(self.number()), latest)
    }

    pub(crate) fn barrier(&mut self) -> CheckpointBarrier {
        let target = match self.below(2) {
            0 => LocationReference::Default,
            _ => LocationReference::at(Bytes::from(self.name())).unwrap(),
        };
        let kind = self.kind();
        let timeout = AlignmentTimeout::new(Duration::from_nanos(self.number().max(1))).ok();
        let alignment = match self.below(if kind.is_savepoint() { 2 } else { 6 }) {
            0 => Alignment::AtLeastOnce,
            1 => Alignment::Aligned { timeout: None },
            2 => Alignment::Aligned { timeout },
            3 => Alignment::Unaligned,
            4 => Alignment::ForcedAligned { timeout: None },
            _ => Alignment::ForcedAligned { timeout },
        };
        let options = CheckpointOptions::new(kind, target, alignment).unwrap();
        CheckpointBarrier::new(self.identity(), options)
    }

    pub(crate) fn metrics(&mut self) -> CheckpointMetrics {
        let mut metrics = CheckpointMetricsBuilder::new();
        let duration = |random: &mut Self| Duration::from_nanos(random.number());
        if self.below(2) == 0 {
            metrics.set_start_delay(duration(self));
            metrics.set_sync_duration(duration(self));
        }
        if self.below(2) == 0 {
            let processed = self.number();
            metrics.alignment_ended(duration(self), (processed % 2 == 0).then_some(processed)).unwrap();
        }
        match self.below(3) {
            0 => metrics.set_persisted_during_alignment_bytes(self.number()),
            1 => metrics.set_unaligned(),
            _ => metrics.set_async_duration(duration(self)),
        }
        metrics.set_persisted_bytes(self.number());
        metrics.set_total_bytes(self.number());
        metrics.build_incomplete()
    }

    fn root(&mut self) -> Root {
        match self.below(5) {
            0 => Root::ThisSnapshot,
            1 => Root::JobShared,
            2 => Root::JobTaskOwned,
            3 => Root::Claimed(ClaimId::new(7)),
            _ => Root::Borrowed(9),
        }
    }

    fn file(&mut self) -> FileRef {
        match self.below(3) {
            0 => FileRef::Foreign(RelPath::new(format!("{}/{}", self.name(), self.name())).unwrap()),
            _ => FileRef::Ours(Writer::new(self.epoch(), WriterId::new(self.number())).file(self.next() as u32)),
        }
    }

    fn handle_of(&mut self, length_bytes: u64) -> StateHandle {
        let digest = Some(Digest::crc64_nvme(self.next()));
        let (root, file) = (self.root(), self.file());
        match self.below(3) {
            0 if length_bytes < 1000 => {
                StateHandle::inline((0..length_bytes).map(|_| self.next() as u8).collect::<Vec<_>>().into())
            }
            1 => {
                let offset_bytes = self.below(u64::MAX - length_bytes);
                StateHandle::assume_durable(Place::Segment { root, file, offset_bytes }, length_bytes, digest)
            }
            _ => {
                let digest = digest.filter(|_| !matches!(root, Root::Claimed(_) | Root::Borrowed(_)));
                StateHandle::assume_durable(Place::File { root, file }, length_bytes, digest)
            }
        }
    }

    pub(crate) fn handle(&mut self) -> StateHandle {
        let length = self.number() >> 8;
        self.handle_of(length)
    }

    pub(crate) fn range(&mut self) -> KeyGroupRange {
        let (groups, own) = (self.groups, u64::from(self.groups.first().get()));
        let first = self.below(groups.count() as u64);
        range((own + first) as u16, (own + first + self.below(groups.count() as u64 - first)) as u16)
    }

    fn keyed(&mut self) -> KeyedState {
        let range = self.range();
        if self.below(2) == 0 {
            let mut at = 0;
            let offsets: Vec<u64> = (0..range.count()).map(|_| (at, at += self.below(40)).0).collect();
            return KeyedState::KeyGroups(KeyGroupsState::new(range, offsets, self.handle_of(at)).unwrap());
        }
        let shared = (0..self.below(4)).map(|_| (self.name(), SharedFile::Written(self.handle()))).collect();
        let private = (0..self.below(4)).map(|_| (self.name(), self.handle())).collect();
        let operator = OperatorId::new(self.id());
        KeyedState::Incremental(IncrementalState::new(operator, range, shared, private, self.handle()))
    }

    fn operator_state(&mut self) -> OperatorState {
        let mut end = 0;
        let mut states = BTreeMap::new();
        for _ in 0..self.below(3) {
            let mut at = 0;
            let ranges = (0..self.below(5)).map(|_| {
                let start = at + self.below(3);
                at = start + self.below(50);
                start..at
            });
            let ranges: Vec<_> = ranges.collect();
            end = end.max(at);
            let redistribution = match self.below(3) {
                0 => Redistribution::Split,
                1 => Redistribution::Union,
                _ => Redistribution::Broadcast,
            };
            states.insert(self.name(), Partitions::new(ranges, redistribution).unwrap());
        }
        OperatorState::new(states.into(), self.handle_of(end))
    }

    pub(crate) fn subtask(&mut self) -> SubtaskState {
        let keyed = (0..self.below(3)).map(|_| self.keyed()).collect();
        SubtaskState::new(keyed, (0..self.below(3)).map(|_| self.operator_state()).collect())
    }
}

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

/// The same state, of which the last keyed one reuses a file besides.
pub(crate) fn with_reused(state: SubtaskState) -> SubtaskState {
    let mut parts = state.into_parts();
    let Some(KeyedState::Incremental(files)) = parts.keyed.pop() else { panic!("another sample") };
    let reused = FileRef::Ours(Writer::new(LeaderEpoch::new(2), WriterId::new(1)).file(4));
    let shared =
        files.shared().clone().into_iter().chain([("000011.sst".into(), SharedFile::Reused(Root::JobShared, reused))]);
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
