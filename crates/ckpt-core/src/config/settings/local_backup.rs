//! A second copy of state on the machine of the task.

use crate::config::builder::CheckpointConfigBuilder;
use crate::config::checkpoint::CheckpointConfig;
use crate::config::key::{Names, OtherName};
use crate::config::setting::{Otherwise, Rule, Setting, slot};
use crate::config::value::LocalDirectories;

pub(in crate::config) static LOCAL_BACKUP: Setting<bool> = Setting {
    names: Names {
        others: &[
            OtherName::Fallback("execution.state-recovery.from-local"),
            OtherName::Old("state.backend.local-recovery"),
        ],
        ..Names::new(
            "execution.checkpointing.local-backup.enabled",
            "local_backup",
            "tasks keep a copy of their state on their machine",
        )
    },
    default: false,
    rules: &[],
    slot: slot!(local_backup),
};

pub(in crate::config) static LOCAL_BACKUP_DIRS: Setting<LocalDirectories> = Setting {
    names: Names {
        others: &[OtherName::Old("taskmanager.state.local.root-dirs")],
        with_others: "only with local backup",
        ..Names::new(
            "execution.checkpointing.local-backup.dirs",
            "local_backup_dirs",
            "where these copies lie; without it where the engine works, in `localState`",
        )
    },
    default: LocalDirectories(Vec::new()),
    rules: &[Rule {
        must_be: "absolute paths of this machine",
        holds: |directories| directories.0.iter().all(|path| path.starts_with('/')),
        remedy: "write each from the root on",
        otherwise: Otherwise::Refuse,
    }],
    slot: slot!(local_backup_dirs),
};

pub(in crate::config) static RECOVER_FROM_LOCAL: Setting<bool> = Setting {
    names: Names {
        others: &[OtherName::Old("state.backend.local-recovery")],
        with_others: "only with local backup, which it turns on unless that is set",
        ..Names::new(
            "execution.state-recovery.from-local",
            "recover_from_local",
            "a restore takes a copy on the machine of the task where there is one that fits",
        )
    },
    default: false,
    rules: &[],
    slot: slot!(recover_from_local),
};

impl CheckpointConfigBuilder {
    /// Lets tasks keep a copy of their state on their machine.
    ///
    /// Key: `execution.checkpointing.local-backup.enabled`.
    pub fn local_backup(self, local_backup: bool) -> Self {
        self.with(&LOCAL_BACKUP, local_backup)
    }

    /// Keeps these copies below these directories, absolute paths without `,` and `:`.
    ///
    /// Key: `execution.checkpointing.local-backup.dirs`.
    pub fn local_backup_dirs<P: Into<String>>(self, directories: impl IntoIterator<Item = P>) -> Self {
        let directories = directories.into_iter().map(Into::into).collect();
        self.with(&LOCAL_BACKUP_DIRS, LocalDirectories(directories))
    }

    /// Lets a restore take a copy on the machine of the task. Unless
    /// [`local_backup`](Self::local_backup) is set as well, it says whether there are any.
    ///
    /// Key: `execution.state-recovery.from-local`.
    pub fn recover_from_local(self, recover_from_local: bool) -> Self {
        self.with(&RECOVER_FROM_LOCAL, recover_from_local)
    }
}

impl CheckpointConfig {
    /// Whether tasks keep a copy of their state on their machine. They do when that is set, or else when they are to be
    /// restored from it.
    pub fn has_local_backup(&self) -> bool {
        *self.get(&LOCAL_BACKUP)
    }

    /// Where these copies lie; empty for where the engine works.
    pub fn local_backup_dirs(&self) -> &[String] {
        &self.get(&LOCAL_BACKUP_DIRS).0
    }

    /// Whether a restore takes a copy on the machine of the task where there is one that fits. It does not unless set.
    pub fn recovers_from_local(&self) -> bool {
        *self.get(&RECOVER_FROM_LOCAL)
    }
}
