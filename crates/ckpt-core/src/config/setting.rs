//! What a setting is: its names, its kind, its default, its rules, and where its value is kept.

use std::borrow::Cow;

use super::error::{ConfigError, shown};
use super::key::{Key, Names};
use super::layer::Layer;
use super::value::{Kind, Unreadable};
use super::values::Values;
use super::warning::ConfigWarning;

/// A setting of that kind. Everything that reads, checks, writes or describes settings goes by these.
pub(super) struct Setting<T: 'static> {
    pub(super) names: Names,
    pub(super) default: T,
    pub(super) rules: &'static [Rule<T>],
    pub(super) slot: Slot<T>,
}

/// What must hold of a value by itself.
pub(super) struct Rule<T: 'static> {
    /// To follow "it must be".
    pub(super) must_be: &'static str,
    pub(super) holds: fn(&T) -> bool,
    /// What to write instead.
    pub(super) remedy: &'static str,
    pub(super) otherwise: Otherwise<T>,
}

/// What becomes of a value of which a rule does not hold.
pub(super) enum Otherwise<T> {
    Refuse,
    /// Another is taken in its place, with a warning.
    Take(T),
}

/// Where the value is kept; `None` when it was not set.
pub(super) struct Slot<T: 'static> {
    pub(super) get: fn(&Values) -> &Option<T>,
    pub(super) get_mut: fn(&mut Values) -> &mut Option<T>,
}

/// The place of a value among all [`Values`].
macro_rules! slot {
    ($field:ident) => {
        $crate::config::setting::Slot { get: |values| &values.$field, get_mut: |values| &mut values.$field }
    };
}
pub(super) use slot;

/// A setting, whatever its kind.
pub(super) trait AnySetting: Sync {
    fn names(&self) -> &Names;

    fn describe(&self) -> Key;

    /// Reads a value, unchecked.
    fn read(&self, text: &str, into: &mut Values) -> Result<(), Unreadable>;

    /// How to write a value that could not be read.
    fn notation(&self) -> &'static str;

    /// Checks a value that is set by what must hold of it alone, and puts another in its place where a rule says so.
    fn check(&self, values: &mut Values, layer: Layer) -> Result<Option<ConfigWarning>, ConfigError>;

    /// Takes the value over when there is none yet. Says whether it did.
    fn take_over(&self, into: &mut Values, from: &Values) -> bool;

    /// Puts the default where no value is.
    fn fill(&self, values: &mut Values);

    /// Whether the value is set and another than the default.
    fn is_changed(&self, values: &Values) -> bool;

    /// The value as it is written; secrets included.
    fn written(&self, values: &Values) -> Option<String>;

    /// The value as it is shown in messages.
    fn shown(&self, values: &Values) -> String {
        self.written(values).map_or_else(|| "none".to_owned(), |value| shown(&value))
    }
}

impl<T: Kind> Setting<T> {
    /// The value, or the default.
    pub(super) fn of<'a>(&'static self, values: &'a Values) -> &'a T {
        (self.slot.get)(values).as_ref().unwrap_or(&self.default)
    }

    pub(super) fn set(&self, values: &mut Values, value: T) {
        *(self.slot.get_mut)(values) = Some(value);
    }
}

impl<T: Kind> AnySetting for Setting<T> {
    fn names(&self) -> &Names {
        &self.names
    }

    fn describe(&self) -> Key {
        let default = self.default.write().unwrap_or_else(|| "none".to_owned());
        let rules = self.rules.iter().map(|rule| match rule.otherwise {
            Otherwise::Refuse => Cow::Borrowed(rule.must_be),
            Otherwise::Take(ref taken) => {
                format!("{}, else {} with a warning", rule.must_be, taken.write().unwrap_or_default()).into()
            }
        });
        Key::new(&self.names, T::TYPE, default, rules.collect::<Vec<_>>().join("; "))
    }

    fn read(&self, text: &str, into: &mut Values) -> Result<(), Unreadable> {
        let value = T::read(text)?;
        value.fits()?;
        self.set(into, value);
        Ok(())
    }

    fn notation(&self) -> &'static str {
        T::REMEDY
    }

    fn check(&self, values: &mut Values, layer: Layer) -> Result<Option<ConfigWarning>, ConfigError> {
        let slot = (self.slot.get_mut)(values);
        let Some(value) = slot else { return Ok(None) };
        let (key, found) = (self.names.key, shown(&value.write().unwrap_or_default()));
        if let Err(why) = value.fits() {
            return Err(ConfigError::Unreadable { key, value: found, layer, why, remedy: T::REMEDY });
        }
        let Some(broken) = self.rules.iter().find(|rule| !(rule.holds)(value)) else { return Ok(None) };
        let rule = broken.must_be;
        match &broken.otherwise {
            Otherwise::Refuse => Err(ConfigError::Rule { key, value: found, layer, rule, remedy: broken.remedy }),
            Otherwise::Take(other) => {
                let taken = other.write().unwrap_or_default();
                *slot = Some(other.clone());
                Ok(Some(ConfigWarning::Replaced { key, found, taken, rule, layer }))
            }
        }
    }

    fn take_over(&self, into: &mut Values, from: &Values) -> bool {
        match ((self.slot.get_mut)(into), (self.slot.get)(from)) {
            (slot @ None, Some(value)) => {
                *slot = Some(value.clone());
                true
            }
            _ => false,
        }
    }

    fn fill(&self, values: &mut Values) {
        (self.slot.get_mut)(values).get_or_insert_with(|| self.default.clone());
    }

    fn is_changed(&self, values: &Values) -> bool {
        (self.slot.get)(values).as_ref().is_some_and(|value| *value != self.default)
    }

    fn written(&self, values: &Values) -> Option<String> {
        (self.slot.get)(values).as_ref().and_then(T::write)
    }
}
