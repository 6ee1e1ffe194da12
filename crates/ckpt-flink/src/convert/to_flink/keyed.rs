//! Keyed state.

use ckpt_core::id::OperatorId;
use ckpt_core::key_group::KeyGroupRange as OurRange;
use ckpt_core::state::{IncrementalState, KeyGroupsState, KeyedState, SharedFile, StateHandle};

use super::piece::text;
use super::{Conversion, KeyGroupsFormat};
use crate::convert::change::{ChangeKind, Refusal};
use crate::convert::offsets::{KeyedWriter, key_group_bounds, key_group_offsets};
use crate::model::{
    CheckpointedStateScope, IncrementalHandle, IncrementalIdentity, KeyGroupOffsets, KeyGroupRange, KeyGroupsHandle,
    KeyGroupsKind, KeyedHandle, LocalPathAndHandle,
};

impl Conversion {
    pub(super) fn keyed(
        &mut self,
        (operator, subtask): (OperatorId, u32),
        writer: KeyedWriter,
        state: &KeyedState,
    ) -> Result<KeyedHandle, Refusal> {
        match state {
            KeyedState::KeyGroups(state) => self.key_groups(writer, state).map(KeyedHandle::KeyGroups),
            KeyedState::Incremental(state) => {
                self.incremental((operator, subtask), state).map(Box::new).map(KeyedHandle::Incremental)
            }
            _ => Err(Refusal::new(ChangeKind::TooLarge)),
        }
    }

    fn key_groups(&mut self, writer: KeyedWriter, state: &KeyGroupsState) -> Result<KeyGroupsHandle, Refusal> {
        let length = state.handle().length_bytes();
        let begins = state.offsets_bytes();
        let end = state.bounds_bytes().get(begins.len()).copied();
        self.changes.add_if(end.is_some(), ChangeKind::SectionEnds);
        let offsets = key_group_offsets(begins, end.unwrap_or(length), writer)?;
        let back = key_group_bounds(&offsets, length, writer);
        self.changes.add_if(back.ok().as_deref() != Some(begins), ChangeKind::KeyGroupOffsets);
        let delegate = self.piece(state.handle(), CheckpointedStateScope::Exclusive)?;
        // What an operator wrote itself is never in the format of savepoints.
        let of_backend = writer == KeyedWriter::Backend;
        self.changes.add_if(of_backend && self.guesses_key_groups, ChangeKind::KeyGroupsKind);
        let kind = match self.key_groups {
            KeyGroupsFormat::CanonicalSavepoint if of_backend => KeyGroupsKind::Savepoint,
            _ => KeyGroupsKind::Checkpoint { state_handle_id: self.name()? },
        };
        let start = range(state.range()).start;
        Ok(KeyGroupsHandle::new(kind, KeyGroupOffsets::new(start, offsets), delegate))
    }

    fn incremental(
        &mut self,
        (operator, subtask): (OperatorId, u32),
        state: &IncrementalState,
    ) -> Result<IncrementalHandle, Refusal> {
        self.changes.add_if(state.operator() != operator, ChangeKind::WriterOperator);
        let written = state.size().written_bytes;
        let written = i64::try_from(written).map_err(|_| Refusal::found(ChangeKind::TooLarge, written))?;
        let mut shared = Vec::with_capacity(state.shared().len());
        for (name, file) in state.shared() {
            // Metadata names no file without its handle.
            if let SharedFile::Written(handle) = file {
                shared.push(self.file(name, handle, CheckpointedStateScope::Shared)?);
            }
        }
        let mut private = Vec::with_capacity(state.private().len());
        for (name, handle) in state.private() {
            private.push(self.file(name, handle, CheckpointedStateScope::Exclusive)?);
        }
        Ok(IncrementalHandle {
            checkpoint_id: self.checkpoint_id,
            backend_id: text(&backend_id(operator, subtask))?,
            key_groups: range(state.range()),
            identity: Some(IncrementalIdentity::new(written, self.name()?)),
            meta: self.piece(state.meta(), CheckpointedStateScope::Exclusive)?,
            shared,
            private,
        })
    }

    fn file(
        &mut self,
        name: &str,
        handle: &StateHandle,
        scope: CheckpointedStateScope,
    ) -> Result<LocalPathAndHandle, Refusal> {
        Ok(LocalPathAndHandle::new(text(name)?, self.piece(handle, scope)?))
    }
}

fn range(range: OurRange) -> KeyGroupRange {
    // At most 65,536 key groups.
    KeyGroupRange::new(range.first().get().into(), range.count() as i32)
}

/// A UUID for the backend of a subtask: that of the operator, with the subtask in it.
fn backend_id(operator: OperatorId, subtask: u32) -> String {
    let number = u128::from_be_bytes(operator.bytes()) ^ u128::from(subtask);
    let digits = format!("{number:032x}");
    [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]).join("-")
}
