//! What is deliberately unlike Flink in types. `docs/differences.md` says why, row by row.

use bytes::Bytes;
use ckpt_core::Digest;
use ckpt_core::Timestamp;
use ckpt_core::graph::{Operator, Vertex};
use ckpt_core::head::{Head, Nonce};
use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch, OperatorId, VertexId};
use ckpt_core::message::ToTask;
use ckpt_core::snapshot::{Admission, AfterSavepoint, CheckpointIdentity, CheckpointProperties, SavepointFormat};
use ckpt_core::state::{KeyGroupsState, KeyedState, Place, Root, StateHandle, StateLocation, StatePiece, SubtaskState};

use crate::common::{file, inline, piece, range};

#[test]
fn operators_of_a_vertex_stand_from_its_input_to_its_output() {
    let operator = |byte| Operator::new(OperatorId::new([byte; 16]), "operator");
    let vertex = Vertex::new(VertexId::new([7; 16]), "chain", 1, vec![operator(1), operator(2), operator(3)]).unwrap();
    let ids = [vertex.input_operator(), vertex.output_operator()].map(|operator| operator.unwrap().id.bytes()[0]);
    assert_eq!(ids, [1, 3]);
}

#[test]
fn ids_are_ordered_as_they_are_written() {
    let mut ids: Vec<OperatorId> =
        ["80", "7f", "00", "ff"].map(|begin| format!("{begin}{:030}", 9)).map(|text| text.parse().unwrap()).into();
    // Flink compares the last eight bytes first, and with signs.
    ids.push("00000000000000008000000000000000".parse().unwrap());
    ids.push("00000000000000007000000000000000".parse().unwrap());
    let mut written: Vec<_> = ids.iter().map(OperatorId::to_string).collect();
    ids.sort();
    written.sort();
    assert_eq!(ids.iter().map(OperatorId::to_string).collect::<Vec<_>>(), written);
}

#[test]
fn an_unclaimed_snapshot_equals_no_savepoint() {
    for admission in [Admission::InTurn, Admission::Forced] {
        for format in [SavepointFormat::Canonical, SavepointFormat::Native] {
            let savepoint = CheckpointProperties::savepoint(format, AfterSavepoint::Continue, admission);
            assert_ne!(savepoint, CheckpointProperties::unclaimed());
        }
    }
}

/// A receiver's clock would make two identities of one checkpoint differ.
#[test]
fn what_is_said_of_a_checkpoint_has_no_time_but_that_of_its_trigger() {
    let (id, epoch) = (CheckpointId::FIRST, LeaderEpoch::new(1));
    let identity = CheckpointIdentity::new(id, epoch, Timestamp::from_millis(5), None);
    let CheckpointIdentity { triggered_at, .. } = identity;
    assert_eq!(identity, CheckpointIdentity::new(id, epoch, triggered_at, None));
    let completed = ToTask::Completed { epoch, id, subsumed_upto: None };
    let aborted = ToTask::Aborted { epoch, id, latest_completed: None };
    for notice in [completed, aborted] {
        let (sent, again) = (notice.encode(100).unwrap(), notice.encode(100).unwrap());
        assert_eq!(sent, again, "a notice that is sent later is the same notice");
        assert_eq!(ToTask::decode(&sent, 100).unwrap(), notice);
    }
}

#[test]
fn handles_are_equal_when_place_length_and_digest_are() {
    let stored = file(Root::JobShared, 1, 10);
    let of = |place: &Place, length_bytes, digest| StateHandle::assume_durable(place.clone(), length_bytes, digest);
    assert_eq!(of(stored.place(), 10, stored.digest()), stored);
    assert_ne!(of(stored.place(), 11, stored.digest()), stored);
    assert_ne!(of(stored.place(), 10, Some(Digest::of(b"other"))), stored);
    assert_ne!(of(file(Root::ThisSnapshot, 1, 10).place(), 10, stored.digest()), stored);
    assert_ne!(piece(1, 0, 10), piece(1, 10, 10));
    assert_ne!(StateHandle::inline(Bytes::from_static(b"one")), StateHandle::inline(Bytes::from_static(b"two")));
}

#[test]
fn state_lies_in_its_handle_or_in_a_file() {
    for (handle, location) in [
        (inline(3), StateLocation::Inline),
        (file(Root::ThisSnapshot, 1, 10), StateLocation::File),
        (file(Root::Borrowed(1), 1, 10), StateLocation::File),
        (piece(1, 0, 10), StateLocation::File),
    ] {
        assert_eq!(handle.location(), location);
    }
}

#[test]
fn pieces_of_state_are_compared_in_their_order() {
    let keyed = |number| {
        KeyedState::KeyGroups(KeyGroupsState::new(range(0, 1), [0, 1], file(Root::ThisSnapshot, number, 9)).unwrap())
    };
    let of = |numbers: [u32; 2]| SubtaskState::new(numbers.map(keyed).to_vec(), Vec::new());
    assert_eq!(of([1, 2]), of([1, 2]));
    assert_ne!(of([1, 2]), of([2, 1]));
}

#[test]
fn no_checkpoint_is_none_and_not_number_zero() {
    let head = Head::claim(None, JobId::new([1; 16]), Nonce::new([2; 16])).unwrap().written().head;
    assert_eq!(head.head().restore_point(), None);
    assert_eq!(CheckpointId::new(0), None);
}
