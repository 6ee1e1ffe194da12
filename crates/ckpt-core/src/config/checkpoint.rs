//! The settings of a job's checkpoints.

use std::collections::BTreeMap;
use std::fmt;

use super::builder::CheckpointConfigBuilder;
use super::setting::Setting;
use super::settings;
use super::value::Kind;
use super::values::Values;

/// The settings of a job's checkpoints (Flink's `CheckpointConfig`): each valid by itself and beside the others.
///
/// Made by a [builder](Self::builder), [parsed](Self::parse) from key/value pairs, or resolved from several
/// [layers](crate::config::ConfigLayers). `Debug` shows what differs from the defaults, without secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct CheckpointConfig {
    /// With a value in every slot.
    values: Values,
}

impl CheckpointConfig {
    /// Settings to be made in code.
    pub fn builder() -> CheckpointConfigBuilder {
        CheckpointConfigBuilder::new()
    }

    /// What differs from the defaults, under the keys and in the notation that [`parse`](Self::parse) reads: a
    /// configuration for another process. Paths stand there whole, so show it to nobody.
    pub fn to_pairs(&self) -> BTreeMap<&'static str, String> {
        let changed =
            |key| settings::ALL.iter().any(|setting| setting.names().key == key && setting.is_changed(&self.values));
        let differs = settings::ALL.iter().filter(|setting| {
            let names = setting.names();
            // A default counts where else the value of another setting would.
            changed(names.key) || names.fallbacks().any(changed)
        });
        differs.filter_map(|setting| Some((setting.names().key, setting.written(&self.values)?))).collect()
    }

    /// With the defaults where nothing is set. The values are valid.
    pub(super) fn of(mut values: Values) -> Self {
        for setting in settings::ALL {
            setting.fill(&mut values);
        }
        Self { values }
    }

    pub(super) const fn values(&self) -> &Values {
        &self.values
    }

    pub(super) fn get<T: Kind>(&self, setting: &'static Setting<T>) -> &T {
        setting.of(&self.values)
    }

    /// A number of which a rule says that it is not negative.
    pub(super) fn count(&self, setting: &'static Setting<i64>) -> u32 {
        u32::try_from(*self.get(setting)).unwrap_or_default()
    }

    /// As [`count`](Self::count), for numbers of things in memory.
    pub(super) fn count_of(&self, setting: &'static Setting<i64>) -> usize {
        usize::try_from(*self.get(setting)).unwrap_or_default()
    }
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        Self::of(Values::default())
    }
}

impl fmt::Debug for CheckpointConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CheckpointConfig").field(&self.values).finish()
    }
}
