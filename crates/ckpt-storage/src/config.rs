//! Which storage a job has, as data.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ckpt_core::Result;
use ckpt_core::config::{CheckpointConfig, StorageName};
use serde::{Deserialize, Serialize};

use crate::error::StorageError;
use crate::file::FileSystemStorage;
use crate::memory::MemoryStorage;
use crate::registry::StorageRegistry;
use crate::view::CheckpointStorage;

/// Which storage a job has: plain data that travels to every process, where [`build`](Self::build) makes the storage of it.
///
/// ```
/// use ckpt_core::config::CheckpointConfig;
/// use ckpt_storage::{StorageConfig, StorageRegistry};
///
/// let config = CheckpointConfig::builder().checkpoint_dir("/var/lib/ckpt").build()?;
/// let storage = StorageConfig::load(None, &config)?;
/// assert_eq!(storage.to_string(), "file storage in '/var/lib/ckpt'");
/// let storage = storage.build(&StorageRegistry::new())?;
/// # let _ = storage;
/// # Ok::<(), ckpt_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StorageConfig {
    /// State inside acknowledgements and metadata; `jobmanager` in a configuration.
    #[serde(rename = "jobmanager")]
    Memory(MemoryStorage),
    /// State in files; `filesystem` in a configuration.
    #[serde(rename = "filesystem")]
    FileSystem(FileSystemStorage),
    /// A storage of the embedder's, which the [registry](StorageRegistry) knows by its name.
    #[serde(rename = "custom")]
    Custom(CustomStorage),
}

/// A storage of the embedder's, by its name, and what it is to be made with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CustomStorage {
    /// The name under which it is registered.
    pub name: String,
    /// What its constructor is given. They may hold secrets: `Debug` shows their keys alone.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

impl StorageConfig {
    /// The storage that counts: the one of the code, completed from the configuration; without one the storage that the
    /// configuration names; and when it names none, files where it has a directory for checkpoints, else memory.
    ///
    /// # Errors
    ///
    /// Those of [`configured_with`](Self::configured_with).
    pub fn load(of_code: Option<&Self>, config: &CheckpointConfig) -> Result<Self> {
        let named = || match config.storage() {
            StorageName::FileSystem => Ok(Self::FileSystem(FileSystemStorage::without_directory())),
            StorageName::Memory => Ok(Self::Memory(MemoryStorage::new())),
            StorageName::Custom(name) => Ok(Self::Custom(CustomStorage::new(name))),
            other => Err(StorageError::UnknownStorage { name: other.to_string(), registered: String::new() }),
        };
        match of_code {
            Some(storage) => storage.configured_with(config),
            None => named().map_err(StorageError::configuration)?.configured_with(config),
        }
    }

    /// A copy in which what is absent is that of the configuration, and may stay absent. A storage of the embedder's is as it
    /// was: what it takes from a configuration its constructor knows.
    ///
    /// # Errors
    ///
    /// `Configuration` when the outcome is [not valid](FileSystemStorage::validate).
    pub fn configured_with(&self, config: &CheckpointConfig) -> Result<Self> {
        Ok(match self {
            Self::Memory(storage) => Self::Memory(storage.configured_with(config)?),
            Self::FileSystem(storage) => Self::FileSystem(storage.configured_with(config)?),
            Self::Custom(storage) => Self::Custom(storage.clone()),
        })
    }

    /// The storage itself.
    ///
    /// # Errors
    ///
    /// `Configuration` when it is not valid, when no storage of that name is registered (the message lists those that are),
    /// or when the constructor of the embedder's says so; its errors keep their kind.
    pub fn build(&self, registry: &StorageRegistry) -> Result<Arc<dyn CheckpointStorage>> {
        match self {
            Self::Memory(storage) => storage.validate().map(|()| Arc::new(storage.clone()) as _),
            Self::FileSystem(storage) => storage.validate().map(|()| Arc::new(storage.clone()) as _),
            Self::Custom(storage) => registry.build(storage),
        }
    }
}

impl CustomStorage {
    /// The storage of that name, made with no options.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), options: BTreeMap::new() }
    }

    /// Gives its constructor this option too.
    #[must_use]
    pub fn with_option(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.insert(key.into(), value.into());
        self
    }
}

impl fmt::Display for StorageConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(storage) => storage.fmt(f),
            Self::FileSystem(storage) => storage.fmt(f),
            Self::Custom(storage) => write!(f, "storage '{}'", storage.name.escape_debug()),
        }
    }
}

impl fmt::Debug for CustomStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.options.keys().collect();
        f.debug_struct("CustomStorage").field("name", &self.name).field("options", &keys).finish()
    }
}

#[cfg(test)]
#[path = "config_test.rs"]
mod config_test;
