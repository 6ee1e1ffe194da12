//! Takes out of metadata what a change says is not as it was, and nothing else: what is left must be equal.

use std::collections::BTreeSet;

use bytes::Bytes;
use ckpt_flink::{
    ByteStream, Change, ChangeKind, ChannelEntry, ChannelHandle, ChannelInfo, CheckpointedStateScope, Effect, Field,
    FlinkMetadata, JavaText, KeyGroupsKind, KeyedHandle, MergedChannels, OperatorHandle, OperatorState,
    OperatorSubtasks, SingleChannel, SnapshotType, StoredProperties, StreamHandle, Subtask, SubtaskState,
};

pub(crate) fn erase(metadata: &mut FlinkMetadata, change: &Change) {
    let Some(id) = change.place.operator else { return erase_of_all(metadata, change) };
    let is_there = |operator: &OperatorState| operator.description.id == id;
    match change.kind {
        ChangeKind::Parallelism => metadata.operators.retain(|operator| !is_there(operator)),
        ChangeKind::DuplicateOperator => {
            let mut seen = false;
            metadata.operators.retain(|operator| !is_there(operator) || !std::mem::replace(&mut seen, true));
        }
        _ => {
            let operator = metadata.operators.iter_mut().find(|operator| is_there(operator));
            operator.into_iter().for_each(|operator| erase_of_operator(operator, change));
        }
    }
}

fn erase_of_all(metadata: &mut FlinkMetadata, change: &Change) {
    match change.kind {
        ChangeKind::MadeUpIdentity | ChangeKind::OurIdentity => {}
        ChangeKind::CheckpointIdZero => metadata.checkpoint_id = 1,
        ChangeKind::UnknownProperties | ChangeKind::NoProperties => metadata.properties = None,
        ChangeKind::SnapshotKind => with_properties(metadata, |it| it.checkpoint_type = SnapshotType::checkpoint()),
        ChangeKind::DiscardFlags => with_properties(metadata, |it| {
            it.discard_cancelled = false;
            it.discard_failed = false;
            it.discard_finished = false;
            it.discard_subsumed = false;
            it.discard_suspended = false;
            it.forced = false;
            it.unclaimed = false;
        }),
        ChangeKind::PropertiesBytes => with_properties(metadata, |_| {}),
        ChangeKind::Order if change.place.field == Field::MasterStates => {
            metadata.master_states.sort_by_key(|state| state.name.to_string());
        }
        ChangeKind::Order => metadata.operators.sort_by_key(|operator| operator.description.id),
        ChangeKind::MasterStateVersion => {}
        ChangeKind::TextEncoding => metadata.master_states.iter_mut().for_each(|state| reencode(&mut state.name)),
        ChangeKind::MasterStateName => metadata.master_states.retain(|state| {
            let name = state.name.as_str();
            name.is_some_and(|name| !name.trim().is_empty() && name.len() <= 1024 && !name.contains(char::is_control))
        }),
        ChangeKind::DuplicateMasterState => {
            let mut seen = BTreeSet::new();
            metadata.master_states.retain(|state| seen.insert(state.name.clone()));
        }
        other => panic!("{other:?} of the whole"),
    }
}

fn with_properties(metadata: &mut FlinkMetadata, edit: impl FnOnce(&mut ckpt_flink::CheckpointProperties)) {
    if let Some(mut properties) = metadata.properties.as_ref().and_then(|stored| stored.properties().cloned()) {
        edit(&mut properties);
        metadata.properties = Some(StoredProperties::new(properties));
    }
}

