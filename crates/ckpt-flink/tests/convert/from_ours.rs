//! Metadata of ours, made up, made Flink's and back.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt::Debug;

use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch, OperatorId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::metadata::{CheckpointDescription, CheckpointMetadata, OperatorDescription};
use ckpt_core::snapshot::{CheckpointIdentity, CheckpointProperties, RetentionPolicy};
use ckpt_core::state::{
    ChannelState, IncrementalState, KeyGroupsState, KeyedState, OperatorState, Place, Root, Sections, SharedFile,
    StateHandle, StateLocation, StatePiece, SubtaskReport, SubtaskState,
};
use ckpt_core::testing::strategies::{any_checkpoint_metadata, cases};
use ckpt_core::uri::Uri;
use ckpt_core::{ErrorKind, Timestamp};
use ckpt_flink::{
    Change, ChangeKind, ConversionContext, Direction, Effect, Field, FlinkMetadata, FlinkTarget, MetadataVersion,
    RootPath, to_checkpoint, to_flink,
};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;

/// Where the roots that a reader supplies lie in these tests.
fn place(root: Root) -> Option<RootPath> {
    let uri = |text: &str| Some(RootPath::Directory(Uri::new(text).unwrap()));
    match root {
        Root::ThisSnapshot => Some(RootPath::OwnDirectory),
        Root::JobShared => uri("file:///job/shared%20of%20all"),
        Root::JobTaskOwned => uri("s3://job/taskowned"),
        _ => None,
    }
}

#[test]
fn what_comes_back_is_what_went_in_but_for_what_is_listed() {
    let kinds = RefCell::new(BTreeSet::new());
    let made_up = TestRunner::new(cases(200)).run(&any_checkpoint_metadata(), |metadata| {
        for version in [MetadataVersion::V3, MetadataVersion::V4, MetadataVersion::V5, MetadataVersion::V6] {
            kinds.borrow_mut().extend(there_and_back(&metadata, version));
        }
        Ok(())
    });
    made_up.unwrap();
    // What is seldom made up.
    for (offsets, kind) in [
        (&[0, 5][..], ChangeKind::KeyGroupAtZero),
        (&[5, 5, 5], ChangeKind::KeyGroupOffsets),
        (&[5, 5, 9], ChangeKind::SectionEnds),
    ] {
        let found = there_and_back(&with_key_groups(offsets), MetadataVersion::V6);
        assert!(found.contains(&kind), "{offsets:?}: {found:?}");
        kinds.borrow_mut().extend(found);
    }
    let kinds = kinds.into_inner();
    let of_ours = ChangeKind::ALL.iter().filter(|kind| kind.direction() != Direction::FromFlink);
    let missing: Vec<_> = of_ours.filter(|kind| !kinds.contains(kind)).collect();
    assert_eq!(missing, [&ChangeKind::KeyGroupsKind; 0], "made up metadata has all that Flink cannot hold");
}

/// A subtask with two key groups that lie there.
fn with_key_groups(offsets: &[u64]) -> CheckpointMetadata {
    let identity = CheckpointIdentity::new(CheckpointId::FIRST, LeaderEpoch::new(1), Timestamp::from_millis(0), None);
    let properties = CheckpointProperties::checkpoint(RetentionPolicy::RetainOnCancellation);
    let mut builder =
        CheckpointMetadata::builder(CheckpointDescription::new(JobId::new([1; 16]), identity, properties)).unwrap();
    let max = MaxParallelism::new(2).unwrap();
    let operator = OperatorDescription::new(OperatorId::new([1; 16]), "", 1, max);
    let piece = StateHandle::inline(vec![7; 20].into());
    let state = KeyGroupsState::new(max.range_of(0, 1).unwrap(), offsets, piece).unwrap();
    let state = SubtaskState::new(vec![KeyedState::KeyGroups(state)], Vec::new());
    builder.operator(&operator).unwrap().subtask(0, &state).unwrap();
    builder.finish(Timestamp::from_millis(0)).unwrap()
}

#[test]
fn a_root_without_a_place_is_an_error_that_names_it() {
    let mut runner = TestRunner::new(cases(1));
    let found = (0..200).find_map(|_| {
        let metadata = any_checkpoint_metadata().new_tree(&mut runner).unwrap().current();
        let target = FlinkTarget::new(MetadataVersion::V6, &|_| None);
        to_flink(&metadata, &target).err()
    });
    let error = found.expect("one names a root of ours");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().starts_with("the place of "), "{error}");
}

