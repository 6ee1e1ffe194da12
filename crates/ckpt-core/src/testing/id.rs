//! Identities, instants and digests.

use proptest::prelude::*;

use crate::digest::Digest;
use crate::id::{
    AttemptId, CheckpointId, FileName, JobId, LeaderEpoch, OperatorId, TaskAttempt, TaskId, VertexId, Writer, WriterId,
};
use crate::time::Timestamp;

/// Small and large numbers alike.
pub(super) fn number() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0..64_u32).prop_map(|(number, shift)| number >> shift)
}

/// Sixteen bytes; often some of a few.
fn sixteen_bytes() -> impl Strategy<Value = [u8; 16]> {
    prop_oneof![(0..4_u8).prop_map(|number| [number; 16]), any::<[u8; 16]>()]
}

/// Any checkpoint number.
pub fn any_checkpoint_id() -> impl Strategy<Value = CheckpointId> {
    number().prop_map(|number| CheckpointId::new(number).unwrap_or(CheckpointId::FIRST))
}

/// Any epoch that a leader can have.
pub fn any_epoch() -> impl Strategy<Value = LeaderEpoch> {
    number().prop_map(|number| LeaderEpoch::new(number.max(1)))
}

/// Any job; often one of a few.
pub fn any_job_id() -> impl Strategy<Value = JobId> {
    sixteen_bytes().prop_map(JobId::new)
}

/// Any operator; often one of a few.
pub fn any_operator_id() -> impl Strategy<Value = OperatorId> {
    sixteen_bytes().prop_map(OperatorId::new)
}

/// Any vertex; often one of a few.
pub fn any_vertex_id() -> impl Strategy<Value = VertexId> {
    sixteen_bytes().prop_map(VertexId::new)
}

/// Any deployment of any task.
pub fn any_task_attempt() -> impl Strategy<Value = TaskAttempt> {
    let task = (any_vertex_id(), any::<u32>()).prop_map(|(vertex, subtask)| TaskId::new(vertex, subtask));
    (task, number()).prop_map(|(task, attempt)| task.attempt(AttemptId::new(attempt)))
}

/// Any writer; often one of a few.
pub fn any_writer() -> impl Strategy<Value = Writer> {
    let few = (1..4_u64, 0..7_u64).prop_map(|(epoch, id)| Writer::new(LeaderEpoch::new(epoch), WriterId::new(id)));
    let any = (any_epoch(), any::<u64>()).prop_map(|(epoch, id)| Writer::new(epoch, WriterId::new(id)));
    prop_oneof![3 => few, 1 => any]
}

/// Any file of ours.
pub fn any_file_name() -> impl Strategy<Value = FileName> {
    (any_writer(), any::<u32>()).prop_map(|(writer, number)| writer.file(number))
}

/// Any instant of the wall clock.
pub fn any_timestamp() -> impl Strategy<Value = Timestamp> {
    number().prop_map(Timestamp::from_millis)
}

/// Any digest.
pub fn any_digest() -> impl Strategy<Value = Digest> {
    any::<u64>().prop_map(Digest::crc64_nvme)
}
