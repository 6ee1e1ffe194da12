//! The description of a file storage.

use std::fmt;
use std::sync::Arc;

use ckpt_core::Result;
use ckpt_core::config::CheckpointConfig;
use ckpt_core::id::{JobId, Writer};
use ckpt_core::metadata::MetadataSummary;
use ckpt_core::uri::StoragePath;
use ckpt_streams::Verification;
use ckpt_streams::file_system::Durability;
use serde::{Deserialize, Serialize};

use crate::completed::CompletedLocation;
use crate::context::StorageContext;
use crate::dispose::{Disposal, DisposeOptions, dispose};
use crate::error::StorageError;
use crate::file::coordinator::{FileCoordinatorView, HighAvailability};
use crate::file::directory::Directory;
use crate::file::job_directory::JobDirectory;
use crate::file::resolve::{resolve, summarize};
use crate::file::savepoints::{SavepointReference, Savepoints};
use crate::file::words;
use crate::file::worker::FileWorkerView;
use crate::path_text;
use crate::view::{CheckpointStorage, CoordinatorView, WorkerView};

/// Keeps checkpoints in a directory of a file system: `<base>/<job id>/` as [the layout](crate::METADATA_FILE) says.
///
/// Plain data that travels to every process. Nothing is checked before it is used: see [`validate`](Self::validate).
///
/// ```
/// use ckpt_storage::FileSystemStorage;
///
/// let storage = FileSystemStorage::new("/var/lib/ckpt").with_inline_threshold_bytes(4096);
/// assert!(storage.validate().is_ok());
/// assert!(FileSystemStorage::new("relative/directory").validate().is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSystemStorage {
    #[serde(default, with = "path_text")]
    base_checkpoint_dir: Option<StoragePath>,
    #[serde(default, with = "path_text")]
    default_savepoint_dir: Option<StoragePath>,
    #[serde(default)]
    create_subdir: Option<bool>,
    #[serde(default)]
    inline_threshold_bytes: Option<usize>,
    #[serde(default)]
    write_buffer_bytes: Option<usize>,
    #[serde(default, with = "words::durability")]
    durability: Durability,
    #[serde(default, with = "words::verification")]
    verification: Verification,
    #[serde(default)]
    read_ahead_bytes: usize,
}

impl FileSystemStorage {
    /// Up to this many bytes a piece of state travels inside the metadata, unless it is said otherwise.
    pub const DEFAULT_INLINE_THRESHOLD_BYTES: usize = 20 * 1024;

    /// The most that the inline threshold may be.
    pub const MAX_INLINE_THRESHOLD_BYTES: usize = 1024 * 1024;

    /// How many bytes a stream gathers before it writes, unless it is said otherwise: one block of a state file.
    pub const DEFAULT_WRITE_BUFFER_BYTES: usize = 64 * 1024;

    /// A storage in that directory: an absolute path or a URI with a scheme.
    pub fn new(base: impl Into<StoragePath>) -> Self {
        Self { base_checkpoint_dir: Some(base.into()), ..Self::without_directory() }
    }

    /// A storage whose directory is that of the [configuration](Self::configured_with), or none: it resolves pointers, and
    /// holds no checkpoints.
    pub fn without_directory() -> Self {
        Self::default()
    }

    /// Puts savepoints for which no target is named below that directory.
    #[must_use]
    pub fn with_default_savepoint_dir(mut self, directory: impl Into<StoragePath>) -> Self {
        self.default_savepoint_dir = Some(directory.into());
        self
    }

    /// Gives each job a directory of its own below the base directory, as it is unless this is off: then the base directory
    /// is the job's, and another job is refused there.
    #[must_use]
    pub const fn with_create_subdir(mut self, create_subdir: bool) -> Self {
        self.create_subdir = Some(create_subdir);
        self
    }

    /// State of up to so many bytes, inclusive, goes into the metadata instead of a file; zero turns that off.
    #[must_use]
    pub const fn with_inline_threshold_bytes(mut self, bytes: usize) -> Self {
        self.inline_threshold_bytes = Some(bytes);
        self
    }

    /// So many bytes are gathered before they are written; never fewer than the inline threshold.
    #[must_use]
    pub const fn with_write_buffer_bytes(mut self, bytes: usize) -> Self {
        self.write_buffer_bytes = Some(bytes);
        self
    }

    /// What a crash may take.
    #[must_use]
    pub const fn with_durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// What of state is compared with what was written, when it is read to be restored.
    #[must_use]
    pub const fn with_verification(mut self, verification: Verification) -> Self {
        self.verification = verification;
        self
    }

    /// So many bytes of each file that is restored in order are read ahead, by jobs: for a file system that is far away.
    /// Zero, as it is unless it is said otherwise, is best for a local one.
    #[must_use]
    pub const fn with_read_ahead_bytes(mut self, bytes: usize) -> Self {
        self.read_ahead_bytes = bytes;
        self
    }

