//! Settings from several places made one.

use std::collections::BTreeMap;

use super::builder::CheckpointConfigBuilder;
use super::checkpoint::CheckpointConfig;
use super::layer::Layer;
use super::parse::{self, ReadSettings};
use super::settings;
use super::together;
use super::values::Values;
use super::warning::ConfigWarning;
use crate::error::Result;

/// Settings from code, the job's configuration and the cluster's, of which the first that has a value counts.
///
/// It is the setting that counts, not the key: an old key in the job's configuration counts before the new one in the
/// cluster's. Each layer must be valid by itself, also where another counts before it.
///
/// ```
/// # use std::time::Duration;
/// # use ckpt_core::config::{CheckpointConfig, ConfigLayers, Layer};
/// let resolved = ConfigLayers::new()
///     .with_code(CheckpointConfig::builder().num_retained(3))
///     .with_job([("execution.checkpointing.interval", "1 min")])?
///     .with_cluster([("execution.checkpointing.interval", "5 min"), ("execution.checkpointing.timeout", "1 min")])?
///     .resolve()?;
/// assert_eq!(resolved.config.interval(), Some(Duration::from_secs(60)));
/// assert_eq!(resolved.origin("execution.checkpointing.timeout"), Some(Layer::Cluster));
/// # Ok::<(), ckpt_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "nothing is configured before it is resolved"]
pub struct ConfigLayers {
    layers: BTreeMap<Layer, ReadSettings>,
}

/// A configuration, what should be looked at, and where each value is from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResolvedConfig {
    /// The configuration.
    pub config: CheckpointConfig,
    /// What was accepted and should be looked at: layer by layer, then what one setting does to another.
    pub warnings: Vec<ConfigWarning>,
    origins: BTreeMap<&'static str, Layer>,
}

impl ConfigLayers {
    /// Nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// With what is set in code, in the place of what was there.
    pub fn with_code(mut self, builder: CheckpointConfigBuilder) -> Self {
        let read = ReadSettings { values: builder.into_values(), warnings: Vec::new() };
        self.layers.insert(Layer::Code, read);
        self
    }

    /// With the job's configuration, in the place of what was there.
    ///
    /// # Errors
    ///
    /// `Configuration`, naming key, value and remedy, for a value that cannot be read or a key that stands there twice.
    pub fn with_job<K: AsRef<str>, V: AsRef<str>>(self, pairs: impl IntoIterator<Item = (K, V)>) -> Result<Self> {
        self.with_pairs(pairs, Layer::Job)
    }

    /// With the cluster's configuration, in the place of what was there.
    ///
    /// # Errors
    ///
    /// As [`with_job`](Self::with_job).
    pub fn with_cluster<K: AsRef<str>, V: AsRef<str>>(self, pairs: impl IntoIterator<Item = (K, V)>) -> Result<Self> {
        self.with_pairs(pairs, Layer::Cluster)
    }

    /// The configuration that counts.
    ///
    /// # Errors
    ///
    /// `Configuration`, naming key, value, layer, rule and remedy, for a value that is not allowed, or not together with
    /// another.
    pub fn resolve(self) -> Result<ResolvedConfig> {
        let (mut values, mut warnings, mut origins) = (Values::default(), Vec::new(), BTreeMap::new());
        for (layer, mut read) in self.layers {
            for setting in settings::ALL {
                read.warnings.extend(setting.check(&mut read.values, layer)?);
                if setting.take_over(&mut values, &read.values) {
                    origins.insert(setting.names().key, layer);
                }
            }
            warnings.append(&mut read.warnings);
        }
        let config = together::check(values, &origins, &mut warnings)?;
        Ok(ResolvedConfig { config, warnings, origins })
    }

    fn with_pairs<K: AsRef<str>, V: AsRef<str>>(
        mut self,
        pairs: impl IntoIterator<Item = (K, V)>,
        layer: Layer,
    ) -> Result<Self> {
        self.layers.insert(layer, parse::read(pairs, layer)?);
        Ok(self)
    }
}

impl ResolvedConfig {
    /// Where the value of the setting with that key is from; `None` when it is the default or there is no such setting.
    pub fn origin(&self, key: &str) -> Option<Layer> {
        self.origins.get(key).copied()
    }
}
