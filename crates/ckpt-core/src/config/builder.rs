//! Settings made in code.

use super::checkpoint::CheckpointConfig;
use super::error::ConfigError;
use super::layers::ConfigLayers;
use super::setting::Setting;
use super::value::Kind;
use super::values::Values;
use crate::error::Result;

/// Settings made in code. What is not set has the value of another [layer](crate::config::Layer), or its default.
///
/// ```
/// # use std::time::Duration;
/// # use ckpt_core::config::CheckpointConfig;
/// let config = CheckpointConfig::builder().interval(Duration::from_millis(100)).num_retained(3).build()?;
/// assert_eq!(config.timeout(), Duration::from_secs(600));
///
/// let error = CheckpointConfig::builder().interval(Duration::from_millis(9)).build().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "execution.checkpointing.interval = '9 ms' in code is refused: it must be 10 ms or longer; write 10 ms or more, \
///      or leave it away for no periodic checkpoints"
/// );
/// # Ok::<(), ckpt_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "nothing is configured before it is built"]
pub struct CheckpointConfigBuilder {
    values: Values,
}

impl CheckpointConfigBuilder {
    /// Nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The configuration of these settings alone.
    ///
    /// # Errors
    ///
    /// `Configuration`, naming key, value, rule and remedy, for a value that is not allowed, or not together with
    /// another. What would be a [warning](crate::config::ConfigWarning) when it came from outside is refused as well:
    /// whoever can mend it is reading the error. [`ConfigLayers`] gives it as a warning.
    pub fn build(self) -> Result<CheckpointConfig> {
        let mut resolved = ConfigLayers::new().with_code(self).resolve()?;
        if resolved.warnings.is_empty() {
            return Ok(resolved.config);
        }
        Err(ConfigError::Warned(resolved.warnings.swap_remove(0)).into())
    }

    pub(super) fn with<T: Kind>(mut self, setting: &'static Setting<T>, value: T) -> Self {
        setting.set(&mut self.values, value);
        self
    }

    pub(super) fn into_values(self) -> Values {
        self.values
    }
}
