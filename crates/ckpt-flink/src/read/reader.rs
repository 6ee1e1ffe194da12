//! Reading a file from its beginning to its end.

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use ckpt_core::Result;
use ckpt_core::id::OperatorId;

use super::input::Input;
use super::operator::{LEAST_MASTER_STATE_BYTES, SubtaskCount, least_operator_bytes};
use super::visitor::{Keep, Nobody, Sink, Tell};
use super::{Notes, Source, SubtaskVisitor, VisitedSubtask};
use crate::error::{Read, ReadError, Step, Within};
use crate::model::{InlineBytes, MasterState, OperatorDescription, SkippedBytes, Subtask};
use crate::properties::StoredProperties;
use crate::version::MetadataVersion;

/// The first four bytes of every `_metadata` of Flink.
pub const MAGIC: [u8; 4] = [0x49, 0x60, 0x67, 0x2d];

/// Reads a `_metadata` one subtask at a time, so that a file of any size takes the memory of its largest subtask; or not even
/// that, with [`visit_subtask`](Self::visit_subtask).
///
/// The file tells no lengths in advance, so all of it is read, in its order: master states with
/// [`next_master_state`](Self::next_master_state), operators with [`next_operator`](Self::next_operator), the subtasks of each
/// with [`next_subtask`](Self::next_subtask), and what stands behind them with [`finish`](Self::finish). `D` says what becomes of state in the file: [`Bytes`] keeps it,
/// [`SkippedBytes`](crate::SkippedBytes) passes over it. After an error nothing more can be read.
///
/// ```
/// use ckpt_flink::{BytesSource, FlinkReader, SkippedBytes};
///
/// # fn show(file: bytes::Bytes) -> ckpt_core::Result<()> {
/// let mut reader = FlinkReader::<_, SkippedBytes>::open(BytesSource::new(file))?;
/// println!("checkpoint {}, version {}", reader.checkpoint_id(), reader.version());
/// while let Some(operator) = reader.next_operator()? {
///     println!("operator {}", operator.id);
///     while let Some(subtask) = reader.next_subtask()? {
///         println!("subtask {}", subtask.index);
///     }
/// }
/// assert_eq!(reader.finish()?.trailing, None);
/// # Ok(())
/// # }
/// ```
pub struct FlinkReader<S, D = Bytes> {
    input: Input<S>,
    version: MetadataVersion,
    checkpoint_id: i64,
    /// What has not been read yet. The number of operators stands behind the master states.
    master_states: Countdown,
    operators: Option<Countdown>,
    /// The operator whose subtasks come next.
    operator: Option<CurrentOperator>,
    /// Whether an error has been told.
    failed: bool,
    data: PhantomData<D>,
}

#[derive(Clone, Copy, Debug)]
struct CurrentOperator {
    id: OperatorId,
    parallelism: i32,
    count: SubtaskCount,
    subtasks_left: usize,
}

/// How many of a number of things are still to be read.
#[derive(Clone, Copy, Debug)]
struct Countdown {
    count: usize,
    left: usize,
}

/// What stands behind the operators.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ending {
    /// What the checkpoint was taken with; present exactly in versions 4 and later.
    pub properties: Option<StoredProperties>,
    /// What follows the end. Flink does not look whether there is anything.
    pub trailing: Option<Trailing>,
    /// What was read and will not be written as it was.
    pub notes: Notes,
}

/// Bytes behind the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trailing {
    /// Where they begin.
    pub offset_bytes: u64,
    /// How many there are.
    pub length_bytes: u64,
}

impl<S: Source, D: InlineBytes> FlinkReader<S, D> {
    /// Reads what stands before the operators.
    ///
    /// # Errors
    ///
    /// `Corrupt`, naming the place, what was expected and what was found; `Configuration` when the version is 1, which is
    /// not supported any more, or newer than this program; `Retry` when the source could not be read.
    pub fn open(source: S) -> Result<Self> {
        Ok(Self::open_input(Input::new(source))?)
    }

    fn open_input(mut input: Input<S>) -> Read<Self> {
        let version = version(&mut input)?;
        let offset = input.position();
        let checkpoint_id = input.i64("checkpoint id")?;
        if checkpoint_id < 0 {
            return Err(ReadError::format(offset, "checkpoint id", "not negative", checkpoint_id));
        }
        let master_states = Countdown::new(input.count("master states", LEAST_MASTER_STATE_BYTES)?);
        let (operators, operator) = (None, None);
        let (failed, data) = (false, PhantomData);
        Ok(Self { input, version, checkpoint_id, master_states, operators, operator, failed, data })
    }

    /// The version of the file.
    pub const fn version(&self) -> MetadataVersion {
        self.version
    }

    /// The checkpoint's number.
    pub const fn checkpoint_id(&self) -> i64 {
        self.checkpoint_id
    }

    /// How many states of hooks of the coordinator are still to be read.
    pub const fn master_states_left(&self) -> usize {
        self.master_states.left
    }

