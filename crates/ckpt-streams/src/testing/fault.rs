//! What goes wrong, when, and for how long.

use std::fmt;
use std::io;
use std::sync::Arc as PlainArc;

use parking_lot::Mutex;
use rustix::io::Errno;

use crate::sync::{Arc, AtomicBool, AtomicU64, Ordering};

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
    /// A read yields half of the bytes. Nothing is wrong with that either.
    ShortRead,
    /// `EINTR` of whatever may be interrupted. Nothing is wrong with that: whoever calls calls again. For ever means
    /// every other time.
    Interrupted,
    /// `EAGAIN` of a write, a read or an open.
    WouldBlock,
    /// `ETIMEDOUT` of a link that was made: the server's answer is lost. Met below the local file system only.
    LinkAnswerLost,
    /// `ESTALE` of whatever is done with a file or a directory that is gone from its server (NFS): removed there by another
    /// machine, or served by another one now. Whoever reads tries again; whoever writes gives up the file.
    Stale,
    /// `EIO` of a removal: nothing is removed. Not among [`ALL`](Self::ALL), since nothing could be expected to be gone then:
    /// see [`sweep_removals`].
    RemoveFails,
}

/// How long it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// At that operation alone.
    Once,
    /// At that operation and at every later one.
    FromThereOn,
}

/// What goes wrong at which operation, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Injection {
    /// What.
    pub fault: Fault,
    /// At which operation of those that the fault meets; the first is 1.
    pub at: u64,
    /// For how long.
    pub failure: Failure,
}

/// Runs a test with every fault, once and for ever, at operation 1, 2, … So every operation fails once in every way.
/// Removing always works: what becomes of what cannot be removed shows [`sweep_removals`].
///
/// `run` says whether the operation came that was to fail: with the first run where it did not, that fault is done. How
/// many runs there were is returned; a caller knows how many there are at least.
///
/// ```
/// # use std::sync::Arc;
/// # use ckpt_core::state::RelPath;
/// # use ckpt_streams::file_system::{CasOutcome, Durability, FileSystem, MemoryFileSystem, Visible};
/// # use ckpt_streams::testing::{FailingFileSystem, sweep_faults};
/// # let path = RelPath::new("file")?;
/// let runs = sweep_faults(&mut |injection| {
///     let files = MemoryFileSystem::new();
///     let failing = FailingFileSystem::new(Arc::new(files.clone()), injection);
///     let written = failing.create_new(&path, Visible::AtOnce).map(|mut writer| {
///         writer.write_all(b"bytes").is_ok()
///             && matches!(writer.finish(Durability::Full), CasOutcome::Done(_))
///     });
///     // Whatever failed, nothing is left of a file that was not finished.
///     assert_eq!(files.paths().len(), if matches!(written, Ok(true)) { 1 } else { 0 });
///     failing.has_failed()
/// });
/// assert!(runs > 20);
/// # Ok::<(), ckpt_core::Error>(())
/// ```
pub fn sweep_faults(run: &mut dyn FnMut(Injection) -> bool) -> u64 {
    sweep(&Fault::ALL, run)
}

/// The same with removals that fail: what is left then is collected later, or somebody is told of it.
pub fn sweep_removals(run: &mut dyn FnMut(Injection) -> bool) -> u64 {
    sweep(&[Fault::RemoveFails], run)
}

fn sweep(faults: &[Fault], run: &mut dyn FnMut(Injection) -> bool) -> u64 {
    let mut runs = 0;
    for fault in faults.iter().copied() {
        for failure in [Failure::Once, Failure::FromThereOn] {
            let mut injection = Injection::new(fault, 1, failure);
            while run(injection) {
                runs += 1;
                injection.at += 1;
            }
        }
    }
    runs
}

/// The kinds of operations, as far as faults tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Create,
    SetMode,
    Open,
    Read,
    Look,
    Write,
    Sync,
    Close,
    Link,
    Remove,
}

/// Counts operations and says which of them fail. Clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Fuse(Arc<FuseState>);

