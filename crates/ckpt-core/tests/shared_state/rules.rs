//! Each rule of the registry.

use ckpt_core::id::{CheckpointId, LeaderEpoch, Writer, WriterId};
use ckpt_core::shared::{FileContent, SharedStateRefusal};
use ckpt_core::snapshot::{AfterSavepoint, CheckpointIdentity, SavepointFormat, SnapshotKind};
use ckpt_core::state::{ClaimId, FileRef, Place, RelPath, ReusedFile, Root, StateHandle};
use ckpt_core::{Digest, ErrorKind, Timestamp};

use crate::leader::{Leader, Says, below, file_of, own, reuses, shared, wrote};

const CHECKPOINT: SnapshotKind = SnapshotKind::Checkpoint;
const SAVEPOINT: SnapshotKind =
    SnapshotKind::Savepoint { format: SavepointFormat::Native, then: AfterSavepoint::Continue };

/// A leader under which writer 1 names files.
fn leader() -> Leader {
    let mut leader = Leader::new();
    leader.start(1);
    leader
}

#[test]
fn what_is_reused_comes_back_as_it_was_written() {
    let mut leader = leader();
    let [a, b] = [leader.shared(1, 1), leader.shared(1, 2)];
    leader.checkpoint(1, &wrote(&[&a, &b]), 1);
    let id = leader.begin(CHECKPOINT);
    assert_eq!(leader.acknowledge(id, 1, &reuses(&[&b, &a])).unwrap(), [b, a]);
}

#[test]
fn what_is_not_shared_is_none_of_its_business() {
    let mut leader = leader();
    let id = leader.begin(SAVEPOINT);
    let name = leader.name(1, 1);
    let exclusive = below(Root::ThisSnapshot, name, 1, Some(Digest::of(b"x")));
    let task_owned = below(Root::JobTaskOwned, name, 1, Some(Digest::of(b"x")));
    let inline = StateHandle::inline(b"x".as_slice().into());
    leader.acknowledge(id, 1, &wrote(&[&exclusive, &task_owned, &inline])).unwrap();
    assert!(leader.registry.is_empty());
    leader.restore(CheckpointId::new(77).unwrap(), &[exclusive, task_owned, inline]).unwrap();
    assert!(leader.registry.is_empty());
}

#[test]
fn only_the_base_may_be_reused() {
    let mut leader = leader();
    let [old, new] = [leader.shared(1, 1), leader.shared(1, 2)];
    leader.checkpoint(1, &wrote(&[&old]), 3);
    leader.checkpoint(1, &wrote(&[&new]), 3);
    let id = leader.begin(CHECKPOINT);
    let refused = leader.acknowledge(id, 1, &reuses(&[&new, &old])).unwrap_err();
    assert_eq!(refused, SharedStateRefusal::NotInBase { named: ReusedFile::of(&old).unwrap() });
    // Alive, in a retained checkpoint, and still not to be named: the base does not.
    assert!(leader.is_alive(&old));
}

#[test]
fn a_pending_checkpoint_goes_by_the_base_it_began_with() {
    let mut leader = leader();
    let [old, new] = [leader.shared(1, 1), leader.shared(1, 2)];
    leader.checkpoint(1, &wrote(&[&old]), 1);
    let [first, second] = [leader.begin(CHECKPOINT), leader.begin(CHECKPOINT)];
    leader.acknowledge(first, 1, &wrote(&[&new])).unwrap();
    leader.commit(first, 1);
    assert!(leader.acknowledge(second, 1, &reuses(&[&new])).is_err());
    leader.acknowledge(second, 1, &reuses(&[&old])).unwrap();
}

