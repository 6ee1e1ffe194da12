//! A spawn that refuses.

use crate::spawn::{Job, Rejected, Spawn};

/// Refuses every job: whatever then still works needs no thread but its own.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct RefusingSpawn;

impl RefusingSpawn {
    /// It has no state.
    pub const fn new() -> Self {
        Self
    }
}

impl Spawn for RefusingSpawn {
    fn spawn(&self, _name: &'static str, _job: Job) -> Result<(), Rejected> {
        Err(Rejected::new())
    }
}
