//! What is known of a checkpoint and of its operators before their state.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::descriptor::StateDescriptor;
use crate::digest::Digest;
use crate::graph::{Operator, Vertex};
use crate::id::{JobId, OperatorId};
use crate::key_group::MaxParallelism;
use crate::snapshot::{CheckpointIdentity, CheckpointProperties};
use crate::state::{Places, StateHandle};

/// What is known of a checkpoint before the state of its operators.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckpointDescription {
    /// The job that took it.
    pub job: JobId,
    /// Which checkpoint.
    pub identity: CheckpointIdentity,
    /// What it is to its job. Of a savepoint that the job takes nothing may lie outside its own directory.
    pub properties: CheckpointProperties,
    /// Where claimed and borrowed roots lie. Every such root that a handle names is among them.
    pub places: Places,
    /// Digest of the job graph that it was taken of, if the caller knows it.
    pub graph_digest: Option<Digest>,
    /// The state of participants that are not tasks (Flink's master hooks), by name; at most
    /// [`MAX_MASTER_STATES`](Self::MAX_MASTER_STATES).
    pub master_states: BTreeMap<String, MasterState>,
    /// How many bytes of state may stand in the metadata itself, in all handles and master states together.
    pub inline_limit_bytes: u64,
}

/// The state of a participant that is not a task (Flink's `MasterState`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MasterState {
    /// The version of the participant's own format.
    pub version: u32,
    /// Its state in that format.
    pub bytes: Bytes,
}

/// What is known of an operator before its state.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperatorDescription {
    /// What its state is stored under.
    pub id: OperatorId,
    /// A name for people. Of one that is longer than [`MAX_NAME_BYTES`](Self::MAX_NAME_BYTES) the beginning is stored.
    pub name: String,
    /// The text that its id was made of, if the user gave one; from 1 to [`MAX_NAME_BYTES`](Self::MAX_NAME_BYTES) bytes.
    pub uid: Option<String>,
    /// How many subtasks it has.
    pub parallelism: u32,
    /// How many key groups its state is divided into.
    pub max_parallelism: MaxParallelism,
    /// The state of its coordinator, if it has one.
    pub coordinator_state: Option<StateHandle>,
    /// The states that it declares. No two have the same name; they are stored by name.
    pub descriptors: Vec<StateDescriptor>,
}

impl CheckpointDescription {
    /// How many master states a checkpoint may have.
    pub const MAX_MASTER_STATES: usize = 1024;
    /// What [`inline_limit_bytes`](Self::inline_limit_bytes) is unless it is set: 256 MiB.
    pub const DEFAULT_INLINE_LIMIT_BYTES: u64 = 256 << 20;

    /// That checkpoint, without places, graph digest and master states.
    pub const fn new(job: JobId, identity: CheckpointIdentity, properties: CheckpointProperties) -> Self {
        Self {
            job,
            identity,
            properties,
            places: Places::none(),
            graph_digest: None,
            master_states: BTreeMap::new(),
            inline_limit_bytes: Self::DEFAULT_INLINE_LIMIT_BYTES,
        }
    }
}

impl MasterState {
    /// State in that version of the participant's own format.
    pub const fn new(version: u32, bytes: Bytes) -> Self {
        Self { version, bytes }
    }
}

impl OperatorDescription {
    /// How long the name of an operator, of a participant, and a user's identity may be.
    pub const MAX_NAME_BYTES: usize = 1024;

    /// That operator, without a user's identity and coordinator state.
    pub fn new(id: OperatorId, name: impl Into<String>, parallelism: u32, max_parallelism: MaxParallelism) -> Self {
        let (name, uid, coordinator_state, descriptors) = (name.into(), None, None, Vec::new());
        Self { id, name, uid, parallelism, max_parallelism, coordinator_state, descriptors }
    }

    /// What the job graph says of an operator of that vertex.
    pub fn of(vertex: &Vertex, operator: &Operator) -> Self {
        let states = operator.states.iter().map(|state| state.descriptor().clone());
        Self {
            uid: operator.uid.clone(),
            descriptors: states.collect(),
            ..Self::new(operator.id, &*operator.name, vertex.parallelism, vertex.max_parallelism)
        }
    }
}
