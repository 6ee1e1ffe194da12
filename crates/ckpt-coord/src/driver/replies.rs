//! Answers that are owed.

use std::collections::BTreeMap;
use std::sync::Arc;

use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_streams::Promise;

use crate::coordinator::{Answer, Completion, Failure, ReplyToken};
use crate::driver::handle::Shared;
use crate::observer::CompletedCheckpoint;

/// An answer that is owed. Dropping it answers that the driver has stopped, so that nobody is left without.
#[derive(Debug)]
pub(super) struct Owed<T> {
    promise: Option<Promise<Result<T>>>,
    shared: Arc<Shared>,
}

/// Every answer that the coordinator owes, by its token.
#[derive(Debug, Default)]
pub(super) struct Replies {
    next: u64,
    checkpoints: BTreeMap<ReplyToken, Owed<CompletedCheckpoint>>,
    restore_points: BTreeMap<ReplyToken, Owed<Option<Arc<CheckpointMetadata>>>>,
    done: BTreeMap<ReplyToken, Owed<()>>,
}

impl<T> Owed<T> {
    pub(super) const fn new(promise: Promise<Result<T>>, shared: Arc<Shared>) -> Self {
        Self { promise: Some(promise), shared }
    }

    fn keep(mut self, answer: Result<T>) {
        if let Some(promise) = self.promise.take() {
            promise.keep(answer);
        }
    }
}

impl<T> Drop for Owed<T> {
    fn drop(&mut self) {
        if let Some(promise) = self.promise.take() {
            let failure = self.shared.failure.lock().clone();
            let failure = failure.unwrap_or_else(|| Failure::new(ErrorKind::Cancelled, "the driver has stopped"));
            promise.keep(Err(Error::from(failure)));
        }
    }
}

impl Replies {
    pub(super) fn owe_checkpoint(&mut self, owed: Owed<CompletedCheckpoint>) -> ReplyToken {
        let token = self.token();
        self.checkpoints.insert(token, owed);
        token
    }

    pub(super) fn owe_done(&mut self, owed: Owed<()>) -> ReplyToken {
        let token = self.token();
        self.done.insert(token, owed);
        token
    }

    pub(super) fn owe_restore_point(&mut self, owed: Owed<Option<Arc<CheckpointMetadata>>>) -> ReplyToken {
        let token = self.token();
        self.restore_points.insert(token, owed);
        token
    }

    pub(super) fn answer(&mut self, token: ReplyToken, answer: Answer) {
        if let Some(owed) = self.checkpoints.remove(&token) {
            if let Some(answer) = to_result(answer, |answer| match answer {
                Answer::Completed(completion) => Some(completed(*completion)),
                _ => None,
            }) {
                owed.keep(answer);
            }
        } else if let Some(owed) = self.restore_points.remove(&token) {
            if let Some(answer) = to_result(answer, |answer| match answer {
                Answer::RestorePoint(newest) => Some(newest.clone()),
                _ => None,
            }) {
                owed.keep(answer);
            }
        } else if let Some(owed) = self.done.remove(&token) {
            if let Some(answer) = to_result(answer, |answer| matches!(answer, Answer::Done).then_some(())) {
                owed.keep(answer);
            }
        }
    }

    fn token(&mut self) -> ReplyToken {
        self.next += 1;
        ReplyToken::new(self.next)
    }
}

/// A committed checkpoint, as observers and callers see it.
pub(super) const fn completed(completion: Completion) -> CompletedCheckpoint {
    CompletedCheckpoint::new(completion.identity, completion.total_bytes, completion.duration)
}

/// `None` for a success of the other kind, which no coordinator answers.
fn to_result<T>(answer: Answer, success: impl FnOnce(&Answer) -> Option<T>) -> Option<Result<T>> {
    match answer {
        Answer::Aborted(reason) => Some(Err(reason.into())),
        Answer::Failed(failure) => Some(Err(failure.into())),
        answer => success(&answer).map(Ok),
    }
}
