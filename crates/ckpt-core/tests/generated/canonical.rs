//! Frames and small files: a value has one encoding, and bytes that are no value's encoding are refused.

use std::fmt::Debug;

use bytes::Bytes;
use ckpt_core::head::Head;
use ckpt_core::mark::{DisposalMark, OwnerRecord, SavepointMark};
use ckpt_core::message::{Marker, ToCoordinator, ToTask};
use ckpt_core::snapshot::LocationReference;
use ckpt_core::state::{TaskRestore, TaskSnapshot};
use ckpt_core::testing::Envelope;
use ckpt_core::testing::strategies::{
    any_disposal_mark, any_head, any_marker, any_owner_record, any_savepoint_mark, any_task_restore, any_task_snapshot,
    any_to_coordinator, any_to_task, any_uri, cases,
};
use ckpt_core::{Digest, Result};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

const LIMIT: usize = 1 << 20;

/// A change of a body that its reader may or may not notice.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Replace(Index, u8),
    Raise(Index),
    Insert(Index, u8),
    Remove(Index),
    /// A number becomes the same number in one byte more than it needs.
    Lengthen(Index),
}

pub(crate) fn any_changes() -> impl Strategy<Value = Vec<Change>> {
    let index = any::<Index>;
    let change = prop_oneof![
        2 => (index(), any::<u8>()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        4 => index().prop_map(Change::Raise),
        1 => (index(), any::<u8>()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        1 => index().prop_map(Change::Remove),
        4 => index().prop_map(Change::Lengthen),
    ];
    vec(change, 1..3)
}

pub(crate) fn changed(mut body: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if let Change::Insert(at, byte) = change {
            body.insert(at.index(body.len() + 1), *byte);
        }
        if body.is_empty() {
            break;
        }
        let (Change::Replace(at, _) | Change::Raise(at) | Change::Remove(at) | Change::Lengthen(at)) = change else {
            continue;
        };
        let at = at.index(body.len());
        match change {
            Change::Replace(_, byte) => body[at] = *byte,
            Change::Raise(_) => body[at] = body[at].wrapping_add(1),
            Change::Lengthen(_) => {
                body[at] |= 0x80;
                body.insert(at + 1, 0);
            }
            _ => drop(body.remove(at)),
        }
    }
    body
}

/// How a type is written and read.
struct Format<T> {
    envelope: Envelope,
    encode: fn(&T) -> Result<Bytes>,
    decode: fn(&[u8]) -> Result<T>,
}

impl<T: PartialEq + Debug> Format<T> {
    fn check(&self, value: &T, changes: &[Change]) -> Result<(), TestCaseError> {
        let file = (self.encode)(value).unwrap();
        prop_assert_eq!(&(self.decode)(&file).unwrap(), value);
        prop_assert_eq!(&(self.encode)(value).unwrap(), &file, "the same bytes again");
        let body = self.envelope.open(&file).unwrap();
        let other = self.envelope.seal(&changed(body.to_vec(), changes));
        if let Ok(read) = (self.decode)(&other) {
            let written = (self.encode)(&read).unwrap();
            prop_assert!(written == other, "{read:?}\nwas read from {other:02x?}\nand written as  {written:02x?}");
        }
        Ok(())
    }
}

macro_rules! framed {
    ($type:ident, $envelope:expr) => {
        Format::<$type> {
            envelope: $envelope,
            encode: |message| message.encode(LIMIT),
            decode: |frame| $type::decode(frame, LIMIT),
        }
    };
}

macro_rules! small_file {
    ($type:ident, $envelope:expr) => {
        Format::<$type> { envelope: $envelope, encode: $type::encode, decode: $type::decode }
    };
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn messages_to_tasks(message in any_to_task(), changes in any_changes()) {
        framed!(ToTask, Envelope::TO_TASK).check(&message, &changes)?;
    }

    #[test]
    fn markers(marker in any_marker(), changes in any_changes()) {
        framed!(Marker, Envelope::MARKER).check(&marker, &changes)?;
    }

    #[test]
    fn owner_records(owner in any_owner_record(), changes in any_changes()) {
        small_file!(OwnerRecord, Envelope::OWNER).check(&owner, &changes)?;
    }

    #[test]
    fn savepoint_marks(mark in any_savepoint_mark(), changes in any_changes()) {
        small_file!(SavepointMark, Envelope::SAVEPOINT).check(&mark, &changes)?;
    }

    #[test]
    fn disposal_marks(mark in any_disposal_mark(), changes in any_changes()) {
        small_file!(DisposalMark, Envelope::DISPOSAL).check(&mark, &changes)?;
    }

    #[test]
    fn places_by_uri(uri in any_uri(), changes in any_changes()) {
        let reference = LocationReference::of_uri(&uri).unwrap();
        prop_assert_eq!(reference.to_uri().unwrap(), Some(uri));
        let LocationReference::At(bytes) = &reference else { panic!("{reference:?}") };
        let mut other = changed(bytes[..bytes.len() - 8].to_vec(), &changes);
        other.extend_from_slice(&Digest::of(&other).value().to_le_bytes());
        let other = LocationReference::at(other.into()).unwrap();
        if let Ok(Some(read)) = other.to_uri() {
            prop_assert_eq!(LocationReference::of_uri(&read).unwrap(), other);
        }
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn messages_to_the_coordinator(message in any_to_coordinator(), changes in any_changes()) {
        framed!(ToCoordinator, Envelope::TO_COORDINATOR).check(&message, &changes)?;
    }

    #[test]
    fn task_restores(restore in any_task_restore(), changes in any_changes()) {
        framed!(TaskRestore, Envelope::TASK_RESTORE).check(&restore, &changes)?;
    }

    #[test]
    fn task_snapshots(snapshot in any_task_snapshot(), changes in any_changes()) {
        framed!(TaskSnapshot, Envelope::TASK_SNAPSHOT).check(&snapshot, &changes)?;
    }

    #[test]
    fn heads(head in any_head(), changes in any_changes()) {
        small_file!(Head, Envelope::HEAD).check(&head, &changes)?;
    }
}
