//! Handles of streams.

use ckpt_core::state::{Place, StateHandle};

use super::Conversion;
use super::survey::innermost;
use crate::convert::change::{ChangeKind, Refusal};
use crate::convert::paths::{OWN_DIRECTORY, relative};
use crate::model::StreamHandle;
use crate::text::JavaText;

/// The most bytes of the names of states and files.
const MAX_NAME_BYTES: usize = 1024;

impl Conversion {
    /// The bytes of a stream.
    pub(super) fn piece(&mut self, stream: &StreamHandle) -> Result<StateHandle, Refusal> {
        let inner = innermost(stream);
        self.changes.add_if(!std::ptr::eq(inner, stream), ChangeKind::KeyGroupsStream);
        match inner {
            StreamHandle::ByteStream(state) => {
                self.changes.add(ChangeKind::HandleName);
                Ok(StateHandle::inline(state.data.clone()))
            }
            StreamHandle::File(file) => {
                let Some(length) = self.length(file.state_size)? else { return Ok(empty()) };
                self.changes.add_text(&file.path);
                let (root, name, respelled) = self.directories.file(&file.path)?;
                self.changes.add_if(respelled, ChangeKind::PathSpelling);
                Ok(StateHandle::assume_durable(Place::File { root, file: name }, length, None))
            }
            StreamHandle::RelativeFile(file) => {
                let Some(length) = self.length(file.state_size)? else { return Ok(empty()) };
                self.changes.add_text(&file.relative_path);
                let place = Place::File { root: OWN_DIRECTORY, file: relative(&file.relative_path)? };
                Ok(StateHandle::assume_durable(place, length, None))
            }
            StreamHandle::Segment(segment) => {
                let Some(length) = self.length(segment.state_size)? else { return Ok(empty()) };
                self.changes.add(ChangeKind::SegmentIdentity);
                let start = u64::try_from(segment.start);
                let offset_bytes = start.map_err(|_| Refusal::found(ChangeKind::SegmentStart, segment.start))?;
                self.changes.add_text(&segment.path);
                let (root, file, respelled) = self.directories.file(&segment.path)?;
                self.changes.add_if(respelled, ChangeKind::PathSpelling);
                Ok(StateHandle::assume_durable(Place::Segment { root, file, offset_bytes }, length, None))
            }
            StreamHandle::EmptySegment | StreamHandle::KeyGroups(_) => {
                self.changes.add(ChangeKind::EmptySegment);
                Ok(empty())
            }
        }
    }

    /// The length of a file; `None` of one without bytes, which no handle of ours names.
    fn length(&mut self, state_size: i64) -> Result<Option<u64>, Refusal> {
        let length = u64::try_from(state_size).map_err(|_| Refusal::found(ChangeKind::SizeUnknown, state_size))?;
        self.changes.add_if(length == 0, ChangeKind::EmptyFile);
        Ok((length > 0).then_some(length))
    }

    /// The name of a state or of a file.
    pub(super) fn state_name(&mut self, text: &JavaText) -> Result<Box<str>, Refusal> {
        self.changes.add_text(text);
        let name = text.as_str().filter(|name| name.len() <= MAX_NAME_BYTES);
        name.map(|name| name.into_owned().into()).ok_or_else(|| Refusal::found(ChangeKind::StateName, text))
    }
}

fn empty() -> StateHandle {
    StateHandle::inline(bytes::Bytes::new())
}
