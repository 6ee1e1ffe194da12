//! What a visitor is told is what a subtask holds, in the order of the file; and of what is passed over the length is known.

use std::fmt::Debug;
use std::mem;

use bytes::Bytes;
use ckpt_flink::{
    BytesSource, ChannelHandle, FlinkReader, InMemoryChange, InlineBytes, InputChannelInfo, KeyGroupRange, KeyedHandle,
    LocalPathAndHandle, OffsetAndStream, Offsets, OperatorHandle, OperatorStateOffsets, ResultSubpartitionInfo,
    SkippedBytes, StreamHandle, SubtaskState, SubtaskStateKind, SubtaskVisitor,
};

use super::fixtures::files;
use super::made::metadata;

/// Puts together again what it is told, and how much it was.
struct Rebuilt<D: InlineBytes> {
    state: SubtaskState<D>,
    kind: Option<SubtaskStateKind>,
    states: Vec<OperatorStateOffsets<D>>,
    meta: Option<(KeyGroupRange, StreamHandle<D>)>,
    shared: Vec<LocalPathAndHandle<D>>,
    private: Vec<LocalPathAndHandle<D>>,
    of_changelog: Vec<KeyedHandle<D>>,
    changes: Vec<InMemoryChange<D>>,
    streams: Vec<OffsetAndStream<D>>,
    /// How many offsets and how many bytes of inline state were told.
    told: (usize, u64),
}

impl<D: InlineBytes + Clone + Eq> Rebuilt<D> {
    fn new() -> Self {
        Self {
            state: SubtaskState::default(),
            kind: None,
            states: Vec::new(),
            meta: None,
            shared: Vec::new(),
            private: Vec::new(),
            of_changelog: Vec::new(),
            changes: Vec::new(),
            streams: Vec::new(),
            told: (0, 0),
        }
    }

    /// The handle with the elements that were told before it.
    fn whole(&mut self, mut handle: KeyedHandle<D>) -> KeyedHandle<D> {
        match &mut handle {
            KeyedHandle::KeyGroups(handle) => {
                self.told.0 += handle.key_groups.offsets.count();
                self.stream(&handle.delegate);
            }
            KeyedHandle::Incremental(handle) => {
                assert!(handle.shared.is_empty() && handle.private.is_empty());
                let (key_groups, meta) = self.meta.take().unwrap();
                assert!((key_groups, &meta) == (handle.key_groups, &handle.meta));
                self.stream(&meta);
                (handle.shared, handle.private) = (mem::take(&mut self.shared), mem::take(&mut self.private));
            }
            KeyedHandle::Changelog(handle) => {
                assert!(handle.materialized.is_empty() && handle.non_materialized.is_empty());
                // Which of both they were is not told.
                handle.materialized =
                    mem::take(&mut self.of_changelog).into_iter().map(|it| Some(Box::new(it))).collect();
            }
            KeyedHandle::InMemoryChangelog(handle) => {
                assert!(handle.changes.is_empty());
                handle.changes = mem::take(&mut self.changes);
            }
            KeyedHandle::ChangelogStream(handle) => {
                assert!(handle.streams.is_empty());
                handle.streams = mem::take(&mut self.streams);
            }
            other => panic!("{other:?}"),
        }
        handle
    }

    fn stream(&mut self, handle: &StreamHandle<D>) {
        match handle {
            StreamHandle::ByteStream(state) => self.told.1 += state.data.length_bytes(),
            StreamHandle::KeyGroups(handle) => {
                self.told.0 += handle.key_groups.offsets.count();
                self.stream(&handle.delegate);
            }
            _ => {}
        }
    }
}

impl<D: InlineBytes + Clone + Eq> SubtaskVisitor<D> for Rebuilt<D> {
    fn kind(&mut self, kind: SubtaskStateKind) {
        self.kind = Some(kind);
    }

    fn operator_state(&mut self, state: OperatorStateOffsets<D>) {
        self.told.0 += state.offsets.count();
        self.states.push(state);
    }

    fn operator_handle(&mut self, mut handle: OperatorHandle<D>) {
        assert!(handle.states.is_empty());
        self.stream(&handle.delegate);
        handle.states = mem::take(&mut self.states);
        let place = match self.kind {
            Some(SubtaskStateKind::ManagedOperator) => &mut self.state.managed_operator,
            Some(SubtaskStateKind::RawOperator) => &mut self.state.raw_operator,
            other => panic!("{other:?}"),
        };
        assert!(place.replace(Box::new(handle)).is_none());
    }

