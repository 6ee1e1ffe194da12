//! Files that hold several pieces, each of which is named by itself.

use ckpt_core::shared::SharedStateRefusal;
use ckpt_core::snapshot::SnapshotKind;
use ckpt_core::state::{ClaimId, FileRef, Place, ReusedFile, Root, StateHandle};
use ckpt_core::{Digest, ErrorKind};

use crate::leader::{Leader, Says, reuses, wrote};

const CHECKPOINT: SnapshotKind = SnapshotKind::Checkpoint;

/// A leader under which writer 1 names files.
fn leader() -> Leader {
    let mut leader = Leader::new();
    leader.start(1);
    leader
}

fn segment(leader: &Leader, number: u32, offset_bytes: u64) -> StateHandle {
    let place = Place::Segment { root: Root::JobShared, file: FileRef::Ours(leader.name(1, number)), offset_bytes };
    StateHandle::assume_durable(place, 10, Some(Digest::of(&offset_bytes.to_le_bytes())))
}

fn of_length(handle: &StateHandle, length_bytes: u64) -> StateHandle {
    StateHandle::assume_durable(handle.place().clone(), length_bytes, handle.digest())
}

#[test]
fn a_piece_of_the_base_is_reused_and_no_other() {
    let mut leader = leader();
    let pieces = [segment(&leader, 1, 0), segment(&leader, 1, 70_000)];
    let whole = leader.shared(1, 2);
    leader.checkpoint(1, &wrote(&[&pieces[0]]), 2);
    leader.checkpoint(1, &wrote(&[&pieces[1], &whole]), 2);
    let id = leader.begin(CHECKPOINT);
    assert_eq!(leader.acknowledge(id, 1, &reuses(&[&pieces[1], &whole])).unwrap(), [pieces[1].clone(), whole]);
    let file = |number| FileRef::Ours(leader.name(1, number));
    for named in [
        // Alive, but of an older checkpoint.
        ReusedFile::of(&pieces[0]).unwrap(),
        // Within a piece, beside it, and where no piece can begin.
        ReusedFile::segment(Root::JobShared, file(1), 70_001),
        ReusedFile::segment(Root::JobShared, file(1), 69_999),
        ReusedFile::segment(Root::JobShared, file(1), u64::MAX),
        // The whole of what is in pieces, and pieces of what is whole.
        ReusedFile::whole(Root::JobShared, file(1)),
        ReusedFile::segment(Root::JobShared, file(2), 0),
        ReusedFile::segment(Root::JobShared, file(2), u64::MAX),
    ] {
        let refused = leader.acknowledge(id, 1, &[Says::Reuses(named.clone())]).unwrap_err();
        assert_eq!(refused, SharedStateRefusal::NotInBase { named });
    }
}

#[test]
fn a_later_leader_takes_the_pieces_of_its_base_from_any_writer() {
    let mut first = leader();
    let pieces = [segment(&first, 1, 0), segment(&first, 1, 70_000)];
    let base = first.checkpoint(1, &wrote(&[&pieces[0], &pieces[1]]), 1);
    let mut leader = Leader::taking_over(Some(first.head.head()));
    leader.restore(base, &pieces).unwrap();
    leader.start(2);
    leader.start(3);
    let id = leader.begin(CHECKPOINT);
    assert_eq!(leader.acknowledge(id, 2, &reuses(&[&pieces[1]])).unwrap(), [pieces[1].clone()]);
    assert_eq!(leader.acknowledge(id, 3, &reuses(&[&pieces[1]])).unwrap(), [pieces[1].clone()]);
    leader.commit(id, 1);
    // The piece that nobody named is gone, and the file stays for the other one.
    assert_eq!(leader.collect(), []);
    assert!(leader.registry.len() == 1 && leader.is_alive(&pieces[0]));
    let id = leader.begin(CHECKPOINT);
    assert!(leader.acknowledge(id, 2, &reuses(&[&pieces[0]])).is_err());
    leader.commit(id, 1);
    assert_eq!(leader.collect(), [first.name(1, 1)]);
}

