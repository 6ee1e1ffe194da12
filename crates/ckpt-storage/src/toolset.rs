//! What can be done with state that the tasks manage themselves.

use std::fmt::Debug;

use ckpt_core::Result;
use ckpt_core::state::StateHandle;

/// Copies state into what the tasks manage themselves, as cheaply as the storage can (Flink's
/// `CheckpointStateToolset`). Any thread may call it.
pub trait Toolset: Send + Sync + Debug {
    /// Whether a copy of that state costs less than its bytes.
    fn can_duplicate(&self, handle: &StateHandle) -> bool;

    /// Copies that state, in one batch: all of it is durable when this returns. The copies have names of their own, and
    /// what becomes of the originals does not matter to them. In the order of `from`.
    ///
    /// # Errors
    ///
    /// `FailJob` when any of it is state that cannot be copied here, as all that stays in its handle: no copy is made then.
    /// `AbortCheckpoint` when one could not be made; none is left behind then.
    fn duplicate(&self, from: &[StateHandle]) -> Result<Vec<StateHandle>>;
}
