//! The pieces of a subtask's state in metadata of ours.

use ckpt_core::key_group::KeyGroupRange;
use ckpt_core::state::{
    ChannelState, HandleView, IncrementalState, KeyedState, OperatorState, Place, SharedFile, StateHandle, SubtaskState,
};

use super::piece::{Extent, Piece, PieceFile, StateKind};
use crate::flink::size::java_long;

/// All of them: keyed, operator, in flight.
pub(super) fn of_subtask(state: &SubtaskState) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (kind, states) in [(StateKind::ManagedKeyed, state.keyed()), (StateKind::RawKeyed, state.raw_keyed())] {
        for state in states {
            match state {
                KeyedState::KeyGroups(state) => {
                    pieces.push(piece(kind, String::new(), Some(state.range()), state.handle()));
                }
                KeyedState::Incremental(state) => pieces.extend(of_incremental(kind, state)),
                other => pieces.extend(other.handles().map(|handle| piece(kind, String::new(), None, handle))),
            }
        }
    }
    for (kind, states) in
        [(StateKind::ManagedOperator, state.operator()), (StateKind::RawOperator, state.raw_operator())]
    {
        pieces.extend(states.iter().map(|state| of_operator(kind, state)));
    }
    let input = |it: &ckpt_core::state::InputChannel| format!("{}/{}", it.gate, it.channel);
    pieces.extend(state.input_channels().iter().map(|it| of_channels(StateKind::InputChannel, it, input)));
    let result = |it: &ckpt_core::state::ResultSubpartition| format!("{}/{}", it.partition, it.subpartition);
    pieces.extend(state.result_subpartitions().iter().map(|it| of_channels(StateKind::ResultSubpartition, it, result)));
    pieces
}

/// What an operator's coordinator stored.
pub(super) fn of_coordinator(handle: &HandleView<'_>) -> Piece {
    piece(StateKind::Coordinator, String::new(), None, &handle.to_handle())
}

fn of_incremental(kind: StateKind, state: &IncrementalState) -> Vec<Piece> {
    let range = Some(state.range());
    let mut pieces = vec![piece(kind, "meta".to_owned(), range, state.meta())];
    for (name, file) in state.shared().iter() {
        // In metadata every file is written: the coordinator has filled in those that were named again.
        if let SharedFile::Written(handle) = file {
            pieces.push(piece(kind, format!("shared {name}"), range, handle));
        }
    }
    pieces.extend(state.private().iter().map(|(name, handle)| piece(kind, format!("private {name}"), range, handle)));
    pieces
}

fn of_operator(kind: StateKind, state: &OperatorState) -> Piece {
    let names: Vec<&str> = state.states().iter().map(|(name, _)| &**name).collect();
    piece(kind, names.join(", "), None, state.handle())
}

fn of_channels<C>(kind: StateKind, state: &ChannelState<C>, name: impl Fn(&C) -> String) -> Piece {
    let names: Vec<_> = state.channels().iter().map(|(channel, _)| name(channel)).collect();
    piece(kind, names.join(", "), None, state.handle())
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
        length_bytes: java_long(handle.length_bytes()),
        extent: offset_bytes.map_or(Extent::Whole, |_| Extent::Part),
        state_bytes: java_long(handle.length_bytes()),
        digest: handle.digest().map(|digest| digest.to_string()),
    }
}
