//! Whether the conditional write of a store holds.
//!
//! There are stores, and proxies before them, that take the condition of a write and write all the same. Two leaders would
//! both believe that they have committed, and nothing that happens later tells. So before HEAD is written a record of
//! nobody's is made to lose and to win each way:
//!
//! ```text
//! write A, if absent         done       B, if absent          lost, and A is read
//! write B, if it is A        done       C, if it is A still   lost, and B is read
//! ```
//!
//! What a process leaves that dies meanwhile the next one deletes, and it cannot tell a dead process from a slow one. So
//! beside its record each process has a file that is deleted first: while that is there, nobody has touched the record.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::head::Nonce;
use ckpt_core::state::RelPath;
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_streams::file_system::{CasOutcome, Durability, Expect, FileSystem, VersionTag, Visible};
use parking_lot::Mutex;

use crate::error::StorageError;
use crate::layout;
use crate::random::RandomSource;

/// How often one write is sent before it stays unknown whether the store can be relied on.
const MOST_TRIES: u32 = 5;

/// With how many records it is tried when others delete them.
const MOST_RECORDS: u32 = 10;

/// How many files of dead processes are deleted at once; the next probe goes on.
const LEFTOVERS: usize = 1000;

/// The stores of one process whose conditional write was seen to hold: each is asked once.
#[derive(Debug, Default)]
pub(crate) struct ProbedStores(Mutex<HashSet<String>>);

/// One probe.
struct Probe<'a> {
    file_system: &'a dyn FileSystem,
    /// The store as people know it.
    shown: &'a str,
    record: RelPath,
    /// Is there until somebody takes this process for dead.
    untouched: RelPath,
    bodies: [Bytes; 3],
}

/// What a conditional write did that it must not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BrokenPromise {
    #[error("a record that was there was written though the write asked for none")]
    WrittenThoughThere,
    #[error("a record was written though the write asked for an older version of it")]
    WrittenThoughNewer,
    #[error("a record that nobody else knows was not made, for one is said to be there")]
    NotMade,
    #[error("a record was not written though the write asked for the version that it has")]
    NotSwapped,
    #[error("two versions of a record have one tag")]
    SameTag,
    #[error("a record that was written is not there when it is read")]
    Vanished,
    #[error("a record is read otherwise than it was written")]
    ReadOtherwise,
}

/// Why a probe did not succeed.
enum Trouble {
    Broken(BrokenPromise),
    Error(Error),
}

impl ProbedStores {
    /// Sees to it that the conditional write of the store holds in which HEAD lies, which people know as `shown`. Nothing is
    /// left of it; what a process left that died meanwhile the next one deletes.
    ///
    /// # Errors
    ///
    /// `Configuration`, saying what did not hold; `Retry` when it could not be told.
    pub(crate) fn require(
        &self,
        file_system: &Arc<dyn FileSystem>,
        shown: &str,
        random: &dyn RandomSource,
    ) -> Result<()> {
        if self.0.lock().contains(shown) {
            return Ok(());
        }
        remove_leftovers(&**file_system);
        for _ in 0..MOST_RECORDS {
            let mut nonce = [0; 16];
            random.fill(&mut nonce)?;
            let probe = Probe::new(&**file_system, shown, Nonce::new(nonce));
            let held = probe.run();
            let is_ours = probe.is_untouched();
            probe.remove();
            match held {
                Ok(()) => {
                    self.0.lock().insert(shown.to_owned());
                    return Ok(());
                }
                Err(Trouble::Error(source)) => return Err(not_probed(shown, source)),
                Err(Trouble::Broken(promise)) if is_ours? => {
                    return Err(StorageError::PromiseBroken { path: shown.to_owned(), promise }.configuration());
                }
                Err(Trouble::Broken(_)) => {}
            }
        }
        let message = format!("other processes deleted {MOST_RECORDS} records on which it was tried");
        Err(not_probed(shown, Error::new(ErrorKind::Retry, message)))
    }
}

impl<'a> Probe<'a> {
    fn new(file_system: &'a dyn FileSystem, shown: &'a str, nonce: Nonce) -> Self {
        let bodies = ["A", "B", "C"].map(|body| Bytes::from(format!("{body} {nonce:?}")));
        let (record, untouched) = (layout::probed_record(nonce), layout::untouched_record(nonce));
        Self { file_system, shown, record, untouched, bodies }
    }

