//! Which storage counts, that it travels, and every way in which there is none.

use std::sync::Arc;

use ckpt_core::config::{CheckpointConfig, ConfigLayers};
use ckpt_core::{Error, ErrorKind};

use super::*;
use crate::test_support::MemoryDisk;

const DIRECTORY: &str = "execution.checkpointing.dir";
const SAVEPOINTS: &str = "execution.checkpointing.savepoint-dir";
const STORAGE: &str = "execution.checkpointing.storage";
const THRESHOLD: &str = "execution.checkpointing.data-inline-threshold";
const BUFFER: &str = "execution.checkpointing.write-buffer-size";
const SUBDIRECTORY: &str = "execution.checkpointing.create-subdir";

fn config_of(job: &[(&str, &str)], cluster: &[(&str, &str)]) -> CheckpointConfig {
    let layers = ConfigLayers::new().with_job(job.iter().copied()).unwrap();
    layers.with_cluster(cluster.iter().copied()).unwrap().resolve().unwrap().config
}

fn load(of_code: Option<StorageConfig>, pairs: &[(&str, &str)]) -> StorageConfig {
    StorageConfig::load(of_code.as_ref(), &config_of(pairs, &[])).unwrap()
}

fn files(storage: StorageConfig) -> FileSystemStorage {
    let StorageConfig::FileSystem(storage) = storage else { panic!("{storage}") };
    storage
}

fn memory(storage: StorageConfig) -> MemoryStorage {
    let StorageConfig::Memory(storage) = storage else { panic!("{storage}") };
    storage
}

#[test]
fn with_nothing_configured_state_stays_in_memory() {
    let storage = memory(load(None, &[]));
    assert_eq!(storage, MemoryStorage::new());
    assert_eq!((storage.base_checkpoint_dir(), storage.default_savepoint_dir()), (None, None));
    assert_eq!(storage.max_state_size_bytes(), 5 * 1024 * 1024);
    let storage = memory(load(None, &[(SAVEPOINTS, "/s")]));
    assert_eq!(storage.to_string(), format!("{}, savepoints in '/s'", MemoryStorage::new()));
}

#[test]
fn a_directory_for_checkpoints_means_files() {
    let storage = files(load(None, &[(DIRECTORY, "/a"), (SAVEPOINTS, "/s")]));
    assert_eq!(storage.to_string(), "file storage in '/a', savepoints in '/s'");
    let storage = memory(load(None, &[(DIRECTORY, "/a"), (STORAGE, "JobManager")]));
    assert_eq!(storage.base_checkpoint_dir().unwrap().as_str(), "/a");
}

#[test]
fn file_storage_takes_its_numbers_from_the_configuration() {
    let storage =
        files(load(None, &[(DIRECTORY, "/a"), (THRESHOLD, "7 kb"), (BUFFER, "9000"), (SUBDIRECTORY, "false")]));
    assert_eq!((storage.inline_threshold_bytes(), storage.write_buffer_bytes()), (7 * 1024, 9000));
    assert!(!storage.create_subdir());
    let storage = files(load(None, &[(DIRECTORY, "/a"), (THRESHOLD, "7 kb"), (BUFFER, "1")]));
    assert_eq!(storage.write_buffer_bytes(), 7 * 1024, "never fewer than the threshold");
}

#[test]
fn what_the_code_says_counts_and_what_is_absent_is_filled_in() {
    let of_code = FileSystemStorage::new("/code").with_inline_threshold_bytes(1).with_create_subdir(false);
    let configured = [(DIRECTORY, "/config"), (SAVEPOINTS, "/s"), (THRESHOLD, "7 kb"), (BUFFER, "9000")];
    let storage = files(load(Some(StorageConfig::FileSystem(of_code.clone())), &configured));
    assert_eq!(storage.to_string(), "file storage in '/code', savepoints in '/s'");
    assert_eq!((storage.inline_threshold_bytes(), storage.write_buffer_bytes()), (1, 9000));
    assert!(!storage.create_subdir());
    assert_eq!(of_code.default_savepoint_dir(), None, "it is a copy that is configured");

    let of_code = MemoryStorage::new().with_default_savepoint_dir("/code").with_max_state_size_bytes(17);
    let storage = memory(load(Some(StorageConfig::Memory(of_code)), &configured));
    let said = "memory storage of at most 17 bytes for a piece of state, metadata in '/config', savepoints in '/code'";
    assert_eq!(storage.to_string(), said);

    // The storage of the code counts before one that is named, as does the directory of the job before the cluster's.
    let storage =
        load(Some(StorageConfig::Memory(MemoryStorage::new())), &[(STORAGE, "filesystem"), (DIRECTORY, "/a")]);
    assert_eq!(memory(storage).base_checkpoint_dir().unwrap().as_str(), "/a");
    let config = config_of(&[(DIRECTORY, "/job")], &[(DIRECTORY, "/cluster"), (SAVEPOINTS, "/cluster/s")]);
    let storage = files(StorageConfig::load(None, &config).unwrap());
    assert_eq!(storage.to_string(), "file storage in '/job', savepoints in '/cluster/s'");
}