#[test]
fn pieces_below_a_claim_are_reused() {
    let mut leader = leader();
    let (root, file) = (Root::Claimed(ClaimId::FIRST), FileRef::Ours(leader.name(8, 1)));
    let place = Place::Segment { root, file, offset_bytes: 5 };
    let piece = StateHandle::assume_durable(place, 10, None);
    let base = leader.begin(CHECKPOINT);
    leader.release(base);
    leader.restore(base, std::slice::from_ref(&piece)).unwrap();
    leader.commit(base, 1);
    let id = leader.begin(CHECKPOINT);
    assert_eq!(leader.acknowledge(id, 1, &reuses(&[&piece])).unwrap(), [piece]);
}

#[test]
fn what_has_no_bytes_or_no_room_is_refused() {
    let mut leader = leader();
    let [piece, last] = [segment(&leader, 1, 0), segment(&leader, 1, u64::MAX)];
    let whole = leader.shared(1, 2);
    let id = leader.begin(CHECKPOINT);
    let refused = [
        of_length(&piece, 0),
        of_length(&whole, 0),
        of_length(&last, 0),
        of_length(&last, 1),
        of_length(&segment(&leader, 1, 2), u64::MAX - 1),
    ];
    for handle in refused {
        let (named, length_bytes) = (ReusedFile::of(&handle).unwrap(), handle.length_bytes());
        let expected = SharedStateRefusal::NoBytes { named, length_bytes };
        let refused = leader.acknowledge(id, 1, &wrote(&[&handle])).unwrap_err();
        assert_eq!(refused, expected);
        assert_eq!(leader.registry.inherit(id).unwrap().inherited(&handle), Err(expected));
        let refused = Leader::new().restore(id, &[handle]).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Corrupt, "{refused}");
    }
    assert!(leader.registry.is_empty());
    let longest = of_length(&segment(&leader, 1, 2), u64::MAX - 2);
    leader.acknowledge(id, 1, &wrote(&[&longest])).unwrap();
}

#[test]
fn a_merged_file_lives_as_long_as_one_of_its_pieces() {
    let mut leader = leader();
    let [first, second, third] = [segment(&leader, 1, 0), segment(&leader, 1, 10), segment(&leader, 1, 20)];
    leader.checkpoint(1, &wrote(&[&first, &second]), 1);
    leader.checkpoint(1, &wrote(&[&third]), 1);
    assert_eq!(leader.collect(), []);
    assert!(leader.is_alive(&first) && leader.registry.len() == 1);
    leader.checkpoint(1, &[], 1);
    assert_eq!(leader.collect(), [leader.name(1, 1)]);
    assert!(!leader.is_alive(&first) && leader.registry.is_empty());
    let id = leader.begin(CHECKPOINT);
    let refused = leader.acknowledge(id, 1, &wrote(&[&segment(&leader, 1, 30)])).unwrap_err();
    assert_eq!(refused, SharedStateRefusal::Dead { file: leader.name(1, 1) });
}

#[test]
fn a_file_is_not_named_whole_and_in_pieces() {
    let (root, number) = (Root::JobShared, 1);
    let leader = leader();
    let file = FileRef::Ours(leader.name(1, number));
    let (whole, piece) = (leader.shared(1, number), segment(&leader, number, 0));
    for (first, second) in [(&whole, &piece), (&piece, &whole)] {
        let mut leader = self::leader();
        let id = leader.begin(CHECKPOINT);
        leader.acknowledge(id, 1, &wrote(&[first])).unwrap();
        let refused = leader.acknowledge(id, 1, &wrote(&[second])).unwrap_err();
        assert_eq!(refused, SharedStateRefusal::InPieces { root, file: file.clone() });
        assert_eq!(leader.registry.len(), 1);
    }
}
