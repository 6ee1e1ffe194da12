//! The state of one operator in one subtask.

use crate::state::{
    ChannelState, InputChannel, KeyedState, OperatorState, ResultSubpartition, ReusedFile, StateHandle, StatePiece,
    StateSize,
};

/// The state of one operator in one subtask (Flink's `OperatorSubtaskState`).
///
/// It is made of its [`SubtaskStateParts`] and does not change any more, so that its size is computed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubtaskState<H = StateHandle> {
    parts: SubtaskStateParts<H>,
    size: StateSize,
}

/// All that the state of one operator in one subtask may consist of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubtaskStateParts<H = StateHandle> {
    /// State that belongs to keys, kept by the state backend.
    pub keyed: Vec<KeyedState<H>>,
    /// State that belongs to keys, written by the operator itself.
    pub raw_keyed: Vec<KeyedState<H>>,
    /// State that belongs to the subtask, kept by the state backend.
    pub operator: Vec<OperatorState<H>>,
    /// State that belongs to the subtask, written by the operator itself.
    pub raw_operator: Vec<OperatorState<H>>,
    /// Data that had arrived and was not processed yet.
    pub input_channels: Vec<ChannelState<InputChannel, H>>,
    /// Data that was emitted and had not left yet.
    pub result_subpartitions: Vec<ChannelState<ResultSubpartition, H>>,
}

/// What one subtask reported of one operator.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubtaskReport {
    /// Its state.
    State(SubtaskState),
    /// It had come to its end: it has no state any more and, after a restore, nothing to do.
    Finished,
}

impl<H> Default for SubtaskStateParts<H> {
    fn default() -> Self {
        Self {
            keyed: Vec::new(),
            raw_keyed: Vec::new(),
            operator: Vec::new(),
            raw_operator: Vec::new(),
            input_channels: Vec::new(),
            result_subpartitions: Vec::new(),
        }
    }
}

impl<H> Default for SubtaskState<H> {
    fn default() -> Self {
        Self { parts: SubtaskStateParts::default(), size: StateSize::default() }
    }
}

impl<H: StatePiece> From<SubtaskStateParts<H>> for SubtaskState<H> {
    fn from(parts: SubtaskStateParts<H>) -> Self {
        let keyed = parts.keyed.iter().chain(&parts.raw_keyed).map(KeyedState::size).sum::<StateSize>();
        let operator = parts.operator.iter().chain(&parts.raw_operator).map(OperatorState::handle);
        let input = parts.input_channels.iter().map(ChannelState::handle);
        let result = parts.result_subpartitions.iter().map(ChannelState::handle);
        let size = keyed + StateSize::written(operator.chain(input).chain(result));
        Self::of(parts, size)
    }
}

impl<H: StatePiece> SubtaskState<H> {
    /// State that backends keep; all else comes from [`SubtaskStateParts`].
    pub fn new(keyed: Vec<KeyedState<H>>, operator: Vec<OperatorState<H>>) -> Self {
        SubtaskStateParts { keyed, operator, ..SubtaskStateParts::default() }.into()
    }
}

impl<H> SubtaskState<H> {
    /// State whose size is known.
    pub(crate) const fn of(parts: SubtaskStateParts<H>, size: StateSize) -> Self {
        Self { parts, size }
    }

    /// State that belongs to keys, kept by the state backend.
    pub fn keyed(&self) -> &[KeyedState<H>] {
        &self.parts.keyed
    }

    /// State that belongs to keys, written by the operator itself.
    pub fn raw_keyed(&self) -> &[KeyedState<H>] {
        &self.parts.raw_keyed
    }

    /// State that belongs to the subtask, kept by the state backend.
    pub fn operator(&self) -> &[OperatorState<H>] {
        &self.parts.operator
    }

    /// State that belongs to the subtask, written by the operator itself.
    pub fn raw_operator(&self) -> &[OperatorState<H>] {
        &self.parts.raw_operator
    }

