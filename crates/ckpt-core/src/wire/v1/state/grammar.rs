//! How the state of a subtask is read, whatever becomes of it.
//!
//! There is one grammar and there are two [`Reading`]s of it: [`Take`](super::take::Take) makes values,
//! [`Check`](super::check::Check) makes nothing and so needs no memory. Both refuse the same bytes.

use std::ops::Range;

use crate::id::OperatorId;
use crate::key_group::{KeyGroup, KeyGroupRange};
use crate::state::{HandleView, InputChannel, Redistribution, ResultSubpartition, ReusedView, StateSize};
use crate::wire::v1::state::rule::{ChannelNumbers, check_end, check_name, check_offsets};
use crate::wire::v1::state::variant;
use crate::wire::v1::stored::{check_offset, read_file, read_handle};
use crate::wire::v1::writers::Writers;
use crate::wire::{Flaw, Input, Invalid};

/// What becomes of state that is read: called with each piece of it when that is whole and valid.
pub(super) trait Reading<'a>: Sized {
    type List<T>;
    type Text;
    type Handle;
    type SharedFile;
    type Partitions;
    type Keyed;
    type Operator;
    type Channels<C: ChannelNumbers>;
    type Subtask;

    /// A list that will have so many elements. The bytes that are left can hold them.
    fn list<T>(count: usize) -> Self::List<T>;
    fn push<T>(list: &mut Self::List<T>, element: T);
    fn text(text: &'a str) -> Self::Text;

    fn handle(&mut self, view: &HandleView<'a>) -> Result<Self::Handle, Invalid>;
    /// A file that later checkpoints may name again.
    fn written(&mut self, view: &HandleView<'a>) -> Result<Self::SharedFile, Invalid>;
    fn reused(&mut self, reused: &ReusedView<'a>) -> Result<Self::SharedFile, Invalid>;
    fn key_groups(
        &mut self,
        range: KeyGroupRange,
        bounds: Self::List<u64>,
        handle: Self::Handle,
    ) -> Result<Self::Keyed, Invalid>;
    fn incremental(&mut self, files: Files<'a, Self>) -> Result<Self::Keyed, Invalid>;
    fn partitions(sections: Self::List<Range<u64>>, redistribution: Redistribution) -> Self::Partitions;
    fn operator(states: Self::List<(Self::Text, Self::Partitions)>, handle: Self::Handle) -> Self::Operator;
    fn channels<C: ChannelNumbers>(
        subtask: u32,
        channels: Self::List<(C, Self::List<Range<u64>>)>,
        handle: Self::Handle,
    ) -> Self::Channels<C>;
    fn subtask(parts: Parts<'a, Self>, size: StateSize) -> Self::Subtask;
}

/// Incremental state, as it is read.
pub(super) struct Files<'a, R: Reading<'a>> {
    pub(super) operator: OperatorId,
    pub(super) range: KeyGroupRange,
    pub(super) shared: R::List<(R::Text, R::SharedFile)>,
    pub(super) private: R::List<(R::Text, R::Handle)>,
    pub(super) meta: R::Handle,
    pub(super) size: StateSize,
}

/// All state of a subtask, as it is read.
pub(super) struct Parts<'a, R: Reading<'a>> {
    pub(super) keyed: R::List<R::Keyed>,
    pub(super) raw_keyed: R::List<R::Keyed>,
    pub(super) operator: R::List<R::Operator>,
    pub(super) raw_operator: R::List<R::Operator>,
    pub(super) input_channels: R::List<R::Channels<InputChannel>>,
    pub(super) result_subpartitions: R::List<R::Channels<ResultSubpartition>>,
}

/// The state of one subtask, read from where `input` stands.
pub(super) fn read<'a, R: Reading<'a>>(input: &mut Input<'a>, reading: &mut R) -> Result<R::Subtask, Flaw> {
    let mut parser = Parser { input, reading, writers: Writers::none(), size: StateSize::default() };
    let parts = Parts {
        keyed: parser.list(LEAST_KEYED, Parser::keyed)?,
        raw_keyed: parser.list(LEAST_KEYED, Parser::keyed)?,
        operator: parser.list(LEAST_OPERATOR, Parser::operator)?,
        raw_operator: parser.list(LEAST_OPERATOR, Parser::operator)?,
        input_channels: parser.list(LEAST_CHANNELS, Parser::channels)?,
        result_subpartitions: parser.list(LEAST_CHANNELS, Parser::channels)?,
    };
    Ok(R::subtask(parts, parser.size))
}

// The fewest bytes that an element of a list takes.
const LEAST_HANDLE: usize = 2;
/// The variant, a range, one offset with the count of them, a handle.
const LEAST_KEYED: usize = 1 + 2 + 2 + LEAST_HANDLE;
const LEAST_OPERATOR: usize = 1 + LEAST_HANDLE;
const LEAST_CHANNELS: usize = 1 + 1 + LEAST_HANDLE;
/// Two numbers and the count of the sections.
const LEAST_CHANNEL: usize = 2 + 1;
/// An empty name, the variant, a root, a file of a known writer.
const LEAST_SHARED: usize = 1 + 1 + 1 + 2;
const LEAST_PRIVATE: usize = 1 + LEAST_HANDLE;
/// An empty name, the count of the partitions, the redistribution.
const LEAST_STATE: usize = 1 + 1 + 1;
const LEAST_SECTION: usize = 2;

struct Parser<'p, 'a, R> {
    input: &'p mut Input<'a>,
    reading: &'p mut R,
    writers: Writers,
    size: StateSize,
}

impl<'a, R: Reading<'a>> Parser<'_, 'a, R> {
    fn list<T>(
        &mut self,
        least_bytes: usize,
        mut read: impl FnMut(&mut Self) -> Result<T, Flaw>,
    ) -> Result<R::List<T>, Flaw> {
        let count = self.input.count(least_bytes)?;
        let mut list = R::list(count);
        for _ in 0..count {
            R::push(&mut list, read(self)?);
        }
        Ok(list)
    }

    /// A list whose elements have names that ascend.
    fn named<T>(
        &mut self,
        (field, least_bytes): (&'static str, usize),
        mut read: impl FnMut(&mut Self) -> Result<T, Flaw>,
    ) -> Result<R::List<(R::Text, T)>, Flaw> {
        let mut last = None;
        self.list(least_bytes, |parser| {
            let name = parser.input.text()?;
            check_name(field, last, name)?;
            last = Some(name);
            Ok((R::text(name), read(parser)?))
        })
    }

    fn keyed(&mut self) -> Result<R::Keyed, Flaw> {
        match self.input.byte()? {
            variant::KEY_GROUPS => self.key_groups(),
            variant::INCREMENTAL => self.incremental(),
            _ => Err(Flaw::UNKNOWN_VARIANT),
        }
    }

    fn key_groups(&mut self) -> Result<R::Keyed, Flaw> {
        let range = read_range(self.input)?;
        let (mut count, mut last) = (0, 0_u64);
        let bounds = self.list(1, |parser| {
            last = sum("an offset", last, parser.input.u64()?)?;
            count += 1;
            Ok(last)
        })?;
        check_offsets(range, count)?;
        let (handle, length_bytes) = self.handle()?;
        check_end(last, length_bytes)?;
        Ok(self.reading.key_groups(range, bounds, handle)?)
    }

    fn incremental(&mut self) -> Result<R::Keyed, Flaw> {
        let operator = OperatorId::new(self.input.array()?);
        let range = read_range(self.input)?;
        let outside = std::mem::take(&mut self.size);
        let shared = self.named(("the shared files", LEAST_SHARED), Self::shared_file)?;
        let private = self.named(("the private files", LEAST_PRIVATE), |parser| Ok(parser.handle()?.0))?;
        let (meta, _) = self.handle()?;
        let mut size = self.size;
        size.written_bytes = self.input.u64()?;
        if size.written_bytes > size.state_bytes() {
            let expected = format!("at most {}, all that it has", size.state_bytes());
            return Err(Invalid::value("the written bytes of incremental state", size.written_bytes, expected).into());
        }
        self.size = outside + size;
        Ok(self.reading.incremental(Files { operator, range, shared, private, meta, size })?)
    }

    fn shared_file(&mut self) -> Result<R::SharedFile, Flaw> {
        match self.input.byte()? {
            variant::WRITTEN => {
                let view = self.view()?;
                Ok(self.reading.written(&view)?)
            }
            variant::REUSED => {
                let (root, file) = read_file(self.input, &mut self.writers)?;
                Ok(self.reading.reused(&ReusedView { root, file, offset_bytes: None })?)
            }
            variant::REUSED_SEGMENT => {
                let (root, file) = read_file(self.input, &mut self.writers)?;
                let offset_bytes = self.input.u64()?;
                check_offset(offset_bytes)?;
                Ok(self.reading.reused(&ReusedView { root, file, offset_bytes: Some(offset_bytes) })?)
            }
            _ => Err(Flaw::UNKNOWN_VARIANT),
        }
    }

    fn operator(&mut self) -> Result<R::Operator, Flaw> {
        let mut end = 0;
        let states = self.named(("the operator states", LEAST_STATE), |parser| {
            let (sections, last) = parser.sections()?;
            end = last.max(end);
            Ok(R::partitions(sections, read_redistribution(parser.input)?))
        })?;
        let (handle, length_bytes) = self.handle()?;
        check_end(end, length_bytes)?;
        Ok(R::operator(states, handle))
    }

    fn channels<C: ChannelNumbers>(&mut self) -> Result<R::Channels<C>, Flaw> {
        let subtask = self.input.u32()?;
        let (mut last, mut end) = (None, 0);
        let channels = self.list(LEAST_CHANNEL, |parser| {
            let channel = (parser.input.u32()?, parser.input.u32()?);
            if let Some(before) = last.replace(channel).filter(|before| *before >= channel) {
                let found = format!("{channel:?} after {before:?}");
                return Err(Invalid::value("the channels", found, "channels that ascend").into());
            }
            let (sections, last) = parser.sections()?;
            end = last.max(end);
            Ok((C::of(channel.0, channel.1), sections))
        })?;
        let (handle, length_bytes) = self.handle()?;
        check_end(end, length_bytes)?;
        Ok(R::channels(subtask, channels, handle))
    }

    /// Sections of a piece, and where the last one ends.
    fn sections(&mut self) -> Result<(R::List<Range<u64>>, u64), Flaw> {
        let mut end = 0;
        let sections = self.list(LEAST_SECTION, |parser| {
            let begin = sum("a section", end, parser.input.u64()?)?;
            end = sum("a section", begin, parser.input.u64()?)?;
            Ok(begin..end)
        })?;
        Ok((sections, end))
    }

    /// A handle of bytes that all count as written, unless it is said otherwise, and how many they are.
    fn handle(&mut self) -> Result<(R::Handle, u64), Flaw> {
        let view = self.view()?;
        Ok((self.reading.handle(&view)?, view.length_bytes))
    }

    fn view(&mut self) -> Result<HandleView<'a>, Flaw> {
        let view = read_handle(self.input, &mut self.writers)?;
        self.size.add_written(view.location(), view.length_bytes);
        Ok(view)
    }
}

pub(in crate::wire::v1) fn read_range(input: &mut Input<'_>) -> Result<KeyGroupRange, Flaw> {
    let (first, last) = (KeyGroup::new(input.u16()?), KeyGroup::new(input.u16()?));
    let range = KeyGroupRange::new(first, last);
    Ok(range.map_err(|error| Invalid::Refused { field: "the key groups", error })?)
}

fn read_redistribution(input: &mut Input<'_>) -> Result<Redistribution, Flaw> {
    match input.byte()? {
        variant::SPLIT => Ok(Redistribution::Split),
        variant::UNION => Ok(Redistribution::Union),
        variant::BROADCAST => Ok(Redistribution::Broadcast),
        _ => Err(Flaw::UNKNOWN_VARIANT),
    }
}

fn sum(field: &'static str, one: u64, more: u64) -> Result<u64, Flaw> {
    one.checked_add(more).ok_or_else(|| Invalid::value(field, format!("{one} + {more}"), "a number of 64 bits").into())
}
