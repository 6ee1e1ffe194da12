//! How far the model goes.

use std::fmt;

use ckpt_core::head::ClaimMode;

use crate::ownership::Plan;

/// How often things may happen; as part of a state, how often they still may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Bounds {
    /// Processes.
    pub(crate) leaders: usize,
    /// How many checkpoints the job retains.
    pub(crate) retained: usize,
    /// How many checkpoints a leader takes at a time.
    pub(crate) concurrent: usize,
    /// Processes that start, each of which claims the job.
    pub(crate) claims: u8,
    /// Checkpoints that are triggered.
    pub(crate) checkpoints: u8,
    /// Savepoints that are begun.
    pub(crate) savepoints: u8,
    /// Checkpoints that are given up though nothing failed.
    pub(crate) aborts: u8,
    /// Times that a leader has its tasks restored.
    pub(crate) restarts: u8,
    /// Times that a job is ended.
    pub(crate) ends: u8,
    /// Requests that are lost, late, doubled or refused, and reads that fail or show the past.
    pub(crate) faults: u8,
    /// Processes that crash.
    pub(crate) crashes: u8,
    /// Whether a rule is broken that keeps a checkpoint from being given up while HEAD is being written.
    pub(crate) aborts_while_committing: bool,
}

/// A configuration with a name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Configuration {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) of: Of,
    pub(crate) search: Search,
}

/// Which model.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Of {
    /// Leaders of one job that commit.
    Commit(Bounds),
    /// Jobs that take over what another one left.
    Ownership(Plan),
}

/// How states are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Search {
    /// All of them, those that are reached in the fewest steps first.
    Exhaustive,
    /// Walks in which each step is drawn, that many states of them if nothing else is said.
    Random(usize),
}

const NONE: Bounds = Bounds {
    leaders: 2,
    retained: 1,
    concurrent: 1,
    claims: 2,
    checkpoints: 0,
    savepoints: 0,
    aborts: 0,
    restarts: 0,
    ends: 0,
    faults: 0,
    crashes: 0,
    aborts_while_committing: false,
};

/// Every configuration, those that take the longest last.
pub(crate) const ALL: &[Configuration] = &[
    Configuration {
        name: "doubt",
        about: "two leaders, two requests that go wrong",
        of: Of::Commit(Bounds { checkpoints: 2, faults: 2, ..NONE }),
        search: Search::Exhaustive,
    },
    Configuration {
        name: "tasks",
        about: "one leader, two checkpoints at a time, tasks that are restored, aborted checkpoints",
        of: Of::Commit(Bounds { claims: 1, checkpoints: 3, concurrent: 2, aborts: 1, restarts: 1, ..NONE }),
        search: Search::Exhaustive,
    },
    Configuration {
        name: "crash",
        about: "a leader crashes and starts again beside another one",
        of: Of::Commit(Bounds { claims: 3, checkpoints: 2, faults: 1, crashes: 1, ..NONE }),
        search: Search::Exhaustive,
    },
    Configuration {
        name: "commit",
        about: "two leaders, checkpoints that share files and are subsumed",
        of: Of::Commit(Bounds { checkpoints: 3, faults: 1, aborts: 1, ..NONE }),
        search: Search::Exhaustive,
    },
    Configuration {
        name: "end",
        about: "the end of the job, and who cleans up after it",
        of: Of::Commit(Bounds { checkpoints: 2, ends: 1, faults: 1, ..NONE }),
        search: Search::Exhaustive,
    },
    Configuration {
        name: "savepoint",
        about: "savepoints that are published, abandoned, and stop the job",
        of: Of::Commit(Bounds { checkpoints: 1, savepoints: 1, faults: 1, ..NONE }),
        search: Search::Exhaustive,
    },
    Configuration {
        name: "claim",
        about: "two jobs claim snapshots of one that has ended, while somebody cleans up after that one",
        of: Of::Ownership(Plan {
            wanted: [(1, ClaimMode::Claim), (2, ClaimMode::Claim)],
            cleanings: 1,
            checkpoints: [2, 1],
            crashes: 0,
        }),
        search: Search::Exhaustive,
    },
    Configuration {
        name: "contended",
        about: "two jobs want to claim the same snapshot, and may crash",
        of: Of::Ownership(Plan {
            wanted: [(1, ClaimMode::Claim), (1, ClaimMode::Claim)],
            cleanings: 1,
            checkpoints: [1, 1],
            crashes: 1,
        }),
        search: Search::Exhaustive,
    },
    Configuration {
        name: "borrowed",
        about: "one job claims a snapshot that another one borrows",
        of: Of::Ownership(Plan {
            wanted: [(1, ClaimMode::Claim), (1, ClaimMode::NoClaim)],
            cleanings: 1,
            checkpoints: [1, 1],
            crashes: 0,
        }),
        search: Search::Exhaustive,
    },
    Configuration {
        name: "three",
        about: "three leaders at once",
        of: Of::Commit(Bounds { leaders: 3, claims: 3, checkpoints: 2, faults: 1, ..NONE }),
        search: Search::Exhaustive,
    },
    Configuration {
        name: "wide",
        about: "more of everything: too many states to look at all of them",
        of: Of::Commit(Bounds {
            leaders: 3,
            concurrent: 2,
            claims: 4,
            checkpoints: 4,
            savepoints: 1,
            aborts: 1,
            restarts: 1,
            ends: 1,
            faults: 2,
            crashes: 2,
            ..NONE
        }),
        search: Search::Random(1_000_000),
    },
];

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { leaders, retained, concurrent, claims, checkpoints, savepoints, .. } = self;
        let Self { aborts, restarts, ends, faults, crashes, .. } = self;
        write!(f, "{leaders} leaders, {claims} claims, {checkpoints} checkpoints of which {retained} retained and ")?;
        write!(f, "{concurrent} at a time, {savepoints} savepoints, {aborts} aborts, {restarts} restarts of tasks, ")?;
        write!(f, "{ends} ends, {faults} faults, {crashes} crashes")
    }
}

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit(bounds) => bounds.fmt(f),
            Self::Ownership(Plan { wanted, cleanings, checkpoints, crashes }) => {
                let [(first, how), (second, otherwise)] = wanted;
                write!(
                    f,
                    "one job takes chk-{first} by {how}, one chk-{second} by {otherwise}, {cleanings} cleanings, "
                )?;
                write!(f, "{} and {} checkpoints of theirs, {crashes} crashes", checkpoints[0], checkpoints[1])
            }
        }
    }
}
