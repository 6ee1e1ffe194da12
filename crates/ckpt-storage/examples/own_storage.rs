//! A storage of one's own, registered by its name.
//!
//! This one has a directory for each tenant of a service, and keeps a record of what was deleted. It builds its views from
//! those of the file storage and answers for itself where it differs; what each method must promise stands at the traits,
//! and the contract suite (feature `testing`) tells whether it does:
//!
//! ```text
//! cargo run -p ckpt-storage --features testing --example own_storage
//! ```

use std::sync::{Arc, Mutex, PoisonError};

use ckpt_core::config::CheckpointConfig;
use ckpt_core::head::{AbandonedSavepoint, Head, ReleasedClaim, RemovedSnapshot, RetainedSnapshot, TaskOwnedFiles};
use ckpt_core::id::{JobId, Writer};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::shared::{EndedWriters, RemovedFiles};
use ckpt_core::snapshot::CheckpointIdentity;
use ckpt_core::uri::Uri;
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_storage::testing::{StorageUnderTest, check_storage};
use ckpt_storage::{
    AbandonedOutcome, CheckpointStorage, CompletedLocation, CoordinatorView, CustomStorage, FileSystemStorage,
    HeadStore, InitializedSavepoint, Location, StorageConfig, StorageContext, StorageRegistry, WorkerView,
};
use ckpt_streams::file_system::FileSystems;
use ckpt_streams::{Pool, PoolOptions};

/// What was deleted, for whoever has to answer for it.
type Audit = Arc<Mutex<Vec<String>>>;

#[derive(Debug)]
struct TenantStorage {
    files: FileSystemStorage,
    audit: Audit,
}

#[derive(Debug)]
struct AuditedView {
    files: Arc<dyn CoordinatorView>,
    audit: Audit,
}

impl TenantStorage {
    /// The storage that a configuration asks for: it says the tenant.
    fn of(custom: &CustomStorage, root: &str, audit: Audit) -> Result<Self> {
        let missing = || Error::new(ErrorKind::Configuration, "the option 'tenant' is missing, expected a name");
        let tenant = custom.options.get("tenant").ok_or_else(missing)?;
        if tenant.is_empty() || !tenant.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let message = "the option 'tenant' is no name, expected letters and digits";
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        Ok(Self { files: FileSystemStorage::new(format!("{root}/{tenant}")), audit })
    }
}

impl CheckpointStorage for TenantStorage {
    fn coordinator_view(&self, job: JobId, context: &StorageContext) -> Result<Arc<dyn CoordinatorView>> {
        let files = self.files.coordinator_view(job, context)?;
        Ok(Arc::new(AuditedView { files, audit: Arc::clone(&self.audit) }))
    }

    fn worker_view(&self, job: JobId, writer: Writer, context: &StorageContext) -> Result<Arc<dyn WorkerView>> {
        self.files.worker_view(job, writer, context)
    }

    fn resolve(&self, pointer: &str, context: &StorageContext) -> Result<CompletedLocation> {
        self.files.resolve(pointer, context)
    }
}

impl CoordinatorView for AuditedView {
    fn supports_high_availability(&self) -> bool {
        self.files.supports_high_availability()
    }

    fn has_default_savepoint_location(&self) -> bool {
        self.files.has_default_savepoint_location()
    }

    fn pointer(&self, snapshot: &RetainedSnapshot) -> String {
        self.files.pointer(snapshot)
    }

    fn initialize_base_locations(&self) -> Result<()> {
        self.files.initialize_base_locations()
    }

    fn initialize_checkpoint(&self, identity: &CheckpointIdentity) -> Result<Arc<dyn Location>> {
        self.files.initialize_checkpoint(identity)
    }

    fn name_savepoint(&self, identity: &CheckpointIdentity, target: Option<&str>) -> Result<Uri> {
        self.files.name_savepoint(identity, target)
    }

    fn initialize_savepoint(&self, identity: &CheckpointIdentity, uri: &Uri) -> Result<InitializedSavepoint> {
        self.files.initialize_savepoint(identity, uri)
    }