fn there_and_back(metadata: &CheckpointMetadata, version: MetadataVersion) -> BTreeSet<ChangeKind> {
    let summary = metadata.summary();
    let target = FlinkTarget::new(version, &place);
    if i64::try_from(summary.identity.id.get()).is_err() {
        assert!(to_flink(metadata, &target).is_err());
        return BTreeSet::new();
    }
    let there = to_flink(metadata, &target).unwrap();
    let again = to_flink(metadata, &target).unwrap();
    assert_eq!(there, again, "the same each time");
    let decoded = FlinkMetadata::decode(there.metadata.encode().unwrap().into()).unwrap();
    assert_eq!((decoded.notes.total(), &decoded.metadata), (0, &there.metadata));
    let mut context = ConversionContext::new(summary.job, Uri::new("file:///own").unwrap());
    context.taken_at = summary.identity.triggered_at;
    let back = to_checkpoint(&there.metadata, &context).unwrap();

    let changes: Vec<Change> = there.changes.iter().chain(&back.changes).cloned().collect();
    let mut by_place: BTreeMap<String, BTreeSet<ChangeKind>> = BTreeMap::new();
    for Change { place, kind, .. } in &changes {
        by_place.entry(place.to_string()).or_default().insert(*kind);
    }
    let expected = described(metadata, &by_place);
    let found = described(&back.metadata, &by_place);
    for ((place, expected), (_, found)) in expected.iter().zip(&found) {
        assert_eq!(found, expected, "{place} in version {version}: {:?}", by_place.get(place));
    }
    assert!(expected.keys().eq(found.keys()), "version {version}");
    there.changes.iter().map(|change| change.kind).collect()
}

/// What stands at each place, without what was listed for it.
fn described(
    metadata: &CheckpointMetadata,
    listed: &BTreeMap<String, BTreeSet<ChangeKind>>,
) -> BTreeMap<String, String> {
    let mut described = BTreeMap::new();
    let summary = metadata.summary();
    let mut add = |operator: Option<OperatorId>, subtask, field, text: &dyn Fn(&BTreeSet<ChangeKind>) -> String| {
        let place = place_of(operator, subtask, field);
        let none = BTreeSet::new();
        let text = text(listed.get(&place).unwrap_or(&none));
        described.insert(place, text);
    };
    let unless = |kinds: &[ChangeKind], listed: &BTreeSet<ChangeKind>, value: &dyn Debug| {
        if kinds.iter().any(|kind| listed.contains(kind)) { String::new() } else { format!("{value:?}") }
    };
    add(None, None, Field::Identity, &|listed| {
        let identity = summary.identity;
        identity.id.to_string()
            + &unless(&[ChangeKind::OurIdentity], listed, &(identity.epoch, identity.latest_completed))
            + &unless(&[ChangeKind::GraphDigest], listed, &summary.graph_digest)
    });
    add(None, None, Field::Properties, &|listed| {
        use ChangeKind::{Admission, DiscardFlags, NoProperties, SnapshotKind};
        unless(&[Admission, NoProperties, SnapshotKind, DiscardFlags], listed, &summary.properties)
    });
    add(None, None, Field::MasterStates, &|_| format!("{:?}", metadata.master_states()));
    for operator in metadata.operators() {
        let id = Some(operator.id);
        add(id, None, Field::Operators, &|_| {
            format!("{} of {}, {:?}", operator.parallelism, operator.max_parallelism, operator.status)
        });
        add(id, None, Field::Name, &|listed| unless(&[ChangeKind::OperatorName], listed, &operator.name));
        add(id, None, Field::Uid, &|listed| unless(&[ChangeKind::OperatorUid], listed, &operator.uid));
        add(id, None, Field::Descriptors, &|listed| {
            unless(&[ChangeKind::Descriptors], listed, &operator.descriptors.len())
        });
        let coordinator = operator.coordinator_state().unwrap().map(|handle| Piece::of(metadata, &handle.to_handle()));
        add(id, None, Field::Coordinator, &|listed| unless(&[ChangeKind::CoordinatorInFile], listed, &coordinator));
        for subtask in operator.subtasks() {
            let (subtask, report) = subtask.unwrap();
            let state = match report {
                SubtaskReport::State(state) => state,
                other => {
                    add(id, Some(subtask), Field::Subtasks, &|_| format!("{other:?}"));
                    continue;
                }
            };
            let state = pieces(metadata, state);
            add(id, Some(subtask), Field::ManagedOperator, &|listed| slot(state.operator(), listed, operator_state));
            add(id, Some(subtask), Field::RawOperator, &|listed| slot(state.raw_operator(), listed, operator_state));
            add(id, Some(subtask), Field::ManagedKeyed, &|listed| slot(state.keyed(), listed, keyed));
            add(id, Some(subtask), Field::RawKeyed, &|listed| slot(state.raw_keyed(), listed, keyed));
            add(id, Some(subtask), Field::InputChannels, &|listed| slot(state.input_channels(), listed, channel));
            add(id, Some(subtask), Field::ResultSubpartitions, &|listed| {
                slot(state.result_subpartitions(), listed, channel)
            });
        }
    }
    described
}