#[test]
fn full_checkpoints_and_savepoints_and_the_very_first_reuse_nothing() {
    for kind in [SnapshotKind::FullCheckpoint, SAVEPOINT] {
        let mut leader = leader();
        let file = leader.shared(1, 1);
        leader.checkpoint(1, &wrote(&[&file]), 1);
        let id = leader.begin(kind);
        let refused = leader.acknowledge(id, 1, &reuses(&[&file])).unwrap_err();
        assert!(matches!(refused, SharedStateRefusal::NotInBase { .. }), "{kind}");
    }
    let mut leader = leader();
    let (file, id) = (leader.shared(1, 1), leader.begin(CHECKPOINT));
    assert!(matches!(leader.acknowledge(id, 1, &reuses(&[&file])), Err(SharedStateRefusal::NotInBase { .. })));
}

#[test]
fn a_savepoint_names_no_shared_file_and_a_full_checkpoint_writes_its_own() {
    let mut leader = leader();
    let file = leader.shared(1, 1);
    let id = leader.begin(SAVEPOINT);
    let refused = leader.acknowledge(id, 1, &wrote(&[&file])).unwrap_err();
    let (root, named) = file_of(&file);
    assert_eq!(refused, SharedStateRefusal::Root { root, file: named });
    let id = leader.begin(SnapshotKind::FullCheckpoint);
    leader.acknowledge(id, 1, &wrote(&[&file])).unwrap();
}

#[test]
fn only_a_living_writer_of_this_epoch_names_what_it_wrote() {
    let mut leader = leader();
    leader.start(2);
    let id = leader.begin(CHECKPOINT);
    let epoch = leader.epoch();
    let expected = Some(Writer::new(epoch, WriterId::new(1)));
    let foreign = leader.name(2, 1);
    let refused = leader.acknowledge(id, 1, &wrote(&[&shared(foreign)])).unwrap_err();
    assert_eq!(refused, SharedStateRefusal::ForeignWriter { file: foreign, expected });
    let former = Writer::new(LeaderEpoch::new(epoch.get() - 1), WriterId::new(1)).file(1);
    let refused = leader.acknowledge(id, 1, &wrote(&[&shared(former)])).unwrap_err();
    assert_eq!(refused, SharedStateRefusal::ForeignWriter { file: former, expected });
    let unknown = leader.name(9, 1);
    let refused = leader.acknowledge(id, 9, &wrote(&[&shared(unknown)])).unwrap_err();
    assert_eq!(refused, SharedStateRefusal::WriterEnded { file: unknown });
    leader.end(1);
    let ended = leader.name(1, 1);
    let refused = leader.acknowledge(id, 1, &wrote(&[&shared(ended)])).unwrap_err();
    assert_eq!(refused, SharedStateRefusal::WriterEnded { file: ended });
    assert!(leader.registry.is_empty());
}

#[test]
fn a_writer_that_has_ended_never_begins_again() {
    let mut leader = leader();
    leader.start(1);
    leader.end(1);
    let writer = WriterId::new(1);
    assert_eq!(leader.registry.start_writer(writer), Err(SharedStateRefusal::WriterAgain { writer }));
}

#[test]
fn all_writers_end_at_once() {
    let mut leader = leader();
    leader.start(2);
    let [named, first, second] = [leader.shared(1, 1), leader.shared(1, 2), leader.shared(2, 1)];
    leader.checkpoint(1, &wrote(&[&named]), 1);
    let given_up = leader.begin(CHECKPOINT);
    leader.acknowledge(given_up, 1, &wrote(&[&first])).unwrap();
    leader.acknowledge(given_up, 2, &wrote(&[&second])).unwrap();
    assert_eq!(leader.release(given_up), []);
    assert_eq!(own(&leader.registry.end_all_writers()), [leader.name(1, 2), leader.name(2, 1)]);
    assert!([1, 2].iter().all(|writer| leader.registry.has_ended(WriterId::new(*writer))));
    assert!(leader.is_alive(&named) && leader.registry.len() == 1);
}

