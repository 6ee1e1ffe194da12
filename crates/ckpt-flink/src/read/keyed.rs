//! Handles of keyed state.

use super::input::Input;
use super::visitor::Sink;
use super::{Source, SubtaskVisitor};
use crate::error::{Read, Step, Within};
use crate::model::{
    ChangelogHandle, ChangelogStreamHandle, InMemoryChange, InMemoryChangelogHandle, IncrementalHandle,
    IncrementalIdentity, InlineBytes, KeyGroupsHandle, KeyGroupsKind, KeyedHandle, LocalPathAndHandle, OffsetAndStream,
};
use crate::tag::keyed;

/// What a file of a database takes at least: the length of its name and the tag of its handle.
const LEAST_FILE_BYTES: u64 = 2 + 1;

/// Which of two encodings a handle has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Legacy,
    Current,
}

impl<S: Source> Input<S> {
    /// Keyed state that may be missing.
    #[inline(always)]
    pub(super) fn keyed_handle<D: InlineBytes>(
        &mut self,
        field: &'static str,
        sink: &mut impl Sink<D>,
    ) -> Read<Option<KeyedHandle<D>>> {
        let tag = self.u8(field)?;
        let handle = match tag {
            keyed::NONE => return Ok(None),
            keyed::KEY_GROUPS_LEGACY => self.key_groups_handle(|_| Ok(KeyGroupsKind::Legacy)),
            keyed::KEY_GROUPS_SAVEPOINT => self.key_groups_handle(|_| Ok(KeyGroupsKind::Savepoint)),
            keyed::KEY_GROUPS => self.key_groups_handle(|input| {
                Ok(KeyGroupsKind::Checkpoint { state_handle_id: input.text("state handle id")? })
            }),
            keyed::INCREMENTAL_LEGACY => {
                self.incremental(Encoding::Legacy, sink).map(Box::new).map(KeyedHandle::Incremental)
            }
            keyed::INCREMENTAL => self.incremental(Encoding::Current, sink).map(Box::new).map(KeyedHandle::Incremental),
            keyed::CHANGELOG_LEGACY => self.nested(field, |input| input.changelog(Encoding::Legacy, sink)),
            keyed::CHANGELOG => self.nested(field, |input| input.changelog(Encoding::Current, sink)),
            keyed::IN_MEMORY_CHANGELOG => self.in_memory_changelog(sink).map(KeyedHandle::InMemoryChangelog),
            keyed::CHANGELOG_STREAM_LEGACY => {
                self.changelog_stream(Encoding::Legacy, sink).map(KeyedHandle::ChangelogStream)
            }
            keyed::CHANGELOG_STREAM => self.changelog_stream(Encoding::Current, sink).map(KeyedHandle::ChangelogStream),
            _ => {
                let expected = "the tag of a keyed state handle: 0, 3, 5 or 7 to 14";
                return Err(self.unknown_tag(field, expected, tag));
            }
        };
        handle.map(Some).within(Step::Field(field))
    }

    #[inline(always)]
    fn key_groups_handle<D: InlineBytes>(
        &mut self,
        kind: impl FnOnce(&mut Self) -> Read<KeyGroupsKind>,
    ) -> Read<KeyedHandle<D>> {
        let key_groups = self.key_group_offsets()?;
        let delegate = self.stream("delegate")?;
        Ok(KeyedHandle::KeyGroups(KeyGroupsHandle { kind: kind(self)?, key_groups, delegate }))
    }

    fn incremental<D: InlineBytes>(
        &mut self,
        encoding: Encoding,
        sink: &mut impl Sink<D>,
    ) -> Read<IncrementalHandle<D>> {
        let checkpoint_id = self.i64("checkpoint id")?;
        let backend_id = self.text("backend id")?;
        let key_groups = self.key_group_range()?;
        let current = encoding == Encoding::Current;
        let checkpointed_size = current.then(|| self.i64("checkpointed size")).transpose()?;
        let meta = self.stream("meta state")?;
        sink.tell(|visitor| visitor.incremental(key_groups, &meta));
        let shared = self.list_of_kept("shared files", LEAST_FILE_BYTES, |input| {
            Ok(sink.keep(input.local_path()?, SubtaskVisitor::shared_file))
        })?;
        let private = self.list_of_kept("private files", LEAST_FILE_BYTES, |input| {
            Ok(sink.keep(input.local_path()?, SubtaskVisitor::private_file))
        })?;
        let identity = match checkpointed_size {
            Some(checkpointed_size) => {
                Some(IncrementalIdentity { checkpointed_size, state_handle_id: self.text("state handle id")? })
            }
            None => None,
        };
        Ok(IncrementalHandle { checkpoint_id, backend_id, key_groups, identity, meta, shared, private })
    }

    fn local_path<D: InlineBytes>(&mut self) -> Read<LocalPathAndHandle<D>> {
        Ok(LocalPathAndHandle { local_path: self.text("local path")?, handle: self.stream("handle")? })
    }

    fn changelog<D: InlineBytes>(&mut self, encoding: Encoding, sink: &mut impl Sink<D>) -> Read<KeyedHandle<D>> {
        let key_groups = self.key_group_range()?;
        let checkpointed_size = self.i64("checkpointed size")?;
        let materialized = self.keyed_handles("materialized state", sink)?;
        let non_materialized = self.keyed_handles("changes", sink)?;
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

    fn keyed_handles<D: InlineBytes>(
        &mut self,
        field: &'static str,
        sink: &mut impl Sink<D>,
    ) -> Read<Vec<Option<Box<KeyedHandle<D>>>>> {
        self.list_of_kept(field, 1, |input| {
            let handle = input.keyed_handle("handle", sink)?;
            let kept = sink.keep(handle, |visitor, handle| {
                handle.into_iter().for_each(|handle| visitor.keyed_handle_of_changelog(handle));
            });
            Ok(kept.map(|handle| handle.map(Box::new)))
        })
    }

    fn in_memory_changelog<D: InlineBytes>(&mut self, sink: &mut impl Sink<D>) -> Read<InMemoryChangelogHandle<D>> {
        let key_groups = self.key_group_range()?;
        let (from, to) = (self.i64("first change")?, self.i64("end of the changes")?);
        // A change has at least its key group and its length.
        let changes = self.list_of_kept("changes", 8, |input| {
            let change = InMemoryChange { key_group: input.i32("key group")?, change: input.inline("change")? };
            Ok(sink.keep(change, SubtaskVisitor::in_memory_change))
        })?;
        Ok(InMemoryChangelogHandle { key_groups, from, to, changes, state_handle_id: self.text("state handle id")? })
    }

    fn changelog_stream<D: InlineBytes>(
        &mut self,
        encoding: Encoding,
        sink: &mut impl Sink<D>,
    ) -> Read<ChangelogStreamHandle<D>> {
        let key_groups = self.key_group_range()?;
        // A stream has at least its position and the tag of its handle.
        let streams = self.list_of_kept("streams", 9, |input| {
            let stream = OffsetAndStream { offset: input.i64("offset")?, stream: input.stream("handle")? };
            Ok(sink.keep(stream, |visitor, stream| visitor.changelog_stream(key_groups, stream)))
        })?;
        let (size, checkpointed_size) = (self.i64("size")?, self.i64("checkpointed size")?);
        let state_handle_id = self.text("state handle id")?;
        let current = encoding == Encoding::Current;
        let storage_identifier = current.then(|| self.text("storage identifier")).transpose()?;
        Ok(ChangelogStreamHandle { key_groups, streams, size, checkpointed_size, state_handle_id, storage_identifier })
    }
}
