//! Master states, operators and subtasks.

use ckpt_core::id::OperatorId;

use super::input::Input;
use super::visitor::Sink;
use super::{NoteKind, Source, SubtaskStateKind, SubtaskVisitor};
use crate::error::{Read, ReadError, Step, Within};
use crate::model::{
    InlineBytes, KeyedHandle, MasterState, OperatorDescription, OperatorHandle, StreamHandle, Subtask, SubtaskState,
};
use crate::text::JavaText;
use crate::version::MetadataVersion;

/// Before each master state.
pub(crate) const MASTER_STATE_MAGIC: i32 = 0xc96b_1696_u32 as i32;
/// What a master state takes at least: magic, length, version, the lengths of its name and of its payload.
pub(super) const LEAST_MASTER_STATE_BYTES: u64 = 4 + 4 + 4 + 2 + 4;

/// How many subtasks an operator has in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SubtaskCount {
    FullyFinished,
    Of(usize),
}

/// What an operator takes at least.
pub(super) fn least_operator_bytes(version: MetadataVersion) -> u64 {
    let names = if version.has_names() { 2 + 2 } else { 0 };
    // Version 2 has the length of the chain where the others have the tag of the coordinator's state.
    let state = if version == MetadataVersion::V2 { 4 } else { 1 };
    names + 16 + 4 + 4 + state + 4
}

impl<S: Source> Input<S> {
    pub(super) fn master_state<D: InlineBytes>(&mut self) -> Read<MasterState<D>> {
        let offset = self.position();
        let magic = self.i32("magic")?;
        if magic != MASTER_STATE_MAGIC {
            let expected = format!("0x{MASTER_STATE_MAGIC:08x}");
            return Err(ReadError::format(offset, "magic", expected, format!("0x{magic:08x}")));
        }
        let offset = self.position();
        let length = self.count("length", 1)?;
        let end = self.position() + length as u64;
        let version = self.i32("version")?;
        let name = self.text("name")?;
        let payload = self.inline("payload")?;
        match self.position() {
            found if found == end => Ok(MasterState { version, name, payload }),
            found => {
                let expected = format!("{} bytes as they are there", found - offset - 4);
                Err(ReadError::format(offset, "length", expected, length))
            }
        }
    }

    pub(super) fn operator<D: InlineBytes>(
        &mut self,
        version: MetadataVersion,
    ) -> Read<(OperatorDescription<D>, SubtaskCount)> {
        let (mut name, mut uid) = (None, None);
        if version.has_names() {
            name = self.optional_text("name")?;
            uid = self.optional_text("uid")?;
        }
        let id = OperatorId::new(self.id("operator id")?);
        self.operator_after_id(version, OperatorDescription { name, uid, ..OperatorDescription::new(id, 0, 0) })
            .within(Step::Operator(id))
    }

    fn operator_after_id<D: InlineBytes>(
        &mut self,
        version: MetadataVersion,
        mut operator: OperatorDescription<D>,
    ) -> Read<(OperatorDescription<D>, SubtaskCount)> {
        let offset = self.position();
        operator.parallelism = self.i32("parallelism")?;
        operator.max_parallelism = self.i32("maximum parallelism")?;
        if operator.parallelism > operator.max_parallelism {
            let expected = format!("at most the maximum of {}", operator.max_parallelism);
            return Err(ReadError::format(offset, "parallelism", expected, operator.parallelism));
        }
        // A subtask has at least its index.
        if version == MetadataVersion::V2 {
            operator.chain_length = Some(self.i32("chain length")?);
            let count = self.count("number of subtasks", 4)?;
            return Ok((operator, SubtaskCount::Of(count)));
        }
        let offset = self.position();
        operator.coordinator = match self.optional_stream("coordinator state")? {
            None => None,
            Some(StreamHandle::ByteStream(state)) => Some(state),
            Some(_) => {
                let expected = "state in the metadata itself, or none";
                return Err(ReadError::format(offset, "coordinator state", expected, "another handle"));
            }
        };
        let offset = self.position();
        let count = match self.i32("number of subtasks")? {
            found @ ..=-1 if operator.coordinator.is_some() => {
                let expected = "at least 0, since the coordinator has state";
                return Err(ReadError::format(offset, "number of subtasks", expected, found));
            }
            -1 => SubtaskCount::FullyFinished,
            found @ ..=-2 => {
                self.notes.add(offset, NoteKind::FullyFinished(found));
                SubtaskCount::FullyFinished
            }
            found => SubtaskCount::Of(self.count_of("number of subtasks", offset, found, 4)?),
        };
        Ok((operator, count))
    }

