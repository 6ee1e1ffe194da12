//! Which files a snapshot names, and for whom.

use std::ops::Range;

use ckpt_core::Result;
use ckpt_core::id::OperatorId;
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::state::{FileRef, KeyedState, Place, Root, StateHandle, SubtaskReport, SubtaskState};

use super::finding::{StateOwner, StateRole};

/// Every piece of state that lies in a file, in the order of files. It takes the memory of a [`Named`] for each.
#[derive(Debug)]
pub(super) struct FileIndex {
    named: Vec<Named>,
    /// All of the metadata, as it has them.
    operators: Vec<OperatorId>,
    /// Different files.
    pub(super) files: u64,
    /// Pieces in the metadata itself.
    pub(super) inline: u64,
    /// Bytes of state in files.
    pub(super) state_bytes: u64,
}

/// A piece of state that lies in a file.
#[derive(Debug)]
pub(super) struct Named {
    handle: StateHandle,
    /// Where it stands among the operators.
    operator: u32,
    subtask: u32,
    role: StateRole,
}

impl FileIndex {
    /// All files of that snapshot.
    pub(super) fn of(metadata: &CheckpointMetadata) -> Result<Self> {
        let (mut files, mut inline) = (0_usize, 0);
        // Counted first, so that no more memory is asked for than that.
        metadata.visit_handles(&mut |handle| match handle.file() {
            Some(_) => files += 1,
            None => inline += 1,
        })?;
        let mut named = Vec::with_capacity(files);
        for (operator, of_operator) in (0..).zip(metadata.operators()) {
            let mut add = |subtask, role, handle: &StateHandle| {
                if handle.place().file().is_some() {
                    named.push(Named { handle: handle.clone(), operator, subtask, role });
                }
            };
            if let Some(handle) = of_operator.coordinator_state()? {
                add(0, StateRole::Coordinator, &handle.to_handle());
            }
            for subtask in of_operator.subtasks() {
                if let (subtask, SubtaskReport::State(state)) = subtask? {
                    visit(&state, &mut |role, handle| add(subtask, role, handle));
                }
            }
        }
        named.sort_unstable_by(|one, other| one.key().cmp(&other.key()));
        let operators = metadata.summary().operators().map(|operator| operator.id).collect();
        let mut index = Self { named, operators, files: 0, inline, state_bytes: 0 };
        let mut at = 0;
        while let Some(range) = index.file_from(at) {
            at = range.end;
            index.files += 1;
            let bytes = index.pieces(range).map(StateHandle::length_bytes);
            index.state_bytes = bytes.fold(index.state_bytes, u64::saturating_add);
        }
        Ok(index)
    }

    /// Those that name the file of the one that stands there.
    pub(super) fn file_from(&self, at: usize) -> Option<Range<usize>> {
        let rest = self.named.get(at..)?;
        let first = rest.first()?.file()?;
        let others = rest.iter().take_while(|named| named.file() == Some(first));
        Some(at..at + others.count())
    }

    /// The file that those name.
    pub(super) fn file(&self, range: &Range<usize>) -> Option<(Root, &FileRef)> {
        self.named.get(range.start)?.file()
    }

    /// What those name of it, each once.
    pub(super) fn pieces(&self, range: Range<usize>) -> impl Iterator<Item = &StateHandle> {
        let named = self.named.get(range).unwrap_or_default();
        let (mut rest, mut before): (_, Option<&StateHandle>) = (named.iter(), None);
        std::iter::from_fn(move || {
            let next = rest.find(|named| before != Some(&named.handle))?;
            before = Some(&next.handle);
            before
        })
    }

    /// Whether the snapshot names that file of its own directory.
    pub(super) fn has_own(&self, file: &FileRef) -> bool {
        self.named.binary_search_by(|named| named.file().cmp(&Some((Root::ThisSnapshot, file)))).is_ok()
    }

    /// Whose those are.
    pub(super) fn owners(&self, range: Range<usize>, metadata: &CheckpointMetadata) -> Vec<StateOwner> {
        let named = self.named.get(range).unwrap_or_default();
        let mut named: Vec<_> = named.iter().collect();
        named.sort_by_key(|named| (named.operator, named.subtask, named.role));
        let owner = |named: &Named| {
            let operator = metadata.summary().operator(*self.operators.get(named.operator as usize)?)?;
            Some(StateOwner {
                operator: operator.id,
                operator_name: operator.uid.unwrap_or(operator.name).to_owned(),
                subtask: Some(named.subtask).filter(|_| named.role != StateRole::Coordinator),
                role: named.role,
                handle: named.handle.clone(),
            })
        };
        named.into_iter().filter_map(owner).collect()
    }
}

impl Named {
    fn file(&self) -> Option<(Root, &FileRef)> {
        self.handle.place().file()
    }

    /// By file, and then so that what is named alike stands together.
    fn key(&self) -> (Option<(Root, &FileRef)>, u64, u64, Option<u64>) {
        let offset_bytes = match self.handle.place() {
            Place::Segment { offset_bytes, .. } => *offset_bytes,
            _ => 0,
        };
        let digest = self.handle.digest().map(|digest| digest.value());
        (self.file(), offset_bytes, self.handle.length_bytes(), digest)
    }
}

/// Tells `tell` of every handle in the state of a subtask.
fn visit(state: &SubtaskState, tell: &mut dyn FnMut(StateRole, &StateHandle)) {
    for (role, states) in [(StateRole::Keyed, state.keyed()), (StateRole::RawKeyed, state.raw_keyed())] {
        states.iter().flat_map(KeyedState::handles).for_each(|handle| tell(role, handle));
    }
    for (role, states) in [(StateRole::Operator, state.operator()), (StateRole::RawOperator, state.raw_operator())] {
        states.iter().for_each(|state| tell(role, state.handle()));
    }
    state.input_channels().iter().for_each(|state| tell(StateRole::InputChannel, state.handle()));
    state.result_subpartitions().iter().for_each(|state| tell(StateRole::ResultSubpartition, state.handle()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_takes_little_memory() {
        assert!(size_of::<Named>() <= 112, "{}", size_of::<Named>());
    }
}
