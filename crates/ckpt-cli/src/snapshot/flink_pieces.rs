//! The pieces of a subtask's state in Flink's metadata.

use std::io;
use std::mem;

use bytes::Bytes;
use ckpt_flink::{
    ChannelHandle, ChannelInfo, InMemoryChange, InlineBytes, InputChannelInfo, KeyGroupRange, KeyedHandle,
    LocalPathAndHandle, MergedChannels, OffsetAndStream, OperatorHandle, OperatorStateOffsets, ResultSubpartitionInfo,
    SkippedBytes, Source, StreamHandle, SubtaskStateKind, SubtaskVisitor,
};

use super::names::Names;
use super::offsets::{OffsetBounds, around};
use super::own_directory::OwnDirectory;
use super::piece::{Extent, Piece, PieceFile, StateKind};
use super::walk::{SubtaskEnd, Walk, Wanted};
use crate::flink::path::FlinkPath;
use crate::flink::size::{Sizes, checkpointed, java_long, of_channel, of_operator_handle, of_stream, without_elements};

/// What is kept of a file for its pieces.
pub(super) trait Describe: InlineBytes {
    /// The names of merged channels.
    fn channels<I: ChannelInfo>(handle: &MergedChannels<I, Self>) -> String;

    /// The first and the last of some positions.
    fn bounds(offsets: &Self::Offsets) -> Option<[i64; 2]>;
}

/// Where roles are not wanted.
impl Describe for SkippedBytes {
    fn channels<I: ChannelInfo>(_: &MergedChannels<I, Self>) -> String {
        String::new()
    }

    fn bounds(_: &Self::Offsets) -> Option<[i64; 2]> {
        None
    }
}

/// State that was passed over; but what it is was kept.
#[derive(Debug)]
pub(super) struct Described(SkippedBytes);

impl InlineBytes for Described {
    type Offsets = OffsetBounds;
    type Channels = Bytes;

    fn take<S: Source>(source: &mut S, length_bytes: usize) -> io::Result<Self> {
        SkippedBytes::take(source, length_bytes).map(Self)
    }

    fn length_bytes(&self) -> u64 {
        self.0.length_bytes()
    }
}

impl Describe for Described {
    fn channels<I: ChannelInfo>(handle: &MergedChannels<I, Self>) -> String {
        // The reader has decoded them once, so they can be.
        let channels = handle.channels().unwrap_or_default();
        Names::of(channels.iter().map(|channel| channel_name(channel.info))).to_string()
    }

    fn bounds(offsets: &OffsetBounds) -> Option<[i64; 2]> {
        offsets.bounds()
    }
}

/// Tells the pieces of a subtask to a walk as they come, and counts as Flink counts.
pub(super) struct Pieces<'a, D: Describe> {
    walk: &'a mut dyn Walk,
    wanted: Wanted,
    own: &'a OwnDirectory,
    kind: StateKind,
    key_groups: Option<[i32; 2]>,
    /// The names of the states in the operator handle that follows.
    states: Names,
    /// The first and the last position in the stream that follows.
    elements_at: Option<[i64; 2]>,
    /// The stream of changes before the next one, if any, and which one it was.
    stream: Option<(OffsetAndStream<D>, usize)>,
    /// How many bytes the changes in memory have that were told.
    changes_bytes: u64,
    /// How much state the keyed handle that is told has so far.
    keyed_bytes: i64,
    sizes: Sizes,
}

impl<'a, D: Describe> Pieces<'a, D> {
    /// Of the subtask that comes next.
    pub(super) fn new(walk: &'a mut dyn Walk, own: &'a OwnDirectory) -> Self {
        Self {
            wanted: walk.wanted(),
            walk,
            own,
            kind: StateKind::ManagedOperator,
            key_groups: None,
            states: Names::default(),
            elements_at: None,
            stream: None,
            changes_bytes: 0,
            keyed_bytes: 0,
            sizes: Sizes::default(),
        }
    }

    /// That was all of it.
    pub(super) fn end(self, finished: bool) {
        let Sizes { state: state_bytes, checkpointed: written_bytes } = self.sizes;
        self.walk.end_of_subtask(SubtaskEnd { finished, state_bytes, written_bytes });
    }