fn erase_of_operator(operator: &mut OperatorState, change: &Change) {
    if let Some(subtask) = change.place.subtask {
        let OperatorSubtasks::Subtasks(subtasks) = &mut operator.subtasks else { panic!("{change}") };
        let subtask = subtasks.iter_mut().find(|it| it.index == subtask as i32).unwrap();
        return erase_of_subtask(subtask.state.as_deref_mut().unwrap(), change);
    }
    let description = &mut operator.description;
    match (change.place.field, change.kind) {
        (Field::Operators, ChangeKind::LegacyNumber) => description.chain_length = None,
        (Field::Name, ChangeKind::OperatorName) => description.name = None,
        (Field::Name, ChangeKind::TextEncoding) => description.name.iter_mut().for_each(reencode),
        (Field::Uid, ChangeKind::TextEncoding) => description.uid.iter_mut().for_each(reencode),
        (Field::Uid, ChangeKind::OperatorUid) => description.uid = None,
        (Field::Coordinator, ChangeKind::HandleName) => {
            description.coordinator.as_mut().unwrap().name = JavaText::default();
        }
        (Field::Coordinator, ChangeKind::CoordinatorOfFinished) => description.coordinator = None,
        (Field::Subtasks, ChangeKind::AllFinished) => operator.subtasks = OperatorSubtasks::FullyFinished,
        (Field::Subtasks, kind) => {
            // All may have finished, and be said to have since an earlier change.
            let OperatorSubtasks::Subtasks(subtasks) = &mut operator.subtasks else { return };
            let parallelism = description.parallelism;
            match kind {
                ChangeKind::Order => subtasks.sort_by_key(|subtask| subtask.index),
                ChangeKind::SubtaskOutOfRange => subtasks.retain(|it| (0..parallelism).contains(&it.index)),
                ChangeKind::DuplicateSubtask => {
                    let last = subtasks.clone();
                    let is_last = |at: usize, it: &Subtask| last[at + 1..].iter().all(|other| other.index != it.index);
                    let kept = last.iter().enumerate().filter(|(at, it)| is_last(*at, it));
                    *subtasks = kept.map(|(_, subtask)| subtask.clone()).collect();
                }
                other => panic!("{other:?} of subtasks"),
            }
        }
        (field, kind) => panic!("{kind:?} of {field} of an operator"),
    }
}

fn erase_of_subtask(state: &mut SubtaskState, change: &Change) {
    match change.place.field {
        Field::Subtasks => state.legacy_duration = None,
        Field::ManagedOperator => erase_of_operator_state(&mut state.managed_operator, change.kind),
        Field::RawOperator => erase_of_operator_state(&mut state.raw_operator, change.kind),
        Field::ManagedKeyed => erase_of_keyed_slot(&mut state.managed_keyed, change.kind),
        Field::RawKeyed => erase_of_keyed_slot(&mut state.raw_keyed, change.kind),
        Field::InputChannels => erase_of_channels(&mut state.input_channels, change.kind),
        Field::ResultSubpartitions => erase_of_channels(&mut state.result_subpartitions, change.kind),
        other => panic!("{other} of a subtask"),
    }
}

fn erase_of_operator_state(slot: &mut Option<Box<OperatorHandle>>, kind: ChangeKind) {
    if kind.effect() == Effect::NotCarried {
        *slot = None;
        return;
    }
    let is_nothing =
        |handle: &OperatorHandle| handle.states.is_empty() && handle.delegate == StreamHandle::EmptySegment;
    if kind == ChangeKind::EmptySegment && slot.as_deref().is_some_and(is_nothing) {
        *slot = None;
    }
    let Some(handle) = slot else { return };
    match kind {
        ChangeKind::MergingDirectories => handle.merging = None,
        ChangeKind::Order => handle.states.sort_by_key(|state| state.name.to_string()),
        ChangeKind::DuplicateState => {
            let all = handle.states.clone();
            let kept =
                all.iter().enumerate().filter(|(at, it)| all[at + 1..].iter().all(|other| other.name != it.name));
            handle.states = kept.map(|(_, state)| state.clone()).collect();
            handle.states.sort_by_key(|state| state.name.to_string());
        }
        kind => {
            if kind == ChangeKind::TextEncoding {
                handle.states.iter_mut().for_each(|state| reencode(&mut state.name));
            }
            erase_of_stream(&mut handle.delegate, kind);
        }
    }
}

