//! HEAD as a record of a file system.

use std::sync::Arc;

use ckpt_core::head::{Head, HeadVersion, HeadWrite, Nonce};
use ckpt_core::state::RelPath;
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_streams::file_system::{CasOutcome, Expect, FileSystem, VersionTag};
use parking_lot::Mutex;

use crate::context::StorageContext;
use crate::error::StorageError;
use crate::head::lost;
use crate::head::probe::ProbedStores;
use crate::head::{HeadAnswer, HeadEnd, HeadFence, HeadOutcome, HeadStep, HeadStore, HeadSwap, SeenHead};
use crate::random::RandomSource;

/// How often one write is sent, or HEAD read after it, before its outcome stays unknown.
const MOST_TRIES: u32 = 5;

/// HEAD as a record of a file system: it sends the requests that a [`HeadSwap`] asks for.
#[derive(Debug)]
pub(crate) struct RecordHeadStore {
    file_system: Arc<dyn FileSystem>,
    path: RelPath,
    /// The path as people know it, for errors.
    shown: String,
    /// What was last seen, so that a commit need not read before it writes. It may be old; then the swap fails.
    seen: Mutex<Option<SeenHead>>,
    /// The write whose outcome is not known yet: it may land even after a later try of it has failed.
    in_doubt: Mutex<Option<(HeadVersion, Nonce)>>,
    /// What says whether the store keeps its promises; nothing where HEAD is only read.
    probed: Option<(Arc<ProbedStores>, Arc<dyn RandomSource>)>,
}

impl HeadStore for RecordHeadStore {
    fn read(&self) -> Result<Option<Head>> {
        let (head, seen) = self.read_seen()?.unzip();
        *self.seen.lock() = seen;
        Ok(head)
    }

    fn write(&self, write: HeadWrite) -> HeadOutcome {
        if let Err(error) = self.ready(&write) {
            return HeadOutcome::Failed(error);
        }
        let this = (write.head().version, write.head().nonce);
        let doubtful = *self.in_doubt.lock() == Some(this);
        let outcome = self.swap(write, doubtful);
        *self.in_doubt.lock() = matches!(outcome, HeadOutcome::Unknown(_)).then_some(this);
        outcome
    }

    fn ready(&self, write: &HeadWrite) -> Result<()> {
        let Some((stores, random)) = &self.probed else { return Ok(()) };
        stores.require(&self.file_system, &self.shown, &**random)?;
        if write.head().version > HeadVersion::FIRST {
            return Ok(());
        }
        match lost::refuse_lost_head(&*self.file_system, &self.shown) {
            // Another leader has begun the job meanwhile, and completed checkpoints.
            Err(_) if self.read_seen()?.is_some() => Ok(()),
            looked => looked,
        }
    }
}

impl RecordHeadStore {
    pub(crate) fn new(file_system: Arc<dyn FileSystem>, path: RelPath, shown: String) -> Self {
        Self { file_system, path, shown, seen: Mutex::new(None), in_doubt: Mutex::new(None), probed: None }
    }

    /// The same for who writes, and sees to it first that the store keeps its promises.
    pub(crate) fn for_writing(self, context: &StorageContext) -> Self {
        Self { probed: Some((Arc::clone(&context.probed), Arc::clone(&context.random))), ..self }
    }

    /// Writes the next HEAD. With `doubtful` an earlier try of the same may have been written, or may be yet.
    fn swap(&self, write: HeadWrite, doubtful: bool) -> HeadOutcome {
        let body = match write.head().encode() {
            Ok(body) => body,
            Err(error) => return HeadOutcome::Failed(error),
        };
        let mut swap = HeadSwap::new(write.head(), body, MOST_TRIES);
        // The last reason why it is not known whether it is written, or not done.
        let mut last = None;
        if doubtful {
            swap = swap.in_doubt();
            last = Some(Error::new(ErrorKind::Unknown, "an earlier try of the same was not answered"));
        }
        let seen = self.seen.lock().take();
        let mut step = swap.begin(seen.as_ref());
        loop {
            let answer = match step {
                HeadStep::Read => match self.read_seen() {
                    Ok(current) => HeadAnswer::Found(current.map(|(_, seen)| seen)),
                    Err(error) => {
                        last = Some(error);
                        HeadAnswer::Unreadable
                    }
                },
                HeadStep::Put(expected) => self.put(&swap, expected, &mut last),
                HeadStep::Explain => match self.read_seen() {
                    Ok(current) => HeadAnswer::Found(current.map(|(_, seen)| seen)),
                    Err(_) => HeadAnswer::Unreadable,
                },
                HeadStep::Ended(end) => return self.outcome(write, end, last),
            };
            step = swap.answered(answer);
        }
    }

