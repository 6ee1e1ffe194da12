//! Configuration of checkpointing: Flink's keys, defaults and rules.
//!
//! A [`CheckpointConfig`] comes from a [builder](CheckpointConfig::builder) in code, from the key/value pairs of an
//! engine's configuration ([`CheckpointConfig::parse`]), or from both: [`ConfigLayers`] puts code before the job's
//! configuration and that before the cluster's. A value that is refused is refused with its key, where it stands, the
//! rule and the remedy; what is accepted though it should be looked at comes as a [`ConfigWarning`]. Nothing is dropped
//! silently: misspelled, former and meaningless keys are warnings too.
//!
//! [`keys`] lists every setting with its names, kind, default and rule.

mod builder;
mod checkpoint;
mod error;
mod ignored;
mod job;
mod key;
mod layer;
mod layers;
mod nearest;
mod parse;
mod redact;
mod setting;
mod settings;
mod together;
mod value;
mod values;
mod warning;

#[cfg(test)]
mod layers_test;
#[cfg(test)]
mod settings_test;
#[cfg(test)]
mod together_test;

pub use builder::CheckpointConfigBuilder;
pub use checkpoint::CheckpointConfig;
pub use key::{IgnoredKey, Key, ignored_keys, keys};
pub use layer::Layer;
pub use layers::{ConfigLayers, ResolvedConfig};
pub use settings::{OnSnapshotError, TolerableFailures};
pub use value::{CheckpointingMode, MemorySize, SpaceAmplification, StorageName, StoragePath};
pub use warning::ConfigWarning;
