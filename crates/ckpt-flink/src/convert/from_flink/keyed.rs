//! Keyed state.

use std::collections::BTreeMap;

use ckpt_core::key_group::{KeyGroup, KeyGroupRange};
use ckpt_core::state::{IncrementalState, KeyGroupsState, KeyedState, SharedFile, SortedMap, StateHandle};

use super::Conversion;
use super::operator::Owner;
use crate::convert::change::{ChangeKind, Refusal};
use crate::convert::offsets::{KeyedWriter, key_group_bounds, key_group_offsets};
use crate::model::{
    ChangelogHandle, IncrementalHandle, KeyGroupRange as FlinkRange, KeyGroupsHandle, KeyGroupsKind, KeyedHandle,
    LocalPathAndHandle,
};

impl Conversion {
    pub(super) fn keyed(
        &mut self,
        owner: Owner,
        writer: KeyedWriter,
        handle: &KeyedHandle,
    ) -> Result<Vec<KeyedState>, Refusal> {
        match handle {
            KeyedHandle::Changelog(handle) => self.changelog(owner, writer, handle),
            other => Ok(vec![self.materialized(owner, writer, other)?]),
        }
    }

    /// Keyed state that is no changelog.
    fn materialized(&mut self, owner: Owner, writer: KeyedWriter, handle: &KeyedHandle) -> Result<KeyedState, Refusal> {
        match handle {
            KeyedHandle::KeyGroups(handle) => self.key_groups(owner, writer, handle).map(KeyedState::KeyGroups),
            KeyedHandle::Incremental(handle) => self.incremental(owner, handle).map(KeyedState::Incremental),
            KeyedHandle::Changelog(_) | KeyedHandle::InMemoryChangelog(_) | KeyedHandle::ChangelogStream(_) => {
                Err(Refusal::new(ChangeKind::ChangelogChanges))
            }
        }
    }

    /// Changes are no state: only who can apply them to what was materialized knows it.
    fn changelog(
        &mut self,
        owner: Owner,
        writer: KeyedWriter,
        handle: &ChangelogHandle,
    ) -> Result<Vec<KeyedState>, Refusal> {
        let has_changes = |changes: &KeyedHandle| match changes {
            KeyedHandle::InMemoryChangelog(changes) => !changes.changes.is_empty(),
            KeyedHandle::ChangelogStream(changes) => !changes.streams.is_empty(),
            _ => true,
        };
        if handle.non_materialized.iter().flatten().any(|changes| has_changes(changes)) {
            return Err(Refusal::new(ChangeKind::ChangelogChanges));
        }
        self.changes.add(ChangeKind::Changelog);
        let materialized = handle.materialized.iter().flatten();
        materialized.map(|state| self.materialized(owner, writer, state)).collect()
    }

    fn key_groups(
        &mut self,
        owner: Owner,
        writer: KeyedWriter,
        handle: &KeyGroupsHandle,
    ) -> Result<KeyGroupsState, Refusal> {
        match handle.kind {
            KeyGroupsKind::Checkpoint { .. } => self.changes.add(ChangeKind::StateHandleId),
            KeyGroupsKind::Savepoint | KeyGroupsKind::Legacy => self.changes.add(ChangeKind::KeyGroupsKind),
        }
        let range = range(owner, handle.key_groups.range())?;
        let piece = self.piece(&handle.delegate)?;
        let offsets = &handle.key_groups.offsets;
        let bounds = key_group_bounds(offsets, piece.length_bytes(), writer)?;
        let back = key_group_offsets(&bounds, piece.length_bytes(), writer);
        self.changes.add_if(back.ok().as_ref() != Some(offsets), ChangeKind::KeyGroupOffsets);
        KeyGroupsState::new(range, bounds, piece).map_err(|error| Refusal::found(ChangeKind::OffsetOrder, error))
    }

    fn incremental(&mut self, owner: Owner, handle: &IncrementalHandle) -> Result<IncrementalState, Refusal> {
        self.changes.add(ChangeKind::IncrementalIdentity);
        self.changes.add(ChangeKind::StateHandleId);
        let range = range(owner, handle.key_groups)?;
        let shared = self.files(&handle.shared, SharedFile::Written)?;
        let private = self.files(&handle.private, |handle| handle)?;
        let meta = self.piece(&handle.meta)?;
        let state = IncrementalState::new(owner.operator, range, shared, private, meta);
        let written = handle.identity.as_ref().map_or(-1, |identity| identity.checkpointed_size);
        let state_bytes = state.size().state_bytes();
        match u64::try_from(written).ok().filter(|written| *written <= state_bytes) {
            Some(written) => {
                let known = state.with_written_bytes(written);
                known.map_err(|error| Refusal::found(ChangeKind::CheckpointedSize, error))
            }
            None => {
                self.changes.add(ChangeKind::CheckpointedSize);
                Ok(state)
            }
        }
    }

    fn files<V>(
        &mut self,
        files: &[LocalPathAndHandle],
        of: impl Fn(StateHandle) -> V,
    ) -> Result<SortedMap<Box<str>, V>, Refusal> {
        let mut found = BTreeMap::new();
        let mut last: Option<Box<str>> = None;
        for LocalPathAndHandle { local_path, handle } in files {
            let name = self.state_name(local_path)?;
            self.changes.add_if(last.replace(name.clone()).is_some_and(|last| last > name), ChangeKind::Order);
            if found.insert(name, of(self.piece(handle)?)).is_some() {
                return Err(Refusal::found(ChangeKind::DuplicateFile, local_path));
            }
        }
        Ok(found.into())
    }
}

/// The key groups, which are the subtask's own: it wrote the state itself.
fn range(owner: Owner, range: FlinkRange) -> Result<KeyGroupRange, Refusal> {
    let groups = range.groups().ok_or_else(|| Refusal::found(ChangeKind::EmptyKeyGroupRange, range.count))?;
    let elsewhere = || {
        let own = owner.key_groups;
        let found = format_args!("{} to {} beside {own}", groups.start(), groups.end()).to_string();
        Refusal::found(ChangeKind::KeyGroupsElsewhere, found)
    };
    let group = |number: i32| u16::try_from(number).map(KeyGroup::new).map_err(|_| elsewhere());
    let range = KeyGroupRange::new(group(*groups.start())?, group(*groups.end())?).map_err(|_| elsewhere())?;
    match owner.key_groups.intersection(range) {
        Some(own) if own == range => Ok(range),
        _ => Err(elsewhere()),
    }
}
