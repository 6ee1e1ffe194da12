//! HEAD as a record of a file system.

use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::head::{Head, HeadVersion, HeadWrite, Nonce};
use ckpt_core::id::LeaderEpoch;
use ckpt_core::state::RelPath;
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_streams::file_system::{CasOutcome, Expect, FileSystem, VersionTag};
use parking_lot::Mutex;

use crate::error::StorageError;
use crate::head::{HeadOutcome, HeadStore};

/// How often one write is sent, or HEAD read after it, before its outcome stays unknown.
const MOST_TRIES: u32 = 5;

/// HEAD as a record of a file system.
///
/// A version number stands for one content only, since each write raises it by one and is a compare-and-swap. So a write
/// whose version is one above what is there proceeds from exactly that.
#[derive(Debug)]
pub(crate) struct RecordHeadStore {
    file_system: Arc<dyn FileSystem>,
    path: RelPath,
    /// The path as people know it, for errors.
    shown: String,
    /// What was last seen, so that a commit need not read before it writes. It may be old; then the swap fails.
    seen: Mutex<Option<Seen>>,
    /// The write whose outcome is not known yet: it may land even after a later try of it has failed.
    in_doubt: Mutex<Option<(HeadVersion, Nonce)>>,
}

/// What must be known of a HEAD to write its successor.
#[derive(Clone, Debug)]
struct Seen {
    version: HeadVersion,
    epoch: LeaderEpoch,
    nonce: Nonce,
    /// Its bytes, which tell it from another write of the same leader. A digest would not: HEAD ends in its own.
    body: Bytes,
    tag: VersionTag,
}

/// What the HEAD that is there means for a write.
enum Standing {
    /// It is the one that the write proceeds from.
    Predecessor,
    /// It is the write itself.
    Written,
}

impl HeadStore for RecordHeadStore {
    fn read(&self) -> Result<Option<Head>> {
        let (head, seen) = self.read_seen()?.unzip();
        *self.seen.lock() = seen;
        Ok(head)
    }

    fn write(&self, write: HeadWrite) -> HeadOutcome {
        let this = (write.head().version, write.head().nonce);
        let doubtful = *self.in_doubt.lock() == Some(this);
        let outcome = self.swap(write, doubtful);
        *self.in_doubt.lock() = matches!(outcome, HeadOutcome::Unknown(_)).then_some(this);
        outcome
    }
}

impl RecordHeadStore {
    pub(crate) fn new(file_system: Arc<dyn FileSystem>, path: RelPath, shown: String) -> Self {
        Self { file_system, path, shown, seen: Mutex::new(None), in_doubt: Mutex::new(None) }
    }

    /// Writes the next HEAD. With `doubtful` an earlier try of the same may have been written, or may be yet.
    fn swap(&self, write: HeadWrite, doubtful: bool) -> HeadOutcome {
        let body = match write.head().encode() {
            Ok(body) => body,
            Err(error) => return HeadOutcome::Failed(error),
        };
        // What an earlier call saw is only a hint of where to swap; the swap itself decides.
        let seen = self.seen.lock().take();
        let mut hint =
            seen.filter(|seen| matches!(self.standing(Some(seen), write.head(), &body), Ok(Standing::Predecessor)));
        // Once a swap was sent whose answer is not known, only `Written` and `Fenced` are certain.
        let mut unanswered =
            doubtful.then(|| Error::new(ErrorKind::Unknown, "an earlier try of the same was not answered"));
        for _ in 0..MOST_TRIES {
            let current = match hint.take() {
                Some(seen) => Some(seen),
                None => match self.read_seen() {
                    Ok(current) => current.map(|(_, seen)| seen),
                    Err(error) if unanswered.is_none() => return HeadOutcome::Failed(error),
                    Err(error) => {
                        unanswered = Some(error);
                        continue;
                    }
                },
            };
            match self.standing(current.as_ref(), write.head(), &body) {
                Ok(Standing::Written) => {
                    *self.seen.lock() = current;
                    return HeadOutcome::Written(write.written());
                }
                Ok(Standing::Predecessor) => {}
                Err(fenced) => return HeadOutcome::Fenced(fenced),
            }
            let expect = current.as_ref().map_or(Expect::Absent, |seen| Expect::Version(&seen.tag));
            match self.file_system.put_record(&self.path, body.clone(), expect) {
                CasOutcome::Done(tag) => {
                    *self.seen.lock() = Some(Seen::new(write.head(), body, tag));
                    return HeadOutcome::Written(write.written());
                }
                // What is there now says whether an earlier try of ours came first, or somebody else.
                CasOutcome::Lost => {}
                CasOutcome::Failed(source) if unanswered.is_none() => {
                    return self.explain_failure(source, write.head(), &body);
                }
                // Reading tells whether it was written, and never that it will not be: hence the same bytes once more.
                CasOutcome::Failed(error) | CasOutcome::Unknown(error) => unanswered = Some(error),
                other => {
                    let message = format!("the file system gave an answer that is not understood: {other:?}");
                    unanswered = Some(Error::new(ErrorKind::Unknown, message));
                }
            }
        }
        let (path, version) = (self.shown.clone(), write.head().version);
        match unanswered {
            Some(source) => {
                HeadOutcome::Unknown(StorageError::HeadUnknown { path, version, tries: MOST_TRIES, source }.unknown())
            }
            // Each swap was refused although HEAD was what it expected: some other writer is being refused as well.
            None => HeadOutcome::Failed(StorageError::HeadContended { path, version, tries: MOST_TRIES }.retry()),
        }
    }

