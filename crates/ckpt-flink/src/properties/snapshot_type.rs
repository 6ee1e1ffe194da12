//! Which kind of snapshot it is.

use crate::text::JavaText;

/// A kind of snapshot (Flink's `SnapshotType`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapshotType {
    /// A checkpoint (Flink's `CheckpointType`).
    Checkpoint {
        /// `Checkpoint` or `Full Checkpoint`.
        name: JavaText,
        /// Which files it may name.
        sharing_files: SharingFilesStrategy,
    },
    /// A savepoint (Flink's `SavepointType`).
    Savepoint {
        /// `Savepoint`, `Suspend Savepoint` or `Terminate Savepoint`.
        name: JavaText,
        /// Who can read it.
        format: SavepointFormat,
        /// What the job does afterwards.
        post_checkpoint_action: PostCheckpointAction,
    },
}

/// Who can read a savepoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SavepointFormat {
    /// Every state backend.
    Canonical,
    /// The one that wrote it.
    Native,
}

/// What the job does after a savepoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PostCheckpointAction {
    /// It goes on.
    None,
    /// It stops, and may be resumed.
    Suspend,
    /// It ends, with all that follows from that.
    Terminate,
}

/// Which files a snapshot may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SharingFilesStrategy {
    /// Files of earlier checkpoints, and later ones may name its own.
    ForwardBackward,
    /// Its own, which later ones may name.
    Forward,
    /// Its own, which nobody else may name.
    NoSharing,
}

impl SnapshotType {
    /// A checkpoint that may be incremental.
    pub const fn checkpoint() -> Self {
        let name = JavaText::from_ascii("Checkpoint");
        Self::Checkpoint { name, sharing_files: SharingFilesStrategy::ForwardBackward }
    }

    /// A checkpoint that names no earlier file.
    pub const fn full_checkpoint() -> Self {
        let name = JavaText::from_ascii("Full Checkpoint");
        Self::Checkpoint { name, sharing_files: SharingFilesStrategy::Forward }
    }

    /// A savepoint, and what follows it.
    pub const fn savepoint(format: SavepointFormat, post_checkpoint_action: PostCheckpointAction) -> Self {
        let name = JavaText::from_ascii(match post_checkpoint_action {
            PostCheckpointAction::None => "Savepoint",
            PostCheckpointAction::Suspend => "Suspend Savepoint",
            PostCheckpointAction::Terminate => "Terminate Savepoint",
        });
        Self::Savepoint { name, format, post_checkpoint_action }
    }

    /// Flink's name for it.
    pub const fn name(&self) -> &JavaText {
        match self {
            Self::Checkpoint { name, .. } | Self::Savepoint { name, .. } => name,
        }
    }

    /// Which files it may name.
    pub const fn sharing_files(&self) -> SharingFilesStrategy {
        match self {
            Self::Checkpoint { sharing_files, .. } => *sharing_files,
            Self::Savepoint { .. } => SharingFilesStrategy::NoSharing,
        }
    }
}

/// The constants of an enum of Java.
pub(super) trait Constant: Copy + PartialEq + 'static {
    /// Each with its name in Java.
    const ALL: &'static [(Self, &'static str)];
    /// What it is, in words.
    const WHAT: &'static str;
}

impl Constant for SavepointFormat {
    const ALL: &'static [(Self, &'static str)] = &[(Self::Canonical, "CANONICAL"), (Self::Native, "NATIVE")];
    const WHAT: &'static str = "savepoint format";
}

impl Constant for PostCheckpointAction {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::None, "NONE"), (Self::Suspend, "SUSPEND"), (Self::Terminate, "TERMINATE")];
    const WHAT: &'static str = "action after the checkpoint";
}

impl Constant for SharingFilesStrategy {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::ForwardBackward, "FORWARD_BACKWARD"), (Self::Forward, "FORWARD"), (Self::NoSharing, "NO_SHARING")];
    const WHAT: &'static str = "strategy of sharing files";
}

macro_rules! java_name {
    ($($kind:ident),*) => {
        $(
            impl $kind {
                /// The name of the constant in Java.
                pub fn java_name(self) -> &'static str {
                    name_of(self)
                }
            }
        )*
    };
}

java_name!(SavepointFormat, PostCheckpointAction, SharingFilesStrategy);

fn name_of<C: Constant>(constant: C) -> &'static str {
    C::ALL.iter().find(|(one, _)| *one == constant).map_or("", |(_, name)| name)
}
