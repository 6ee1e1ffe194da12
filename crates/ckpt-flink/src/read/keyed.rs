//! Handles of keyed state.

use super::Source;
use super::input::Input;
use crate::error::{Read, Step, Within};
use crate::model::{
    ChangelogHandle, ChangelogStreamHandle, InMemoryChange, InMemoryChangelogHandle, IncrementalHandle,
    IncrementalIdentity, InlineBytes, KeyGroupsHandle, KeyGroupsKind, KeyedHandle, LocalPathAndHandle, OffsetAndStream,
};
use crate::tag::keyed;

/// Which of two encodings a handle has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Legacy,
    Current,
}

impl<S: Source> Input<S> {
    /// Keyed state that may be missing.
    pub(super) fn keyed_handle<D: InlineBytes>(&mut self, field: &'static str) -> Read<Option<Box<KeyedHandle<D>>>> {
        let tag = self.u8(field)?;
        let handle = match tag {
            keyed::NONE => return Ok(None),
            keyed::KEY_GROUPS_LEGACY => self.key_groups_handle(|_| Ok(KeyGroupsKind::Legacy)),
            keyed::KEY_GROUPS_SAVEPOINT => self.key_groups_handle(|_| Ok(KeyGroupsKind::Savepoint)),
            keyed::KEY_GROUPS => self.key_groups_handle(|input| {
                Ok(KeyGroupsKind::Checkpoint { state_handle_id: input.text("state handle id")? })
            }),
            keyed::INCREMENTAL_LEGACY => self.incremental(Encoding::Legacy).map(Box::new).map(KeyedHandle::Incremental),
            keyed::INCREMENTAL => self.incremental(Encoding::Current).map(Box::new).map(KeyedHandle::Incremental),
            keyed::CHANGELOG_LEGACY => self.nested(field, |input| input.changelog(Encoding::Legacy)),
            keyed::CHANGELOG => self.nested(field, |input| input.changelog(Encoding::Current)),
            keyed::IN_MEMORY_CHANGELOG => self.in_memory_changelog().map(KeyedHandle::InMemoryChangelog),
            keyed::CHANGELOG_STREAM_LEGACY => self.changelog_stream(Encoding::Legacy).map(KeyedHandle::ChangelogStream),
            keyed::CHANGELOG_STREAM => self.changelog_stream(Encoding::Current).map(KeyedHandle::ChangelogStream),
            _ => {
                let expected = "the tag of a keyed state handle: 0, 3, 5 or 7 to 14";
                return Err(self.unknown_tag(field, expected, tag));
            }
        };
        handle.map(|handle| Some(Box::new(handle))).within(Step::Field(field))
    }

    fn key_groups_handle<D: InlineBytes>(
        &mut self,
        kind: impl FnOnce(&mut Self) -> Read<KeyGroupsKind>,
    ) -> Read<KeyedHandle<D>> {
        let key_groups = self.key_group_offsets()?;
        let delegate = self.stream("delegate")?;
        Ok(KeyedHandle::KeyGroups(KeyGroupsHandle { kind: kind(self)?, key_groups, delegate }))
    }

    fn incremental<D: InlineBytes>(&mut self, encoding: Encoding) -> Read<IncrementalHandle<D>> {
        let checkpoint_id = self.i64("checkpoint id")?;
        let backend_id = self.text("backend id")?;
        let key_groups = self.key_group_range()?;
        let current = encoding == Encoding::Current;
        let checkpointed_size = current.then(|| self.i64("checkpointed size")).transpose()?;
        let meta = self.stream("meta state")?;
        let shared = self.local_paths("shared files")?;
        let private = self.local_paths("private files")?;
        let identity = match checkpointed_size {
            Some(checkpointed_size) => {
                Some(IncrementalIdentity { checkpointed_size, state_handle_id: self.text("state handle id")? })
            }
            None => None,
        };
        Ok(IncrementalHandle { checkpoint_id, backend_id, key_groups, identity, meta, shared, private })
    }

    fn local_paths<D: InlineBytes>(&mut self, field: &'static str) -> Read<Vec<LocalPathAndHandle<D>>> {
        self.list(field, 3, |input| {
            Ok(LocalPathAndHandle { local_path: input.text("local path")?, handle: input.stream("handle")? })
        })
    }

    fn changelog<D: InlineBytes>(&mut self, encoding: Encoding) -> Read<KeyedHandle<D>> {
        let key_groups = self.key_group_range()?;
        let checkpointed_size = self.i64("checkpointed size")?;
        let materialized = self.list("materialized state", 1, |input| input.keyed_handle("handle"))?;
        let non_materialized = self.list("changes", 1, |input| input.keyed_handle("handle"))?;
        let materialization_id = self.i64("materialization id")?;
        let current = encoding == Encoding::Current;
        let checkpoint_id = current.then(|| self.i64("checkpoint id")).transpose()?;
        let state_handle_id = self.text("state handle id")?;
        Ok(KeyedHandle::Changelog(ChangelogHandle {
            key_groups,
            checkpointed_size,
            materialized,
            non_materialized,
            materialization_id,
            checkpoint_id,
            state_handle_id,
        }))
    }

    fn in_memory_changelog<D: InlineBytes>(&mut self) -> Read<InMemoryChangelogHandle<D>> {
        let key_groups = self.key_group_range()?;
        let (from, to) = (self.i64("first change")?, self.i64("end of the changes")?);
        // A change has at least its key group and its length.
        let changes = self.list("changes", 8, |input| {
            Ok(InMemoryChange { key_group: input.i32("key group")?, change: input.inline("change")? })
        })?;
        Ok(InMemoryChangelogHandle { key_groups, from, to, changes, state_handle_id: self.text("state handle id")? })
    }

    fn changelog_stream<D: InlineBytes>(&mut self, encoding: Encoding) -> Read<ChangelogStreamHandle<D>> {
        let key_groups = self.key_group_range()?;
        // A stream has at least its position and the tag of its handle.
        let streams = self.list("streams", 9, |input| {
            Ok(OffsetAndStream { offset: input.i64("offset")?, stream: input.stream("handle")? })
        })?;
        let (size, checkpointed_size) = (self.i64("size")?, self.i64("checkpointed size")?);
        let state_handle_id = self.text("state handle id")?;
        let current = encoding == Encoding::Current;
        let storage_identifier = current.then(|| self.text("storage identifier")).transpose()?;
        Ok(ChangelogStreamHandle { key_groups, streams, size, checkpointed_size, state_handle_id, storage_identifier })
    }
}