    /// What the next hook of the coordinator stored, of which `P` is kept; `None` behind the last one. They stand before the
    /// operators: those that were not asked for before the first operator are passed over.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn next_master_state<P: InlineBytes>(&mut self) -> Result<Option<MasterState<P>>> {
        let Some(index) = self.master_states.next() else { return Ok(None) };
        let state = self.attempt(|input, _| input.master_state().within(Step::Item("master states", index)))?;
        self.master_states.advance();
        Ok(Some(state))
    }

    /// How many operators are still to be read.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open): master states that were not asked for are passed over.
    pub fn operators_left(&mut self) -> Result<usize> {
        Ok(self.operators()?.left)
    }

    fn operators(&mut self) -> Result<Countdown> {
        while self.next_master_state::<SkippedBytes>()?.is_some() {}
        if let Some(operators) = self.operators {
            return Ok(operators);
        }
        let count = self.attempt(|input, version| input.count("number of operators", least_operator_bytes(version)))?;
        Ok(*self.operators.insert(Countdown::new(count)))
    }

    /// Where the next byte lies.
    pub fn position_bytes(&self) -> u64 {
        self.input.position()
    }

    /// The next operator; `None` behind the last one. Subtasks of the one before that were not asked for are passed over.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn next_operator(&mut self) -> Result<Option<OperatorDescription<D>>> {
        while self.visit_subtask(&mut Nobody)?.is_some() {}
        self.operator = None;
        let mut operators = self.operators()?;
        let Some(index) = operators.next() else { return Ok(None) };
        let (operator, count) = self.attempt(|input, version| {
            let operator = input.operator(version);
            operator.within(Step::Item("operators", index))
        })?;
        operators.advance();
        self.operators = Some(operators);
        let subtasks_left = match count {
            SubtaskCount::FullyFinished => 0,
            SubtaskCount::Of(count) => count,
        };
        let (id, parallelism) = (operator.id, operator.parallelism);
        self.operator = Some(CurrentOperator { id, parallelism, count, subtasks_left });
        Ok(Some(operator))
    }

    /// Whether all subtasks of the operator that was read last were finished. There are none in the file then.
    pub fn is_fully_finished(&self) -> bool {
        self.operator.is_some_and(|operator| operator.count == SubtaskCount::FullyFinished)
    }

    /// How many subtasks of the operator that was read last are still to be read.
    pub fn subtasks_left(&self) -> usize {
        self.operator.map_or(0, |operator| operator.subtasks_left)
    }

    /// The next subtask of the operator that was read last; `None` behind the last one.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn next_subtask(&mut self) -> Result<Option<Subtask<D>>> {
        self.read_subtask(&mut Keep)
    }

    /// The same, but what the subtask stored is told to a visitor and not held: the memory that this takes does not grow
    /// with what the subtask stored.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open). What stood before the flaw was told then.
    pub fn visit_subtask(&mut self, visitor: &mut impl SubtaskVisitor<D>) -> Result<Option<VisitedSubtask>> {
        let subtask = self.read_subtask(&mut Tell(visitor))?;
        Ok(subtask.map(|Subtask { index, state }| VisitedSubtask { index, is_finished: state.is_none() }))
    }

    fn read_subtask(&mut self, sink: &mut impl Sink<D>) -> Result<Option<Subtask<D>>> {
        let Some(operator) = self.operator.filter(|operator| operator.subtasks_left > 0) else {
            return Ok(None);
        };
        let CurrentOperator { id, parallelism, subtasks_left, .. } = operator;
        let subtask = self.attempt(|input, version| {
            let subtask = input.subtask(version, parallelism, sink);
            subtask.within(Step::Operator(id))
        })?;
        self.operator = Some(CurrentOperator { subtasks_left: subtasks_left - 1, ..operator });
        Ok(Some(subtask))
    }

    /// What stands behind the operators. Those that were not asked for are passed over.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn finish(mut self) -> Result<Ending> {
        while self.next_operator()?.is_some() {}
        let properties =
            self.attempt(|input, version| version.has_properties().then(|| StoredProperties::read(input)).transpose())?;
        let offset_bytes = self.input.position();
        let (properties, length_bytes, offset_bytes) = match properties {
            // All that may be properties was taken from the source.
            Some(read) => {
                (Some(read.value), read.behind_bytes + self.input.remaining(), offset_bytes - read.behind_bytes)
            }
            None => (None, self.input.remaining(), offset_bytes),
        };
        let trailing = (length_bytes > 0).then_some(Trailing { offset_bytes, length_bytes });
        Ok(Ending { properties, trailing, notes: self.input.notes })
    }

    /// Reads, and remembers when that fails: what follows cannot be told apart any more.
    fn attempt<T>(&mut self, read: impl FnOnce(&mut Input<S>, MetadataVersion) -> Read<T>) -> Result<T> {
        if self.failed {
            let offset = self.input.position();
            return Err(ReadError::format(offset, "the file", "no reading after an error", "read further"))?;
        }
        let value = read(&mut self.input, self.version);
        self.failed = value.is_err();
        Ok(value?)
    }
}

impl Countdown {
    const fn new(count: usize) -> Self {
        Self { count, left: count }
    }

    /// Which one comes next.
    fn next(self) -> Option<usize> {
        (self.left > 0).then(|| self.count - self.left)
    }

    const fn advance(&mut self) {
        self.left -= 1;
    }
}

fn version<S: Source>(input: &mut Input<S>) -> Read<MetadataVersion> {
    let magic = input.bytes("magic", MAGIC.len())?;
    if magic != MAGIC.as_slice() {
        let expected = format!("{:02x?}: it is no metadata of Flink, or of one before 1.1, or damaged", MAGIC);
        return Err(ReadError::format(0, "magic", expected, format!("{:02x?}", &*magic)));
    }
    let offset = input.position();
    let found = input.i32("version")?;
    match (MetadataVersion::of_number(found), found) {
        (Some(version), _) => Ok(version),
        (None, 1) => Err(Box::new(ReadError::TooOld)),
        (None, 2..) => Err(Box::new(ReadError::Newer { found })),
        (None, _) => Err(ReadError::format(offset, "version", format!("2 to {}", MetadataVersion::LATEST), found)),
    }
}

impl<S, D> fmt::Debug for FlinkReader<S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlinkReader")
            .field("version", &self.version)
            .field("checkpoint_id", &self.checkpoint_id)
            .field("master_states", &self.master_states)
            .field("operators", &self.operators)
            .finish_non_exhaustive()
    }
}
