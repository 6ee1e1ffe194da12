//! Handles of streams.

use ckpt_flink::{ByteStream, CheckpointedStateScope, InlineBytes as _, KeyGroupOffsets, KeyGroupRange, StreamHandle};
use serde::Serialize;

use super::Context;
use super::digested::Digested;
use crate::flink::size::{java_long, of_stream};

/// A `StreamStateHandle`.
#[derive(Serialize)]
#[serde(tag = "class")]
pub(super) enum Stream {
    #[serde(rename = "ByteStreamStateHandle", rename_all = "camelCase")]
    Bytes { state_size: i64, handle_name: String, inline_length: u64, sha256: String },
    #[serde(rename = "FileStateHandle", rename_all = "camelCase")]
    File { state_size: i64, path: String },
    #[serde(rename = "RelativeFileStateHandle", rename_all = "camelCase")]
    RelativeFile { state_size: i64, relative_path: String, path: String },
    #[serde(rename = "SegmentFileStateHandle", rename_all = "camelCase")]
    Segment { state_size: i64, path: String, start_pos: i64, scope: &'static str, logical_file_id: String },
    #[serde(rename = "EmptySegmentFileStateHandle", rename_all = "camelCase")]
    EmptySegment {
        state_size: i64,
        path: &'static str,
        start_pos: i64,
        scope: &'static str,
        logical_file_id: &'static str,
    },
    #[serde(rename = "KeyGroupsStateHandle")]
    KeyGroups(KeyGroups),
}

/// Key groups, and where each begins in a stream.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyGroups {
    state_size: i64,
    checkpointed_size: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_handle_id: Option<String>,
    key_group_range: Range,
    offsets: Vec<i64>,
    delegate: Box<Stream>,
}

/// Flink's `KeyGroupRange`: both ends belong to it; the empty one is from 0 to -1.
#[derive(Serialize)]
pub(super) struct Range {
    start: i32,
    end: i32,
}

impl Stream {
    pub(super) fn of(handle: &StreamHandle<Digested>, context: &Context) -> Self {
        let state_size = of_stream(handle);
        match handle {
            StreamHandle::ByteStream(state) => Self::of_bytes(state),
            StreamHandle::File(file) => Self::File { state_size, path: file.path.to_string() },
            StreamHandle::RelativeFile(file) => {
                let relative_path = file.relative_path.to_string();
                Self::RelativeFile { state_size, path: context.directory.join(&relative_path), relative_path }
            }
            StreamHandle::Segment(segment) => Self::Segment {
                state_size,
                path: segment.path.to_string(),
                start_pos: segment.start,
                scope: scope(segment.scope),
                logical_file_id: segment.logical_file_id.to_string(),
            },
            StreamHandle::KeyGroups(handle) => {
                Self::KeyGroups(KeyGroups::of(&handle.key_groups, None, &handle.delegate, context))
            }
            // The one that there is.
            _ => Self::EmptySegment {
                state_size,
                path: "empty",
                start_pos: 0,
                scope: scope(CheckpointedStateScope::Exclusive),
                logical_file_id: "DUMMY",
            },
        }
    }

    pub(super) fn of_bytes(state: &ByteStream<Digested>) -> Self {
        let (inline_length, sha256) = (state.data.length_bytes(), state.data.sha256());
        let state_size = java_long(inline_length);
        Self::Bytes { state_size, handle_name: state.name.to_string(), inline_length, sha256 }
    }
}

impl KeyGroups {
    pub(super) fn of(
        key_groups: &KeyGroupOffsets<Digested>,
        state_handle_id: Option<String>,
        delegate: &StreamHandle<Digested>,
        context: &Context,
    ) -> Self {
        let state_size = of_stream(delegate);
        Self {
            state_size,
            checkpointed_size: state_size,
            state_handle_id,
            key_group_range: Range::of(key_groups.range()),
            offsets: key_groups.offsets.clone(),
            delegate: Box::new(Stream::of(delegate, context)),
        }
    }
}

impl Range {
    pub(super) fn of(range: KeyGroupRange) -> Self {
        range.groups().map_or(Self { start: 0, end: -1 }, |groups| Self { start: *groups.start(), end: *groups.end() })
    }
}

fn scope(scope: CheckpointedStateScope) -> &'static str {
    match scope {
        CheckpointedStateScope::Shared => "SHARED",
        _ => "EXCLUSIVE",
    }
}
