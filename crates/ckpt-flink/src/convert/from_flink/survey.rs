//! What must be known of all of the metadata before any of it is converted.

use std::collections::{BTreeMap, BTreeSet};

use crate::convert::paths::directory_of;
use crate::model::{
    ChannelHandle, ChannelInfo, FlinkMetadata, IncrementalHandle, KeyedHandle, OperatorSubtasks, StreamHandle,
    SubtaskState,
};
use crate::text::JavaText;

/// The directories of absolute paths, and where data in flight begins in each file: several subtasks may write into one.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) directories: BTreeSet<String>,
    in_flight: BTreeMap<FileKey, Vec<i64>>,
}

/// A file, or a segment of one.
pub(super) type FileKey = (JavaText, i64);

impl Survey {
    pub(super) fn of(metadata: &FlinkMetadata) -> Self {
        let mut survey = Self::default();
        for operator in &metadata.operators {
            let OperatorSubtasks::Subtasks(subtasks) = &operator.subtasks else { continue };
            for state in subtasks.iter().filter_map(|subtask| subtask.state.as_deref()) {
                survey.subtask(state);
            }
        }
        for offsets in survey.in_flight.values_mut() {
            offsets.sort_unstable();
            offsets.dedup();
        }
        survey
    }

    /// Where data in flight begins in that file, ascending; `None` of what is no file.
    pub(super) fn in_flight(&self, stream: &StreamHandle) -> Option<&[i64]> {
        self.in_flight.get(&file_key(stream)?).map(Vec::as_slice)
    }

    fn subtask(&mut self, state: &SubtaskState) {
        for handle in [&state.managed_operator, &state.raw_operator].into_iter().flatten() {
            self.stream(&handle.delegate);
        }
        for handle in [&state.managed_keyed, &state.raw_keyed].into_iter().flatten() {
            self.keyed(handle);
        }
        self.channels(&state.input_channels);
        self.channels(&state.result_subpartitions);
    }

    fn keyed(&mut self, handle: &KeyedHandle) {
        match handle {
            KeyedHandle::KeyGroups(handle) => self.stream(&handle.delegate),
            KeyedHandle::Incremental(handle) => self.incremental(handle),
            KeyedHandle::Changelog(handle) => {
                // What is a changelog itself is not carried, so nothing is looked for deeper down.
                for materialized in handle.materialized.iter().flatten() {
                    match &**materialized {
                        KeyedHandle::KeyGroups(handle) => self.stream(&handle.delegate),
                        KeyedHandle::Incremental(handle) => self.incremental(handle),
                        _ => {}
                    }
                }
            }
            KeyedHandle::InMemoryChangelog(_) | KeyedHandle::ChangelogStream(_) => {}
        }
    }

    fn incremental(&mut self, handle: &IncrementalHandle) {
        self.stream(&handle.meta);
        handle.shared.iter().chain(&handle.private).for_each(|file| self.stream(&file.handle));
    }

    fn channels<I: ChannelInfo>(&mut self, channels: &[ChannelHandle<I>]) {
        for channel in channels {
            let delegate = match channel {
                ChannelHandle::Single(single) => &single.delegate,
                ChannelHandle::Merged(merged) => &merged.delegate,
            };
            self.stream(delegate);
            let Some(key) = file_key(delegate) else { continue };
            let begins = self.in_flight.entry(key).or_default();
            match channel {
                ChannelHandle::Single(single) => begins.extend(&single.offsets),
                ChannelHandle::Merged(merged) => {
                    // What cannot be decoded is refused where it is converted.
                    let channels = merged.channels().unwrap_or_default();
                    begins.extend(channels.into_iter().flat_map(|channel| channel.offsets));
                }
            }
        }
    }

    fn stream(&mut self, stream: &StreamHandle) {
        let path = match innermost(stream) {
            StreamHandle::File(file) => &file.path,
            StreamHandle::Segment(segment) => &segment.path,
            _ => return,
        };
        let Some(path) = path.as_str() else { return };
        if let Some(directory) = directory_of(&path).filter(|directory| !self.directories.contains(*directory)) {
            self.directories.insert(directory.to_owned());
        }
    }
}

/// The stream within streams that are divided into key groups.
pub(super) fn innermost(mut stream: &StreamHandle) -> &StreamHandle {
    while let StreamHandle::KeyGroups(outer) = stream {
        stream = &outer.delegate;
    }
    stream
}

fn file_key(stream: &StreamHandle) -> Option<FileKey> {
    match innermost(stream) {
        StreamHandle::File(file) => Some((file.path.clone(), 0)),
        StreamHandle::RelativeFile(file) => Some((file.relative_path.clone(), 0)),
        StreamHandle::Segment(segment) => Some((segment.path.clone(), segment.start)),
        _ => None,
    }
}
