//! Handles of keyed state.

use super::output::Output;
use crate::error::Write;
use crate::model::{
    ChangelogHandle, ChangelogStreamHandle, InMemoryChange, InMemoryChangelogHandle, IncrementalHandle,
    KeyGroupsHandle, KeyGroupsKind, KeyedHandle, LocalPathAndHandle, OffsetAndStream,
};
use crate::tag::keyed;

impl Output {
    pub(super) fn keyed_handle(&mut self, handle: Option<&KeyedHandle>) -> Write {
        match handle {
            None => {
                self.u8(keyed::NONE);
                Ok(())
            }
            Some(KeyedHandle::KeyGroups(handle)) => self.key_groups_handle(handle),
            Some(KeyedHandle::Incremental(handle)) => self.incremental(handle),
            Some(KeyedHandle::Changelog(handle)) => self.nested("a changelog", |output| output.changelog(handle)),
            Some(KeyedHandle::InMemoryChangelog(handle)) => self.in_memory_changelog(handle),
            Some(KeyedHandle::ChangelogStream(handle)) => self.changelog_stream(handle),
        }
    }

    fn key_groups_handle(&mut self, handle: &KeyGroupsHandle) -> Write {
        let KeyGroupsHandle { kind, key_groups, delegate } = handle;
        self.u8(match kind {
            KeyGroupsKind::Checkpoint { .. } => keyed::KEY_GROUPS,
            KeyGroupsKind::Savepoint => keyed::KEY_GROUPS_SAVEPOINT,
            KeyGroupsKind::Legacy => keyed::KEY_GROUPS_LEGACY,
        });
        self.key_group_offsets(key_groups)?;
        self.stream(delegate)?;
        if let KeyGroupsKind::Checkpoint { state_handle_id } = kind {
            self.text(state_handle_id);
        }
        Ok(())
    }

    fn incremental(&mut self, handle: &IncrementalHandle) -> Write {
        let IncrementalHandle { checkpoint_id, backend_id, key_groups, identity, meta, shared, private } = handle;
        self.u8(if identity.is_some() { keyed::INCREMENTAL } else { keyed::INCREMENTAL_LEGACY });
        self.i64(*checkpoint_id);
        self.text(backend_id);
        self.key_group_range(*key_groups)?;
        if let Some(identity) = identity {
            self.i64(identity.checkpointed_size);
        }
        self.stream(meta)?;
        for (what, files) in [("the list of shared files", shared), ("the list of private files", private)] {
            self.list(what, files, |output, LocalPathAndHandle { local_path, handle }| {
                output.text(local_path);
                output.stream(handle)
            })?;
        }
        if let Some(identity) = identity {
            self.text(&identity.state_handle_id);
        }
        Ok(())
    }

    fn changelog(&mut self, handle: &ChangelogHandle) -> Write {
        let ChangelogHandle {
            key_groups,
            checkpointed_size,
            materialized,
            non_materialized,
            materialization_id,
            checkpoint_id,
            state_handle_id,
        } = handle;
        self.u8(if checkpoint_id.is_some() { keyed::CHANGELOG } else { keyed::CHANGELOG_LEGACY });
        self.key_group_range(*key_groups)?;
        self.i64(*checkpointed_size);
        for (what, handles) in [("the materialized state", materialized), ("the list of changes", non_materialized)] {
            self.list(what, handles, |output, handle| output.keyed_handle(handle.as_deref()))?;
        }
        self.i64(*materialization_id);
        if let Some(checkpoint_id) = checkpoint_id {
            self.i64(*checkpoint_id);
        }
        self.text(state_handle_id);
        Ok(())
    }

    fn in_memory_changelog(&mut self, handle: &InMemoryChangelogHandle) -> Write {
        let InMemoryChangelogHandle { key_groups, from, to, changes, state_handle_id } = handle;
        self.u8(keyed::IN_MEMORY_CHANGELOG);
        self.key_group_range(*key_groups)?;
        self.i64(*from);
        self.i64(*to);
        self.list("the list of changes", changes, |output, InMemoryChange { key_group, change }| {
            output.i32(*key_group);
            output.blob("a change", change)
        })?;
        self.text(state_handle_id);
        Ok(())
    }

    fn changelog_stream(&mut self, handle: &ChangelogStreamHandle) -> Write {
        let ChangelogStreamHandle { key_groups, streams, size, checkpointed_size, state_handle_id, storage_identifier } =
            handle;
        let current = storage_identifier.is_some();
        self.u8(if current { keyed::CHANGELOG_STREAM } else { keyed::CHANGELOG_STREAM_LEGACY });
        self.key_group_range(*key_groups)?;
        self.list("the list of streams", streams, |output, OffsetAndStream { offset, stream }| {
            output.i64(*offset);
            output.stream(stream)
        })?;
        self.i64(*size);
        self.i64(*checkpointed_size);
        self.text(state_handle_id);
        if let Some(storage_identifier) = storage_identifier {
            self.text(storage_identifier);
        }
        Ok(())
    }
}
