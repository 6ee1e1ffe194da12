//! Handles of streams and of operator state.

use super::input::Input;
use super::visitor::Sink;
use super::{NoteKind, Source, SubtaskVisitor};
use crate::error::{Read, ReadError, Step, Within};
use crate::model::{
    ByteStream, CheckpointedStateScope, DistributionMode, FileHandle, InlineBytes, KeyGroupOffsets, KeyGroupRange,
    KeyGroupsStream, MergingDirectories, OperatorHandle, OperatorStateOffsets, RelativeFileHandle, SegmentHandle,
    StreamHandle, UNKNOWN_SIZE,
};
use crate::tag::{operator, stream};

impl<S: Source> Input<S> {
    /// A handle that may be missing.
    #[inline(always)]
    pub(super) fn optional_stream<D: InlineBytes>(&mut self, field: &'static str) -> Read<Option<StreamHandle<D>>> {
        let tag = self.u8(field)?;
        self.stream_of(field, tag).within(Step::Field(field))
    }

    #[inline(always)]
    fn stream_of<D: InlineBytes>(&mut self, field: &'static str, tag: u8) -> Read<Option<StreamHandle<D>>> {
        match tag {
            stream::NONE => Ok(None),
            stream::BYTE_STREAM => {
                let (name, data) = (self.text("handle name")?, self.inline("inline state")?);
                Ok(Some(StreamHandle::ByteStream(ByteStream { name, data })))
            }
            stream::FILE => {
                let (state_size, path) = (self.state_size()?, self.text("path")?);
                Ok(Some(StreamHandle::File(FileHandle { state_size, path })))
            }
            stream::RELATIVE_FILE => {
                let (relative_path, state_size) = (self.text("relative path")?, self.state_size()?);
                Ok(Some(StreamHandle::RelativeFile(RelativeFileHandle { relative_path, state_size })))
            }
            stream::SEGMENT => self.segment().map(|segment| Some(StreamHandle::Segment(Box::new(segment)))),
            stream::EMPTY_SEGMENT => Ok(Some(StreamHandle::EmptySegment)),
            stream::KEY_GROUPS => {
                let handle = self.nested(field, |input| {
                    let key_groups = input.key_group_offsets()?;
                    Ok(KeyGroupsStream { key_groups, delegate: input.stream("delegate")? })
                });
                Ok(Some(StreamHandle::KeyGroups(Box::new(handle?))))
            }
            _ => Err(self.unknown_tag(field, "the tag of a stream handle: 0, 1, 2, 3, 6, 15 or 16", tag)),
        }
    }

    /// A handle that Flink refuses to be without.
    #[inline(always)]
    pub(super) fn stream<D: InlineBytes>(&mut self, field: &'static str) -> Read<StreamHandle<D>> {
        let offset = self.position();
        let handle = self.optional_stream(field)?;
        handle.ok_or_else(|| ReadError::format(offset, field, "a stream handle", "null"))
    }

    fn segment(&mut self) -> Read<SegmentHandle> {
        let (start, state_size) = (self.i64("start position")?, self.state_size()?);
        let offset = self.position();
        let ordinal = self.i32("scope")?;
        let Some(scope) = CheckpointedStateScope::of_ordinal(ordinal) else {
            return Err(ReadError::format(offset, "scope", "0 (exclusive) or 1 (shared)", ordinal));
        };
        let (path, logical_file_id) = (self.text("path")?, self.text("logical file id")?);
        Ok(SegmentHandle { start, state_size, scope, path, logical_file_id })
    }

    /// The length of a file, or of what lies in it.
    #[inline]
    pub(super) fn state_size(&mut self) -> Read<i64> {
        let offset = self.position();
        match self.i64("state size")? {
            size @ UNKNOWN_SIZE.. => Ok(size),
            found => Err(ReadError::format(offset, "state size", "at least 0, or -1 where it is unknown", found)),
        }
    }