fn erase_of_keyed_slot(slot: &mut Option<Box<KeyedHandle>>, kind: ChangeKind) {
    if kind.effect() == Effect::NotCarried {
        *slot = None;
        return;
    }
    if kind == ChangeKind::Changelog {
        if let Some(KeyedHandle::Changelog(handle)) = slot.as_deref() {
            *slot = handle.materialized.iter().flatten().next().cloned();
        }
        return;
    }
    slot.iter_mut().for_each(|handle| erase_of_keyed(handle, kind));
}

fn erase_of_keyed(handle: &mut KeyedHandle, kind: ChangeKind) {
    match handle {
        KeyedHandle::KeyGroups(handle) => match kind {
            ChangeKind::StateHandleId => {
                if let KeyGroupsKind::Checkpoint { state_handle_id } = &mut handle.kind {
                    *state_handle_id = JavaText::default();
                }
            }
            ChangeKind::KeyGroupsKind => handle.kind = KeyGroupsKind::Legacy,
            ChangeKind::KeyGroupOffsets => handle.key_groups.offsets.fill(0),
            kind => erase_of_stream(&mut handle.delegate, kind),
        },
        KeyedHandle::Incremental(handle) => match kind {
            ChangeKind::StateHandleId => {
                handle.identity.iter_mut().for_each(|identity| identity.state_handle_id = JavaText::default());
            }
            ChangeKind::CheckpointedSize => handle.identity = None,
            ChangeKind::IncrementalIdentity => {
                handle.checkpoint_id = 0;
                handle.backend_id = JavaText::default();
            }
            ChangeKind::Order => {
                handle.shared.sort_by_key(|file| file.local_path.to_string());
                handle.private.sort_by_key(|file| file.local_path.to_string());
            }
            kind => {
                erase_of_stream(&mut handle.meta, kind);
                let files = handle.shared.iter_mut().chain(&mut handle.private);
                files.for_each(|file| {
                    if kind == ChangeKind::TextEncoding {
                        reencode(&mut file.local_path);
                    }
                    erase_of_stream(&mut file.handle, kind);
                });
            }
        },
        // What was materialized is looked at.
        KeyedHandle::Changelog(handle) => {
            handle.materialized.iter_mut().flatten().for_each(|handle| erase_of_keyed(handle, kind));
        }
        other => panic!("{kind:?} of {other:?}"),
    }
}

fn erase_of_channels<I: ChannelInfo>(channels: &mut Vec<ChannelHandle<I>>, kind: ChangeKind) {
    if kind.effect() == Effect::NotCarried {
        channels.clear();
        return;
    }
    for handle in &mut *channels {
        match (handle, kind) {
            (_, ChangeKind::ChannelForm | ChangeKind::SectionEnds) => {}
            (ChannelHandle::Merged(merged), ChangeKind::ChannelSize | ChangeKind::Order) => {
                // What cannot be decoded is not carried, which is listed as well.
                let mut entries = merged.channels().unwrap_or_default();
                edit_entries(&mut entries, kind);
                if let Ok(edited) = MergedChannels::new(merged.subtask_index, &entries, merged.delegate.clone()) {
                    *merged = edited;
                }
            }
            (ChannelHandle::Single(single), ChangeKind::ChannelSize) => single.state_size = 0,
            (ChannelHandle::Single(_), ChangeKind::Order) => {}
            (ChannelHandle::Single(single), kind) => erase_of_stream(&mut single.delegate, kind),
            (ChannelHandle::Merged(merged), kind) => erase_of_stream(&mut merged.delegate, kind),
            _ => unreachable!(),
        }
    }
    if matches!(kind, ChangeKind::ChannelForm | ChangeKind::Order) {
        let singles = std::mem::take(channels).into_iter().flat_map(singles).collect::<Vec<_>>();
        *channels = singles.into_iter().map(ChannelHandle::Single).collect();
        if kind == ChangeKind::Order {
            channels.sort_by_key(|handle| match handle {
                ChannelHandle::Single(single) => (format!("{:?}", single.delegate), single.info.numbers()),
                _ => unreachable!(),
            });
        }
    }
}

