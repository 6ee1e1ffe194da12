//! What is done with state, and with what leads to it.

use std::convert::Infallible;

use ckpt_core::Digest;
use ckpt_core::head::RetainedSnapshot;
use ckpt_core::snapshot::SnapshotKind;
use ckpt_core::state::{ClaimId, KeyedState, Place, StateHandle, TaskProgress, TaskSnapshot};
use ckpt_core::testing::strategies::{
    any_barrier, any_checkpoint_id, any_epoch, any_subtask_state, any_task_snapshot, cases,
};
use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn each_reused_file_gets_its_handle(state in any_subtask_state()) {
        let (reused, handles) = (state.reused().count(), state.handles().count());
        let mut asked = Vec::new();
        let filled = state.clone().try_fill_in(&mut |reused| {
            asked.push(reused.clone());
            let place = Place::File { root: reused.root, file: reused.file.clone() };
            Ok::<_, Infallible>(StateHandle::assume_durable(place, 7, Some(Digest::of(b"bytes"))))
        });
        let Ok(filled) = filled;
        prop_assert!(state.reused().eq(&asked));
        prop_assert_eq!((filled.reused().count(), filled.handles().count()), (0, handles + reused));
        prop_assert_eq!(filled.size().written_bytes, state.size().written_bytes, "nothing more was written");
    }

    #[test]
    fn no_more_was_written_than_there_is(state in any_subtask_state()) {
        let emptied = state.try_map_handles(&mut |_| Ok::<_, Infallible>(StateHandle::inline(Default::default())));
        let Ok(emptied) = emptied;
        prop_assert_eq!(emptied.size().state_bytes(), 0);
        let files = emptied.all_keyed().map(KeyedState::size);
        prop_assert!(files.chain([emptied.size()]).all(|size| size.written_bytes == 0));
    }

    #[test]
    fn a_task_that_had_nothing_left_to_do_stays_so(snapshot in any_task_snapshot()) {
        let expected = match snapshot.progress() {
            TaskProgress::FinishedOnRestore => TaskProgress::FinishedOnRestore,
            TaskProgress::Running | TaskProgress::Finished => TaskProgress::Finished,
        };
        prop_assert_eq!(snapshot.finished().progress(), expected);
        prop_assert_eq!(TaskSnapshot::<StateHandle>::finished_on_restore().finished().progress(), TaskProgress::FinishedOnRestore);
    }

    #[test]
    fn only_a_checkpoint_that_may_reuse_has_a_base(barrier in any_barrier()) {
        let may_reuse = barrier.options.kind() == SnapshotKind::Checkpoint;
        prop_assert_eq!(barrier.base(), if may_reuse { barrier.identity.latest_completed } else { None });
    }

    #[test]
    fn claims_ascend_however_they_are_given(id in any_checkpoint_id(), epoch in any_epoch(), claims in vec(1..5_u64, 0..9)) {
        let snapshot = RetainedSnapshot::new(id, epoch, SnapshotKind::Checkpoint, 1, Digest::of(b"index"));
        let given = claims.iter().copied().map(ClaimId::new);
        let found = snapshot.below_claims(given.clone()).claims;
        prop_assert_eq!(found, given.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>());
    }
}
