//! The kinds of state.

use std::fmt;

use crate::state::Redistribution;

/// What a state is to the operator that owns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StateKind {
    /// One for each key, moved in key groups.
    Keyed(KeyedStateKind),
    /// A list for each subtask, handed out in that way when the parallelism changes.
    Operator(Redistribution),
}

/// What is kept for a key (Flink's `StateDescriptor.Type`, and its priority queues).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyedStateKind {
    /// One value.
    Value,
    /// A list.
    List,
    /// A map.
    Map,
    /// One value, into which others are reduced.
    Reducing,
    /// An accumulator, to which values are added.
    Aggregating,
    /// Elements by priority: timers.
    PriorityQueue,
}

impl fmt::Display for StateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keyed(KeyedStateKind::Value) => "keyed value state",
            Self::Keyed(KeyedStateKind::List) => "keyed list state",
            Self::Keyed(KeyedStateKind::Map) => "keyed map state",
            Self::Keyed(KeyedStateKind::Reducing) => "keyed reducing state",
            Self::Keyed(KeyedStateKind::Aggregating) => "keyed aggregating state",
            Self::Keyed(KeyedStateKind::PriorityQueue) => "keyed priority queue",
            Self::Operator(Redistribution::Split) => "split operator state",
            Self::Operator(Redistribution::Union) => "union operator state",
            Self::Operator(Redistribution::Broadcast) => "broadcast operator state",
        })
    }
}
