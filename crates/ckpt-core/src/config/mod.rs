//! Configuration of checkpointing: Flink's keys, defaults and rules.
//!
//! [`CheckpointConfig`] is made by validating setters, or parsed from the key/value pairs of an engine's configuration
//! by [`CheckpointConfig::parse`]. A value that is refused is refused with its key, the rule and the remedy; what is
//! accepted though it should be looked at comes as a [`ConfigWarning`].

mod checkpoint;
mod duration;
mod error;
mod key;
mod parse;
mod warning;

pub use checkpoint::CheckpointConfig;
pub use parse::ParsedConfig;
pub use warning::ConfigWarning;
