//! State that is written and not durable.

use std::fmt;

use bytes::Bytes;
use ckpt_core::Digest;
use ckpt_core::id::FileName;
use ckpt_core::state::{Root, StateLocation, StatePiece};

use crate::stream::unsealed::{Key, Unsealed};
use crate::sync::Arc;

/// State that is written and not durable yet. Sealing turns it into a handle; dropping it deletes it.
///
/// It cannot be cloned or serialized, and an acknowledgement does not take it: state that is not durable cannot be
/// acknowledged. What is sealed can be all three:
///
/// ```
/// # use ckpt_core::id::{AttemptId, CheckpointId, LeaderEpoch, TaskId, VertexId, WriterId};
/// # use ckpt_core::message::Acknowledge;
/// # use ckpt_core::state::{StateHandle, TaskSnapshot};
/// # use ckpt_streams::Staged;
/// # const EPOCH: LeaderEpoch = LeaderEpoch::new(1);
/// fn acknowledge(state: TaskSnapshot<StateHandle>) -> Acknowledge {
///     let attempt = TaskId::new(VertexId::new([1; 16]), 0).attempt(AttemptId::new(1));
///     Acknowledge::new(EPOCH, CheckpointId::FIRST, attempt, WriterId::new(1), state)
/// }
/// ```
///
/// ```
/// # use bytes::Bytes;
/// # use ckpt_core::state::{StateHandle, TaskSnapshot};
/// # use ckpt_streams::Staged;
/// fn serialize(state: TaskSnapshot<StateHandle>) -> ckpt_core::Result<Bytes> {
///     state.encode(1 << 20)
/// }
/// ```
///
/// ```
/// # use ckpt_core::state::StateHandle;
/// # use ckpt_streams::Staged;
/// fn twice<State: Clone>(state: State) -> (State, State) {
///     (state.clone(), state)
/// }
/// fn clone(state: StateHandle) -> impl Sized {
///     twice(state)
/// }
/// ```
///
/// Before, none of them compiles: not to acknowledge it,
///
/// ```compile_fail,E0308
/// # use ckpt_core::id::{AttemptId, CheckpointId, LeaderEpoch, TaskId, VertexId, WriterId};
/// # use ckpt_core::message::Acknowledge;
/// # use ckpt_core::state::{StateHandle, TaskSnapshot};
/// # use ckpt_streams::Staged;
/// # const EPOCH: LeaderEpoch = LeaderEpoch::new(1);
/// fn acknowledge(state: TaskSnapshot<Staged>) -> Acknowledge {
///     let attempt = TaskId::new(VertexId::new([1; 16]), 0).attempt(AttemptId::new(1));
///     Acknowledge::new(EPOCH, CheckpointId::FIRST, attempt, WriterId::new(1), state)
/// }
/// ```
///
/// not to serialize it,
///
/// ```compile_fail,E0599
/// # use bytes::Bytes;
/// # use ckpt_core::state::{StateHandle, TaskSnapshot};
/// # use ckpt_streams::Staged;
/// fn serialize(state: TaskSnapshot<Staged>) -> ckpt_core::Result<Bytes> {
///     state.encode(1 << 20)
/// }
/// ```
///
/// and not to clone it.
///
/// ```compile_fail,E0277
/// # use ckpt_core::state::StateHandle;
/// # use ckpt_streams::Staged;
/// fn twice<State: Clone>(state: State) -> (State, State) {
///     (state.clone(), state)
/// }
/// fn clone(state: Staged) -> impl Sized {
///     twice(state)
/// }
/// ```
pub struct Staged {
    /// `None` once it was taken out to be sealed.
    content: Option<Content>,
}

/// What was staged.
pub(crate) enum Content {
    /// Bytes that stay in the handle.
    Inline(Bytes),
    /// A file, which its factory holds.
    File(StagedFile),
}

/// A file that was staged, by its future handle.
pub(crate) struct StagedFile {
    pub(crate) unsealed: Arc<Unsealed>,
    pub(crate) key: Key,
    pub(crate) root: Root,
    pub(crate) name: FileName,
    pub(crate) length_bytes: u64,
    pub(crate) digest: Digest,
}

impl Staged {
    /// How many payload bytes there are.
    pub fn length_bytes(&self) -> u64 {
        match &self.content {
            Some(Content::Inline(bytes)) => bytes.len() as u64,
            Some(Content::File(file)) => file.length_bytes,
            None => 0,
        }
    }

    pub(crate) const fn inline(bytes: Bytes) -> Self {
        Self { content: Some(Content::Inline(bytes)) }
    }

    pub(crate) const fn file(file: StagedFile) -> Self {
        Self { content: Some(Content::File(file)) }
    }

    pub(crate) const fn content(&self) -> Option<&Content> {
        self.content.as_ref()
    }

    /// Takes it out; dropping what is left deletes nothing.
    pub(crate) fn into_content(mut self) -> Option<Content> {
        self.content.take()
    }
}

impl StatePiece for Staged {
    fn length_bytes(&self) -> u64 {
        Self::length_bytes(self)
    }

    fn location(&self) -> StateLocation {
        match &self.content {
            Some(Content::File(_)) => StateLocation::File,
            Some(Content::Inline(_)) | None => StateLocation::Inline,
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if let Some(Content::File(file)) = self.content.take() {
            if let Some(taken) = file.unsealed.give_up(file.key) {
                // Counted when it fails.
                let _ = file.unsealed.remove(taken);
            }
        }
    }
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Some(Content::Inline(bytes)) => write!(f, "Staged({} bytes inline)", bytes.len()),
            Some(Content::File(file)) => {
                write!(f, "Staged({} bytes in {:?}/{})", file.length_bytes, file.root, file.name)
            }
            None => f.write_str("Staged(taken)"),
        }
    }
}
