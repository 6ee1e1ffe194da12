//! What the keys are called, for whoever shows them.

use super::{ignored, settings};

/// A setting as it is documented: its key, its other names, its kind, default and rule.
///
/// Everything that reads, checks or writes settings goes by the table that this is taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// The key.
    pub key: &'static str,
    /// Flink's former keys, the first to count first. They are understood, with a warning.
    pub old_names: Vec<&'static str>,
    /// Keys of other settings that count when this one and its former ones are not there.
    pub fallbacks: Vec<&'static str>,
    /// The setter in Flink, if it has one.
    pub flink_setter: Option<&'static str>,
    /// The setter in PyFlink, if it has one.
    pub pyflink_setter: Option<&'static str>,
    /// The method of [`CheckpointConfigBuilder`](crate::config::CheckpointConfigBuilder).
    pub builder_method: &'static str,
    /// What it is for.
    pub meaning: &'static str,
    /// What kind of value it has.
    pub kind: &'static str,
    /// The value that counts when none is set, as it is written; `none` when that is none.
    pub default: String,
    /// What must hold of the value by itself; empty when each one that can be read is allowed.
    pub rule: String,
    /// What must hold of it together with others; empty when nothing must.
    pub with_others: &'static str,
}

/// A key that is recognised and has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IgnoredKey {
    /// The key; one that ends with a dot stands for all that begin with it.
    pub key: &'static str,
    /// Why it has no effect.
    pub why: &'static str,
}

/// Every setting, topic by topic.
pub fn keys() -> impl Iterator<Item = Key> {
    settings::ALL.iter().map(|setting| setting.describe())
}

/// The keys that are recognised and have no effect.
pub fn ignored_keys() -> impl Iterator<Item = IgnoredKey> {
    ignored::ALL.iter().copied()
}

/// What a setting is called.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) key: &'static str,
    /// In the order in which they count.
    pub(super) others: &'static [OtherName],
    pub(super) flink: Option<&'static str>,
    pub(super) pyflink: Option<&'static str>,
    pub(super) builder: &'static str,
    pub(super) meaning: &'static str,
    pub(super) with_others: &'static str,
}

/// Another key under which a setting is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OtherName {
    /// A former key.
    Old(&'static str),
    /// The key of another setting.
    Fallback(&'static str),
}

impl Names {
    /// Names without a second key, a setter in Flink, or a rule that concerns others.
    pub(super) const fn new(key: &'static str, builder: &'static str, meaning: &'static str) -> Self {
        Self { key, others: &[], flink: None, pyflink: None, builder, meaning, with_others: "" }
    }

    pub(super) fn old_names(&self) -> impl Iterator<Item = &'static str> {
        self.others.iter().filter(|other| matches!(other, OtherName::Old(_))).map(|other| other.key())
    }

    pub(super) fn fallbacks(&self) -> impl Iterator<Item = &'static str> {
        self.others.iter().filter(|other| matches!(other, OtherName::Fallback(_))).map(|other| other.key())
    }
}

impl OtherName {
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Old(key) | Self::Fallback(key) => key,
        }
    }
}

impl Key {
    pub(super) fn new(names: &Names, kind: &'static str, default: String, rule: String) -> Self {
        Self {
            key: names.key,
            old_names: names.old_names().collect(),
            fallbacks: names.fallbacks().collect(),
            flink_setter: names.flink,
            pyflink_setter: names.pyflink,
            builder_method: names.builder,
            meaning: names.meaning,
            kind,
            default,
            rule,
            with_others: names.with_others,
        }
    }
}
