//! How much state there is, as Flink counts it.
//!
//! Flink adds in 64 bits that wrap, takes the -1 of an unknown length for a number, and of two subtasks of one index sees
//! the last only; so do these.

use ckpt_flink::{
    ChannelHandle, ChannelInfo, InlineBytes, KeyedHandle, LocalPathAndHandle, OperatorHandle, StreamHandle,
    SubtaskState,
};

/// Two sizes of the same state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// All of it (Flink's `getStateSize`).
    pub(crate) state: i64,
    /// What was written for this checkpoint (`getCheckpointedSize`).
    pub(crate) checkpointed: i64,
}

impl Sizes {
    fn both(size: i64) -> Self {
        Self { state: size, checkpointed: size }
    }

    /// Java's addition.
    pub(crate) fn add(self, other: Self) -> Self {
        Self {
            state: self.state.wrapping_add(other.state),
            checkpointed: self.checkpointed.wrapping_add(other.checkpointed),
        }
    }
}

fn total(sizes: impl Iterator<Item = Sizes>) -> Sizes {
    sizes.fold(Sizes::default(), Sizes::add)
}

/// A length in memory as Java's `long`.
pub(crate) fn java_long(length_bytes: u64) -> i64 {
    i64::try_from(length_bytes).unwrap_or(i64::MAX)
}

/// Of a subtask.
pub(crate) fn of_subtask<D: InlineBytes>(state: &SubtaskState<D>) -> Sizes {
    let operator = [&state.managed_operator, &state.raw_operator].into_iter().flatten();
    let keyed = [&state.managed_keyed, &state.raw_keyed].into_iter().flatten();
    let operator = total(operator.map(|handle| of_operator_handle(handle)));
    let keyed = total(keyed.map(|handle| of_keyed(handle)));
    let input = total(state.input_channels.iter().map(of_channel));
    let result = total(state.result_subpartitions.iter().map(of_channel));
    [operator, keyed, input, result].into_iter().fold(Sizes::default(), Sizes::add)
}

/// Of operator state.
pub(crate) fn of_operator_handle<D: InlineBytes>(handle: &OperatorHandle<D>) -> Sizes {
    Sizes::both(of_stream(&handle.delegate))
}

/// Of keyed state.
pub(crate) fn of_keyed<D: InlineBytes>(handle: &KeyedHandle<D>) -> Sizes {
    let elements = match handle {
        KeyedHandle::Incremental(handle) => of_files(&handle.shared).wrapping_add(of_files(&handle.private)),
        KeyedHandle::Changelog(handle) => {
            let handles = handle.materialized.iter().chain(&handle.non_materialized).flatten();
            total(handles.map(|handle| of_keyed(handle))).state
        }
        KeyedHandle::InMemoryChangelog(handle) => {
            let lengths = handle.changes.iter().map(|change| java_long(change.change.length_bytes()));
            lengths.fold(0, i64::wrapping_add)
        }
        _ => 0,
    };
    let state = without_elements(handle).wrapping_add(elements);
    Sizes { state, checkpointed: checkpointed(handle, state) }
}

/// How much state a handle of keyed state has besides that of the elements of its lists: files, handles, changes.
pub(crate) fn without_elements<D: InlineBytes>(handle: &KeyedHandle<D>) -> i64 {
    match handle {
        KeyedHandle::KeyGroups(handle) => of_stream(&handle.delegate),
        KeyedHandle::Incremental(handle) => of_stream(&handle.meta),
        KeyedHandle::ChangelogStream(handle) => handle.size,
        _ => 0,
    }
}

/// How much of keyed state was written for this checkpoint, which has so much in all.
pub(crate) fn checkpointed<D: InlineBytes>(handle: &KeyedHandle<D>, state: i64) -> i64 {
    match handle {
        KeyedHandle::Incremental(handle) => {
            let known = handle.identity.as_ref().map(|identity| identity.checkpointed_size);
            known.filter(|size| *size != UNKNOWN).unwrap_or(state)
        }
        KeyedHandle::Changelog(handle) => handle.checkpointed_size,
        KeyedHandle::ChangelogStream(handle) => handle.checkpointed_size,
        _ => state,
    }
}

/// Of data in flight.
pub(crate) fn of_channel<I: ChannelInfo, D: InlineBytes>(handle: &ChannelHandle<I, D>) -> Sizes {
    match handle {
        ChannelHandle::Single(handle) => Sizes::both(handle.state_size),
        ChannelHandle::Merged(handle) => Sizes::both(handle.state_size),
        _ => Sizes::default(),
    }
}

/// Of the bytes that a handle names.
pub(crate) fn of_stream<D: InlineBytes>(handle: &StreamHandle<D>) -> i64 {
    match handle {
        StreamHandle::ByteStream(state) => java_long(state.data.length_bytes()),
        StreamHandle::File(file) => file.state_size,
        StreamHandle::RelativeFile(file) => file.state_size,
        StreamHandle::Segment(segment) => segment.state_size,
        StreamHandle::KeyGroups(handle) => of_stream(&handle.delegate),
        _ => 0,
    }
}

/// What Flink writes when it does not know how much was written.
const UNKNOWN: i64 = -1;

fn of_files<D: InlineBytes>(files: &[LocalPathAndHandle<D>]) -> i64 {
    files.iter().map(|file| of_stream(&file.handle)).fold(0, i64::wrapping_add)
}

#[cfg(test)]
mod tests {
    use ckpt_flink::{
        FileHandle, IncrementalHandle, IncrementalIdentity, JavaText, KeyGroupRange, LocalPathAndHandle, SkippedBytes,
    };

    use super::*;

    fn text(text: &str) -> JavaText {
        JavaText::new(text).unwrap()
    }

    fn file(size: i64) -> StreamHandle<SkippedBytes> {
        StreamHandle::File(FileHandle::new(text("file:/a"), size))
    }

    fn incremental(checkpointed_size: i64, sizes: [i64; 2]) -> KeyedHandle<SkippedBytes> {
        let identity = IncrementalIdentity::new(checkpointed_size, text("id"));
        let mut handle = IncrementalHandle::new(1, text("backend"), KeyGroupRange::new(0, 8), identity, file(sizes[0]));
        handle.shared.push(LocalPathAndHandle::new(text("1.sst"), file(sizes[1])));
        KeyedHandle::Incremental(handle.into())
    }

    #[test]
    fn sizes_are_added_as_java_adds_them() {
        let sizes = |state, checkpointed| Sizes { state, checkpointed };
        assert_eq!(of_keyed(&incremental(5, [10, 20])), sizes(30, 5));
        assert_eq!(of_keyed(&incremental(UNKNOWN, [10, 20])), sizes(30, 30));
        // The unknown length of a file is a number to Flink, and so is what two longs come to.
        assert_eq!(of_keyed(&incremental(0, [10, -1])), sizes(9, 0));
        assert_eq!(of_keyed(&incremental(0, [i64::MAX, 1])), sizes(i64::MIN, 0));
        let mut subtask = SubtaskState::default();
        subtask.managed_keyed = Some(Box::new(incremental(5, [10, 20])));
        subtask.raw_keyed = Some(Box::new(incremental(7, [1, 1])));
        assert_eq!(of_subtask(&subtask), sizes(32, 12));
    }
}