    fn keyed_handle(&mut self, handle: KeyedHandle<D>) {
        let handle = Box::new(self.whole(handle));
        let place = match self.kind {
            Some(SubtaskStateKind::ManagedKeyed) => &mut self.state.managed_keyed,
            Some(SubtaskStateKind::RawKeyed) => &mut self.state.raw_keyed,
            other => panic!("{other:?}"),
        };
        assert!(place.replace(handle).is_none());
    }

    fn keyed_handle_of_changelog(&mut self, handle: KeyedHandle<D>) {
        let handle = self.whole(handle);
        self.of_changelog.push(handle);
    }

    fn incremental(&mut self, key_groups: KeyGroupRange, meta: &StreamHandle<D>) {
        assert!(self.meta.replace((key_groups, meta.clone())).is_none());
    }

    fn shared_file(&mut self, file: LocalPathAndHandle<D>) {
        self.stream(&file.handle);
        self.shared.push(file);
    }

    fn private_file(&mut self, file: LocalPathAndHandle<D>) {
        self.stream(&file.handle);
        self.private.push(file);
    }

    fn in_memory_change(&mut self, change: InMemoryChange<D>) {
        self.told.1 += change.change.length_bytes();
        self.changes.push(change);
    }

    fn changelog_stream(&mut self, _: KeyGroupRange, stream: OffsetAndStream<D>) {
        self.stream(&stream.stream);
        self.streams.push(stream);
    }

    fn input_channel(&mut self, handle: ChannelHandle<InputChannelInfo, D>) {
        if let ChannelHandle::Single(single) = &handle {
            self.told.0 += single.offsets.count();
        }
        self.state.input_channels.push(handle);
    }

    fn result_subpartition(&mut self, handle: ChannelHandle<ResultSubpartitionInfo, D>) {
        if let ChannelHandle::Single(single) = &handle {
            self.told.0 += single.offsets.count();
        }
        self.state.result_subpartitions.push(handle);
    }
}

fn all_files() -> Vec<(String, Bytes)> {
    files().into_iter().chain([("made".to_owned(), metadata().encode().unwrap().into())]).collect()
}

/// What every subtask of a file was rebuilt to.
fn rebuilt<D: InlineBytes + Clone + Eq + Debug>(file: &Bytes) -> Vec<(i32, bool, Rebuilt<D>)> {
    let mut reader = FlinkReader::<_, D>::open(BytesSource::new(file.clone())).unwrap();
    let mut subtasks = Vec::new();
    while reader.next_operator().unwrap().is_some() {
        loop {
            let mut visitor = Rebuilt::new();
            let Some(subtask) = reader.visit_subtask(&mut visitor).unwrap() else { break };
            subtasks.push((subtask.index, subtask.is_finished, visitor));
        }
    }
    reader.finish().unwrap();
    subtasks
}

/// A changelog whose parts are all in its first list, as a visitor knows them.
fn without_division(mut state: SubtaskState) -> SubtaskState {
    for keyed in [&mut state.managed_keyed, &mut state.raw_keyed].into_iter().flatten() {
        if let KeyedHandle::Changelog(handle) = &mut **keyed {
            handle.materialized.append(&mut handle.non_materialized);
            handle.materialized.retain(Option::is_some);
        }
    }
    state.legacy_duration = None;
    state
}

#[test]
fn a_visitor_is_told_what_a_subtask_holds() {
    let mut kinds = 0;
    for (name, file) in all_files() {
        let mut reader = FlinkReader::<_, Bytes>::open(BytesSource::new(file.clone())).unwrap();
        let mut expected = Vec::new();
        while reader.next_operator().unwrap().is_some() {
            while let Some(subtask) = reader.next_subtask().unwrap() {
                let state = subtask.state.map(|state| without_division(*state));
                expected.push((subtask.index, state.is_none(), state.unwrap_or_default()));
            }
        }
        let found = rebuilt::<Bytes>(&file);
        kinds += found.iter().filter(|(_, _, it)| it.state.managed_keyed.is_some()).count();
        let found: Vec<_> = found.into_iter().map(|(index, finished, it)| (index, finished, it.state)).collect();
        assert!(found == expected, "{name}");
    }
    assert!(kinds > 10, "{kinds}");
}

#[test]
fn of_what_is_passed_over_the_length_is_known() {
    let mut told = (0, 0);
    for (name, file) in all_files() {
        let (kept, skipped) = (rebuilt::<Bytes>(&file), rebuilt::<SkippedBytes>(&file));
        assert_eq!(skipped.len(), kept.len(), "{name}");
        for ((index, _, kept), (other, _, skipped)) in kept.iter().zip(&skipped) {
            assert_eq!((index, kept.told), (other, skipped.told), "{name}");
            told = (told.0 + kept.told.0, told.1 + kept.told.1);
        }
    }
    assert!(told.0 > 100 && told.1 > 100, "{told:?}");
}
