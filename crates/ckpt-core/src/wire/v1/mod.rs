//! Format version 1: the mirror types of everything that is stored or sent.
//!
//! Frozen: what they encode must stay readable for ever, so fields and variants keep their order, and new variants come
//! last. Each mirror has `of`, which borrows from the type it mirrors and refuses what could not be read again, and
//! `into_domain`, which checks what was read. State ([`put_state`], [`take_state`]) is written and read without mirrors.

mod descriptor;
mod head;
mod head_parts;
mod head_rules;
mod mark;
mod message;
mod metadata;
mod properties;
mod restore;
mod snapshot;
mod state;
mod stored;
mod task_snapshot;
mod writers;

pub(crate) use descriptor::Descriptor;
pub(crate) use head::Head;
pub(crate) use mark::{Disposal, Owner, Savepoint};
pub(crate) use metadata::{IndexEntry, MasterState, Operator, Summary};
pub(crate) use state::{Visit, check_state, put_state, take_state};
pub(crate) use stored::{NamedPlace, Places, put_handle_alone, read_handle_alone};

use super::{Flaw, Input, Invalid, Subject, WireError};
use crate::id::{CheckpointId, LeaderEpoch};

/// A value that is the body of a frame.
pub(crate) trait Body: Sized {
    /// Appends it. After an error `out` ends with a part of it.
    fn put(&self, subject: Subject, out: &mut Vec<u8>) -> Result<(), WireError>;

    /// Reads it from where `input` stands.
    fn read(input: &mut Input<'_>) -> Result<Self, Flaw>;
}

/// Ids of 16 bytes.
pub(crate) type Id = [u8; 16];

fn checkpoint(field: &'static str, number: u64) -> Result<CheckpointId, Invalid> {
    CheckpointId::new(number).ok_or_else(|| Invalid::value(field, 0, "a checkpoint number of 1 or more"))
}

fn optional_checkpoint(field: &'static str, number: Option<u64>) -> Result<Option<CheckpointId>, Invalid> {
    number.map(|number| checkpoint(field, number)).transpose()
}

/// No leader has epoch 0.
fn epoch(field: &'static str, number: u64) -> Result<LeaderEpoch, Invalid> {
    match LeaderEpoch::new(number) {
        LeaderEpoch::NONE => Err(Invalid::value(field, 0, "an epoch of 1 or more")),
        epoch => Ok(epoch),
    }
}

/// The number of an epoch that can be read again.
fn readable(of: LeaderEpoch) -> Result<u64, Invalid> {
    epoch("the epoch", of.get()).map(LeaderEpoch::get)
}