    fn read_seen(&self) -> Result<Option<(Head, Seen)>> {
        let unreadable = |source: Error| {
            let kind = source.kind();
            StorageError::HeadUnreadable { path: self.shown.clone(), source }.kind(kind)
        };
        let Some((body, tag)) = self.file_system.read_record(&self.path).map_err(unreadable)? else {
            return Ok(None);
        };
        match Head::decode(&body) {
            Ok(head) => {
                let seen = Seen::new(&head, body, tag);
                Ok(Some((head, seen)))
            }
            Err(source) => {
                let kind = source.kind();
                Err(StorageError::HeadDamaged { path: self.shown.clone(), source }.kind(kind))
            }
        }
    }

    /// A write certainly failed: perhaps because another leader has written, which it must hear then.
    fn explain_failure(&self, source: Error, next: &Head, body: &[u8]) -> HeadOutcome {
        if let Ok(current) = self.read_seen() {
            if let Err(fenced) = self.standing(current.map(|(_, seen)| seen).as_ref(), next, body) {
                return HeadOutcome::Fenced(fenced);
            }
        }
        HeadOutcome::Failed(StorageError::HeadNotWritten { path: self.shown.clone(), source }.retry())
    }

    /// What the HEAD that is there means for a write of `next`, whose bytes are `body`.
    ///
    /// # Errors
    ///
    /// `Fenced` when another write came first.
    fn standing(&self, current: Option<&Seen>, next: &Head, body: &[u8]) -> Result<Standing> {
        let path = || self.shown.clone();
        let (ours, expected) = (next.epoch, next.version.get() - 1);
        let Some(current) = current else {
            if next.version == HeadVersion::FIRST {
                return Ok(Standing::Predecessor);
            }
            return Err(StorageError::HeadGone { path: path(), expected, ours }.fenced());
        };
        let of_this_leader = current.epoch == next.epoch && current.nonce == next.nonce;
        if current.version == next.version && of_this_leader && current.body == body {
            return Ok(Standing::Written);
        }
        // A claim proceeds from whatever the former leader wrote last.
        let of_the_former = current.epoch.next() == Some(next.epoch);
        if current.version.get() == expected && (of_this_leader || of_the_former) {
            return Ok(Standing::Predecessor);
        }
        let found = current.version;
        Err(if current.epoch > next.epoch {
            StorageError::FencedByEpoch { path: path(), found: current.epoch, ours }
        } else if current.epoch == next.epoch && current.nonce != next.nonce {
            StorageError::FencedByNonce { path: path(), found, ours }
        } else {
            StorageError::FencedByVersion { path: path(), epoch: current.epoch, found, expected, ours }
        }
        .fenced())
    }
}

impl Seen {
    fn new(head: &Head, body: Bytes, tag: VersionTag) -> Self {
        Self { version: head.version, epoch: head.epoch, nonce: head.nonce, body, tag }
    }
}

#[cfg(test)]
#[path = "record_store_test.rs"]
mod record_store_test;
