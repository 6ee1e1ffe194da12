//! How vertices are connected.

use crate::graph::SubtaskStateMapper;
use crate::id::VertexId;

/// A connection from one vertex to another. There may be several between the same two.
///
/// | made by | Flink's partitioners | mappers up, down | unaligned |
/// |---|---|---|---|
/// | [`all_to_all`](Self::all_to_all) | rebalance, shuffle | `Arbitrary`, `RoundRobin` | supported |
/// | [`keyed`](Self::keyed) | key groups | `Arbitrary`, `Range` | supported |
/// | [`global`](Self::global) | global | `Arbitrary`, `First` | supported |
/// | [`custom`](Self::custom) | custom | `Arbitrary`, `Full` | unsupported |
/// | [`broadcast`](Self::broadcast) | broadcast | `Unsupported`, `Unsupported` | unsupported |
/// | [`pointwise`](Self::pointwise) | forward, rescale | `Unsupported`, `Unsupported` | unsupported |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edge {
    /// Where records come from.
    pub from: VertexId,
    /// Where they go.
    pub to: VertexId,
    /// Which subtasks are connected.
    pub distribution: Distribution,
    /// Which subtasks inherit records in flight on the way out when the producers are rescaled.
    pub upstream_mapper: SubtaskStateMapper,
    /// Which subtasks inherit records in flight on the way in when the consumers are rescaled.
    pub downstream_mapper: SubtaskStateMapper,
    /// Whether barriers may overtake records on it.
    pub unaligned: UnalignedSupport,
    /// When records get across.
    pub exchange: Exchange,
}

/// Which subtasks of two vertices are connected (Flink's `DistributionPattern`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Distribution {
    /// Each with each.
    AllToAll,
    /// Each with its counterpart, or with a few.
    Pointwise,
}

/// Whether barriers may overtake records on a connection (Flink's `StreamPartitioner.isSupportsUnalignedCheckpoint`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnalignedSupport {
    /// They may.
    Supported,
    /// They may not: barriers on it are always aligned.
    Unsupported,
}

/// When records get across a connection (Flink's `ResultPartitionType`, as far as checkpoints need it).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exchange {
    /// While both sides run.
    Pipelined,
    /// Once the producer has ended: no checkpoint can be taken across it.
    Blocking,
    /// While both sides run, back to a vertex that lies before. Checkpoints do not begin or wait behind it.
    Feedback,
}

impl Edge {
    /// Every subtask sends to every subtask, no matter what to which.
    pub const fn all_to_all(from: VertexId, to: VertexId) -> Self {
        Self::each_to_each(from, to, SubtaskStateMapper::RoundRobin, UnalignedSupport::Supported)
    }

    /// Every subtask sends to every subtask, records of a key group to the one that owns it.
    pub const fn keyed(from: VertexId, to: VertexId) -> Self {
        Self::each_to_each(from, to, SubtaskStateMapper::Range, UnalignedSupport::Supported)
    }

    /// Every subtask sends to the first one.
    pub const fn global(from: VertexId, to: VertexId) -> Self {
        Self::each_to_each(from, to, SubtaskStateMapper::First, UnalignedSupport::Supported)
    }

    /// Every subtask sends to those that the user's code chooses.
    pub const fn custom(from: VertexId, to: VertexId) -> Self {
        Self::each_to_each(from, to, SubtaskStateMapper::Full, UnalignedSupport::Unsupported)
    }

    /// Every subtask sends each record to all.
    pub const fn broadcast(from: VertexId, to: VertexId) -> Self {
        let edge = Self::each_to_each(from, to, SubtaskStateMapper::Unsupported, UnalignedSupport::Unsupported);
        Self { upstream_mapper: SubtaskStateMapper::Unsupported, ..edge }
    }

    /// Every subtask sends to its counterpart, or to a few.
    pub const fn pointwise(from: VertexId, to: VertexId) -> Self {
        Self { distribution: Distribution::Pointwise, ..Self::broadcast(from, to) }
    }

    const fn each_to_each(
        from: VertexId,
        to: VertexId,
        downstream_mapper: SubtaskStateMapper,
        unaligned: UnalignedSupport,
    ) -> Self {
        let (distribution, upstream_mapper) = (Distribution::AllToAll, SubtaskStateMapper::Arbitrary);
        Self { from, to, distribution, upstream_mapper, downstream_mapper, unaligned, exchange: Exchange::Pipelined }
    }

    /// The same, over which records get by that exchange.
    #[must_use]
    pub const fn with_exchange(self, exchange: Exchange) -> Self {
        Self { exchange, ..self }
    }

    /// Whether it leads back.
    pub const fn is_feedback(&self) -> bool {
        matches!(self.exchange, Exchange::Feedback)
    }

    /// Whether unaligned checkpoints of a job with it have to be forced by the user: it leads back, or user code chooses
    /// who receives what.
    pub const fn needs_forced_unaligned(&self) -> bool {
        self.is_feedback() || matches!(self.downstream_mapper, SubtaskStateMapper::Full)
    }
}
