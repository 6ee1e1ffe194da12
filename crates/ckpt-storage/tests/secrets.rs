//! Secrets that somebody put into a URI are shown nowhere: not by what takes it, not by what goes wrong with it, not in a
//! file. (Nothing in these crates writes a log; what an engine logs is what it was shown.)

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt::{Debug, Display};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::config::{CheckpointConfig, ConfigLayers};
use ckpt_core::head::Nonce;
use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch, Writer, WriterId};
use ckpt_core::metadata::{CheckpointDescription, CheckpointMetadata};
use ckpt_core::snapshot::{
    CheckpointBarrier, CheckpointIdentity, CheckpointOptions, CheckpointProperties, LocationReference, RetentionPolicy,
    SnapshotKind,
};
use ckpt_core::{Digest, Result, Timestamp};
use ckpt_storage::{
    CheckpointStorage, CompletedLocation, CustomStorage, DisposeOptions, FileSystemStorage, MemoryStorage,
    StorageConfig, StorageContext, StorageRegistry, claim, dispose, jobs_in, make_savepoint_location,
};
use ckpt_streams::file_system::{FileSystem, FileSystems, MemoryFileSystem};
use ckpt_streams::testing::RefusingSpawn;

const JOB: JobId = JobId::new([1; 16]);

/// What must not be seen.
const CANARY: &str = "canary";

/// Each place of a URI in which a secret may be.
fn secrets(scheme: &str) -> Vec<String> {
    let canary = CANARY;
    vec![
        format!("{scheme}://{canary}@host/base/chk-1"),
        format!("{scheme}://user:{canary}@host/base/chk-1"),
        format!("{scheme}://user:{canary}/with@and/slash@host/base"),
        format!("{scheme}://user:{canary}%40host/base/chk-1"),
        format!("{scheme}://user%3A{canary}%40host/base/chk-1"),
        format!("{scheme}:user:{canary}@host/base"),
        format!("{scheme}://host/base/chk-1?token={canary}"),
        format!("{scheme}://host/base/chk-1?token={canary}@x&y=1#z"),
        format!("{scheme}://host/base/chk-1#{canary}"),
        format!("{scheme}:///base?sig=%63{canary}"),
        format!("{scheme}://user:{canary}@host/base/\u{7}bell"),
        format!(" {scheme}://user:{canary}@host/base "),
        format!("{scheme}://user:{canary}@host"),
        format!("{scheme}://user:{canary}@host/"),
        format!("{scheme}://user:{canary}@host/{}", "a".repeat(5000)),
        format!("//user:{canary}@host/base"),
    ]
}

/// Everything that was shown to anybody.
#[derive(Default)]
struct Shown(Vec<(String, String)>);

impl Shown {
    fn text(&mut self, what: &str, text: String) {
        self.0.push((what.to_owned(), text));
    }

    fn debug(&mut self, what: &str, value: &dyn Debug) {
        self.text(what, format!("{value:?} {value:#?}"));
    }

    fn both<T: Debug + Display>(&mut self, what: &str, value: &T) {
        self.debug(what, value);
        self.text(what, format!("{value} {value:#}"));
    }

    /// An error with all that it came of, or what else there was.
    fn outcome<T: Debug>(&mut self, what: &str, outcome: Result<T>) {
        match outcome {
            Ok(value) => self.debug(what, &value),
            Err(error) => {
                self.both(what, &error);
                let mut source = StdError::source(&error);
                while let Some(error) = source {
                    self.text(what, format!("{error} {error:?} {error:#?}"));
                    source = error.source();
                }
            }
        }
    }

    fn check(&self, uri: &str) {
        assert!(self.0.len() > 20, "only {} texts", self.0.len());
        for (what, text) in &self.0 {
            assert!(!text.contains(CANARY), "{what} of {uri:?} shows it: {text}");
        }
    }
}

/// A process with another scheme than the local one, whose files are in memory.
fn context() -> StorageContext {
    let mut file_systems = FileSystems::local();
    let files = MemoryFileSystem::new();
    let opener = move |_: &str| Ok(Arc::new(files.clone()) as Arc<dyn FileSystem>);
    file_systems.register("sim", opener).unwrap();
    StorageContext::new(Arc::new(file_systems), Arc::new(RefusingSpawn::new()))
}

fn identity(epoch: LeaderEpoch) -> CheckpointIdentity {
    CheckpointIdentity::new(CheckpointId::FIRST, epoch, Timestamp::from_millis(1), None)
}

fn options() -> DisposeOptions {
    DisposeOptions::new(Nonce::new([3; 16]), Timestamp::from_millis(1))
}

