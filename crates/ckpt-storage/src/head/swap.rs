//! How one write of HEAD is decided, apart from all I/O.
//!
//! ```text
//!            begin(what was seen)
//!                  │
//!       not what it proceeds from, or nothing seen          it is what the write proceeds from
//!                  ▼                                                       │
//!                Read ──▶ it is there already: Written                     ▼
//!                  │      ──▶ another write came first: Fenced      Put, if HEAD is that version
//!                  │ it is what the write proceeds from                    │
//!                  └──────────────────────────────────────────────▶───────┤
//!                  ▲                                                       ├──▶ done: Written
//!                  └─── lost, or not known: the same bytes once more ◀─────┤
//!                                                                          └──▶ not made: Explain ──▶ Fenced, NotWritten
//! ```
//!
//! Once a request was sent whose answer is not known, it may land at any time. Reading tells whether it was written, and
//! never that it will not be: only a newer write does. So from then on nothing but `Written`, `Fenced` and `Unknown` is
//! said.

use bytes::Bytes;
use ckpt_core::head::{Head, HeadVersion, Nonce};
use ckpt_core::id::LeaderEpoch;
use ckpt_streams::file_system::VersionTag;

/// One write of HEAD: which requests it takes, one at a time, and what their answers mean. It does no I/O and gives the
/// same steps for the same answers; whoever drives it sends what it [asks for](HeadStep) and tells it the
/// [answer](HeadAnswer), until it has [ended](HeadEnd).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use = "nothing is sent by itself"]
pub struct HeadSwap {
    version: HeadVersion,
    epoch: LeaderEpoch,
    nonce: Nonce,
    body: Bytes,
    /// How often it may still be sent, or HEAD read for it.
    tries_left: u32,
    /// Whether a request was sent that may land yet.
    unanswered: bool,
    /// Whether it is certainly not written, and only the reason is asked for.
    explains: bool,
}

/// What must be known of a HEAD to write its successor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SeenHead {
    version: HeadVersion,
    epoch: LeaderEpoch,
    nonce: Nonce,
    /// Its bytes, which tell it from another write of the same leader. A digest would not: HEAD ends in its own.
    body: Bytes,
    tag: VersionTag,
}

/// What a write of HEAD needs next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "who drives it must know every step")]
pub enum HeadStep {
    /// HEAD is to be read, and [found](HeadAnswer::Found).
    Read,
    /// The [bytes](HeadSwap::body) are to be written if HEAD is that version, or absent.
    Put(Option<VersionTag>),
    /// It was not written for certain. HEAD is to be read once more, since it may tell why.
    Explain,
    /// That became of it.
    Ended(HeadEnd),
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "who drives it must be able to say every one")]
pub enum HeadAnswer {
    /// HEAD was read: that is there, or none.
    Found(Option<SeenHead>),
    /// HEAD could not be read.
    Unreadable,
    /// The bytes were written; HEAD has that version now.
    Done(VersionTag),
    /// The bytes were not and will not be written: HEAD is another version.
    Lost,
    /// The bytes were not and will not be written, for another reason.
    Failed,
    /// The bytes may have been written, or may be yet.
    Unknown,
}

/// What became of a write of HEAD.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "who drives it must act on every one")]
pub enum HeadEnd {
    /// It is written: HEAD is this.
    Written(SeenHead),
    /// Another write came first, and this one cannot follow any more.
    Fenced(HeadFence),
    /// It was not written: HEAD could not be read.
    Unreadable,
    /// It was not written: the request failed.
    NotWritten,
    /// It was not written: each request was refused although HEAD was what it expected.
    Contended,
    /// It may have been written, or may be yet.
    Unknown,
}

/// By what a write of HEAD is fenced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "each is told in words of its own")]
pub enum HeadFence {
    /// HEAD is gone.
    Gone,
    /// A leader of a higher epoch.
    Epoch(LeaderEpoch),
    /// Another leader of the same epoch, which wrote that version.
    Nonce(HeadVersion),
    /// Another write: that epoch's of that version.
    Version(LeaderEpoch, HeadVersion),
}

/// What the HEAD that is there means for a write.
enum Standing {
    /// It is the one that the write proceeds from.
    Predecessor,
    /// It is the write itself.
    Written,
}