#[test]
fn what_is_absent_may_stay_absent_until_a_job_is_opened() {
    let storage = files(load(Some(StorageConfig::FileSystem(FileSystemStorage::without_directory())), &[]));
    assert_eq!(storage.to_string(), "file storage without a directory");
    let context = MemoryDisk::default().context();
    let job = ckpt_core::id::JobId::new([1; 16]);
    let writer = ckpt_core::id::Writer::new(ckpt_core::id::LeaderEpoch::new(1), ckpt_core::id::WriterId::new(1));
    let coordinator = storage.coordinator_view(job, &context).expect_err("there is no directory");
    let worker = storage.worker_view(job, writer, &context).expect_err("there is no directory");
    for error in [coordinator, worker] {
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("set 'execution.checkpointing.dir'"), "{error}");
    }
    // Pointers are looked at all the same.
    let error = storage.resolve("/not/there", &context).expect_err("there is nothing");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn an_outcome_that_is_not_valid_is_refused() {
    let config = config_of(&[(DIRECTORY, "/a")], &[]);
    for of_code in [
        StorageConfig::FileSystem(FileSystemStorage::new("relative")),
        StorageConfig::FileSystem(FileSystemStorage::new("/a").with_default_savepoint_dir("s3://b")),
        StorageConfig::FileSystem(FileSystemStorage::new("/a").with_inline_threshold_bytes((1 << 20) + 1)),
        StorageConfig::Memory(MemoryStorage::new().with_base_checkpoint_dir("/")),
        StorageConfig::Memory(MemoryStorage::new().with_default_savepoint_dir("file:a")),
        StorageConfig::Memory(MemoryStorage::new().with_max_state_size_bytes(0)),
    ] {
        for error in [
            StorageConfig::load(Some(&of_code), &config).expect_err("it is not valid"),
            of_code.build(&StorageRegistry::new()).expect_err("it is not valid"),
        ] {
            assert_eq!(error.kind(), ErrorKind::Configuration, "{of_code}: {error}");
        }
    }
}

#[test]
fn a_storage_of_the_embedder_is_found_by_its_name() {
    let mut registry = StorageRegistry::new();
    let made = |custom: &CustomStorage| {
        let directory = custom.options.get("directory").cloned();
        let directory = directory.ok_or_else(|| Error::new(ErrorKind::FailJob, "no directory"))?;
        Ok(Arc::new(FileSystemStorage::new(directory)) as _)
    };
    registry.register("own", made).unwrap();
    let named = load(None, &[(STORAGE, "own")]);
    assert_eq!(
        (named.to_string().as_str(), &named),
        ("storage 'own'", &StorageConfig::Custom(CustomStorage::new("own")))
    );
    // Its constructor fails: its error, of its kind.
    let error = named.build(&registry).expect_err("it has no directory");
    assert_eq!(error.kind(), ErrorKind::FailJob);
    assert_eq!(error.to_string(), "storage 'own' cannot be made");
    let complete = StorageConfig::Custom(CustomStorage::new("own").with_option("directory", "mem:/base"));
    assert!(format!("{:?}", complete.build(&registry).unwrap()).contains("mem:/base"));

    let error = load(None, &[(STORAGE, "Own")]).build(&registry).expect_err("the case is another");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(error.to_string(), "there is no storage 'Own', expected one of jobmanager, filesystem, own");
}

#[test]
fn a_name_is_given_once() {
    let mut registry = StorageRegistry::new();
    let mut register = |name: &str| registry.register(name, |_| Ok(Arc::new(MemoryStorage::new()) as _));
    register("own").unwrap();
    for (name, message) in [
        ("own", "the storage 'own' is there already"),
        ("FileSystem", "the storage 'FileSystem' is there already"),
        ("jobmanager", "the storage 'jobmanager' is there already"),
        (" ", "a storage has no name"),
        ("", "a storage has no name"),
    ] {
        let error = register(name).expect_err(name);
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Configuration, message));
    }
    assert_eq!(registry.names().collect::<Vec<_>>(), ["jobmanager", "filesystem", "own"]);
    assert_eq!(format!("{registry:?}"), r#"{"jobmanager", "filesystem", "own"}"#);
}

#[test]
fn every_description_travels_and_keeps_its_secrets() {
    let custom = CustomStorage::new("own").with_option("key", "canary");
    let secret = "s3://user:canary@bucket/a";
    for storage in [
        StorageConfig::Memory(MemoryStorage::new()),
        StorageConfig::Memory(MemoryStorage::new().with_base_checkpoint_dir(secret).with_max_state_size_bytes(1)),
        StorageConfig::FileSystem(FileSystemStorage::without_directory()),
        StorageConfig::FileSystem(FileSystemStorage::new("/a").with_default_savepoint_dir(secret)),
        StorageConfig::FileSystem(FileSystemStorage::new("/a").with_create_subdir(false).with_write_buffer_bytes(0)),
        StorageConfig::Custom(custom),
    ] {
        let text = serde_json::to_string(&storage).unwrap();
        assert_eq!(serde_json::from_str::<StorageConfig>(&text).unwrap(), storage, "{text}");
        // One that does not say what comes next.
        let bytes = postcard::to_stdvec(&storage).unwrap();
        assert_eq!(postcard::from_bytes::<StorageConfig>(&bytes).unwrap(), storage, "{text}");
        let shown = format!("{storage} {storage:?} {storage:#?}");
        assert!(!shown.contains("canary"), "{shown}");
    }
    for wrong in [
        r#"{"files":{}}"#,
        r#"{"filesystem":{"base_checkpoint_dir":1}}"#,
        r#"{"jobmanager":{"max_state_size_bytes":-1}}"#,
        r#"{"jobmanager":{"inline_threshold_bytes":1}}"#,
        r#"{"custom":{"options":{}}}"#,
        r#"{"custom":{"name":"own","option":{}}}"#,
        r#""filesystem""#,
    ] {
        assert!(serde_json::from_str::<StorageConfig>(wrong).is_err(), "{wrong}");
    }
}