/// What a description shows of itself, and what its views and pointers say.
fn describe<S: CheckpointStorage + Display>(shown: &mut Shown, storage: &S, uri: &str) {
    let context = context();
    shown.both("a description", storage);
    shown.outcome("the coordinator's view", storage.coordinator_view(JOB, &context));
    let writer = Writer::new(LeaderEpoch::new(1), WriterId::new(1));
    shown.outcome("the worker's view", storage.worker_view(JOB, writer, &context));
    shown.outcome("resolving", storage.resolve(uri, &context));
    shown.outcome("summarizing", storage.summarize(uri, &context));
    shown.outcome("disposing", storage.dispose(uri, &context, &options()));
    shown.outcome("a dry run", storage.dispose(uri, &context, &options().dry_run()));
    shown.debug("the process", &context);
}

/// A reference in which somebody who does not use our types put that text.
fn reference_to(uri: &str) -> Result<LocationReference> {
    let mut bytes = [b"CKPL".as_slice(), &[1, 0], uri.as_bytes()].concat();
    let digest = Digest::of(&bytes).value();
    bytes.extend_from_slice(&digest.to_le_bytes());
    LocationReference::at(Bytes::from(bytes))
}

/// All public entry points that take a path, a pointer or a URI.
fn walk(shown: &mut Shown, uri: &str, base: &Path) {
    describe(shown, &FileSystemStorage::new(uri), uri);
    describe(shown, &FileSystemStorage::new("/base").with_default_savepoint_dir(uri), uri);
    describe(shown, &MemoryStorage::new().with_base_checkpoint_dir(uri), uri);
    describe(shown, &MemoryStorage::new().with_default_savepoint_dir(uri), uri);
    shown.outcome("validating files", FileSystemStorage::new(uri).validate());
    shown.outcome("validating memory", MemoryStorage::new().with_base_checkpoint_dir(uri).validate());
    shown.outcome("the jobs in a directory", jobs_in(uri, &context()));
    shown.outcome("disposing by a pointer", dispose(uri, &context(), &options()));

    let registry = StorageRegistry::new();
    for config in [
        StorageConfig::FileSystem(FileSystemStorage::new(uri)),
        StorageConfig::Memory(MemoryStorage::new().with_base_checkpoint_dir(uri)),
        StorageConfig::Custom(CustomStorage::new("theirs").with_option("endpoint", uri)),
    ] {
        shown.debug("a configured storage", &config);
        shown.outcome("a storage of a registry", config.build(&registry));
        shown.outcome("completing it", config.configured_with(&CheckpointConfig::default()));
    }
    for key in ["execution.checkpointing.dir", "execution.checkpointing.savepoint-dir"] {
        let layers = ConfigLayers::new().with_job([(key, uri)]).and_then(ConfigLayers::resolve);
        shown.outcome("a configuration", layers.map(|resolved| resolved.config));
    }

    // A storage that works, handed a secret later.
    let storage = FileSystemStorage::new(base.to_str().unwrap());
    let context = context();
    let view = storage.coordinator_view(JOB, &context).unwrap();
    let claimed = claim(&*view.head(), JOB, Nonce::new([7; 16])).unwrap();
    let epoch = claimed.head.head().epoch;
    let identity = identity(epoch);
    shown.outcome("naming a savepoint", view.name_savepoint(&identity, Some(uri)));
    let made = make_savepoint_location(&*view, &identity, Some(uri), &mut |_| Ok(()));
    shown.outcome("making a savepoint's place", made);
    let worker = storage.worker_view(JOB, Writer::new(epoch, WriterId::new(1)), &context).unwrap();
    if let Ok(reference) = reference_to(uri) {
        shown.debug("a reference", &reference);
        let options = CheckpointOptions::aligned(SnapshotKind::Checkpoint, reference);
        let barrier = CheckpointBarrier::new(identity, options);
        shown.debug("a barrier", &barrier);
        shown.outcome("streams of a barrier", worker.streams(&barrier).map(|_| ()));
    }
    let properties = CheckpointProperties::checkpoint(RetentionPolicy::default());
    let metadata = CheckpointMetadata::builder(CheckpointDescription::new(JOB, identity, properties)).unwrap();
    let metadata = Arc::new(metadata.finish(Timestamp::from_millis(2)).unwrap());
    let completed = CompletedLocation::new(uri.to_owned(), metadata);
    shown.debug("a completed checkpoint", &completed);
    shown.outcome("disposing of it", completed.dispose(&context, &options()));
}

/// All files below a directory.
fn files_below(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => files.append(&mut files_below(&entry.path())),
            false => {
                files.insert(entry.path().display().to_string(), fs::read(entry.path()).unwrap());
            }
        }
    }
    files
}

#[test]
fn a_secret_in_a_uri_is_shown_nowhere() {
    let directory = tempfile::tempdir().unwrap();
    // Of a scheme that nobody knows, of one that is registered, and of the local one.
    for scheme in ["s3", "sim", "file", "SIM"] {
        for uri in secrets(scheme) {
            assert!(uri.contains(CANARY));
            let mut shown = Shown::default();
            walk(&mut shown, &uri, directory.path());
            shown.check(&uri);
        }
    }
    let files = files_below(directory.path());
    assert!(files.len() > 3, "{:?}", files.keys());
    for (path, bytes) in files {
        let found = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
        assert!(!found && !path.contains(CANARY), "{path}");
    }
}
