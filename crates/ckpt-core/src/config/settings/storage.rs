//! Where checkpoints go.

use crate::config::builder::CheckpointConfigBuilder;
use crate::config::checkpoint::CheckpointConfig;
use crate::config::key::{Names, OtherName};
use crate::config::setting::{Otherwise, Rule, Setting, slot};
use crate::config::settings::path_rules::DIRECTORY_RULES;
use crate::config::value::{MemorySize, StorageName};
use crate::uri::StoragePath;

pub(in crate::config) static STORAGE: Setting<Option<StorageName>> = Setting {
    names: Names {
        others: &[OtherName::Old("state.checkpoint-storage")],
        with_others: "without it filesystem where dir is set, else jobmanager; filesystem needs dir",
        ..Names::new("execution.checkpointing.storage", "storage", "which storage checkpoints go to")
    },
    default: None,
    rules: &[],
    slot: slot!(storage),
};

pub(in crate::config) static CHECKPOINT_DIR: Setting<Option<StoragePath>> = Setting {
    names: Names {
        others: &[OtherName::Old("state.checkpoints.dir"), OtherName::Old("state.backend.fs.checkpointdir")],
        ..Names::new("execution.checkpointing.dir", "checkpoint_dir", "the directory below which each job has its own")
    },
    default: None,
    rules: DIRECTORY_RULES,
    slot: slot!(checkpoint_dir),
};

pub(in crate::config) static SAVEPOINT_DIR: Setting<Option<StoragePath>> = Setting {
    names: Names {
        others: &[OtherName::Old("state.savepoints.dir"), OtherName::Old("savepoints.state.backend.fs.dir")],
        flink: Some("StreamExecutionEnvironment.setDefaultSavepointDirectory"),
        pyflink: Some("StreamExecutionEnvironment.set_default_savepoint_directory"),
        ..Names::new(
            "execution.checkpointing.savepoint-dir",
            "savepoint_dir",
            "where a savepoint goes for which no directory is named",
        )
    },
    default: None,
    rules: DIRECTORY_RULES,
    slot: slot!(savepoint_dir),
};

pub(in crate::config) static CREATE_SUBDIR: Setting<bool> = Setting {
    names: Names {
        others: &[OtherName::Old("state.checkpoints.create-subdir")],
        ..Names::new(
            "execution.checkpointing.create-subdir",
            "create_subdir",
            "each job has a directory of its own below dir; with false dir is the job's, and a second job is refused",
        )
    },
    default: true,
    rules: &[],
    slot: slot!(create_subdir),
};

pub(in crate::config) static INCREMENTAL: Setting<bool> = Setting {
    names: Names {
        others: &[OtherName::Old("state.backend.incremental")],
        ..Names::new(
            "execution.checkpointing.incremental",
            "incremental",
            "a checkpoint names files of earlier ones and stores only what is new",
        )
    },
    default: false,
    rules: &[],
    slot: slot!(incremental),
};

pub(in crate::config) static INLINE_THRESHOLD: Setting<MemorySize> = Setting {
    names: Names {
        others: &[
            OtherName::Old("state.storage.fs.memory-threshold"),
            OtherName::Old("state.backend.fs.memory-threshold"),
        ],
        ..Names::new(
            "execution.checkpointing.data-inline-threshold",
            "inline_threshold",
            "state of up to so many bytes, inclusive, goes into the metadata instead of a file",
        )
    },
    default: MemorySize::from_kibibytes(20),
    rules: &[Rule {
        must_be: "at most 1 mb",
        holds: |threshold| *threshold <= CheckpointConfig::LARGEST_INLINE_THRESHOLD,
        remedy: "write 1 mb or less",
        otherwise: Otherwise::Take(MemorySize::from_kibibytes(20)),
    }],
    slot: slot!(inline_threshold),
};

