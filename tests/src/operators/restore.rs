//! Reading an operator's state back.

use std::sync::Arc;

use ckpt_core::id::OperatorId;
use ckpt_core::key_group::KeyGroup;
use ckpt_core::state::{KeyedState, OperatorRestore, TaskRestore};
use ckpt_core::{Error, Result};
use ckpt_storage::WorkerView;
use ckpt_streams::{KeyGroupSections, StateReader, read_section};

use crate::error::Fault;

/// The state with which one operator of one subtask begins.
#[derive(Debug)]
pub(super) struct Restored<'a> {
    operator: &'static str,
    state: Option<&'a OperatorRestore>,
    reader: Option<Arc<dyn StateReader>>,
}

impl<'a> Restored<'a> {
    pub(super) fn new(
        operator: &'static str,
        id: OperatorId,
        restore: &'a TaskRestore,
        view: &dyn WorkerView,
    ) -> Result<Self> {
        let reader = restore.from.map(|from| view.reader(from, &restore.places)).transpose()?;
        Ok(Self { operator, state: restore.operators.get(&id), reader })
    }

    /// Hands each partition of the operator state `name` to `take`. All of them have the same length.
    pub(super) fn partitions<const BYTES: usize>(
        &self,
        name: &str,
        mut take: impl FnMut(&[u8; BYTES]) -> Result<()>,
    ) -> Result<()> {
        let Some((state, reader)) = self.state.zip(self.reader.as_ref()) else { return Ok(()) };
        for piece in state.state.operator() {
            let Some(partitions) = piece.states().get(name) else {
                return Err(self.damaged(format!("it has no partitions named '{name}'")));
            };
            let mut stream = reader.open(piece.handle())?;
            for range in partitions.ranges_bytes() {
                let bytes = read_section(&mut *stream, range.start, Some(range.end))?;
                let bytes = bytes.as_slice().try_into().map_err(|_| {
                    self.damaged(format!("a partition of '{name}' has {} bytes: expected {BYTES}", bytes.len()))
                })?;
                take(bytes)?;
            }
        }
        Ok(())
    }

    /// Hands the section of each key group that the subtask owns to `take`.
    pub(super) fn key_groups(&self, mut take: impl FnMut(KeyGroup, &[u8]) -> Result<()>) -> Result<()> {
        let Some((state, reader)) = self.state.zip(self.reader.as_ref()) else { return Ok(()) };
        for keyed in state.state.keyed() {
            let KeyedState::KeyGroups(keyed) = keyed else {
                return Err(self.damaged("its keyed state is not of the kind that it writes".to_owned()));
            };
            let mut sections = KeyGroupSections::open(&**reader, keyed, &[state.key_groups])?;
            while let Some(section) = sections.next_section() {
                take(section.group(), &section.into_bytes()?)?;
            }
        }
        Ok(())
    }

    fn damaged(&self, what: String) -> Error {
        Fault::State { operator: self.operator, what }.into()
    }
}