    fn remove_abandoned(&self, savepoint: &AbandonedSavepoint) -> Result<AbandonedOutcome> {
        self.files.remove_abandoned(savepoint)
    }

    fn head(&self) -> Arc<dyn HeadStore> {
        self.files.head()
    }

    fn load(&self, snapshot: &RetainedSnapshot) -> Result<CheckpointMetadata> {
        self.files.load(snapshot)
    }

    fn location_of(&self, snapshot: &RetainedSnapshot, metadata: Arc<CheckpointMetadata>) -> CompletedLocation {
        self.files.location_of(snapshot, metadata)
    }

    fn remove(&self, removed: &RemovedSnapshot, files: &RemovedFiles) -> Result<()> {
        self.files.remove(removed, files)?;
        let record = format!("deleted {}", self.files.pointer(removed.snapshot()));
        self.audit.lock().unwrap_or_else(PoisonError::into_inner).push(record);
        Ok(())
    }

    fn release_claim(&self, released: &ReleasedClaim) -> Result<()> {
        self.files.release_claim(released)
    }

    fn remove_files(&self, files: &RemovedFiles) -> Result<()> {
        self.files.remove_files(files)
    }

    fn collect_ended(&self, ended: &EndedWriters) -> Result<u64> {
        self.files.collect_ended(ended)
    }

    fn remove_task_owned(&self, files: &TaskOwnedFiles) -> Result<u64> {
        self.files.remove_task_owned(files)
    }

    fn collect_orphans(&self, claimed: &Head, retained: &[Arc<CheckpointMetadata>]) -> Result<u64> {
        self.files.collect_orphans(claimed, retained)
    }
}

/// Has a configuration ask for it, checks that it keeps the contract, and returns what it recorded meanwhile.
fn checked() -> Result<Vec<String>> {
    let failed = |error: std::io::Error| Error::new(ErrorKind::FailJob, error);
    let root = std::env::temp_dir().join(format!("own-storage-{}", std::process::id()));
    let context = StorageContext::new(Arc::new(FileSystems::local()), Arc::new(Pool::new(PoolOptions::default())?));
    let audit = Audit::default();

    let mut registry = StorageRegistry::new();
    let (of, to) = (root.to_string_lossy().into_owned(), Arc::clone(&audit));
    registry.register("tenants", move |custom| Ok(Arc::new(TenantStorage::of(custom, &of, Arc::clone(&to))?)))?;

    // It travels as data; each process makes its own of it.
    let config = CheckpointConfig::parse([("execution.checkpointing.storage", "tenants")])?.config;
    let StorageConfig::Custom(named) = StorageConfig::load(None, &config)? else {
        return Err(Error::new(ErrorKind::FailJob, "the configuration names another storage"));
    };
    let mut tenants = 0..;
    let mut open = || {
        let tenant = tenants.next().unwrap_or(0).to_string();
        let storage = StorageConfig::Custom(named.clone().with_option("tenant", tenant)).build(&registry);
        StorageUnderTest::new(storage.expect("the storage is registered"), context.clone())
            .with_savepoint_target(root.join("savepoints").to_string_lossy())
            .with_cheap_copies()
    };
    check_storage(&mut open);

    std::fs::remove_dir_all(&root).map_err(failed)?;
    let audit = audit.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(audit.clone())
}

fn main() -> Result<()> {
    let audit = checked()?;
    println!("the contract of storages is kept; {} checkpoints were deleted meanwhile, the first:", audit.len());
    println!("{}", audit.first().map_or("", String::as_str));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_the_contract_and_its_record() {
        let audit = checked().unwrap();
        assert!(!audit.is_empty() && audit.iter().all(|record| record.contains("/chk-")), "{audit:?}");
    }

    #[test]
    fn a_tenant_stays_below_the_root() {
        for tenant in ["", "..", "a/b"] {
            let custom = CustomStorage::new("tenants").with_option("tenant", tenant);
            let error = TenantStorage::of(&custom, "/root", Audit::default()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{tenant}");
        }
    }
}
