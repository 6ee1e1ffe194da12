//! Handles that can be told apart.

use bytes::Bytes;
use ckpt_core::Digest;
use ckpt_core::id::{FileName, LeaderEpoch, Writer, WriterId};
use ckpt_core::key_group::{KeyGroup, KeyGroupRange};
use ckpt_core::state::{FileRef, Place, Root, StateHandle};

pub(crate) fn range(first: u16, last: u16) -> KeyGroupRange {
    KeyGroupRange::new(KeyGroup::new(first), KeyGroup::new(last)).unwrap()
}

/// The `number`th file of writer 7 under the leader of epoch 1.
pub(crate) fn name(number: u32) -> FileName {
    Writer::new(LeaderEpoch::new(1), WriterId::new(7)).file(number)
}

pub(crate) fn inline(bytes: usize) -> StateHandle {
    StateHandle::inline(Bytes::from(vec![1; bytes]))
}

/// A whole file of ours, with so many bytes in it.
pub(crate) fn file(root: Root, number: u32, bytes: u64) -> StateHandle {
    let place = Place::File { root, file: FileRef::Ours(name(number)) };
    StateHandle::assume_durable(place, bytes, Some(Digest::of(&number.to_le_bytes())))
}

/// A piece of a file of ours that several pieces share.
pub(crate) fn piece(number: u32, offset_bytes: u64, bytes: u64) -> StateHandle {
    let place = Place::Segment { root: Root::JobShared, file: FileRef::Ours(name(number)), offset_bytes };
    StateHandle::assume_durable(place, bytes, Some(Digest::of(&offset_bytes.to_le_bytes())))
}