    fn file(&mut self, list: &str, file: &LocalPathAndHandle<D>) {
        self.count_keyed(of_stream(&file.handle));
        self.stream(self.wanted.role(|| format!("{list} {}", file.local_path)), &file.handle);
    }

    /// A handle whose elements were told before.
    fn keyed(&mut self, handle: &KeyedHandle<D>) {
        self.count_keyed(without_elements(handle));
        match handle {
            KeyedHandle::KeyGroups(handle) => {
                self.range(handle.key_groups.range());
                // Of raw state, one that was never begun is at -1.
                let begin = |offset| if offset == -1 { 0 } else { offset };
                self.elements_at = D::bounds(&handle.key_groups.offsets).map(|bounds| bounds.map(begin));
                self.stream(String::new(), &handle.delegate);
            }
            KeyedHandle::InMemoryChangelog(handle) => {
                self.range(handle.key_groups);
                let role = self.wanted.role(|| format!("changes {} to {}", handle.from, handle.to));
                let bytes = java_long(mem::take(&mut self.changes_bytes));
                self.push(role, Location::inline(bytes), bytes);
            }
            KeyedHandle::ChangelogStream(handle) => {
                self.end_stream(handle.size);
            }
            // It has no bytes but those of its elements.
            _ => {}
        }
    }

    fn count_keyed(&mut self, bytes: i64) {
        self.keyed_bytes = self.keyed_bytes.wrapping_add(bytes);
    }

    /// The stream of changes that was told last holds so many bytes of them. How many lie in which is not said, so all are the
    /// last one's.
    fn end_stream(&mut self, state_bytes: i64) -> usize {
        let Some((stream, number)) = self.stream.take() else { return 0 };
        let role = self.wanted.role(|| format!("changes {number}"));
        if let Some(location) = self.locate(&stream.stream) {
            let extent = location.offset_bytes.map_or(Extent::Changes, |_| Extent::Part);
            self.push(role, Location { extent, ..location }, state_bytes);
        }
        number + 1
    }

    fn channel<I: ChannelInfo>(&mut self, kind: StateKind, handle: &ChannelHandle<I, D>) {
        (self.kind, self.key_groups) = (kind, None);
        let sizes = of_channel(handle);
        self.sizes = self.sizes.add(sizes);
        let (role, delegate) = match handle {
            ChannelHandle::Single(handle) => (self.wanted.role(|| channel_name(handle.info)), &handle.delegate),
            ChannelHandle::Merged(handle) => (D::channels(handle), &handle.delegate),
            _ => return,
        };
        // The file may hold more than is this handle's.
        if let Some(location) = self.locate(delegate) {
            self.push(role, location, sizes.state);
        }
    }

    fn stream(&mut self, role: String, handle: &StreamHandle<D>) {
        let elements_at = mem::take(&mut self.elements_at);
        if let Some(location) = self.locate(handle) {
            let state_bytes = location.length_bytes;
            self.push(role, Location { elements_at, ..location }, state_bytes);
        }
    }

    /// Where the bytes of a handle lie; `None` when it has none at all.
    fn locate(&mut self, handle: &StreamHandle<D>) -> Option<Location> {
        let length_bytes = of_stream(handle);
        let whole = |file| Location { file: Some(file), ..Location::inline(length_bytes) };
        match handle {
            StreamHandle::ByteStream(state) => Some(Location {
                unwritten: match self.wanted {
                    Wanted::Sizes => None,
                    Wanted::Everything => Some(FlinkPath::new(&state.name.to_string_lossy())),
                },
                ..Location::inline(length_bytes)
            }),
            StreamHandle::File(file) => Some(whole(self.own.file(&file.path))),
            StreamHandle::RelativeFile(file) => Some(whole(PieceFile::Relative(file.relative_path.to_string()))),
            StreamHandle::Segment(segment) => Some(Location {
                offset_bytes: Some(segment.start),
                extent: Extent::Part,
                ..whole(self.own.file(&segment.path))
            }),
            StreamHandle::KeyGroups(handle) => {
                self.range(handle.key_groups.range());
                self.locate(&handle.delegate)
            }
            _ => None,
        }
    }

