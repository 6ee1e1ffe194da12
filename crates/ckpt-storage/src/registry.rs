//! The storages that an embedder adds.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ckpt_core::Result;

use crate::config::CustomStorage;
use crate::error::StorageError;
use crate::view::CheckpointStorage;

/// The storages that an embedder adds, by the names under which a configuration asks for them.
///
/// It is a value, not a global: two parts of a process may have different ones. `examples/own_storage.rs` is a storage of
/// one's own, registered and used.
#[derive(Clone, Default)]
pub struct StorageRegistry {
    constructors: BTreeMap<String, Constructor>,
}

type Constructor = Arc<dyn Fn(&CustomStorage) -> Result<Arc<dyn CheckpointStorage>> + Send + Sync>;

/// The names that are taken by the storages of this crate, in any case.
const BUILT_IN: [&str; 2] = ["jobmanager", "filesystem"];

impl StorageRegistry {
    /// One with the storages of this crate alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a storage. The constructor is given what the configuration says of it.
    ///
    /// # Errors
    ///
    /// `Configuration` when the name is empty, taken, or that of a storage of this crate.
    pub fn register(
        &mut self,
        name: impl Into<String>,
        constructor: impl Fn(&CustomStorage) -> Result<Arc<dyn CheckpointStorage>> + Send + Sync + 'static,
    ) -> Result<()> {
        let name = name.into();
        if name.trim().is_empty() {
            return Err(StorageError::StorageUnnamed.configuration());
        }
        let built_in = BUILT_IN.iter().any(|taken| taken.eq_ignore_ascii_case(&name));
        if built_in || self.constructors.contains_key(&name) {
            return Err(StorageError::StorageTaken { name }.configuration());
        }
        self.constructors.insert(name, Arc::new(constructor));
        Ok(())
    }

    /// The names that a configuration may have, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        BUILT_IN.into_iter().chain(self.constructors.keys().map(String::as_str))
    }

    /// Makes the storage of that name.
    pub(crate) fn build(&self, storage: &CustomStorage) -> Result<Arc<dyn CheckpointStorage>> {
        let name = storage.name.clone();
        let Some(constructor) = self.constructors.get(&name) else {
            let registered = self.names().collect::<Vec<_>>().join(", ");
            return Err(StorageError::UnknownStorage { name, registered }.configuration());
        };
        constructor(storage).map_err(|source| {
            let kind = source.kind();
            StorageError::StorageNotMade { name, source }.kind(kind)
        })
    }
}

impl fmt::Debug for StorageRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}
