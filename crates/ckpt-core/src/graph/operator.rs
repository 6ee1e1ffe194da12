//! Operators: the owners of state.

use crate::descriptor::StateDeclaration;
use crate::id::OperatorId;

/// An operator: the owner of state.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operator {
    /// What its state is stored under (Flink's generated id).
    pub id: OperatorId,
    /// What its state was stored under in the snapshot to restore, if not under [`id`](Self::id): a restore looks there
    /// first (Flink's user-defined id, `setUidHash`).
    pub user_defined_id: Option<OperatorId>,
    /// A name for people, of 1 to [`MAX_NAME_BYTES`](Self::MAX_NAME_BYTES) bytes.
    pub name: String,
    /// The text that its id was made of, if the user gave one; as long as a name.
    pub uid: Option<String>,
    /// The states it declares; when it is restored, each is compared with what is stored under its name.
    pub states: Vec<StateDeclaration>,
    /// Who chooses the input that it reads next.
    pub input_selection: InputSelection,
}

/// Who chooses the input that an operator reads next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InputSelection {
    /// The task, which reads what has come: it can hold back an input whose barrier has come.
    #[default]
    Task,
    /// The operator (Flink's `InputSelectable`), which may wait for the very input that is held back.
    Operator,
}

impl Operator {
    /// The most bytes of a name and of a uid.
    pub const MAX_NAME_BYTES: usize = 1024;

    /// An operator with that identity and name.
    pub fn new(id: OperatorId, name: impl Into<String>) -> Self {
        Self {
            id,
            user_defined_id: None,
            name: name.into(),
            uid: None,
            states: Vec::new(),
            input_selection: InputSelection::Task,
        }
    }

    /// An operator whose identity is [made of](OperatorId::from_uid) that uid.
    pub fn with_uid(uid: impl Into<String>, name: impl Into<String>) -> Self {
        let uid = uid.into();
        Self { uid: Some(uid.clone()), ..Self::new(OperatorId::from_uid(&uid), name) }
    }

    /// The same, whose state a restore looks for under `id` first.
    #[must_use]
    pub fn with_user_defined_id(self, id: OperatorId) -> Self {
        Self { user_defined_id: Some(id), ..self }
    }

    /// The same with one more state.
    #[must_use]
    pub fn with_state(mut self, state: StateDeclaration) -> Self {
        self.states.push(state);
        self
    }

    /// The same, of which that side chooses the input that is read next.
    #[must_use]
    pub fn with_input_selection(self, input_selection: InputSelection) -> Self {
        Self { input_selection, ..self }
    }

    /// Its identities in the order in which a restore looks for them.
    pub fn ids(&self) -> impl Iterator<Item = OperatorId> + use<> {
        let generated = Some(self.id).filter(|id| self.user_defined_id != Some(*id));
        self.user_defined_id.into_iter().chain(generated)
    }
}
