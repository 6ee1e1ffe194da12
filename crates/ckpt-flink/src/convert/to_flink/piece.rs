//! Handles.

use ckpt_core::state::{Place, StateHandle};

use super::Conversion;
use crate::convert::change::{ChangeKind, Refusal};
use crate::model::{ByteStream, CheckpointedStateScope, FileHandle, RelativeFileHandle, SegmentHandle, StreamHandle};
use crate::text::JavaText;

impl Conversion {
    /// The stream of a handle.
    pub(super) fn piece(
        &mut self,
        handle: &StateHandle,
        scope: CheckpointedStateScope,
    ) -> Result<StreamHandle, Refusal> {
        let too_large = |number: u64| Refusal::found(ChangeKind::TooLarge, number);
        let number = |number: u64| i64::try_from(number).map_err(|_| too_large(number));
        let state_size = number(handle.length_bytes())?;
        let (root, file) = match handle.place() {
            Place::Inline(bytes) => {
                i32::try_from(bytes.len()).map_err(|_| too_large(handle.length_bytes()))?;
                return Ok(StreamHandle::ByteStream(ByteStream::new(self.name()?, bytes.clone())));
            }
            Place::File { root, file } | Place::Segment { root, file, .. } => (*root, file),
            _ => return Err(Refusal::new(ChangeKind::TooLarge)),
        };
        self.changes.add(ChangeKind::Handle);
        // All roots were looked up before.
        let prefix = self.roots.get(&root).map_or("", String::as_str);
        let path = text(&format!("{prefix}{file}"))?;
        Ok(match handle.place() {
            Place::Segment { offset_bytes, .. } => {
                let (start, logical_file_id) = (number(*offset_bytes)?, self.name()?);
                StreamHandle::Segment(Box::new(SegmentHandle { start, state_size, scope, path, logical_file_id }))
            }
            _ if prefix.is_empty() => StreamHandle::RelativeFile(RelativeFileHandle::new(path, state_size)),
            _ => StreamHandle::File(FileHandle::new(path, state_size)),
        })
    }

    /// A name that nothing else has.
    pub(super) fn name(&mut self) -> Result<JavaText, Refusal> {
        self.names.next().map_err(|error| Refusal::found(ChangeKind::TooLarge, error))
    }
}

pub(super) fn text(text: &str) -> Result<JavaText, Refusal> {
    JavaText::new(text).map_err(|error| Refusal::found(ChangeKind::TooLarge, error))
}