#[test]
fn nothing_is_written_below_roots_of_others_and_nothing_without_a_digest() {
    let mut leader = leader();
    let id = leader.begin(CHECKPOINT);
    let name = leader.name(1, 1);
    for root in [Root::Claimed(ClaimId::FIRST), Root::Borrowed(1)] {
        let handle = below(root, name, 1, Some(Digest::of(b"x")));
        let refused = leader.acknowledge(id, 1, &wrote(&[&handle])).unwrap_err();
        assert_eq!(refused, SharedStateRefusal::Root { root, file: FileRef::Ours(name) });
    }
    let foreign = FileRef::Foreign(RelPath::new("a.sst").unwrap());
    let place = Place::File { root: Root::JobShared, file: foreign.clone() };
    let handle = StateHandle::assume_durable(place, 1, Some(Digest::of(b"x")));
    let refused = leader.acknowledge(id, 1, &wrote(&[&handle])).unwrap_err();
    assert_eq!(refused, SharedStateRefusal::Root { root: Root::JobShared, file: foreign });
    let handle = below(Root::JobShared, name, 1, None);
    assert_eq!(leader.acknowledge(id, 1, &wrote(&[&handle])), Err(SharedStateRefusal::NoDigest { file: name }));
}

#[test]
fn a_refused_acknowledgement_names_nothing() {
    let mut leader = leader();
    let [good, foreign] = [leader.shared(1, 1), leader.shared(2, 1)];
    let id = leader.begin(CHECKPOINT);
    leader.acknowledge(id, 1, &wrote(&[&good, &foreign])).unwrap_err();
    leader.commit(id, 1);
    // It is not in the base of the next, but it is there until its writer ends.
    let id = leader.begin(CHECKPOINT);
    assert!(leader.acknowledge(id, 1, &reuses(&[&good])).is_err());
    assert_eq!(leader.end(1), [leader.name(1, 1)]);
}

#[test]
fn claimed_files_are_reused_by_increments_and_die_with_the_last_that_names_them() {
    let first = Leader::new();
    let mut leader = Leader::taking_over(Some(first.head.head()));
    leader.start(1);
    let root = Root::Claimed(ClaimId::FIRST);
    let kept = below(root, leader.name(8, 1), 5, None);
    let dropped = below(root, leader.name(8, 2), 6, None);
    let path = Place::File { root, file: FileRef::Foreign(RelPath::new("shared/a.sst").unwrap()) };
    let foreign = StateHandle::assume_durable(path, 7, None);
    let base = leader.begin(CHECKPOINT);
    leader.release(base);
    leader.restore(base, &[kept.clone(), dropped.clone(), foreign.clone()]).unwrap();
    leader.commit(base, 1);
    let id = leader.begin(CHECKPOINT);
    assert_eq!(leader.acknowledge(id, 1, &reuses(&[&kept, &foreign])).unwrap(), [kept.clone(), foreign.clone()]);
    leader.commit(id, 1);
    let removed = leader.removed.pop().unwrap();
    let dead = leader.registry.remove(&removed).unwrap();
    assert_eq!(
        (dead.job_shared(), dead.claimed()),
        ([].as_slice(), [(ClaimId::FIRST, file_of(&dropped).1)].as_slice())
    );
    leader.checkpoint(1, &[], 1);
    let removed = leader.removed.pop().unwrap();
    let dead = leader.registry.remove(&removed).unwrap();
    let expected = [(ClaimId::FIRST, file_of(&kept).1), (ClaimId::FIRST, file_of(&foreign).1)];
    assert_eq!(dead.claimed(), expected);
    assert!(leader.registry.is_empty());
}

#[test]
fn borrowed_files_are_never_reused_and_never_die() {
    let mut leader = leader();
    let borrowed = below(Root::Borrowed(1), leader.name(8, 1), 5, None);
    let base = leader.restored(std::slice::from_ref(&borrowed));
    leader.commit(base, 1);
    let id = leader.begin(CHECKPOINT);
    assert!(matches!(leader.acknowledge(id, 1, &reuses(&[&borrowed])), Err(SharedStateRefusal::NotInBase { .. })));
    leader.commit(id, 1);
    assert_eq!(leader.collect(), []);
}

