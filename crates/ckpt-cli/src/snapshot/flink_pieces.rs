//! The pieces of a subtask's state in Flink's metadata.

use std::path::Path;

use ckpt_flink::{
    ChannelHandle, ChannelInfo, InlineBytes, KeyGroupRange, KeyedHandle, OperatorHandle, StreamHandle, SubtaskState,
};

use super::piece::{Extent, Piece, PieceFile, StateKind};
use crate::flink::path::FlinkPath;
use crate::flink::size::of_stream;

/// Gathers pieces.
pub(super) struct Pieces<'a> {
    found: Vec<Piece>,
    /// `/<name>/` of the snapshot's directory: what has that in its path lies there, or did before it moved.
    own: Option<String>,
    kind: StateKind,
    key_groups: Option<[i32; 2]>,
    directory: &'a Path,
}

impl<'a> Pieces<'a> {
    /// All of them, in the order of the file.
    pub(super) fn of<D: InlineBytes>(state: &SubtaskState<D>, directory: &'a Path) -> Vec<Piece> {
        let own = directory.file_name().map(|name| format!("/{}/", name.to_string_lossy()));
        let (found, kind, key_groups) = (Vec::new(), StateKind::ManagedOperator, None);
        let mut pieces = Self { found, own, kind, key_groups, directory };
        for (kind, handle) in
            [(StateKind::ManagedOperator, &state.managed_operator), (StateKind::RawOperator, &state.raw_operator)]
        {
            pieces.kind = kind;
            if let Some(handle) = handle {
                pieces.operator(handle);
            }
        }
        for (kind, handle) in [(StateKind::ManagedKeyed, &state.managed_keyed), (StateKind::RawKeyed, &state.raw_keyed)]
        {
            pieces.kind = kind;
            if let Some(handle) = handle {
                pieces.keyed(handle);
            }
        }
        pieces.key_groups = None;
        pieces.kind = StateKind::InputChannel;
        state.input_channels.iter().for_each(|handle| pieces.channel(handle));
        pieces.kind = StateKind::ResultSubpartition;
        state.result_subpartitions.iter().for_each(|handle| pieces.channel(handle));
        pieces.found
    }

    fn operator<D: InlineBytes>(&mut self, handle: &OperatorHandle<D>) {
        let names: Vec<_> = handle.states.iter().map(|state| state.name.to_string_lossy()).collect();
        self.stream(names.join(", "), &handle.delegate);
    }

    fn keyed<D: InlineBytes>(&mut self, handle: &KeyedHandle<D>) {
        match handle {
            KeyedHandle::KeyGroups(handle) => {
                self.range(handle.key_groups.range());
                self.stream(String::new(), &handle.delegate);
            }
            KeyedHandle::Incremental(handle) => {
                self.range(handle.key_groups);
                self.stream("meta".to_owned(), &handle.meta);
                for (role, files) in [("shared", &handle.shared), ("private", &handle.private)] {
                    for file in files {
                        self.stream(format!("{role} {}", file.local_path), &file.handle);
                    }
                }
            }
            KeyedHandle::Changelog(handle) => {
                for handle in handle.materialized.iter().chain(&handle.non_materialized).flatten() {
                    self.keyed(handle);
                }
            }
            KeyedHandle::InMemoryChangelog(handle) => {
                self.range(handle.key_groups);
                let bytes: u64 = handle.changes.iter().map(|change| change.change.length_bytes()).sum();
                let role = format!("changes {} to {}", handle.from, handle.to);
                self.push(role, None, None, i64::try_from(bytes).unwrap_or(i64::MAX));
            }
            KeyedHandle::ChangelogStream(handle) => {
                self.range(handle.key_groups);
                // How many of the bytes lie in which stream is not said.
                let mut size = handle.size;
                for (at, stream) in handle.streams.iter().enumerate() {
                    let before = self.found.len();
                    self.part_of_stream(format!("changes {at}"), &stream.stream, size);
                    size = 0;
                    // Flink does not count the byte in front that says whether the changes are compressed.
                    if let Some(piece) = self.found.get_mut(before) {
                        piece.extent = Extent::Part;
                    }
                }
            }
            _ => {}
        }
    }

    fn channel<I: ChannelInfo, D: InlineBytes>(&mut self, handle: &ChannelHandle<I, D>) {
        match handle {
            ChannelHandle::Single(handle) => {
                let [outer, inner] = handle.info.numbers();
                self.part_of_stream(format!("{outer}/{inner}"), &handle.delegate, handle.state_size);
            }
            ChannelHandle::Merged(handle) => {
                // What cannot be decoded is told by a restore only; here it is a name and no more.
                let channels = handle.channels().unwrap_or_default();
                let names = channels.iter().map(|channel| {
                    let [outer, inner] = channel.info.numbers();
                    format!("{outer}/{inner}")
                });
                self.part_of_stream(names.collect::<Vec<_>>().join(", "), &handle.delegate, handle.state_size);
            }
            _ => {}
        }
    }

    /// A stream of which only so many bytes are this piece's.
    fn part_of_stream<D: InlineBytes>(&mut self, role: String, handle: &StreamHandle<D>, state_bytes: i64) {
        let before = self.found.len();
        self.stream(role, handle);
        if let Some(piece) = self.found.get_mut(before) {
            piece.state_bytes = state_bytes;
        }
    }

    fn stream<D: InlineBytes>(&mut self, role: String, handle: &StreamHandle<D>) {
        let length_bytes = of_stream(handle);
        match handle {
            StreamHandle::ByteStream(state) => {
                self.push(role, None, None, length_bytes);
                if let Some(piece) = self.found.last_mut() {
                    piece.unwritten = Some(FlinkPath::new(&state.name.to_string_lossy()));
                }
            }
            StreamHandle::File(file) => {
                let file = self.file(&file.path.to_string_lossy());
                self.push(role, Some(file), None, length_bytes);
            }
            StreamHandle::RelativeFile(file) => {
                let file = PieceFile::Relative(file.relative_path.to_string());
                self.push(role, Some(file), None, length_bytes);
            }
            StreamHandle::Segment(segment) => {
                let file = self.file(&segment.path.to_string_lossy());
                self.push(role, Some(file), Some(segment.start), length_bytes);
            }
            StreamHandle::KeyGroups(handle) => {
                self.range(handle.key_groups.range());
                self.stream(role, &handle.delegate);
            }
            // No bytes at all.
            _ => {}
        }
    }

    fn file(&self, path: &str) -> PieceFile {
        let path = FlinkPath::new(path);
        let by_path = path.local().and_then(|path| Path::new(path).parent()) == Some(self.directory);
        let exclusive = by_path || self.own.as_ref().is_some_and(|own| path.as_str().contains(own.as_str()));
        PieceFile::Flink { path, exclusive }
    }

    fn range(&mut self, range: KeyGroupRange) {
        self.key_groups = range.groups().map(|groups| [*groups.start(), *groups.end()]);
    }

    fn push(&mut self, role: String, file: Option<PieceFile>, offset_bytes: Option<i64>, length_bytes: i64) {
        let extent = offset_bytes.map_or(Extent::Whole, |_| Extent::Part);
        let (kind, key_groups, state_bytes) = (self.kind, self.key_groups, length_bytes);
        self.found.push(Piece {
            kind,
            role,
            key_groups,
            file,
            unwritten: None,
            offset_bytes,
            length_bytes,
            extent,
            state_bytes,
            digest: None,
        });
    }
}