    #[inline]
    fn key_groups(&mut self) -> Read<KeyGroupRange> {
        let offset = self.position();
        let range = KeyGroupRange::new(self.i32("first key group")?, self.i32("number of key groups")?);
        if range.start < 0 && range.groups().is_some() {
            return Err(ReadError::format(offset, "first key group", "not negative", range.start));
        }
        Ok(range)
    }

    /// A run of key groups. Flink takes one that ends beyond its numbers for the empty one.
    #[inline]
    pub(super) fn key_group_range(&mut self) -> Read<KeyGroupRange> {
        let offset = self.position();
        let range = self.key_groups()?;
        if range.ends_beyond_int() {
            self.notes.add(offset, NoteKind::KeyGroupsBeyondInt { first: range.start, count: range.count });
            return Ok(KeyGroupRange::new(0, 0));
        }
        Ok(range)
    }

    /// A run of key groups with a position for each. Of one that ends beyond its numbers Flink says that there are more
    /// positions than key groups.
    #[inline]
    pub(super) fn key_group_offsets<D: InlineBytes>(&mut self) -> Read<KeyGroupOffsets<D>> {
        let range = self.key_groups()?;
        if range.ends_beyond_int() {
            let most = format!(
                "at most {}, since the first is {}",
                i64::from(i32::MAX) - i64::from(range.start) + 1,
                range.start
            );
            return Err(ReadError::format(self.position() - 4, "number of key groups", most, range.count));
        }
        let count = self.count_of("number of key groups", self.position() - 4, range.count, 8)?;
        Ok(KeyGroupOffsets { start: range.start, offsets: self.offsets("key-group offsets", count)? })
    }

    /// Operator state that may be missing.
    #[inline]
    pub(super) fn operator_handle<D: InlineBytes>(
        &mut self,
        field: &'static str,
        sink: &mut impl Sink<D>,
    ) -> Read<Option<OperatorHandle<D>>> {
        let tag = self.u8(field)?;
        let merging = match tag {
            operator::NONE => return Ok(None),
            operator::PLAIN => false,
            operator::FILE_MERGING => true,
            _ => return Err(self.unknown_tag(field, "the tag of an operator state handle: 0, 4 or 17", tag)),
        };
        self.operator_handle_body(merging, sink).map(Some).within(Step::Field(field))
    }

    #[inline(always)]
    fn operator_handle_body<D: InlineBytes>(
        &mut self,
        merging: bool,
        sink: &mut impl Sink<D>,
    ) -> Read<OperatorHandle<D>> {
        // A state has at least the length of its name, its mode and the number of its elements.
        let states = self.list_of_kept("states", 7, |input| {
            Ok(sink.keep(input.operator_state_offsets()?, SubtaskVisitor::operator_state))
        })?;
        let merging = merging.then(|| self.merging_directories().map(Box::new)).transpose()?;
        let offset = self.position();
        let delegate = self.stream("delegate")?;
        if merging.is_some() && !matches!(delegate, StreamHandle::Segment(_) | StreamHandle::EmptySegment) {
            return Err(ReadError::format(offset, "delegate", "a segment of a file", "another handle"));
        }
        Ok(OperatorHandle { states, merging, delegate })
    }

    #[inline(always)]
    fn operator_state_offsets<D: InlineBytes>(&mut self) -> Read<OperatorStateOffsets<D>> {
        let name = self.text("state name")?;
        let mode = self.u8("distribution mode")?;
        let Some(mode) = DistributionMode::of_ordinal(mode) else {
            let (field, expected) = ("distribution mode", "0 (split), 1 (union) or 2 (broadcast)");
            return Err(ReadError::format(self.position() - 1, field, expected, mode));
        };
        let count = self.count("offsets", 8)?;
        Ok(OperatorStateOffsets { name, mode, offsets: self.offsets("offsets", count)? })
    }

    fn merging_directories(&mut self) -> Read<MergingDirectories> {
        let (task_owned, shared) = (self.text("task-owned directory")?, self.text("shared directory")?);
        Ok(MergingDirectories { task_owned, shared, is_empty: self.bool("whether it is empty")? })
    }
}