    /// Data that had arrived and was not processed yet, by file.
    pub fn input_channels(&self) -> &[ChannelState<InputChannel, H>] {
        &self.parts.input_channels
    }

    /// Data that was emitted and had not left yet, by file.
    pub fn result_subpartitions(&self) -> &[ChannelState<ResultSubpartition, H>] {
        &self.parts.result_subpartitions
    }

    /// Both kinds of keyed state.
    pub fn all_keyed(&self) -> impl Iterator<Item = &KeyedState<H>> {
        self.parts.keyed.iter().chain(&self.parts.raw_keyed)
    }

    /// Both kinds of operator state.
    pub fn all_operator(&self) -> impl Iterator<Item = &OperatorState<H>> {
        self.parts.operator.iter().chain(&self.parts.raw_operator)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        let parts = &self.parts;
        parts.keyed.is_empty()
            && parts.raw_keyed.is_empty()
            && parts.operator.is_empty()
            && parts.raw_operator.is_empty()
            && parts.input_channels.is_empty()
            && parts.result_subpartitions.is_empty()
    }

    /// How much it is.
    pub const fn size(&self) -> StateSize {
        self.size
    }

    /// What it consists of, to make another state of.
    pub fn into_parts(self) -> SubtaskStateParts<H> {
        self.parts
    }

    /// Every handle in it.
    pub fn handles(&self) -> impl Iterator<Item = &H> {
        let keyed = self.all_keyed().flat_map(KeyedState::handles);
        let operator = self.all_operator().map(OperatorState::handle);
        let input = self.parts.input_channels.iter().map(ChannelState::handle);
        keyed.chain(operator).chain(input).chain(self.parts.result_subpartitions.iter().map(ChannelState::handle))
    }

    /// Files that are named again and whose handles only the coordinator knows.
    pub fn reused(&self) -> impl Iterator<Item = &ReusedFile> {
        let incremental = self.all_keyed().filter_map(|keyed| match keyed {
            KeyedState::KeyGroups(_) => None,
            KeyedState::Incremental(state) => Some(state),
        });
        incremental.flat_map(|state| state.reused())
    }

    /// The same state with every handle replaced.
    ///
    /// # Errors
    ///
    /// The first error of `map`.
    pub fn try_map_handles<T: StatePiece, E>(
        self,
        map: &mut dyn FnMut(H) -> Result<T, E>,
    ) -> Result<SubtaskState<T>, E> {
        let parts = self.parts;
        Ok(SubtaskStateParts {
            keyed: try_map(parts.keyed, |state| state.try_map_handles(map))?,
            raw_keyed: try_map(parts.raw_keyed, |state| state.try_map_handles(map))?,
            operator: try_map(parts.operator, |state| state.try_map_handles(map))?,
            raw_operator: try_map(parts.raw_operator, |state| state.try_map_handles(map))?,
            input_channels: try_map(parts.input_channels, |state| state.try_map_handles(map))?,
            result_subpartitions: try_map(parts.result_subpartitions, |state| state.try_map_handles(map))?,
        }
        .into())
    }

    /// The same state with the handle of each reused file filled in. What counts as written stays.
    ///
    /// # Errors
    ///
    /// The first error of `handle_of`.
    pub fn try_fill_in<E>(mut self, handle_of: &mut dyn FnMut(&ReusedFile) -> Result<H, E>) -> Result<Self, E>
    where
        H: StatePiece,
    {
        for keyed in [&mut self.parts.keyed, &mut self.parts.raw_keyed] {
            *keyed = try_map(std::mem::take(keyed), |state| {
                Ok(match state {
                    KeyedState::Incremental(state) => KeyedState::Incremental(state.try_fill_in(handle_of)?),
                    state @ KeyedState::KeyGroups(_) => state,
                })
            })?;
        }
        Ok(self.parts.into())
    }
}

fn try_map<T, U, E>(list: Vec<T>, map: impl FnMut(T) -> Result<U, E>) -> Result<Vec<U>, E> {
    list.into_iter().map(map).collect()
}