impl HeadSwap {
    /// The write of `next`, whose bytes are `body`, in at most `tries` requests.
    pub fn new(next: &Head, body: Bytes, tries: u32) -> Self {
        let Head { version, epoch, nonce, .. } = *next;
        Self { version, epoch, nonce, body, tries_left: tries, unanswered: false, explains: false }
    }

    /// The same after an earlier try whose outcome is not known: it may have been written, or may be yet.
    pub fn in_doubt(self) -> Self {
        Self { unanswered: true, ..self }
    }

    /// The bytes to write.
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// The first step. What was `seen` before is only a hint of where to swap; the swap itself decides.
    pub fn begin(&mut self, seen: Option<&SeenHead>) -> HeadStep {
        match seen {
            Some(seen) if matches!(self.standing(Some(seen)), Ok(Standing::Predecessor)) => {
                self.tries_left = self.tries_left.saturating_sub(1);
                HeadStep::Put(Some(seen.tag.clone()))
            }
            _ => self.again(),
        }
    }

    /// The next step after the answer to the last one.
    pub fn answered(&mut self, answer: HeadAnswer) -> HeadStep {
        match answer {
            HeadAnswer::Found(current) => match (self.standing(current.as_ref()), current) {
                (Err(fence), _) => HeadStep::Ended(HeadEnd::Fenced(fence)),
                (Ok(_), _) if self.explains => HeadStep::Ended(HeadEnd::NotWritten),
                (Ok(Standing::Written), Some(current)) => HeadStep::Ended(HeadEnd::Written(current)),
                (Ok(_), current) => HeadStep::Put(current.map(|seen| seen.tag)),
            },
            _ if self.explains => HeadStep::Ended(HeadEnd::NotWritten),
            HeadAnswer::Unreadable if self.unanswered => self.again(),
            HeadAnswer::Unreadable => HeadStep::Ended(HeadEnd::Unreadable),
            HeadAnswer::Done(tag) => HeadStep::Ended(HeadEnd::Written(self.written(tag))),
            // What is there now says whether an earlier try of ours came first, or somebody else.
            HeadAnswer::Lost => self.again(),
            HeadAnswer::Failed if !self.unanswered => {
                self.explains = true;
                HeadStep::Explain
            }
            // Reading tells whether it was written, and never that it will not be: hence the same bytes once more.
            HeadAnswer::Failed | HeadAnswer::Unknown => {
                self.unanswered = true;
                self.again()
            }
        }
    }

    /// One more try, which begins with what is there.
    fn again(&mut self) -> HeadStep {
        match self.tries_left.checked_sub(1) {
            Some(left) => {
                self.tries_left = left;
                HeadStep::Read
            }
            None if self.unanswered => HeadStep::Ended(HeadEnd::Unknown),
            None => HeadStep::Ended(HeadEnd::Contended),
        }
    }

    fn written(&self, tag: VersionTag) -> SeenHead {
        SeenHead { version: self.version, epoch: self.epoch, nonce: self.nonce, body: self.body.clone(), tag }
    }

    /// What the HEAD that is there means for this write. A version number stands for one content only, since each write
    /// raises it by one and is a compare-and-swap: so a write whose version is one above what is there proceeds from
    /// exactly that.
    ///
    /// # Errors
    ///
    /// When another write came first.
    fn standing(&self, current: Option<&SeenHead>) -> Result<Standing, HeadFence> {
        let Some(current) = current else {
            return if self.version == HeadVersion::FIRST { Ok(Standing::Predecessor) } else { Err(HeadFence::Gone) };
        };
        let of_this_leader = current.epoch == self.epoch && current.nonce == self.nonce;
        if current.version == self.version && of_this_leader && current.body == self.body {
            return Ok(Standing::Written);
        }
        // A claim proceeds from whatever the former leader wrote last.
        let of_the_former = current.epoch.next() == Some(self.epoch);
        if current.version.next() == Some(self.version) && (of_this_leader || of_the_former) {
            return Ok(Standing::Predecessor);
        }
        Err(if current.epoch > self.epoch {
            HeadFence::Epoch(current.epoch)
        } else if current.epoch == self.epoch && current.nonce != self.nonce {
            HeadFence::Nonce(current.version)
        } else {
            HeadFence::Version(current.epoch, current.version)
        })
    }
}

impl SeenHead {
    /// `head` was read as `body`, in the version that `tag` tells from every other.
    pub fn new(head: &Head, body: Bytes, tag: VersionTag) -> Self {
        Self { version: head.version, epoch: head.epoch, nonce: head.nonce, body, tag }
    }
}
