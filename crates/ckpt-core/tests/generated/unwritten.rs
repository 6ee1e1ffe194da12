//! What could not be read again is not written.

use bytes::Bytes;
use ckpt_core::head::{ClaimMode, Head, Nonce};
use ckpt_core::id::{JobId, LeaderEpoch};
use ckpt_core::message::{Marker, ToCoordinator, ToTask};
use ckpt_core::snapshot::CheckpointBarrier;
use ckpt_core::state::TaskRestore;
use ckpt_core::testing::strategies::{
    any_barrier, any_foreign_snapshot, any_marker, any_task_restore, any_to_coordinator, any_to_task, cases,
};
use ckpt_core::{ErrorKind, Result};
use proptest::prelude::*;

const LIMIT: usize = 1 << 20;

fn refused(written: Result<Bytes>, expected: &str) -> Result<(), TestCaseError> {
    let error = written.unwrap_err();
    prop_assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
    prop_assert!(error.to_string().contains(expected), "{}", error);
    Ok(())
}

/// The same, of a leader that there is not.
fn without_epoch(mut barrier: CheckpointBarrier) -> CheckpointBarrier {
    barrier.identity.epoch = LeaderEpoch::NONE;
    barrier
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn a_message_to_a_task_of_no_leader(message in any_to_task()) {
        let none = LeaderEpoch::NONE;
        let message = match message {
            ToTask::Trigger(barrier) => ToTask::Trigger(without_epoch(barrier)),
            ToTask::Completed { id, subsumed_upto, .. } => ToTask::Completed { epoch: none, id, subsumed_upto },
            ToTask::Aborted { id, latest_completed, .. } => ToTask::Aborted { epoch: none, id, latest_completed },
            other => panic!("{other:?}"),
        };
        refused(message.encode(LIMIT), "the epoch is 0")?;
    }

    #[test]
    fn a_marker_of_no_leader(marker in any_marker()) {
        let marker = match marker {
            Marker::Barrier(barrier) => Marker::Barrier(without_epoch(barrier)),
            Marker::Announcement { barrier, sequence } => {
                Marker::Announcement { barrier: without_epoch(barrier), sequence }
            }
            Marker::Cancel { id, .. } => Marker::Cancel { epoch: LeaderEpoch::NONE, id },
            other => panic!("{other:?}"),
        };
        refused(marker.encode(LIMIT), "the epoch is 0")?;
    }

    #[test]
    fn a_message_to_no_leader(mut message in any_to_coordinator()) {
        let epoch = match &mut message {
            ToCoordinator::Acknowledge(message) => &mut message.epoch,
            ToCoordinator::AcknowledgeSpilled(message) => &mut message.epoch,
            ToCoordinator::Decline(message) => &mut message.epoch,
            ToCoordinator::AbortedMetrics(message) => &mut message.epoch,
            ToCoordinator::InitializationMetrics(message) => &mut message.epoch,
            other => panic!("{other:?}"),
        };
        *epoch = LeaderEpoch::NONE;
        refused(message.encode(LIMIT), "the epoch is 0")?;
    }

    #[test]
    fn a_restore_of_no_leader(mut restore in any_task_restore()) {
        restore.writer.epoch = LeaderEpoch::NONE;
        refused(TaskRestore::encode(&restore, LIMIT), "the epoch is 0")?;
    }

    #[test]
    fn a_barrier_behind_the_checkpoint_it_says_is_complete(mut barrier in any_barrier(), above in 0..3_u64) {
        let id = barrier.identity.id.get().saturating_add(above);
        barrier.identity.latest_completed = ckpt_core::id::CheckpointId::new(id);
        refused(Marker::Barrier(barrier).encode(LIMIT), "the latest completed checkpoint is")?;
    }

    #[test]
    fn a_head_that_names_a_snapshot_of_no_leader(mut snapshot in any_foreign_snapshot()) {
        snapshot.epoch = LeaderEpoch::NONE;
        let (job, nonce) = (JobId::new([1; 16]), Nonce::new([2; 16]));
        for mode in [ClaimMode::Claim, ClaimMode::NoClaim] {
            let head = Head::claim_from(None, job, nonce, &snapshot, mode).unwrap();
            refused(head.head().encode(), "the epoch of a snapshot is 0")?;
        }
    }

    #[test]
    fn a_message_that_is_too_long_is_sent_cut(mut message in any_to_coordinator(), more in "[aä]{4090,4100}") {
        if let ToCoordinator::Decline(decline) = &mut message {
            decline.message = more;
            let frame = message.encode(LIMIT).unwrap();
            let ToCoordinator::Decline(read) = ToCoordinator::decode(&frame, LIMIT).unwrap() else { panic!() };
            let ToCoordinator::Decline(decline) = message else { panic!() };
            prop_assert!(decline.message.starts_with(&read.message));
            let cut = decline.message.len() - read.message.len();
            prop_assert_eq!(cut == 0, decline.message.len() <= ckpt_core::message::Decline::MAX_MESSAGE_BYTES);
            prop_assert!(cut == 0 || read.message.len() + 2 > ckpt_core::message::Decline::MAX_MESSAGE_BYTES);
        }
    }
}