#[test]
fn what_a_pending_checkpoint_began_with_stays_until_it_has_ended() {
    let mut leader = leader();
    let [old, new] = [leader.shared(1, 1), leader.shared(1, 2)];
    let base = leader.checkpoint(1, &wrote(&[&old]), 1);
    let [first, second] = [leader.begin(CHECKPOINT), leader.begin(SnapshotKind::FullCheckpoint)];
    leader.acknowledge(first, 1, &wrote(&[&new])).unwrap();
    leader.commit(first, 1);
    assert!(leader.registry.is_pinned(base) && !leader.registry.is_pinned(first));
    assert_eq!(leader.collect(), []);
    assert_eq!(leader.release(second), []);
    assert_eq!(leader.collect(), [leader.name(1, 1)]);
    assert!(!leader.is_alive(&old) && leader.is_alive(&new));
}

#[test]
fn the_dead_stay_dead() {
    let mut leader = leader();
    let file = leader.shared(1, 1);
    leader.checkpoint(1, &wrote(&[&file]), 1);
    leader.checkpoint(1, &[], 1);
    assert_eq!(leader.collect(), [leader.name(1, 1)]);
    let id = leader.begin(CHECKPOINT);
    let refused = leader.acknowledge(id, 1, &wrote(&[&file])).unwrap_err();
    assert_eq!(refused, SharedStateRefusal::Dead { file: leader.name(1, 1) });
    assert!(leader.acknowledge(id, 1, &reuses(&[&file])).is_err());
    assert!(leader.registry.is_empty());
}

#[test]
fn a_finished_tasks_state_is_taken_over_from_what_is_pinned() {
    let mut leader = leader();
    let [named, other] = [leader.shared(1, 1), leader.shared(1, 2)];
    leader.checkpoint(1, &wrote(&[&other]), 2);
    leader.checkpoint(1, &wrote(&[&named]), 2);
    leader.end(1);
    let name = leader.name(1, 1);
    for kind in [CHECKPOINT, SnapshotKind::FullCheckpoint] {
        let id = leader.begin(kind);
        let mut files = leader.registry.inherit(id).unwrap();
        files.inherited(&StateHandle::inline(b"x".as_slice().into())).unwrap();
        files.inherited(&named).unwrap();
        assert!(matches!(files.inherited(&other), Err(SharedStateRefusal::NotInBase { .. })));
        let shorter = below(Root::JobShared, name, 1, named.digest());
        assert!(matches!(files.inherited(&shorter), Err(SharedStateRefusal::OtherBytes { .. })));
        assert!(matches!(files.written(&named), Err(SharedStateRefusal::ForeignWriter { expected: None, .. })));
        files.accept();
        leader.commit(id, 1);
        leader.collect();
        assert!(leader.is_alive(&named) && !leader.is_alive(&other), "{kind}");
        // What was named for the next round.
        let next = leader.begin(CHECKPOINT);
        let mut files = leader.registry.inherit(next).unwrap();
        files.inherited(&named).unwrap();
        files.accept();
        leader.commit(next, 2);
    }
}

#[test]
fn an_acknowledgement_of_nothing_pending_is_refused() {
    let mut leader = leader();
    let id = CheckpointId::new(77).unwrap();
    assert_eq!(leader.acknowledge(id, 1, &[]), Err(SharedStateRefusal::NotPending { id }));
    let id = leader.checkpoint(1, &[], 1);
    assert_eq!(leader.acknowledge(id, 1, &[]), Err(SharedStateRefusal::NotPending { id }));
    assert!(leader.registry.inherit(id).is_err());
}