    /// A copy in which what is absent here is that of the configuration, and may stay absent.
    ///
    /// # Errors
    ///
    /// Those of [`validate`](Self::validate).
    pub fn configured_with(&self, config: &CheckpointConfig) -> Result<Self> {
        // No configuration is valid whose numbers do not fit.
        let number = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let own = self.clone();
        let configured = Self {
            base_checkpoint_dir: own.base_checkpoint_dir.or_else(|| config.checkpoint_dir().cloned()),
            default_savepoint_dir: own.default_savepoint_dir.or_else(|| config.savepoint_dir().cloned()),
            create_subdir: own.create_subdir.or(Some(config.create_subdir())),
            inline_threshold_bytes: own.inline_threshold_bytes.or(Some(number(config.inline_threshold().bytes()))),
            write_buffer_bytes: own.write_buffer_bytes.or(Some(number(config.write_buffer_bytes()))),
            ..own
        };
        configured.validate().map(|()| configured)
    }

    /// The directory below which each job has its own.
    pub fn base_checkpoint_dir(&self) -> Option<&StoragePath> {
        self.base_checkpoint_dir.as_ref()
    }

    /// Where a savepoint goes for which no target is named.
    pub fn default_savepoint_dir(&self) -> Option<&StoragePath> {
        self.default_savepoint_dir.as_ref()
    }

    /// Whether each job has a directory of its own.
    pub fn create_subdir(&self) -> bool {
        self.create_subdir.unwrap_or(true)
    }

    /// Up to this many bytes a piece of state goes into the metadata.
    pub fn inline_threshold_bytes(&self) -> usize {
        self.inline_threshold_bytes.unwrap_or(Self::DEFAULT_INLINE_THRESHOLD_BYTES)
    }

    /// How many bytes a stream gathers before it writes.
    pub fn write_buffer_bytes(&self) -> usize {
        self.write_buffer_bytes.unwrap_or(Self::DEFAULT_WRITE_BUFFER_BYTES).max(self.inline_threshold_bytes())
    }

    /// What a crash may take.
    pub const fn durability(&self) -> Durability {
        self.durability
    }

    /// What of state is compared with what was written, when it is read to be restored.
    pub const fn verification(&self) -> Verification {
        self.verification
    }

    /// How many bytes of a file that is restored in order are read ahead.
    pub const fn read_ahead_bytes(&self) -> usize {
        self.read_ahead_bytes
    }

    /// Checks what can be checked without touching the file system.
    ///
    /// # Errors
    ///
    /// `Configuration`, with a message of its own for each rule: a directory is absolute or has a scheme, has a path
    /// part, is no root, carries no secret and has a URI, as for the configuration; the inline threshold is at most 1 MiB.
    pub fn validate(&self) -> Result<()> {
        let (found, most) = (self.inline_threshold_bytes(), Self::MAX_INLINE_THRESHOLD_BYTES);
        if found > most {
            return Err(StorageError::InlineThreshold { found, most }.configuration());
        }
        self.directories().map(|_| ())
    }

    fn directories(&self) -> Result<(Option<Directory>, Option<Directory>)> {
        Ok((Directory::of_any(self.base_checkpoint_dir())?, Directory::of_any(self.default_savepoint_dir())?))
    }

    fn job_directory(&self, job: JobId, context: &StorageContext) -> Result<Arc<JobDirectory>> {
        self.validate()?;
        let (base, _) = self.directories()?;
        let base = base.ok_or_else(|| StorageError::NoDirectory { key: DIRECTORY_KEY }.configuration())?;
        let directory = if self.create_subdir() { base.join(job) } else { base };
        JobDirectory::open(directory, job, self.durability, context)
    }
}

/// What an operator sets who has forgotten the directory.
const DIRECTORY_KEY: &str = "execution.checkpointing.dir";

impl CheckpointStorage for FileSystemStorage {
    fn coordinator_view(&self, job: JobId, context: &StorageContext) -> Result<Arc<dyn CoordinatorView>> {
        let directory = self.job_directory(job, context)?;
        let (_, target) = self.directories()?;
        let savepoints = Savepoints::new(job, target, SavepointReference::Directory, self.durability, context);
        Ok(Arc::new(FileCoordinatorView::new(directory, savepoints, HighAvailability::Yes, context.clone())))
    }

    fn worker_view(&self, job: JobId, writer: Writer, context: &StorageContext) -> Result<Arc<dyn WorkerView>> {
        Ok(Arc::new(FileWorkerView::new(self, self.job_directory(job, context)?, writer, context)))
    }

