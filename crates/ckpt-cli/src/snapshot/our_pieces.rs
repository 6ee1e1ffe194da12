//! The pieces of a subtask's state in metadata of ours.

use ckpt_core::key_group::KeyGroupRange;
use ckpt_core::state::{
    HandleView, IncrementalState, InputChannel, KeyedState, Place, ResultSubpartition, SharedFile, StateHandle,
    SubtaskState,
};

use super::names::Names;
use super::piece::{Extent, Piece, PieceFile, StateKind};
use super::walk::Walk;
use crate::flink::size::java_long;

/// Tells all of them: keyed, operator, in flight.
pub(crate) fn of_subtask(state: &SubtaskState, walk: &mut dyn Walk) {
    let wanted = walk.wanted();
    for (kind, states) in [(StateKind::ManagedKeyed, state.keyed()), (StateKind::RawKeyed, state.raw_keyed())] {
        for state in states {
            match state {
                KeyedState::KeyGroups(state) => {
                    walk.piece(piece(kind, String::new(), Some(state.range()), state.handle()));
                }
                KeyedState::Incremental(state) => of_incremental(kind, state, walk),
                other => other.handles().for_each(|handle| walk.piece(piece(kind, String::new(), None, handle))),
            }
        }
    }
    for (kind, states) in
        [(StateKind::ManagedOperator, state.operator()), (StateKind::RawOperator, state.raw_operator())]
    {
        for state in states {
            let role = wanted.role(|| Names::of(state.states().iter().map(|(name, _)| name)).to_string());
            walk.piece(piece(kind, role, None, state.handle()));
        }
    }
    let input = |it: &InputChannel| format!("{}/{}", it.gate, it.channel);
    for state in state.input_channels() {
        let role = wanted.role(|| Names::of(state.channels().iter().map(|(channel, _)| input(channel))).to_string());
        walk.piece(piece(StateKind::InputChannel, role, None, state.handle()));
    }
    let result = |it: &ResultSubpartition| format!("{}/{}", it.partition, it.subpartition);
    for state in state.result_subpartitions() {
        let role = wanted.role(|| Names::of(state.channels().iter().map(|(channel, _)| result(channel))).to_string());
        walk.piece(piece(StateKind::ResultSubpartition, role, None, state.handle()));
    }
}

/// What an operator's coordinator stored.
pub(super) fn of_coordinator(handle: &HandleView<'_>) -> Piece {
    piece(StateKind::Coordinator, String::new(), None, &handle.to_handle())
}

fn of_incremental(kind: StateKind, state: &IncrementalState, walk: &mut dyn Walk) {
    let (range, wanted) = (Some(state.range()), walk.wanted());
    walk.piece(piece(kind, wanted.role(|| "meta".to_owned()), range, state.meta()));
    for (name, file) in state.shared().iter() {
        // In metadata every file is written: the coordinator has filled in those that were named again.
        if let SharedFile::Written(handle) = file {
            walk.piece(piece(kind, wanted.role(|| format!("shared {name}")), range, handle));
        }
    }
    for (name, handle) in state.private().iter() {
        walk.piece(piece(kind, wanted.role(|| format!("private {name}")), range, handle));
    }
}

fn piece(kind: StateKind, role: String, range: Option<KeyGroupRange>, handle: &StateHandle) -> Piece {
    let (file, offset_bytes) = match handle.place() {
        Place::Inline(_) => (None, None),
        Place::Segment { root, offset_bytes, .. } => (Some(*root), Some(java_long(*offset_bytes))),
        place => (place.file().map(|(root, _)| root), None),
    };
    Piece {
        kind,
        role,
        key_groups: range.map(|range| [range.first().get().into(), range.last().get().into()]),
        unwritten: None,
        file: file.map(|root| PieceFile::Ours { root, handle: Box::new(handle.clone()) }),
        offset_bytes,
        elements_at: None,
        length_bytes: java_long(handle.length_bytes()),
        extent: offset_bytes.map_or(Extent::Whole, |_| Extent::Part),
        state_bytes: java_long(handle.length_bytes()),
        digest: handle.digest().map(|digest| digest.to_string()),
    }
}