/// Is called before each operation, with its name.
#[derive(Clone)]
pub(crate) struct Watch(pub(crate) PlainArc<dyn Fn(&'static str) + Send + Sync>);

#[derive(Debug)]
struct FuseState {
    met: AtomicU64,
    lifted: AtomicBool,
    injection: Injection,
    /// Every operation, whether or not the fault meets it.
    log: Mutex<Vec<Step>>,
    /// Who is told of each operation instead, of which none fails then.
    watch: Option<Watch>,
}

/// What becomes of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Burn {
    Passes,
    Fails(Errno),
    /// It is done, and says that it failed.
    FailsAfterwards(Errno),
    /// A write takes half, a read yields half.
    Halves,
}

impl Fault {
    /// All of them, but that removals fail.
    pub const ALL: [Self; 14] = [
        Self::DiskFull,
        Self::QuotaExceeded,
        Self::TooManyOpenFiles,
        Self::ReadOnly,
        Self::WriteFails,
        Self::SyncFails,
        Self::CloseFails,
        Self::ReadFails,
        Self::ShortWrite,
        Self::ShortRead,
        Self::Interrupted,
        Self::WouldBlock,
        Self::LinkAnswerLost,
        Self::Stale,
    ];

    /// Whether it is none, to code that does as it should: what was asked for is done nevertheless.
    pub const fn is_harmless(self) -> bool {
        matches!(self, Self::ShortWrite | Self::ShortRead | Self::Interrupted)
    }

    const fn meets(self, step: Step) -> bool {
        match self {
            Self::DiskFull | Self::QuotaExceeded => {
                matches!(step, Step::Create | Step::Write | Step::Sync | Step::Close | Step::Link)
            }
            Self::TooManyOpenFiles => matches!(step, Step::Create | Step::Open),
            Self::ReadOnly => matches!(step, Step::Create | Step::SetMode | Step::Write | Step::Sync | Step::Link),
            Self::WriteFails | Self::ShortWrite => matches!(step, Step::Write),
            Self::ShortRead => matches!(step, Step::Read),
            Self::SyncFails => matches!(step, Step::Sync),
            Self::CloseFails => matches!(step, Step::Close),
            Self::ReadFails => matches!(step, Step::Read | Step::Look),
            Self::Interrupted => true,
            Self::Stale => {
                matches!(step, Step::Open | Step::Read | Step::Look | Step::Write | Step::Sync | Step::Close)
            }
            Self::WouldBlock => matches!(step, Step::Write | Step::Read | Step::Open),
            Self::LinkAnswerLost => matches!(step, Step::Link),
            Self::RemoveFails => matches!(step, Step::Remove),
        }
    }

    const fn burn(self) -> Burn {
        Burn::Fails(match self {
            Self::DiskFull => Errno::NOSPC,
            Self::QuotaExceeded => Errno::DQUOT,
            Self::TooManyOpenFiles => Errno::MFILE,
            Self::ReadOnly => Errno::ROFS,
            Self::WriteFails | Self::SyncFails | Self::CloseFails | Self::ReadFails | Self::RemoveFails => Errno::IO,
            Self::Interrupted => Errno::INTR,
            Self::WouldBlock => Errno::AGAIN,
            Self::Stale => Errno::STALE,
            Self::ShortWrite | Self::ShortRead => return Burn::Halves,
            Self::LinkAnswerLost => return Burn::FailsAfterwards(Errno::TIMEDOUT),
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.burn() {
            Burn::Fails(errno) | Burn::FailsAfterwards(errno) => fmt::Display::fmt(&io::Error::from(errno), f),
            Burn::Halves | Burn::Passes => f.write_str("short read or write"),
        }
    }
}

impl Injection {
    /// That fault at that operation.
    pub const fn new(fault: Fault, at: u64, failure: Failure) -> Self {
        Self { fault, at, failure }
    }
}

impl Step {
    /// What it is called.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::SetMode => "set mode",
            Self::Open => "open",
            Self::Read => "read",
            Self::Look => "look",
            Self::Write => "write",
            Self::Sync => "sync",
            Self::Close => "close",
            Self::Link => "link",
            Self::Remove => "remove",
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

impl Fuse {
    pub(crate) fn new(injection: Injection) -> Self {
        Self(Arc::new(FuseState {
            met: AtomicU64::new(0),
            lifted: AtomicBool::new(false),
            injection,
            log: Mutex::default(),
            watch: None,
        }))
    }

    /// Fails never, and tells of each operation.
    pub(crate) fn watched(watch: Watch) -> Self {
        Self(Arc::new(FuseState {
            met: AtomicU64::new(0),
            lifted: AtomicBool::new(true),
            injection: Injection::new(Fault::Interrupted, u64::MAX, Failure::Once),
            log: Mutex::default(),
            watch: Some(watch),
        }))
    }

    /// What was done since this was asked the last time.
    pub(crate) fn take_log(&self) -> Vec<Step> {
        std::mem::take(&mut self.0.log.lock())
    }

    /// Counts an operation.
    pub(crate) fn burn(&self, step: Step) -> Burn {
        if let Some(Watch(watch)) = &self.0.watch {
            watch(step.name());
            return Burn::Passes;
        }
        self.0.log.lock().push(step);
        let Injection { fault, at, failure } = self.0.injection;
        if !fault.meets(step) || self.0.lifted.load(Ordering::Relaxed) {
            return Burn::Passes;
        }
        let number = self.0.met.fetch_add(1, Ordering::Relaxed) + 1;
        let fails = match failure {
            Failure::Once => number == at,
            // Who calls again after an interruption is not interrupted for ever.
            Failure::FromThereOn if fault == Fault::Interrupted => number >= at && (number - at) % 2 == 0,
            Failure::FromThereOn => number >= at,
        };
        if fails { fault.burn() } else { Burn::Passes }
    }

    /// From here on everything passes.
    pub(crate) fn lift(&self) {
        self.0.lifted.store(true, Ordering::Relaxed);
    }

    pub(crate) fn fault(&self) -> Fault {
        self.0.injection.fault
    }

    /// How many operations came that the fault meets.
    #[cfg(all(test, not(ckpt_loom)))]
    pub(crate) fn met(&self) -> u64 {
        self.0.met.load(Ordering::Relaxed)
    }

    /// Whether the operation came that was to fail.
    pub(crate) fn has_burnt(&self) -> bool {
        self.0.met.load(Ordering::Relaxed) >= self.0.injection.at
    }
}
