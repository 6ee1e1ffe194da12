//! The keys.

/// A setting: the key it has now and those it had before.
#[derive(Debug)]
pub(super) struct Key {
    /// The key.
    pub(super) name: &'static str,
    /// Former keys, the newest first. They are understood, with a warning.
    pub(super) old_names: &'static [&'static str],
}

/// What every key of checkpointing begins with.
pub(super) const PREFIX: &str = "execution.checkpointing.";

pub(super) const INTERVAL: Key = Key { name: "execution.checkpointing.interval", old_names: &[] };
pub(super) const TIMEOUT: Key = Key { name: "execution.checkpointing.timeout", old_names: &[] };
pub(super) const MIN_PAUSE: Key = Key { name: "execution.checkpointing.min-pause", old_names: &[] };
pub(super) const MAX_CONCURRENT: Key =
    Key { name: "execution.checkpointing.max-concurrent-checkpoints", old_names: &[] };
pub(super) const NUM_RETAINED: Key =
    Key { name: "execution.checkpointing.num-retained", old_names: &["state.checkpoints.num-retained"] };

/// Every setting.
pub(super) const ALL: [&Key; 5] = [&INTERVAL, &TIMEOUT, &MIN_PAUSE, &MAX_CONCURRENT, &NUM_RETAINED];