    /// Sends the write once. Why it was not done, or is not known, goes into `last`.
    fn put(&self, swap: &HeadSwap, expected: Option<VersionTag>, last: &mut Option<Error>) -> HeadAnswer {
        let expect = expected.as_ref().map_or(Expect::Absent, Expect::Version);
        match self.file_system.put_record(&self.path, swap.body().clone(), expect) {
            CasOutcome::Done(tag) => HeadAnswer::Done(tag),
            CasOutcome::Lost => HeadAnswer::Lost,
            CasOutcome::Failed(error) => {
                *last = Some(error);
                HeadAnswer::Failed
            }
            CasOutcome::Unknown(error) => {
                *last = Some(error);
                HeadAnswer::Unknown
            }
            other => {
                let message = format!("the file system gave an answer that is not understood: {other:?}");
                *last = Some(Error::new(ErrorKind::Unknown, message));
                HeadAnswer::Unknown
            }
        }
    }

    /// What the caller is told.
    fn outcome(&self, write: HeadWrite, end: HeadEnd, last: Option<Error>) -> HeadOutcome {
        let (path, version, ours) = (self.shown.clone(), write.head().version, write.head().epoch);
        let expected = version.get() - 1;
        let source = last.unwrap_or_else(|| Error::new(ErrorKind::Unknown, "no answer came"));
        match end {
            HeadEnd::Written(seen) => {
                *self.seen.lock() = Some(seen);
                HeadOutcome::Written(write.written())
            }
            HeadEnd::Fenced(fence) => HeadOutcome::Fenced(
                match fence {
                    HeadFence::Gone => StorageError::HeadGone { path, expected, ours },
                    HeadFence::Epoch(found) => StorageError::FencedByEpoch { path, found, ours },
                    HeadFence::Nonce(found) => StorageError::FencedByNonce { path, found, ours },
                    HeadFence::Version(epoch, found) => {
                        StorageError::FencedByVersion { path, epoch, found, expected, ours }
                    }
                }
                .fenced(),
            ),
            HeadEnd::Unreadable => HeadOutcome::Failed(source),
            HeadEnd::NotWritten => HeadOutcome::Failed(StorageError::HeadNotWritten { path, source }.retry()),
            // Some other writer is being refused as well.
            HeadEnd::Contended => {
                HeadOutcome::Failed(StorageError::HeadContended { path, version, tries: MOST_TRIES }.retry())
            }
            HeadEnd::Unknown => {
                HeadOutcome::Unknown(StorageError::HeadUnknown { path, version, tries: MOST_TRIES, source }.unknown())
            }
        }
    }

    fn read_seen(&self) -> Result<Option<(Head, SeenHead)>> {
        let unreadable = |source: Error| {
            let kind = source.kind();
            StorageError::HeadUnreadable { path: self.shown.clone(), source }.kind(kind)
        };
        let Some((body, tag)) = self.file_system.read_record(&self.path).map_err(unreadable)? else {
            return Ok(None);
        };
        match Head::decode(&body) {
            Ok(head) => {
                let seen = SeenHead::new(&head, body, tag);
                Ok(Some((head, seen)))
            }
            Err(source) => {
                let kind = source.kind();
                Err(StorageError::HeadDamaged { path: self.shown.clone(), source }.kind(kind))
            }
        }
    }
}

#[cfg(test)]
#[path = "record_store_test.rs"]
mod record_store_test;
