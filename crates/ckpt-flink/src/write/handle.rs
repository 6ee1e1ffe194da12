//! Handles of streams and of operator state.

use super::output::Output;
use crate::error::{Write, WriteError};
use crate::model::{
    ByteStream, FileHandle, KeyGroupOffsets, KeyGroupRange, MergingDirectories, OperatorHandle, OperatorStateOffsets,
    RelativeFileHandle, SegmentHandle, StreamHandle, UNKNOWN_SIZE,
};
use crate::tag::{operator, stream};

impl Output {
    pub(super) fn stream(&mut self, handle: &StreamHandle) -> Write {
        match handle {
            StreamHandle::ByteStream(state) => self.byte_stream(state)?,
            StreamHandle::File(FileHandle { state_size, path }) => {
                self.u8(stream::FILE);
                self.state_size(*state_size)?;
                self.text(path);
            }
            StreamHandle::RelativeFile(RelativeFileHandle { relative_path, state_size }) => {
                self.u8(stream::RELATIVE_FILE);
                self.text(relative_path);
                self.state_size(*state_size)?;
            }
            StreamHandle::Segment(segment) => {
                let SegmentHandle { start, state_size, scope, path, logical_file_id } = &**segment;
                self.u8(stream::SEGMENT);
                self.i64(*start);
                self.state_size(*state_size)?;
                self.i32(*scope as i32);
                self.text(path);
                self.text(logical_file_id);
            }
            StreamHandle::EmptySegment => self.u8(stream::EMPTY_SEGMENT),
            StreamHandle::KeyGroups(handle) => {
                self.u8(stream::KEY_GROUPS);
                self.key_group_offsets(&handle.key_groups)?;
                self.nested("a stream of key groups", |output| output.stream(&handle.delegate))?;
            }
        }
        Ok(())
    }

    pub(super) fn state_size(&mut self, size: i64) -> Write {
        if size < UNKNOWN_SIZE {
            return Err(WriteError::invalid("a state size", size, "at least 0, or -1 where it is unknown"));
        }
        self.i64(size);
        Ok(())
    }

    pub(super) fn byte_stream(&mut self, state: &ByteStream) -> Write {
        let ByteStream { name, data } = state;
        self.u8(stream::BYTE_STREAM);
        self.text(name);
        self.blob("inline state", data)
    }

    pub(super) fn key_group_range(&mut self, range: KeyGroupRange) -> Write {
        if range.start < 0 && range.groups().is_some() {
            return Err(WriteError::invalid("the first key group", range.start, "at least 0"));
        }
        self.i32(range.start);
        self.i32(range.count);
        Ok(())
    }

    pub(super) fn key_group_offsets(&mut self, key_groups: &KeyGroupOffsets) -> Write {
        let range = key_groups.range();
        if range.count == i32::MAX {
            return Err(WriteError::invalid("the number of key groups", key_groups.offsets.len(), "below 2147483647"));
        }
        self.key_group_range(range)?;
        self.offsets(&key_groups.offsets);
        Ok(())
    }

    pub(super) fn operator_handle(&mut self, handle: &OperatorHandle) -> Write {
        let OperatorHandle { states, merging, delegate } = handle;
        self.u8(if merging.is_some() { operator::FILE_MERGING } else { operator::PLAIN });
        self.list("the list of operator states", states, |output, state| {
            let OperatorStateOffsets { name, mode, offsets } = state;
            output.text(name);
            output.u8(*mode as u8);
            output.count("the list of offsets", offsets.len())?;
            output.offsets(offsets);
            Ok(())
        })?;
        if let Some(MergingDirectories { task_owned, shared, is_empty }) = merging.as_deref() {
            if !matches!(delegate, StreamHandle::Segment(_) | StreamHandle::EmptySegment) {
                let expected = "a segment of a file, since its directories are given";
                return Err(WriteError::invalid("the stream of operator state", "another handle", expected));
            }
            self.text(task_owned);
            self.text(shared);
            self.bool(is_empty);
        }
        self.stream(delegate)
    }
}