fn place_of(operator: Option<OperatorId>, subtask: Option<u32>, field: Field) -> String {
    let mut text = String::new();
    text.extend(operator.map(|operator| format!("operator {operator}, ")));
    text.extend(subtask.map(|subtask| format!("subtask {subtask}, ")));
    text + &field.to_string()
}

/// A handle as Flink can know it: bytes, or a path and a length.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    what: String,
    length_bytes: u64,
    location: StateLocation,
}

impl Piece {
    fn of(metadata: &CheckpointMetadata, handle: &StateHandle) -> Self {
        let path = |root: Root| match metadata.summary().places.get(root) {
            // Where relative paths lie after they came back.
            Some(uri) if uri.as_str() == "file:///own" => String::new(),
            Some(uri) => format!("{uri}/"),
            None => match place(root).unwrap() {
                RootPath::Directory(uri) => format!("{uri}/"),
                _ => String::new(),
            },
        };
        let what = match handle.place() {
            Place::Inline(bytes) => format!("{bytes:?}"),
            Place::File { root, file } => format!("{}{file}", path(*root)),
            Place::Segment { root, file, offset_bytes } => format!("{}{file}@{offset_bytes}", path(*root)),
            _ => unreachable!(),
        };
        Self { what, length_bytes: handle.length_bytes(), location: handle.location() }
    }
}

impl StatePiece for Piece {
    fn length_bytes(&self) -> u64 {
        self.length_bytes
    }

    fn location(&self) -> StateLocation {
        self.location
    }
}

fn pieces(metadata: &CheckpointMetadata, state: SubtaskState) -> SubtaskState<Piece> {
    let mapped = state.try_map_handles(&mut |handle| Ok::<_, Infallible>(Piece::of(metadata, &handle)));
    mapped.unwrap_or_else(|never| match never {})
}

fn slot<S>(
    states: &[S],
    listed: &BTreeSet<ChangeKind>,
    describe: impl Fn(&S, &BTreeSet<ChangeKind>) -> String,
) -> String {
    if listed.iter().any(|kind| kind.effect() == Effect::NotCarried) {
        return String::new();
    }
    states.iter().map(|state| describe(state, listed) + "\n").collect()
}

fn operator_state(state: &OperatorState<Piece>, listed: &BTreeSet<ChangeKind>) -> String {
    let states = state
        .states()
        .iter()
        .map(|(name, partitions)| (name, partitions.redistribution(), ranges(partitions.ranges_bytes(), listed)));
    format!("{:?} {:?}", states.collect::<Vec<_>>(), state.handle())
}

fn ranges(ranges: &[std::ops::Range<u64>], listed: &BTreeSet<ChangeKind>) -> String {
    if listed.contains(&ChangeKind::SectionEnds) {
        format!("{:?}", ranges.iter().map(|range| range.start).collect::<Vec<_>>())
    } else {
        format!("{ranges:?}")
    }
}

fn channel<C: Debug + Ord>(state: &ChannelState<C, Piece>, listed: &BTreeSet<ChangeKind>) -> String {
    let of = |(channel, sections): (&C, &Sections)| format!("{channel:?} {}", ranges(sections.ranges_bytes(), listed));
    let channels: Vec<String> = state.channels().iter().map(of).collect();
    format!("{} {channels:?} {:?}", state.subtask(), state.handle())
}

fn keyed(state: &KeyedState<Piece>, listed: &BTreeSet<ChangeKind>) -> String {
    match state {
        KeyedState::KeyGroups(state) => key_groups(state, listed),
        KeyedState::Incremental(state) => incremental(state, listed),
        other => unreachable!("{other:?}"),
    }
}

fn key_groups(state: &KeyGroupsState<Piece>, listed: &BTreeSet<ChangeKind>) -> String {
    let mut text = format!("{:?} {:?}", state.range(), state.handle());
    if !listed.contains(&ChangeKind::KeyGroupOffsets) {
        text += &format!("{:?}", state.offsets_bytes());
    }
    if !listed.contains(&ChangeKind::SectionEnds) {
        text += &format!("{:?}", state.bounds_bytes().get(state.offsets_bytes().len()));
    }
    text
}

fn incremental(state: &IncrementalState<Piece>, listed: &BTreeSet<ChangeKind>) -> String {
    let shared = state.shared().iter().map(|(name, file)| match file {
        SharedFile::Written(piece) => (name, piece),
        other => unreachable!("{other:?}"),
    });
    let private: Vec<_> = state.private().iter().collect();
    let shared: Vec<_> = shared.collect();
    let mut text = format!("{:?} {shared:?} {private:?} {:?} {:?}", state.range(), state.meta(), state.size());
    if !listed.contains(&ChangeKind::WriterOperator) {
        text += &state.operator().to_string();
    }
    text
}
