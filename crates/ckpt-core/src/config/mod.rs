//! Configuration of checkpointing: Flink's keys, defaults and rules.
//!
//! A [`CheckpointConfig`] comes from a [builder](CheckpointConfig::builder) in code, from the key/value pairs of an
//! engine's configuration ([`CheckpointConfig::parse`]), or from both: [`ConfigLayers`] puts code before the job's
//! configuration and that before the cluster's. A value that is refused is refused with its key, where it stands, the
//! rule and the remedy; what is accepted though it should be looked at comes as a [`ConfigWarning`]. Nothing is dropped
//! silently: misspelled, former and meaningless keys are warnings too.
//!
//! [`keys`] lists every setting with its names, kind, default and rule; `docs/configuration.md` is written from it.
//! The documentation of each [setter](CheckpointConfigBuilder) names its key.
//!
//! Once the job is known, [`CheckpointConfig::validate`] compares both:
//!
//! ```
//! use ckpt_core::ErrorKind;
//! use ckpt_core::config::CheckpointConfig;
//! use ckpt_core::graph::{Edge, JobGraph, Vertex};
//! use ckpt_core::id::VertexId;
//! use ckpt_core::key_group::MaxParallelism;
//!
//! let [words, counts] = [VertexId::new([1; 16]), VertexId::new([2; 16])];
//! let max = MaxParallelism::new(128)?;
//! let vertices = vec![Vertex::single(words, "words", 2, max), Vertex::single(counts, "counts", 2, max)];
//! let graph = JobGraph::new(vertices, vec![Edge::custom(words, counts)])?;
//!
//! let pairs = [("execution.checkpointing.interval", "1 s"), ("execution.checkpointing.unaligned.enabled", "true")];
//! let error = CheckpointConfig::parse(pairs)?.config.validate(&graph).unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Configuration);
//! assert_eq!(
//!     error.to_string(),
//!     "execution.checkpointing.unaligned.enabled = 'true' is refused for this job: the connection from 'words' to \
//!      'counts' has a custom partitioner, and records in flight on it cannot be handed to other subtasks; turn \
//!      unaligned checkpoints off, or set execution.checkpointing.unaligned.forced at your own risk"
//! );
//! # Ok::<(), ckpt_core::Error>(())
//! ```

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
pub use value::{CheckpointingMode, MemorySize, SpaceAmplification, StorageName};
pub use warning::ConfigWarning;
