//! Identities, instants and digests.

use proptest::prelude::*;

use crate::digest::Digest;
use crate::id::{
    AttemptId, CheckpointId, FileName, JobId, LeaderEpoch, OperatorId, TaskAttempt, TaskId, VertexId, Writer, WriterId,
};
use crate::time::Timestamp;

/// Small and large numbers alike.
pub(super) fn number() -> BoxedStrategy<u64> {
    (any::<u64>(), 0..64_u32).prop_map(|(number, shift)| number >> shift).boxed()
}

/// Sixteen bytes; often some of a few.
fn sixteen_bytes() -> BoxedStrategy<[u8; 16]> {
    prop_oneof![(0..4_u8).prop_map(|number| [number; 16]), any::<[u8; 16]>()].boxed()
}

/// Any checkpoint number.
pub fn any_checkpoint_id() -> BoxedStrategy<CheckpointId> {
    number().prop_map(|number| CheckpointId::new(number).unwrap_or(CheckpointId::FIRST)).boxed()
}

/// Any epoch that a leader can have.
pub fn any_epoch() -> BoxedStrategy<LeaderEpoch> {
    number().prop_map(|number| LeaderEpoch::new(number.max(1))).boxed()
}

/// Any job; often one of a few.
pub fn any_job_id() -> BoxedStrategy<JobId> {
    sixteen_bytes().prop_map(JobId::new).boxed()
}

/// Any operator; often one of a few.
pub fn any_operator_id() -> BoxedStrategy<OperatorId> {
    sixteen_bytes().prop_map(OperatorId::new).boxed()
}

/// Any vertex; often one of a few.
pub fn any_vertex_id() -> BoxedStrategy<VertexId> {
    sixteen_bytes().prop_map(VertexId::new).boxed()
}

/// Any deployment of any task.
pub fn any_task_attempt() -> BoxedStrategy<TaskAttempt> {
    let task = (any_vertex_id(), any::<u32>()).prop_map(|(vertex, subtask)| TaskId::new(vertex, subtask));
    (task, number()).prop_map(|(task, attempt)| task.attempt(AttemptId::new(attempt))).boxed()
}

/// Any writer; often one of a few.
pub fn any_writer() -> BoxedStrategy<Writer> {
    let few = (1..4_u64, 0..7_u64).prop_map(|(epoch, id)| Writer::new(LeaderEpoch::new(epoch), WriterId::new(id)));
    let any = (any_epoch(), any::<u64>()).prop_map(|(epoch, id)| Writer::new(epoch, WriterId::new(id)));
    prop_oneof![3 => few, 1 => any].boxed()
}

/// Any file of ours.
pub fn any_file_name() -> BoxedStrategy<FileName> {
    (any_writer(), any::<u32>()).prop_map(|(writer, number)| writer.file(number)).boxed()
}

/// Any instant of the wall clock.
pub fn any_timestamp() -> BoxedStrategy<Timestamp> {
    number().prop_map(Timestamp::from_millis).boxed()
}

/// Any digest.
pub fn any_digest() -> BoxedStrategy<Digest> {
    any::<u64>().prop_map(Digest::crc64_nvme).boxed()
}
