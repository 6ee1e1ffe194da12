//! Operators and their subtasks.

use std::collections::BTreeMap;

use ckpt_core::Result;
use ckpt_flink::{DistributionMode, FlinkReader, InlineBytes as _, OperatorHandle, Source, Subtask};
use serde::Serialize;

use super::Context;
use super::channel::Channel;
use super::digested::Digested;
use super::keyed::Keyed;
use super::stream::Stream;
use crate::flink::size::{Sizes, java_long, of_stream, of_subtask};

/// An `OperatorState`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operator {
    class: &'static str,
    operator_id: String,
    name: Option<String>,
    uid: Option<String>,
    parallelism: i32,
    max_parallelism: i32,
    fully_finished: bool,
    state_size: i64,
    checkpointed_size: i64,
    coordinator_state: Option<Stream>,
    /// Of two of one index Flink keeps the last.
    subtasks: BTreeMap<i32, OperatorSubtask>,
}

/// An `OperatorSubtaskState`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OperatorSubtask {
    class: &'static str,
    finished: bool,
    state_size: i64,
    checkpointed_size: i64,
    managed_operator_state: Vec<OperatorStateHandle>,
    raw_operator_state: Vec<OperatorStateHandle>,
    managed_keyed_state: Vec<Keyed>,
    raw_keyed_state: Vec<Keyed>,
    input_channel_state: Vec<Channel>,
    result_subpartition_state: Vec<Channel>,
}

/// An `OperatorStateHandle`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OperatorStateHandle {
    class: &'static str,
    state_size: i64,
    /// Of two of one name Flink keeps the last.
    states: BTreeMap<String, StateMetaInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_owned_dir: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shared_dir: Option<String>,
    delegate: Stream,
}

/// Where the elements of a state begin.
#[derive(Serialize)]
struct StateMetaInfo {
    mode: &'static str,
    offsets: Vec<i64>,
}

impl Operator {
    /// The next operator of a file.
    pub(super) fn read<S: Source>(reader: &mut FlinkReader<S, Digested>, context: &Context) -> Result<Option<Self>> {
        let Some(description) = reader.next_operator()? else { return Ok(None) };
        let fully_finished = reader.is_fully_finished();
        let mut subtasks = BTreeMap::new();
        while let Some(subtask) = reader.next_subtask()? {
            subtasks.insert(subtask.index, OperatorSubtask::of(&subtask, context)?);
        }
        let coordinator = description.coordinator.as_ref().map_or(0, |state| java_long(state.data.length_bytes()));
        let sum = |size: fn(&OperatorSubtask) -> i64| subtasks.values().map(size).fold(coordinator, i64::wrapping_add);
        Ok(Some(Self {
            class: if fully_finished { "FullyFinishedOperatorState" } else { "OperatorState" },
            operator_id: description.id.to_string(),
            name: description.name.as_ref().map(ToString::to_string),
            uid: description.uid.as_ref().map(ToString::to_string),
            parallelism: description.parallelism,
            max_parallelism: description.max_parallelism,
            fully_finished,
            state_size: sum(|subtask| subtask.state_size),
            checkpointed_size: sum(|subtask| subtask.checkpointed_size),
            coordinator_state: description.coordinator.as_ref().map(Stream::of_bytes),
            subtasks,
        }))
    }
}

impl OperatorSubtask {
    fn of(subtask: &Subtask<Digested>, context: &Context) -> Result<Self> {
        let Some(state) = &subtask.state else { return Ok(Self::finished()) };
        let Sizes { state: state_size, checkpointed: checkpointed_size } = of_subtask(state);
        let operator = |it: &OperatorHandle<Digested>| OperatorStateHandle::of(it, context);
        let input = state.input_channels.iter().map(|it| Channel::of(it, context));
        let result = state.result_subpartitions.iter().map(|it| Channel::of(it, context));
        Ok(Self {
            class: "OperatorSubtaskState",
            finished: false,
            state_size,
            checkpointed_size,
            managed_operator_state: state.managed_operator.iter().map(|it| operator(it)).collect(),
            raw_operator_state: state.raw_operator.iter().map(|it| operator(it)).collect(),
            managed_keyed_state: state.managed_keyed.iter().map(|it| Keyed::of(it, context)).collect(),
            raw_keyed_state: state.raw_keyed.iter().map(|it| Keyed::of(it, context)).collect(),
            input_channel_state: input.filter_map(Result::transpose).collect::<Result<_>>()?,
            result_subpartition_state: result.filter_map(Result::transpose).collect::<Result<_>>()?,
        })
    }

    fn finished() -> Self {
        Self {
            class: "FinishedOperatorSubtaskState",
            finished: true,
            state_size: 0,
            checkpointed_size: 0,
            managed_operator_state: Vec::new(),
            raw_operator_state: Vec::new(),
            managed_keyed_state: Vec::new(),
            raw_keyed_state: Vec::new(),
            input_channel_state: Vec::new(),
            result_subpartition_state: Vec::new(),
        }
    }
}

impl OperatorStateHandle {
    fn of(handle: &OperatorHandle<Digested>, context: &Context) -> Self {
        let class = match &handle.merging {
            None => "OperatorStreamStateHandle",
            Some(merging) if merging.is_empty => "EmptyFileMergingOperatorStreamStateHandle",
            Some(_) => "FileMergingOperatorStreamStateHandle",
        };
        let states = handle.states.iter().map(|state| {
            let mode = match state.mode {
                DistributionMode::Union => "UNION",
                DistributionMode::Broadcast => "BROADCAST",
                _ => "SPLIT_DISTRIBUTE",
            };
            (state.name.to_string(), StateMetaInfo { mode, offsets: state.offsets.clone() })
        });
        let delegate = &handle.delegate;
        Self {
            class,
            state_size: of_stream(delegate),
            states: states.collect(),
            task_owned_dir: handle.merging.as_ref().map(|merging| merging.task_owned.to_string()),
            shared_dir: handle.merging.as_ref().map(|merging| merging.shared.to_string()),
            delegate: Stream::of(delegate, context),
        }
    }
}
