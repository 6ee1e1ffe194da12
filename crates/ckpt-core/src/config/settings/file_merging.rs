//! Small files of state that become parts of larger ones.

use crate::config::builder::CheckpointConfigBuilder;
use crate::config::checkpoint::CheckpointConfig;
use crate::config::key::Names;
use crate::config::setting::{Otherwise, Rule, Setting, slot};
use crate::config::value::{MemorySize, SpaceAmplification};

const WITH_FILE_MERGING: &str = "only with file merging";

pub(in crate::config) static FILE_MERGING: Setting<bool> = Setting {
    names: Names::new(
        "execution.checkpointing.file-merging.enabled",
        "file_merging",
        "several pieces of state are written into one file",
    ),
    default: false,
    rules: &[],
    slot: slot!(file_merging),
};

pub(in crate::config) static MERGING_ACROSS_CHECKPOINTS: Setting<bool> = Setting {
    names: Names {
        with_others: WITH_FILE_MERGING,
        ..Names::new(
            "execution.checkpointing.file-merging.across-checkpoint-boundary",
            "merging_across_checkpoints",
            "state of several checkpoints may share a file",
        )
    },
    default: false,
    rules: &[],
    slot: slot!(merging_across_checkpoints),
};

pub(in crate::config) static MAX_MERGED_FILE_SIZE: Setting<MemorySize> = Setting {
    names: Names {
        with_others: WITH_FILE_MERGING,
        ..Names::new(
            "execution.checkpointing.file-merging.max-file-size",
            "max_merged_file_size",
            "a file of this size gets no further piece",
        )
    },
    default: MemorySize::from_mebibytes(32),
    rules: &[Rule {
        must_be: "more than 0",
        holds: |size| size.bytes() > 0,
        remedy: "write the size from which on a file gets no further piece, or turn file merging off",
        otherwise: Otherwise::Refuse,
    }],
    slot: slot!(max_merged_file_size),
};

pub(in crate::config) static MERGING_POOL_BLOCKS: Setting<bool> = Setting {
    names: Names {
        with_others: WITH_FILE_MERGING,
        ..Names::new(
            "execution.checkpointing.file-merging.pool-blocking",
            "merging_pool_blocks",
            "a task waits for a file that others write to, instead of making another",
        )
    },
    default: false,
    rules: &[],
    slot: slot!(merging_pool_blocks),
};

pub(in crate::config) static MAX_SUBTASKS_PER_MERGED_FILE: Setting<i64> = Setting {
    names: Names {
        with_others: WITH_FILE_MERGING,
        ..Names::new(
            "execution.checkpointing.file-merging.max-subtasks-per-file",
            "max_subtasks_per_merged_file",
            "how many tasks share a file that no checkpoint shares with another",
        )
    },
    default: 4,
    rules: &[Rule {
        must_be: "1 or more",
        holds: |max| *max >= 1,
        remedy: "write 1 for a file for each task, or leave it away for 4",
        otherwise: Otherwise::Refuse,
    }],
    slot: slot!(max_subtasks_per_merged_file),
};

pub(in crate::config) static MAX_SPACE_AMPLIFICATION: Setting<SpaceAmplification> = Setting {
    names: Names {
        with_others: WITH_FILE_MERGING,
        ..Names::new(
            "execution.checkpointing.file-merging.max-space-amplification",
            "max_space_amplification",
            "how many times as large as the state in them merged files may become; below 1 as large as they like",
        )
    },
    default: SpaceAmplification::TWICE,
    rules: &[],
    slot: slot!(max_space_amplification),
};

impl CheckpointConfigBuilder {
    /// Writes several pieces of state into one file.
    ///
    /// Key: `execution.checkpointing.file-merging.enabled`.
    pub fn file_merging(self, file_merging: bool) -> Self {
        self.with(&FILE_MERGING, file_merging)
    }

    /// Lets state of several checkpoints share a file.
    ///
    /// Key: `execution.checkpointing.file-merging.across-checkpoint-boundary`.
    pub fn merging_across_checkpoints(self, merging_across_checkpoints: bool) -> Self {
        self.with(&MERGING_ACROSS_CHECKPOINTS, merging_across_checkpoints)
    }

    /// Adds nothing to a file of that size.
    ///
    /// Key: `execution.checkpointing.file-merging.max-file-size`.
    pub fn max_merged_file_size(self, size: MemorySize) -> Self {
        self.with(&MAX_MERGED_FILE_SIZE, size)
    }

    /// Lets a task wait for a file that others write to, instead of making another.
    ///
    /// Key: `execution.checkpointing.file-merging.pool-blocking`.
    pub fn merging_pool_blocks(self, merging_pool_blocks: bool) -> Self {
        self.with(&MERGING_POOL_BLOCKS, merging_pool_blocks)
    }

    /// Lets that many tasks, at least 1, share a file.
    ///
    /// Key: `execution.checkpointing.file-merging.max-subtasks-per-file`.
    pub fn max_subtasks_per_merged_file(self, most: u32) -> Self {
        self.with(&MAX_SUBTASKS_PER_MERGED_FILE, most.into())
    }

    /// Lets merged files become so many times as large as the state in them.
    ///
    /// Key: `execution.checkpointing.file-merging.max-space-amplification`.
    pub fn max_space_amplification(self, most: SpaceAmplification) -> Self {
        self.with(&MAX_SPACE_AMPLIFICATION, most)
    }
}

impl CheckpointConfig {
    /// Whether several pieces of state are written into one file. They are not unless set; the other settings of
    /// merging count only if they are.
    pub fn merges_files(&self) -> bool {
        *self.get(&FILE_MERGING)
    }

    /// Whether state of several checkpoints may share a file. It may not unless set.
    pub fn merges_across_checkpoints(&self) -> bool {
        *self.get(&MERGING_ACROSS_CHECKPOINTS)
    }

    /// A file of this size gets no further piece. 32 MiB unless set.
    pub fn max_merged_file_size(&self) -> MemorySize {
        *self.get(&MAX_MERGED_FILE_SIZE)
    }

    /// Whether a task waits for a file that others write to. It makes another unless set.
    pub fn merging_pool_blocks(&self) -> bool {
        *self.get(&MERGING_POOL_BLOCKS)
    }

    /// How many tasks share a file, at least 1. 4 unless set.
    pub fn max_subtasks_per_merged_file(&self) -> u32 {
        self.count(&MAX_SUBTASKS_PER_MERGED_FILE)
    }

    /// How many times as large as the state in them merged files may become, at least 1; `None` for as large as they
    /// like. 2 unless set.
    pub fn max_space_amplification(&self) -> Option<SpaceAmplification> {
        Some(*self.get(&MAX_SPACE_AMPLIFICATION)).filter(|most| most.factor() >= 1.0)
    }
}
