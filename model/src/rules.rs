//! Rules of the protocol that can be broken on purpose.

/// Which rule is broken, if any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules(Option<Break>);

/// A rule that a leader, or the storage, does not keep. What it takes to break the transitions themselves are patches:
/// `tests/mutants/model-*.patch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Break {
    StoreIgnoresTheCondition,
    FencedLeaderDeletes,
    FencedLeaderAnnounces,
    UnknownTakenForFailed,
    CollectedBeforeTheCommit,
    AnnouncedBeforeTheCommit,
    AbortedWhileCommitting,
    CommittedBeforePublished,
    SweptBeforeTheClaim,
    BaseNotPinned,
    WriterBeginsAgain,
    LostTakenForOver,
    PublishedSavepointRemoved,
    SavepointNameNotTaken,
    SavepointMarkNotLookedAt,
    SavepointNotInHead,
    StoppedButNotInHead,
    DeletedBeforeTheEnd,
    NotHandedOver,
    FilesOfOthersDeleted,
    SweptWhileHandedOver,
}

impl Break {
    /// All of them, each with the name of the configuration in which it is looked for and what it says.
    pub(crate) const ALL: &[(Self, &'static str, &'static str)] = &[
        (
            Self::StoreIgnoresTheCondition,
            "commit",
            "the store writes HEAD whatever is there (a store that the probe would refuse)",
        ),
        (Self::FencedLeaderDeletes, "commit", "a leader that is fenced discards what it could not commit"),
        (Self::FencedLeaderAnnounces, "commit", "a leader that is fenced tells its tasks that they are complete"),
        (Self::UnknownTakenForFailed, "commit", "a write of HEAD without an answer is taken for one that was not made"),
        (Self::CollectedBeforeTheCommit, "commit", "what a commit removes is deleted before HEAD is written"),
        (Self::AnnouncedBeforeTheCommit, "commit", "tasks are told before HEAD is written"),
        (Self::AbortedWhileCommitting, "commit", "a checkpoint is aborted while HEAD is being written"),
        (Self::CommittedBeforePublished, "commit", "HEAD names a checkpoint whose _metadata is not published yet"),
        (Self::SweptBeforeTheClaim, "commit", "orphans are collected before the claim is written"),
        (Self::BaseNotPinned, "tasks", "what a pending checkpoint is based on is not pinned"),
        (Self::WriterBeginsAgain, "tasks", "tasks that start again name files as those before them did"),
        (Self::LostTakenForOver, "commit", "a swap that was lost is taken for one that somebody else came before"),
        (Self::PublishedSavepointRemoved, "savepoint", "an abandoned savepoint is removed though it is published"),
        (Self::SavepointNameNotTaken, "savepoint", "an abandoned savepoint is removed without taking its name away"),
        (
            Self::SavepointMarkNotLookedAt,
            "savepoint",
            "who publishes a savepoint does not look whether it is still its own",
        ),
        (Self::SavepointNotInHead, "savepoint", "the directory of a savepoint is made before HEAD names it"),
        (Self::StoppedButNotInHead, "savepoint", "tasks are stopped before HEAD names the savepoint"),
        (Self::DeletedBeforeTheEnd, "end", "what the end of a job removes is deleted before HEAD is written"),
        (Self::NotHandedOver, "claim", "a job claims a snapshot that its former owner has not handed over"),
        (Self::FilesOfOthersDeleted, "claim", "who has claimed a snapshot deletes files that others there still name"),
        (
            Self::SweptWhileHandedOver,
            "claim",
            "the former owner deletes files that it names no more, but another job may",
        ),
    ];
}

impl Rules {
    pub(crate) const fn kept() -> Self {
        Self(None)
    }

    pub(crate) const fn but(broken: Break) -> Self {
        Self(Some(broken))
    }

    pub(crate) fn is(&self, rule: Break) -> bool {
        self.0 == Some(rule)
    }
}