fn edit_entries<I>(entries: &mut [ChannelEntry<I>], kind: ChangeKind) {
    if kind == ChangeKind::ChannelSize {
        entries.iter_mut().for_each(|entry| entry.state_size = 0);
    }
}

fn singles<I: ChannelInfo>(handle: ChannelHandle<I>) -> Vec<SingleChannel<I>> {
    match handle {
        ChannelHandle::Single(single) => vec![single],
        ChannelHandle::Merged(merged) => {
            let of = |it: ChannelEntry<I>| {
                let (subtask, delegate) = (merged.subtask_index, merged.delegate.clone());
                SingleChannel::new(subtask, it.info, it.offsets, it.state_size, delegate)
            };
            merged.channels().unwrap_or_default().into_iter().map(of).collect()
        }
        _ => unreachable!(),
    }
}

fn erase_of_stream(stream: &mut StreamHandle, kind: ChangeKind) {
    let nothing = || StreamHandle::ByteStream(ByteStream::new(JavaText::default(), Bytes::new()));
    match (&mut *stream, kind) {
        // What says nothing of streams.
        (_, ChangeKind::Handle | ChangeKind::SectionEnds) => {}
        (StreamHandle::KeyGroups(outer), ChangeKind::KeyGroupsStream) => {
            *stream = outer.delegate.clone();
            erase_of_stream(stream, kind);
        }
        (StreamHandle::KeyGroups(outer), kind) => erase_of_stream(&mut outer.delegate, kind),
        (StreamHandle::ByteStream(state), ChangeKind::HandleName) => state.name = JavaText::default(),
        (StreamHandle::ByteStream(state), ChangeKind::EmptyFile | ChangeKind::EmptySegment)
            if state.data.is_empty() =>
        {
            state.name = JavaText::default();
        }
        (StreamHandle::EmptySegment, ChangeKind::EmptySegment) => *stream = nothing(),
        (StreamHandle::File(file), ChangeKind::EmptyFile) if file.state_size == 0 => *stream = nothing(),
        (StreamHandle::RelativeFile(file), ChangeKind::EmptyFile) if file.state_size == 0 => *stream = nothing(),
        (StreamHandle::Segment(segment), ChangeKind::EmptyFile) if segment.state_size == 0 => *stream = nothing(),
        (StreamHandle::Segment(segment), ChangeKind::SegmentIdentity) => {
            segment.scope = CheckpointedStateScope::Exclusive;
            segment.logical_file_id = JavaText::default();
        }
        (StreamHandle::File(file), ChangeKind::TextEncoding) => reencode(&mut file.path),
        (StreamHandle::RelativeFile(file), ChangeKind::TextEncoding) => reencode(&mut file.relative_path),
        (StreamHandle::Segment(segment), ChangeKind::TextEncoding) => reencode(&mut segment.path),
        (StreamHandle::File(file), ChangeKind::PathSpelling) => respell(&mut file.path),
        (StreamHandle::Segment(segment), ChangeKind::PathSpelling) => respell(&mut segment.path),
        (
            _,
            ChangeKind::HandleName
            | ChangeKind::EmptyFile
            | ChangeKind::EmptySegment
            | ChangeKind::SegmentIdentity
            | ChangeKind::PathSpelling
            | ChangeKind::TextEncoding
            | ChangeKind::KeyGroupsStream,
        ) => {}
        (_, other) => panic!("{other:?} of a stream"),
    }
}

/// As Java encodes it.
fn reencode(text: &mut JavaText) {
    *text = JavaText::new(&text.to_string_lossy()).unwrap();
}

/// Scheme in lower case, and one where there is none.
fn respell(path: &mut JavaText) {
    let text = path.to_string();
    let (scheme, rest) = text.split_once(':').map_or(("file", &*text), |(scheme, rest)| (scheme, rest));
    let rest = if scheme.eq_ignore_ascii_case("file") { rest.strip_prefix("//").unwrap_or(rest) } else { rest };
    *path = JavaText::new(&format!("{}:{rest}", scheme.to_ascii_lowercase())).unwrap();
}
