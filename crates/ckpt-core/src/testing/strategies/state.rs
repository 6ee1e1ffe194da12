//! State and all that it consists of.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::id::{any_file_name, any_operator_id, number};
use crate::digest::Digest;
use crate::key_group::{KeyGroup, KeyGroupRange};
use crate::state::{
    ChannelState, ClaimId, FileRef, IncrementalState, InputChannel, KeyGroupsState, KeyedState, OperatorState,
    Partitions, Place, Redistribution, RelPath, ResultSubpartition, ReusedFile, Root, Sections, SharedFile,
    StateHandle, SubtaskState, SubtaskStateParts, TaskSnapshot,
};
use crate::testing::every::every_redistribution;

/// Any path below a root.
pub fn any_rel_path() -> BoxedStrategy<RelPath> {
    vec("[a-z0-9_ä-]{1,9}", 1..4)
        .prop_map(|components| RelPath::new(components.join("/")).expect("components that are allowed"))
        .boxed()
}

/// Any root: the claims and borrowed places have small numbers.
pub fn any_root() -> BoxedStrategy<Root> {
    prop_oneof![
        Just(Root::ThisSnapshot),
        Just(Root::JobShared),
        Just(Root::JobTaskOwned),
        (1..4_u64).prop_map(|number| Root::Claimed(ClaimId::new(number))),
        (0..4_u16).prop_map(Root::Borrowed),
    ]
    .boxed()
}

/// Any file below any root: one of ours, or below what others wrote also one of theirs.
pub fn any_file() -> BoxedStrategy<(Root, FileRef)> {
    let any = (any_root(), any_file_name(), proptest::option::of(any_rel_path()));
    any.prop_map(|(root, ours, theirs)| match (root, theirs) {
        (Root::Claimed(_) | Root::Borrowed(_), Some(path)) => (root, FileRef::Foreign(path)),
        _ => (root, FileRef::Ours(ours)),
    })
    .boxed()
}

/// Any file that is named again, or any piece of one.
pub fn any_reused_file() -> BoxedStrategy<ReusedFile> {
    let offset_bytes = proptest::option::weighted(0.3, 0..u64::MAX);
    (any_file(), offset_bytes)
        .prop_map(|((root, file), offset_bytes)| match offset_bytes {
            None => ReusedFile::whole(root, file),
            Some(offset_bytes) => ReusedFile::segment(root, file, offset_bytes),
        })
        .boxed()
}

/// Any handle: inline, of a file, of a segment, with a digest wherever there must be one.
pub fn any_handle() -> BoxedStrategy<StateHandle> {
    handle_of_at_least(0).boxed()
}

/// A handle of so many bytes or more, so that sections which end there lie within it.
fn handle_of_at_least(bytes: u64) -> BoxedStrategy<StateHandle> {
    let stored = (any_file(), number(), number(), option_of_digest());
    let stored = stored.prop_map(move |((root, file), more, offset_bytes, digest)| {
        let length_bytes = bytes.saturating_add(more).max(1);
        let place = match more % 3 {
            0 => Place::Segment { root, file, offset_bytes: offset_bytes.min(u64::MAX - length_bytes) },
            _ => Place::File { root, file },
        };
        let may_lack = matches!(root, Root::Claimed(_) | Root::Borrowed(_));
        let digest = digest.or_else(|| (!may_lack).then(|| Digest::crc64_nvme(more)));
        StateHandle::assume_durable(place, length_bytes, digest)
    });
    const MOST_INLINE_BYTES: u64 = 1 << 12;
    if bytes > MOST_INLINE_BYTES {
        return stored.boxed();
    }
    let inline = vec(any::<u8>(), 0..40).prop_map(move |mut content| {
        content.resize(content.len() + bytes as usize, 0x5a);
        StateHandle::inline(Bytes::from(content))
    });
    prop_oneof![1 => inline, 2 => stored].boxed()
}

fn option_of_digest() -> BoxedStrategy<Option<Digest>> {
    proptest::option::of(any::<u64>().prop_map(Digest::crc64_nvme)).boxed()
}

/// What the state backend calls a file or a state.
fn name() -> BoxedStrategy<String> {
    prop_oneof![(0..200_u32).prop_map(|number| format!("{number:06}.sst")), "[A-Za-zä.]{0,12}"].boxed()
}

fn range() -> BoxedStrategy<KeyGroupRange> {
    (0..120_u16, 0..6_u16)
        .prop_map(|(first, more)| {
            KeyGroupRange::new(KeyGroup::new(first), KeyGroup::new(first + more)).expect("a range that is not empty")
        })
        .boxed()
}

/// Sections of some piece.
fn sections() -> BoxedStrategy<Sections> {
    vec((0..40_u64, 0..2000_u64), 0..5)
        .prop_map(|steps| {
            let mut end = 0;
            let ranges = steps.into_iter().map(|(gap, length)| {
                let begin = end + gap;
                end = begin + length;
                begin..end
            });
            Sections::new(ranges).expect("sections that ascend")
        })
        .boxed()
}