#[test]
fn what_is_committed_is_not_released() {
    let mut leader = leader();
    let file = leader.shared(1, 1);
    let id = leader.checkpoint(1, &wrote(&[&file]), 1);
    assert_eq!(leader.release(id), []);
    // The checkpoint goes on naming it: it outlives its writer, and can be named again.
    assert_eq!(leader.end(1), []);
    assert!(leader.registry.knows(id) && leader.is_alive(&file));
    leader.start(2);
    let next = leader.begin(CHECKPOINT);
    assert_eq!(leader.acknowledge(next, 2, &reuses(&[&file])).unwrap(), [file]);
}

#[test]
fn all_that_a_head_commits_is_pending_no_more() {
    let mut leader = leader();
    let files = [leader.shared(1, 1), leader.shared(1, 2)];
    let pending = files.each_ref().map(|file| {
        let id = leader.begin(CHECKPOINT);
        leader.acknowledge(id, 1, &wrote(&[file])).unwrap();
        id
    });
    // The registry hears of the second of two writes only.
    let [_, written] = pending.map(|id| leader.write_commit(id, 2));
    leader.registry.head_written(&written);
    assert!(pending.iter().all(|id| !leader.registry.is_pinned(*id) && leader.release(*id).is_empty()));
    assert_eq!(leader.end(1), []);
    assert!(files.iter().all(|file| leader.is_alive(file)));
}

#[test]
fn checkpoints_that_do_not_fit_together_are_not_restored() {
    let former = Leader::new();
    let file = former.shared(1, 1);
    let mut leader = Leader::taking_over(Some(former.head.head()));
    let [first, second] = [1, 2].map(|id| CheckpointId::new(id).unwrap());
    leader.restore(first, &[file.clone(), file.clone()]).unwrap();
    let other = below(Root::JobShared, former.name(1, 1), 3, file.digest());
    let error = leader.restore(second, &[other]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(error.to_string(), "checkpoint 2 cannot be restored beside the others");
    let source = std::error::Error::source(&error).unwrap().to_string();
    let (digest, name) = (file.digest().unwrap(), former.name(1, 1));
    let registered = format!("{} bytes of digest {digest}", file.length_bytes());
    assert_eq!(
        source,
        format!(
            "{name} below the job's directory of shared files has 3 bytes of digest {digest}, expected the {registered} \
             that were registered under this name"
        )
    );
}

#[test]
fn another_digest_or_length_is_another_file() {
    let mut leader = leader();
    let file = leader.shared(1, 1);
    let id = leader.begin(CHECKPOINT);
    leader.acknowledge(id, 1, &wrote(&[&file, &file])).unwrap();
    let name = leader.name(1, 1);
    let shorter = below(Root::JobShared, name, 1, file.digest());
    let changed = below(Root::JobShared, name, file.length_bytes(), Some(Digest::of(b"other")));
    for other in [shorter, changed] {
        let refused = leader.acknowledge(id, 1, &[Says::Wrote(other.clone())]).unwrap_err();
        let SharedStateRefusal::OtherBytes { registered, found, .. } = refused else { panic!("{refused}") };
        let content = |handle: &StateHandle| (handle.length_bytes(), handle.digest());
        let of = |content: FileContent| (content.length_bytes, content.digest);
        assert_eq!((of(registered), of(found)), (content(&file), content(&other)));
    }
}

/// What the first of two named would be alive for ever.
#[test]
fn no_checkpoint_takes_the_place_of_another() {
    let mut leader = leader();
    let file = leader.shared(1, 1);
    leader.checkpoint(1, &wrote(&[&file]), 1);
    let pending = leader.begin(CHECKPOINT);
    for id in [CheckpointId::FIRST, pending] {
        let identity = CheckpointIdentity::new(id, LeaderEpoch::new(1), Timestamp::from_millis(0), None);
        let refused = leader.registry.begin(&identity, CHECKPOINT);
        assert_eq!(refused, Err(SharedStateRefusal::AlreadyThere { id }));
        let error = leader.registry.restore(id, |_| panic!("nothing is looked at")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FailJob, "{error}");
    }
    assert_eq!(leader.acknowledge(pending, 1, &reuses(&[&file])).unwrap(), [file]);
}