    fn resolve(&self, pointer: &str, context: &StorageContext) -> Result<CompletedLocation> {
        resolve(pointer, context)
    }

    fn summarize(&self, pointer: &str, context: &StorageContext) -> Result<MetadataSummary> {
        summarize(pointer, context)
    }

    fn dispose(&self, pointer: &str, context: &StorageContext, options: &DisposeOptions) -> Result<Disposal> {
        let options = match self.directories()?.0 {
            Some(base) => options.clone().with_jobs_below(base.as_str()),
            None => options.clone(),
        };
        dispose(pointer, context, &options)
    }
}

/// What it is, without what may be a secret in a directory.
impl fmt::Display for FileSystemStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.base_checkpoint_dir {
            Some(directory) => write!(f, "file storage in '{}'", directory)?,
            None => f.write_str("file storage without a directory")?,
        }
        match &self.default_savepoint_dir {
            Some(directory) => write!(f, ", savepoints in '{}'", directory),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ckpt_core::ErrorKind;

    #[test]
    fn each_wrong_directory_has_a_message_of_its_own() {
        let long = format!("/{}", "a".repeat(5000));
        for (directory, message) in [
            ("", "neither an absolute path nor a URI"),
            ("relative/directory", "neither an absolute path nor a URI"),
            ("file:relative", "neither an absolute path nor a URI"),
            ("s3://", "has no path part"),
            ("file:", "has no path part"),
            ("/", "is a root directory"),
            ("///", "is a root directory"),
            ("file:///", "is a root directory"),
            ("s3://bucket/", "is a root directory"),
            ("s3://bucket", "has no path part"),
            ("/a/../b", "'..'"),
            ("/a/\u{7}", "control character"),
            ("//host/a", "neither an absolute path nor a URI"),
            ("file://host/a", "is one though the scheme is 'file'"),
            ("gs://b/%2e%2e/x", "a percent-encoded dot"),
            (&long, "longer than"),
        ] {
            let error = FileSystemStorage::new(directory).validate().expect_err(directory);
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.to_string().contains(message), "{directory}: {error}");
        }
        for directory in [
            "/a",
            "/a/b/",
            "file:/a",
            "file:///a/b",
            "s3://bucket/a",
            "mem://a/b@c",
            "abfss://container-1@account.dfs.core.windows.net/checkpoints",
        ] {
            FileSystemStorage::new(directory).validate().expect(directory);
        }
    }

    #[test]
    fn a_directory_has_one_spelling() {
        for (directory, expected) in [("/a//b/", "/a/b"), ("S3://b//a b", "s3://b/a%20b"), ("file:/a", "file:///a")] {
            assert_eq!(FileSystemStorage::new(directory).directories().unwrap().0.unwrap().as_str(), expected);
        }
    }

    #[test]
    fn a_secret_in_a_directory_is_refused_and_not_shown() {
        for directory in [
            "s3://user:canary@bucket/a",
            "s3://user:canary/more@bucket/a",
            "s3://canary%40bucket/a",
            "s3://bucket/a?token=canary",
            "s3://bucket/a#canary",
            "abfss://user:canary@account/a",
        ] {
            let error = FileSystemStorage::new(directory).validate().expect_err(directory);
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
    }

    #[test]
    fn the_threshold_is_at_most_1_mib_inclusive() {
        let storage = FileSystemStorage::new("/a");
        assert_eq!(storage.inline_threshold_bytes(), 20 * 1024);
        assert!(storage.clone().with_inline_threshold_bytes(1024 * 1024).validate().is_ok());
        assert!(storage.clone().with_inline_threshold_bytes(1024 * 1024 + 1).validate().is_err());
        assert_eq!(storage.with_inline_threshold_bytes(4096).with_write_buffer_bytes(1).write_buffer_bytes(), 4096);
    }

    #[test]
    fn the_description_travels() {
        let storage = FileSystemStorage::new("/a").with_durability(Durability::None).with_write_buffer_bytes(1);
        let storage = storage.with_verification(Verification::Lengths).with_read_ahead_bytes(1 << 20);
        let text = serde_json::to_string(&storage).unwrap();
        assert_eq!(serde_json::from_str::<FileSystemStorage>(&text).unwrap(), storage);
        let short: FileSystemStorage = serde_json::from_str(r#"{"base_checkpoint_dir":"/a"}"#).unwrap();
        assert_eq!(short, FileSystemStorage::new("/a"));
        for wrong in [
            r#"{"base_checkpoint_dir":"/a","durability":"most"}"#,
            r#"{"base_checkpoint_dir":"/a","verification":"some"}"#,
            r#"{"base_checkpoint_dir":"/a","inline_treshold_bytes":1}"#,
        ] {
            assert!(serde_json::from_str::<FileSystemStorage>(wrong).is_err(), "{wrong}");
        }
    }
}