    fn range(&mut self, range: KeyGroupRange) {
        self.key_groups = range.groups().map(|groups| [*groups.start(), *groups.end()]);
    }

    fn push(&mut self, role: String, location: Location, state_bytes: i64) {
        let Location { file, unwritten, offset_bytes, elements_at, length_bytes, extent } = location;
        self.walk.piece(Piece {
            kind: self.kind,
            role,
            key_groups: self.key_groups,
            file,
            unwritten,
            offset_bytes,
            elements_at,
            length_bytes,
            extent,
            state_bytes,
            digest: None,
        });
    }
}

impl<D: Describe> SubtaskVisitor<D> for Pieces<'_, D> {
    fn subtask(&mut self, index: i32) {
        // Below the parallelism and not negative, as the reader has made sure.
        self.walk.subtask(Some(index.unsigned_abs()));
    }

    fn kind(&mut self, kind: SubtaskStateKind) {
        self.kind = match kind {
            SubtaskStateKind::RawOperator => StateKind::RawOperator,
            SubtaskStateKind::ManagedKeyed => StateKind::ManagedKeyed,
            SubtaskStateKind::RawKeyed => StateKind::RawKeyed,
            _ => StateKind::ManagedOperator,
        };
    }

    fn operator_state(&mut self, state: OperatorStateOffsets<D>) {
        self.elements_at = around(self.elements_at, D::bounds(&state.offsets));
        if self.wanted == Wanted::Everything {
            self.states.add(&state.name.to_string_lossy());
        }
    }

    fn operator_handle(&mut self, handle: OperatorHandle<D>) {
        self.sizes = self.sizes.add(of_operator_handle(&handle));
        let names = mem::take(&mut self.states).to_string();
        self.stream(names, &handle.delegate);
    }

    fn keyed_handle(&mut self, handle: KeyedHandle<D>) {
        self.keyed(&handle);
        let state = mem::take(&mut self.keyed_bytes);
        self.sizes = self.sizes.add(Sizes { state, checkpointed: checkpointed(&handle, state) });
    }

    fn keyed_handle_of_changelog(&mut self, handle: KeyedHandle<D>) {
        self.keyed(&handle);
    }

    fn incremental(&mut self, key_groups: KeyGroupRange, meta: &StreamHandle<D>) {
        self.range(key_groups);
        self.stream(self.wanted.role(|| "meta".to_owned()), meta);
    }

    fn shared_file(&mut self, file: LocalPathAndHandle<D>) {
        self.file("shared", &file);
    }

    fn private_file(&mut self, file: LocalPathAndHandle<D>) {
        self.file("private", &file);
    }

    fn in_memory_change(&mut self, change: InMemoryChange<D>) {
        self.count_keyed(java_long(change.change.length_bytes()));
        self.changes_bytes += change.change.length_bytes();
    }

    fn changelog_stream(&mut self, key_groups: KeyGroupRange, stream: OffsetAndStream<D>) {
        self.range(key_groups);
        let number = self.end_stream(0);
        self.stream = Some((stream, number));
    }

    fn input_channel(&mut self, handle: ChannelHandle<InputChannelInfo, D>) {
        self.channel(StateKind::InputChannel, &handle);
    }

    fn result_subpartition(&mut self, handle: ChannelHandle<ResultSubpartitionInfo, D>) {
        self.channel(StateKind::ResultSubpartition, &handle);
    }
}

/// Where bytes lie.
struct Location {
    file: Option<PieceFile>,
    unwritten: Option<FlinkPath>,
    offset_bytes: Option<i64>,
    elements_at: Option<[i64; 2]>,
    length_bytes: i64,
    extent: Extent,
}

impl Location {
    const fn inline(length_bytes: i64) -> Self {
        Self { file: None, unwritten: None, offset_bytes: None, elements_at: None, length_bytes, extent: Extent::Whole }
    }
}

fn channel_name(info: impl ChannelInfo) -> String {
    let [outer, inner] = info.numbers();
    format!("{outer}/{inner}")
}
