//! What goes wrong, when, and for how long.

use std::fmt;
use std::io;

use rustix::io::Errno;

use crate::sync::{Arc, AtomicU64, Ordering};

/// What goes wrong. Each kind meets the operations that can fail so; only these are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// `ENOSPC` of whatever needs room: a file made, written, synced, closed or duplicated, a name, a record.
    DiskFull,
    /// `EDQUOT` of the same.
    QuotaExceeded,
    /// `EMFILE` of whatever opens something.
    TooManyOpenFiles,
    /// `EROFS` of whatever changes something.
    ReadOnly,
    /// `EIO` of a write.
    WriteFails,
    /// `EIO` of a sync, of a file or of names.
    SyncFails,
    /// `EIO` of a close, as a server reports it.
    CloseFails,
    /// `EIO` of a read, or of a look at names.
    ReadFails,
    /// A write takes half of the bytes. Nothing is wrong with that: whoever writes goes on.
    ShortWrite,
    /// `EINTR` of whatever may be interrupted. Nothing is wrong with that: whoever calls calls again. For ever means
    /// every other time.
    Interrupted,
    /// `EAGAIN` of a write, a read or an open.
    WouldBlock,
}

/// How long it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// At that operation alone.
    Once,
    /// At that operation and at every later one. Removing always works: what cannot be removed is another subject.
    FromThereOn,
}

/// The kinds of operations, as far as faults tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Create,
    Open,
    Read,
    Look,
    Write,
    Sync,
    Close,
    Link,
}

/// Counts operations and says which of them fail. Clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Fuse(Arc<FuseState>);

#[derive(Debug)]
struct FuseState {
    met: AtomicU64,
    at: u64,
    fault: Fault,
    failure: Failure,
}

/// What becomes of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Burn {
    Passes,
    Fails(Errno),
    /// A write takes half.
    Halves,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::DiskFull,
        Self::QuotaExceeded,
        Self::TooManyOpenFiles,
        Self::ReadOnly,
        Self::WriteFails,
        Self::SyncFails,
        Self::CloseFails,
        Self::ReadFails,
        Self::ShortWrite,
        Self::Interrupted,
        Self::WouldBlock,
    ];

    /// Whether it is none, to code that does as it should: what was asked for is done nevertheless.
    pub const fn is_harmless(self) -> bool {
        matches!(self, Self::ShortWrite | Self::Interrupted)
    }

    const fn meets(self, step: Step) -> bool {
        match self {
            Self::DiskFull | Self::QuotaExceeded => {
                matches!(step, Step::Create | Step::Write | Step::Sync | Step::Close | Step::Link)
            }
            Self::TooManyOpenFiles => matches!(step, Step::Create | Step::Open),
            Self::ReadOnly => matches!(step, Step::Create | Step::Write | Step::Sync | Step::Link),
            Self::WriteFails | Self::ShortWrite => matches!(step, Step::Write),
            Self::SyncFails => matches!(step, Step::Sync),
            Self::CloseFails => matches!(step, Step::Close),
            Self::ReadFails => matches!(step, Step::Read | Step::Look),
            Self::Interrupted => true,
            Self::WouldBlock => matches!(step, Step::Write | Step::Read | Step::Open),
        }
    }

    const fn burn(self) -> Burn {
        Burn::Fails(match self {
            Self::DiskFull => Errno::NOSPC,
            Self::QuotaExceeded => Errno::DQUOT,
            Self::TooManyOpenFiles => Errno::MFILE,
            Self::ReadOnly => Errno::ROFS,
            Self::WriteFails | Self::SyncFails | Self::CloseFails | Self::ReadFails => Errno::IO,
            Self::Interrupted => Errno::INTR,
            Self::WouldBlock => Errno::AGAIN,
            Self::ShortWrite => return Burn::Halves,
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.burn() {
            Burn::Fails(errno) => fmt::Display::fmt(&io::Error::from(errno), f),
            Burn::Halves | Burn::Passes => f.write_str("short write"),
        }
    }
}

impl Fuse {
    /// Fails the operation number `at` of those that the fault meets; the first is 1.
    pub(crate) fn new(at: u64, fault: Fault, failure: Failure) -> Self {
        Self(Arc::new(FuseState { met: AtomicU64::new(0), at, fault, failure }))
    }

    /// Counts an operation.
    pub(crate) fn burn(&self, step: Step) -> Burn {
        let Self(state) = self;
        if !state.fault.meets(step) {
            return Burn::Passes;
        }
        let number = state.met.fetch_add(1, Ordering::Relaxed) + 1;
        let fails = match state.failure {
            Failure::Once => number == state.at,
            // Who calls again after an interruption is not interrupted for ever.
            Failure::FromThereOn if state.fault == Fault::Interrupted => {
                number >= state.at && (number - state.at) % 2 == 0
            }
            Failure::FromThereOn => number >= state.at,
        };
        if fails { state.fault.burn() } else { Burn::Passes }
    }

    /// Whether the operation came that was to fail.
    pub(crate) fn has_burnt(&self) -> bool {
        self.0.met.load(Ordering::Relaxed) >= self.0.at
    }
}