fn key_groups() -> BoxedStrategy<KeyGroupsState> {
    let steps = |range: KeyGroupRange| vec(0..3000_u64, range.count()..=range.count() + 1);
    range()
        .prop_flat_map(move |range| (Just(range), steps(range)))
        .prop_flat_map(|(range, steps)| {
            let mut last = 0;
            let offsets: Vec<u64> = steps.into_iter().map(|step| (last += step, last).1).collect();
            handle_of_at_least(last).prop_map(move |handle| {
                KeyGroupsState::new(range, offsets.clone(), handle).expect("one offset for each group, or one more")
            })
        })
        .boxed()
}

fn incremental() -> BoxedStrategy<IncrementalState> {
    let shared =
        prop_oneof![any_handle().prop_map(SharedFile::Written), any_reused_file().prop_map(SharedFile::Reused)];
    let files = (vec((name(), shared), 0..6), vec((name(), any_handle()), 0..4), any_handle());
    (any_operator_id(), range(), files, proptest::option::of(any::<u64>()))
        .prop_map(|(operator, range, (shared, private, meta), written)| {
            let (shared, private) = (shared.into_iter().collect(), private.into_iter().collect());
            let state = IncrementalState::new(operator, range, shared, private, meta);
            let Some(written) = written else { return state };
            let written = written.min(state.size().state_bytes());
            state.with_written_bytes(written).expect("no more than there is")
        })
        .boxed()
}

/// Keyed state of either form.
pub fn any_keyed_state() -> BoxedStrategy<KeyedState> {
    prop_oneof![key_groups().prop_map(KeyedState::KeyGroups), incremental().prop_map(KeyedState::Incremental)].boxed()
}

fn any_redistribution() -> BoxedStrategy<Redistribution> {
    prop::sample::select(every_redistribution().to_vec()).boxed()
}

/// Operator state with partitions of every kind.
pub fn any_operator_state() -> BoxedStrategy<OperatorState> {
    let partitions = (sections(), any_redistribution()).prop_map(|(sections, kind)| {
        Partitions::new(sections.ranges_bytes().iter().cloned(), kind).expect("sections that ascend")
    });
    vec((name(), partitions), 0..4)
        .prop_flat_map(|states| {
            let end = states.iter().map(|(_, partitions)| partitions.end_bytes()).max().unwrap_or(0);
            handle_of_at_least(end).prop_map(move |handle| OperatorState::new(states.iter().cloned().collect(), handle))
        })
        .boxed()
}

/// Data that had arrived.
pub fn any_input_channel_state() -> BoxedStrategy<ChannelState<InputChannel>> {
    channels((any::<u32>(), 0..9_u32).prop_map(|(gate, channel)| InputChannel { gate, channel }))
}

/// Data that had not left.
pub fn any_result_subpartition_state() -> BoxedStrategy<ChannelState<ResultSubpartition>> {
    let subpartition = (0..3_u32, any::<u32>());
    channels(subpartition.prop_map(|(partition, subpartition)| ResultSubpartition { partition, subpartition }))
}

fn channels<C: Copy + Ord + std::fmt::Debug + 'static>(
    channel: impl Strategy<Value = C> + 'static,
) -> BoxedStrategy<ChannelState<C>> {
    (any::<u32>(), vec((channel, sections()), 0..4))
        .prop_flat_map(|(subtask, channels)| {
            let end = channels.iter().map(|(_, sections)| sections.end_bytes()).max().unwrap_or(0);
            handle_of_at_least(end)
                .prop_map(move |handle| ChannelState::new(subtask, channels.iter().cloned().collect(), handle))
        })
        .boxed()
}

/// The state of one operator in one subtask: some of each kind.
pub fn any_subtask_state() -> BoxedStrategy<SubtaskState> {
    let keyed = || vec(any_keyed_state(), 0..3);
    let operator = || vec(any_operator_state(), 0..3);
    let in_flight = (vec(any_input_channel_state(), 0..2), vec(any_result_subpartition_state(), 0..2));
    (keyed(), keyed(), operator(), operator(), in_flight)
        .prop_map(|(keyed, raw_keyed, operator, raw_operator, (input_channels, result_subpartitions))| {
            SubtaskStateParts { keyed, raw_keyed, operator, raw_operator, input_channels, result_subpartitions }.into()
        })
        .boxed()
}

/// What any task may contribute to a snapshot.
pub fn any_task_snapshot() -> BoxedStrategy<TaskSnapshot> {
    let running = vec((any_operator_id(), any_subtask_state()), 0..4)
        .prop_map(|operators| TaskSnapshot::new(operators.into_iter().collect()));
    (running, 0..6_u8)
        .prop_map(|(snapshot, progress)| match progress {
            0 => TaskSnapshot::finished_on_restore(),
            1 => snapshot.finished(),
            _ => snapshot,
        })
        .boxed()
}
