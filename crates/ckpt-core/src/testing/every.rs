//! Every variant of small enums.

use crate::descriptor::{KeyedStateKind, StateKind};
use crate::message::DeclineReason;
use crate::state::Redistribution;

/// The variants of an enum; does not compile when one is missing.
macro_rules! every {
    ($type:ident: $($variant:ident),* $(,)?) => {{
        const _: fn($type) = |value| match value {
            $($type::$variant => {})*
        };
        [$($type::$variant),*]
    }};
}

/// Why a task may decline, in the order of the numbers that stand in frames.
pub fn every_decline_reason() -> Vec<DeclineReason> {
    every![
        DeclineReason: NotReady, Subsumed, CancellationBarrier, InputEnded, SnapshotFailed, Closing, CaptureFailed,
        SharedStreamFailed, UnknownAttempt, Refused, TooLarge, SpillFailed,
    ]
    .into()
}

/// What a state may be, in the order of the numbers that stand in files.
pub fn every_state_kind() -> Vec<StateKind> {
    let keyed = every![KeyedStateKind: Value, List, Map, Reducing, Aggregating, PriorityQueue];
    let operator = every_redistribution();
    const _: fn(StateKind) = |kind| match kind {
        StateKind::Keyed(_) | StateKind::Operator(_) => {}
    };
    keyed.map(StateKind::Keyed).into_iter().chain(operator.map(StateKind::Operator)).collect()
}

pub(super) fn every_redistribution() -> [Redistribution; 3] {
    every![Redistribution: Split, Union, Broadcast]
}
