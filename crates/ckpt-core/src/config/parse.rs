//! Settings from key/value pairs.

use std::collections::{BTreeMap, BTreeSet};

use super::checkpoint::CheckpointConfig;
use super::error::{ConfigError, shown};
use super::key::OtherName;
use super::layer::Layer;
use super::layers::{ConfigLayers, ResolvedConfig};
use super::setting::AnySetting;
use super::value::trim;
use super::values::Values;
use super::warning::ConfigWarning;
use super::{ignored, nearest, settings};
use crate::error::Result;

/// Every key that begins with one of these, in any case, is expected to be known here.
const PREFIXES: [&str; 4] = ["execution.checkpointing.", "execution.state-recovery.", "execution.savepoint", "state."];

/// Settings that were read from pairs, and what should be looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ReadSettings {
    pub(super) values: Values,
    pub(super) warnings: Vec<ConfigWarning>,
}

impl CheckpointConfig {
    /// Reads the settings of checkpointing among the pairs of a job's configuration and leaves all other keys alone.
    /// Values are written as in Flink: `10 min`, `20 kb`, and a duration without a unit counts milliseconds.
    ///
    /// ```
    /// use ckpt_core::config::CheckpointConfig;
    ///
    /// let parsed = CheckpointConfig::parse([
    ///     ("execution.checkpointing.interval", "1 min"),
    ///     ("state.checkpoints.num-retained", "3"),
    ///     ("parallelism.default", "4"),
    /// ])?;
    /// assert_eq!(parsed.config.num_retained(), 3);
    /// assert_eq!(
    ///     parsed.warnings[0].to_string(),
    ///     "state.checkpoints.num-retained in the job's configuration is an old name: write \
    ///      execution.checkpointing.num-retained"
    /// );
    /// # Ok::<(), ckpt_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Configuration`, naming key, value, rule and remedy, for a value that cannot be read or is not allowed, and for a
    /// key that stands there twice.
    pub fn parse<K: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (K, V)>) -> Result<ResolvedConfig> {
        ConfigLayers::new().with_job(pairs)?.resolve()
    }
}

/// Reads the settings among the pairs, unchecked.
pub(super) fn read<K: AsRef<str>, V: AsRef<str>>(
    pairs: impl IntoIterator<Item = (K, V)>,
    layer: Layer,
) -> Result<ReadSettings, ConfigError> {
    let mut found = BTreeMap::new();
    for (key, value) in pairs {
        let (key, value) = (trim(key.as_ref()), trim(value.as_ref()));
        if !concerns_us(key) {
            continue;
        }
        if let Some(first) = found.insert(key.to_owned(), value.to_owned()) {
            return Err(ConfigError::Twice { key: shown(key), first: shown(&first), second: shown(value), layer });
        }
    }
    let mut read = ReadSettings::default();
    let mut known = BTreeSet::new();
    for &setting in settings::ALL {
        read.take(setting, &found, &mut known, layer)?;
    }
    for key in found.into_keys().filter(|key| !known.contains(key.as_str())) {
        read.warnings.push(match ignored::why(&key) {
            Some(why) => ConfigWarning::Ignored { key: shown(&key), layer, why },
            None => ConfigWarning::Unknown { key: shown(&key), layer, nearest: nearest::to(&key) },
        });
    }
    Ok(read)
}

fn concerns_us(key: &str) -> bool {
    let begins = |prefix: &&str| key.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    PREFIXES.iter().any(begins)
        || ignored::why(key).is_some()
        || settings::ALL.iter().any(|setting| {
            let names = setting.names();
            names.key == key || names.others.iter().any(|other| other.key() == key)
        })
        || nearest::is_slip(key)
}

impl ReadSettings {
    /// Reads a setting: the value under its key, else under the first of its other names.
    fn take(
        &mut self,
        setting: &'static dyn AnySetting,
        found: &BTreeMap<String, String>,
        known: &mut BTreeSet<&'static str>,
        layer: Layer,
    ) -> Result<(), ConfigError> {
        let names = setting.names();
        let mut taken = found.get(names.key).map(|value| (names.key, value));
        let mut first = taken.map(|(key, _)| key);
        known.insert(names.key);
        for other in names.others {
            let key = other.key();
            let Some(value) = found.get(key) else { continue };
            known.insert(key);
            match (other, first) {
                (OtherName::Old(_), Some(first)) => {
                    self.warnings.push(ConfigWarning::Overridden { found: key, key: first, layer });
                }
                (OtherName::Old(_), None) => {
                    self.warnings.push(ConfigWarning::OldName { found: key, key: names.key, layer });
                    taken = Some((key, value));
                }
                // The value of another setting, which is taken where no layer has one of this.
                (OtherName::Fallback(_), _) => {}
            }
            first = first.or(Some(key));
        }
        let Some((key, text)) = taken else { return Ok(()) };
        setting.read(text, &mut self.values).map_err(|why| ConfigError::Unreadable {
            key,
            value: shown(text),
            layer,
            why,
            remedy: setting.notation(),
        })
    }
}