    fn run(&self) -> Result<(), Trouble> {
        let [first, second, third] = &self.bodies;
        let untouched = self.file_system.create_new(&self.untouched, Visible::AtOnce)?;
        // Whether it is there is looked at when that matters.
        if let CasOutcome::Failed(error) = untouched.finish(Durability::None) {
            return Err(error.into());
        }
        let made = self.win(first, Expect::Absent, BrokenPromise::NotMade)?;
        self.lose(second, Expect::Absent, BrokenPromise::WrittenThoughThere)?;
        self.read_back(first, &made)?;
        let swapped = self.win(second, Expect::Version(&made), BrokenPromise::NotSwapped)?;
        if swapped == made {
            return Err(Trouble::Broken(BrokenPromise::SameTag));
        }
        self.lose(third, Expect::Version(&made), BrokenPromise::WrittenThoughNewer)?;
        self.read_back(second, &swapped)
    }

    /// A write that must be done.
    fn win(&self, body: &Bytes, expect: Expect<'_>, promise: BrokenPromise) -> Result<VersionTag, Trouble> {
        let (outcome, unanswered) = self.send(body, expect)?;
        match outcome {
            Some(tag) => Ok(tag),
            // An earlier try of the same may be what came first.
            None => match self.read()? {
                Some((there, tag)) if unanswered && there == *body => Ok(tag),
                None => Err(Trouble::Broken(BrokenPromise::Vanished)),
                Some(_) => Err(Trouble::Broken(promise)),
            },
        }
    }

    /// A write that must not be done.
    fn lose(&self, body: &Bytes, expect: Expect<'_>, promise: BrokenPromise) -> Result<(), Trouble> {
        match self.send(body, expect)? {
            (None, _) => Ok(()),
            (Some(_), _) => Err(Trouble::Broken(promise)),
        }
    }

    /// Sends the same bytes until it is known whether they were written; with that, whether they were sent before in vain.
    fn send(&self, body: &Bytes, expect: Expect<'_>) -> Result<(Option<VersionTag>, bool), Trouble> {
        let mut unanswered = None;
        for _ in 0..MOST_TRIES {
            let source = match self.file_system.put_record(&self.record, body.clone(), expect) {
                CasOutcome::Done(tag) => return Ok((Some(tag), unanswered.is_some())),
                CasOutcome::Lost => return Ok((None, unanswered.is_some())),
                CasOutcome::Failed(source) | CasOutcome::Unknown(source) => source,
                other => Error::new(ErrorKind::Unknown, format!("an answer that is not known: {other:?}")),
            };
            unanswered = Some(source);
        }
        let error = unanswered.unwrap_or_else(|| Error::new(ErrorKind::Unknown, "it was never sent"));
        Err(error.into())
    }

    fn read_back(&self, body: &Bytes, tag: &VersionTag) -> Result<(), Trouble> {
        match self.read()? {
            Some(there) if there == (body.clone(), tag.clone()) => Ok(()),
            Some(_) => Err(Trouble::Broken(BrokenPromise::ReadOtherwise)),
            None => Err(Trouble::Broken(BrokenPromise::Vanished)),
        }
    }

    fn read(&self) -> Result<Option<(Bytes, VersionTag)>, Trouble> {
        let mut tried = 1;
        loop {
            match self.file_system.read_record(&self.record) {
                Ok(found) => return Ok(found),
                Err(error) if tried == MOST_TRIES => return Err(error.into()),
                Err(_) => tried += 1,
            }
        }
    }

    /// Whether nobody else can have deleted the record.
    fn is_untouched(&self) -> Result<bool> {
        match self.file_system.open(&self.untouched) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(not_probed(self.shown, error)),
        }
    }

    /// What is left is left to the next one.
    fn remove(&self) {
        let listed = self.record.parent().and_then(|parent| self.file_system.list(Some(&parent), None, LEFTOVERS).ok());
        let mut paths: Vec<_> = listed.into_iter().flatten().map(|entry| entry.path).collect();
        // A list may be of the past.
        paths.extend([self.untouched.clone(), self.record.clone()]);
        drop(self.file_system.remove(&paths));
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

fn not_probed(shown: &str, source: Error) -> Error {
    StorageError::NotProbed { path: shown.to_owned(), source }.retry()
}

/// What fails here is left to the next one: it is in nobody's way.
fn remove_leftovers(file_system: &dyn FileSystem) {
    let Ok(listed) = file_system.list(Some(&layout::probe_directory()), None, LEFTOVERS) else { return };
    let ours = listed.into_iter().map(|entry| entry.path).filter(layout::is_probed);
    let (untouched, records): (Vec<_>, Vec<_>) = ours.partition(layout::is_untouched_record);
    // In this order: who finds its record changed looks whether anybody may have deleted it.
    for paths in [untouched, records] {
        if !paths.is_empty() && file_system.remove(&paths).iter().any(Result::is_err) {
            return;
        }
    }
}

#[cfg(test)]
#[path = "probe_test.rs"]
mod probe_test;