pub(in crate::config) static WRITE_BUFFER_BYTES: Setting<i64> = Setting {
    names: Names {
        others: &[
            OtherName::Old("state.storage.fs.write-buffer-size"),
            OtherName::Old("state.backend.fs.write-buffer-size"),
        ],
        with_others: "a larger data-inline-threshold counts in its place",
        ..Names::new(
            "execution.checkpointing.write-buffer-size",
            "write_buffer_bytes",
            "how many bytes a stream gathers before it writes",
        )
    },
    default: 4096,
    rules: &[Rule {
        must_be: "0 or more",
        holds: |bytes| *bytes >= 0,
        remedy: "write a number of bytes, or leave it away for 4096",
        otherwise: Otherwise::Refuse,
    }],
    slot: slot!(write_buffer_bytes),
};

impl CheckpointConfigBuilder {
    /// Stores checkpoints there.
    ///
    /// Key: `execution.checkpointing.storage`.
    pub fn storage(self, storage: StorageName) -> Self {
        self.with(&STORAGE, Some(storage))
    }

    /// Gives each job a directory below this one: an absolute path or a URI, with a path, not a root.
    ///
    /// Key: `execution.checkpointing.dir`.
    pub fn checkpoint_dir(self, directory: impl Into<StoragePath>) -> Self {
        self.with(&CHECKPOINT_DIR, Some(directory.into()))
    }

    /// Stores savepoints below this directory when none is named: an absolute path or a URI, with a path, not a root.
    ///
    /// Key: `execution.checkpointing.savepoint-dir`.
    pub fn savepoint_dir(self, directory: impl Into<StoragePath>) -> Self {
        self.with(&SAVEPOINT_DIR, Some(directory.into()))
    }

    /// Gives each job a directory of its own.
    ///
    /// Key: `execution.checkpointing.create-subdir`.
    pub fn create_subdir(self, create_subdir: bool) -> Self {
        self.with(&CREATE_SUBDIR, create_subdir)
    }

    /// Stores only what is new since earlier checkpoints.
    ///
    /// Key: `execution.checkpointing.incremental`.
    pub fn incremental(self, incremental: bool) -> Self {
        self.with(&INCREMENTAL, incremental)
    }

    /// Puts state of up to that size, inclusive, into the metadata; at most 1 MiB.
    ///
    /// Key: `execution.checkpointing.data-inline-threshold`.
    pub fn inline_threshold(self, threshold: MemorySize) -> Self {
        self.with(&INLINE_THRESHOLD, threshold)
    }

    /// Gathers that many bytes before they are written.
    ///
    /// Key: `execution.checkpointing.write-buffer-size`.
    pub fn write_buffer_bytes(self, bytes: u32) -> Self {
        self.with(&WRITE_BUFFER_BYTES, bytes.into())
    }
}

impl CheckpointConfig {
    /// The most that the inline threshold may be.
    pub const LARGEST_INLINE_THRESHOLD: MemorySize = MemorySize::from_mebibytes(1);

    /// Which storage checkpoints go to. Unless set, files where there is a directory for them, else memory.
    pub fn storage(&self) -> &StorageName {
        match self.get(&STORAGE) {
            Some(storage) => storage,
            None if self.checkpoint_dir().is_some() => &StorageName::FileSystem,
            None => &StorageName::Memory,
        }
    }

    /// The directory below which each job has its own.
    pub fn checkpoint_dir(&self) -> Option<&StoragePath> {
        self.get(&CHECKPOINT_DIR).as_ref()
    }

    /// Where a savepoint goes for which no directory is named.
    pub fn savepoint_dir(&self) -> Option<&StoragePath> {
        self.get(&SAVEPOINT_DIR).as_ref()
    }

    /// Whether each job has a directory of its own. It has unless set.
    pub fn create_subdir(&self) -> bool {
        *self.get(&CREATE_SUBDIR)
    }

    /// Whether a checkpoint stores only what is new since earlier ones. It does not unless set.
    pub fn is_incremental(&self) -> bool {
        *self.get(&INCREMENTAL)
    }

    /// State of up to that size, inclusive, goes into the metadata. 20 KiB unless set, 1 MiB at most.
    pub fn inline_threshold(&self) -> MemorySize {
        *self.get(&INLINE_THRESHOLD)
    }

    /// How many bytes a stream gathers before it writes: never fewer than the inline threshold, as in Flink.
    pub fn write_buffer_bytes(&self) -> u64 {
        u64::from(self.count(&WRITE_BUFFER_BYTES)).max(self.inline_threshold().bytes())
    }
}