    fn optional_text(&mut self, field: &'static str) -> Read<Option<JavaText>> {
        Ok(Some(self.text(field)?).filter(|text| !text.is_empty()))
    }

    pub(super) fn subtask<D: InlineBytes>(
        &mut self,
        version: MetadataVersion,
        parallelism: i32,
        sink: &mut impl Sink<D>,
    ) -> Read<Subtask<D>> {
        let offset = self.position();
        let found = self.i32("subtask index")?;
        // Version 2 knows no finished subtasks.
        let index = if found < 0 && version > MetadataVersion::V2 { -(found + 1) } else { found };
        if !(0..parallelism).contains(&index) {
            let expected = format!("of a subtask below the parallelism of {parallelism}");
            return Err(ReadError::format(offset, "subtask index", expected, found));
        }
        sink.tell(|visitor| visitor.subtask(index));
        let state = match found {
            0.. => Some(self.subtask_state(version, sink).map(Box::new).within(Step::Subtask(index))?),
            _ => None,
        };
        Ok(Subtask { index, state })
    }

    fn subtask_state<D: InlineBytes>(
        &mut self,
        version: MetadataVersion,
        sink: &mut impl Sink<D>,
    ) -> Read<SubtaskState<D>> {
        let mut state = SubtaskState::default();
        if version == MetadataVersion::V2 {
            state.legacy_duration = Some(self.i64("duration")?);
            self.no_legacy_states()?;
        }
        sink.tell(|visitor| visitor.kind(SubtaskStateKind::ManagedOperator));
        state.managed_operator = self.operator_state("managed operator state", sink)?;
        sink.tell(|visitor| visitor.kind(SubtaskStateKind::RawOperator));
        state.raw_operator = self.operator_state("raw operator state", sink)?;
        sink.tell(|visitor| visitor.kind(SubtaskStateKind::ManagedKeyed));
        state.managed_keyed = self.keyed_state("managed keyed state", sink)?;
        sink.tell(|visitor| visitor.kind(SubtaskStateKind::RawKeyed));
        state.raw_keyed = self.keyed_state("raw keyed state", sink)?;
        if version > MetadataVersion::V2 {
            let keep = |handle| sink.keep(handle, SubtaskVisitor::input_channel);
            state.input_channels = self.channels("input channels", version, keep)?;
            let keep = |handle| sink.keep(handle, SubtaskVisitor::result_subpartition);
            state.result_subpartitions = self.channels("result subpartitions", version, keep)?;
        }
        Ok(state)
    }

    /// Operator state, behind a number that says whether there is any.
    fn operator_state<D: InlineBytes>(
        &mut self,
        field: &'static str,
        sink: &mut impl Sink<D>,
    ) -> Read<Option<Box<OperatorHandle<D>>>> {
        if !self.presence(field)? {
            return Ok(None);
        }
        let offset = self.position();
        let Some(handle) = self.operator_handle(field, sink)? else {
            self.notes.add(offset, NoteKind::NullHandle);
            return Ok(None);
        };
        Ok(sink.keep(handle, SubtaskVisitor::operator_handle).map(Box::new))
    }

    fn keyed_state<D: InlineBytes>(
        &mut self,
        field: &'static str,
        sink: &mut impl Sink<D>,
    ) -> Read<Option<Box<KeyedHandle<D>>>> {
        let handle = self.keyed_handle(field, sink)?;
        Ok(handle.and_then(|handle| sink.keep(handle, SubtaskVisitor::keyed_handle)).map(Box::new))
    }

    fn no_legacy_states(&mut self) -> Read<()> {
        let offset = self.position();
        match self.i32("number of old states")? {
            0 => Ok(()),
            found @ ..=-1 => {
                self.notes.add(offset, NoteKind::LegacyStates(found));
                Ok(())
            }
            found => {
                let expected = "0, since state of Flink 1.1 and before is not supported any more";
                Err(ReadError::format(offset, "number of old states", expected, found))
            }
        }
    }
}
