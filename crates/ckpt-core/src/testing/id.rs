//! Identities.

use proptest::prelude::*;

use crate::id::{CheckpointId, FileName, LeaderEpoch, OperatorId, Writer, WriterId};

/// Small and large numbers alike.
pub(super) fn number() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0..64_u32).prop_map(|(number, shift)| number >> shift)
}

/// Any checkpoint number.
pub fn any_checkpoint_id() -> impl Strategy<Value = CheckpointId> {
    number().prop_map(|number| CheckpointId::new(number).unwrap_or(CheckpointId::FIRST))
}

/// Any epoch that a leader can have.
pub fn any_epoch() -> impl Strategy<Value = LeaderEpoch> {
    number().prop_map(|number| LeaderEpoch::new(number.max(1)))
}

/// Any operator; often one of a few.
pub fn any_operator_id() -> impl Strategy<Value = OperatorId> {
    prop_oneof![(0..4_u8).prop_map(|number| OperatorId::new([number; 16])), any::<[u8; 16]>().prop_map(OperatorId::new)]
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
