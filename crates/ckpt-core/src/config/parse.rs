//! Configuration from key/value pairs.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::{ConfigError, Unreadable, shown};
use super::key::{self, Key};
use super::{CheckpointConfig, ConfigWarning, duration};
use crate::error::Result;

/// A configuration that was parsed, and what should be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParsedConfig {
    /// The configuration.
    pub config: CheckpointConfig,
    /// What was accepted and should be looked at, in the order of the keys.
    pub warnings: Vec<ConfigWarning>,
}

impl CheckpointConfig {
    /// Reads the settings of checkpointing among `pairs` and leaves all other keys alone. Durations are written as in
    /// Flink: `10 min`, or a number of milliseconds.
    ///
    /// # Errors
    ///
    /// `Configuration`, naming key, value, rule and remedy, for a value that cannot be read or is not allowed, and for a
    /// key that stands there twice.
    pub fn parse<K: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (K, V)>) -> Result<ParsedConfig> {
        let mut found = BTreeMap::new();
        for (key, value) in pairs {
            let (key, value) = (key.as_ref(), value.as_ref().trim());
            let ours = key.starts_with(key::PREFIX) || key::ALL.iter().any(|known| known.old_names.contains(&key));
            if !ours {
                continue;
            }
            if let Some(first) = found.insert(key.to_owned(), value.to_owned()) {
                return Err(ConfigError::Twice { key: shown(key), first: shown(&first), second: shown(value) }.into());
            }
        }
        Pairs { found, warnings: Vec::new() }.into_config()
    }
}

/// The pairs that are not read yet.
struct Pairs {
    found: BTreeMap<String, String>,
    warnings: Vec<ConfigWarning>,
}

impl Pairs {
    fn into_config(mut self) -> Result<ParsedConfig> {
        let mut config = CheckpointConfig::default();
        if let Some(interval) = self.take_duration(&key::INTERVAL)? {
            config = config.with_interval(interval)?;
        }
        if let Some(timeout) = self.take_duration(&key::TIMEOUT)? {
            config = config.with_timeout(timeout)?;
        }
        if let Some(min_pause) = self.take_duration(&key::MIN_PAUSE)? {
            config = config.with_min_pause(min_pause);
        }
        if let Some(max_concurrent) = self.take_integer(&key::MAX_CONCURRENT)? {
            let Ok(max_concurrent) = u32::try_from(max_concurrent) else {
                return Err(ConfigError::Rule {
                    key: key::MAX_CONCURRENT.name,
                    value: max_concurrent.to_string(),
                    rule: "it must be from 1 to 2147483647",
                    remedy: "write 1, or leave it away for 1",
                }
                .into());
            };
            config = config.with_max_concurrent(max_concurrent)?;
        }
        if let Some(num_retained) = self.take_integer(&key::NUM_RETAINED)? {
            let taken = usize::try_from(num_retained).unwrap_or(0).max(1);
            if i64::try_from(taken) != Ok(num_retained) {
                self.warnings.push(ConfigWarning::Replaced {
                    key: key::NUM_RETAINED.name,
                    found: num_retained.to_string(),
                    taken: taken.to_string(),
                    rule: "at least one checkpoint is kept",
                });
            }
            config = config.with_num_retained(taken)?;
        }
        self.warnings.extend(self.found.into_keys().map(|key| ConfigWarning::NoEffect { key }));
        Ok(ParsedConfig { config, warnings: self.warnings })
    }

    /// Takes out a setting: the value under its key, else under the newest former key.
    fn take(&mut self, key: &'static Key) -> Option<String> {
        let mut taken = self.found.remove(key.name);
        for &old in key.old_names {
            let Some(value) = self.found.remove(old) else { continue };
            if taken.is_some() {
                self.warnings.push(ConfigWarning::Overridden { found: old, key: key.name });
            } else {
                self.warnings.push(ConfigWarning::OldName { found: old, key: key.name });
                taken = Some(value);
            }
        }
        taken
    }

    fn take_duration(&mut self, key: &'static Key) -> Result<Option<Duration>> {
        let Some(text) = self.take(key) else { return Ok(None) };
        let unreadable = |why| ConfigError::Unreadable {
            key: key.name,
            value: shown(&text),
            why,
            remedy: "write a whole number and a unit of d, h, min, s, ms, µs or ns",
        };
        Ok(Some(duration::parse(&text).map_err(unreadable)?))
    }

    fn take_integer(&mut self, key: &'static Key) -> Result<Option<i64>> {
        let Some(text) = self.take(key) else { return Ok(None) };
        // Flink's are 32 bits wide: what is refused there is refused here.
        let unreadable = |_| ConfigError::Unreadable {
            key: key.name,
            value: shown(&text),
            why: Unreadable::NotInteger,
            remedy: "write a whole number of at most 2147483647",
        };
        Ok(Some(i64::from(text.parse::<i32>().map_err(unreadable)?)))
    }
}

#[cfg(test)]
#[path = "parse_test.rs"]
mod parse_test;
