//! What a job says of one of its states.

use std::collections::BTreeSet;

use super::error::DescriptorError;
use crate::descriptor::{Compatibility, Incompatibility, StateDescriptor};
use crate::error::Result;

/// What a job says of one of its states: what it is now, and which older versions it can still read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDeclaration {
    descriptor: StateDescriptor,
    migrates_from: BTreeSet<u32>,
}

impl StateDeclaration {
    /// A state of which no older version can be read.
    pub const fn new(descriptor: StateDescriptor) -> Self {
        Self { descriptor, migrates_from: BTreeSet::new() }
    }

    /// The same, with a migration from that version.
    ///
    /// # Errors
    ///
    /// `Configuration` when the version is not older than the declared one.
    pub fn with_migration_from(mut self, version: u32) -> Result<Self> {
        if version >= self.descriptor.version() {
            let (name, declared) = (self.descriptor.name().into(), self.descriptor.version());
            return Err(DescriptorError::Migration { name, declared, found: version }.into());
        }
        self.migrates_from.insert(version);
        Ok(self)
    }

    /// What the state is now.
    pub const fn descriptor(&self) -> &StateDescriptor {
        &self.descriptor
    }

    /// Whether what was stored under the same name can be read, by the [rules](crate::descriptor).
    pub fn compatibility_with(&self, stored: &StateDescriptor) -> Compatibility {
        let declared = &self.descriptor;
        let (version, declared_version) = (stored.version(), declared.version());
        let name = || Box::from(declared.name());
        let reason = if stored.name() != declared.name() {
            Incompatibility::Name { declared: name(), stored: stored.name().into() }
        } else if stored.kind() != declared.kind() {
            Incompatibility::Kind { name: name(), declared: declared.kind(), stored: stored.kind() }
        } else if stored.codec() != declared.codec() {
            let (declared, stored) = (declared.codec().clone(), stored.codec().clone());
            Incompatibility::Codec { name: name(), declared, stored }
        } else if version > declared_version {
            Incompatibility::Newer { name: name(), declared: declared_version, stored: version }
        } else if version < declared_version {
            if self.migrates_from.contains(&version) {
                return Compatibility::AfterMigration { from: version };
            }
            Incompatibility::NoMigration { name: name(), declared: declared_version, stored: version }
        } else {
            match (declared.fingerprint(), stored.fingerprint()) {
                (Some(declared), Some(stored)) if declared != stored => {
                    Incompatibility::Fingerprint { name: name(), version, declared, stored }
                }
                _ => return Compatibility::AsIs,
            }
        };
        Compatibility::Incompatible(reason)
    }
}

#[cfg(test)]
#[path = "declaration_test.rs"]
mod tests;
