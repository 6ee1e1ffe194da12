//! Beginning a job from a snapshot that it did not take.

use ckpt_core::head::{ClaimMode, Collected, ForeignSnapshot, Head, Nonce, Origin, WrittenHead};
use ckpt_core::id::{JobId, LeaderEpoch};
use ckpt_core::uri::StoragePath;
use ckpt_core::{Error, ErrorKind, Result};

use crate::claim::error::ClaimError;
use crate::claim::found::Found;
use crate::claim::owner;
use crate::claim::start::Start;
use crate::claim::take_over::{MOST_TRIES, Wait, take_over};
use crate::context::StorageContext;
use crate::file::Pointed;
use crate::head::{HeadOutcome, HeadStore};

/// A job that was begun from a snapshot that it did not take, or taken over after it had been.
#[derive(Debug)]
#[non_exhaustive]
pub struct Begun {
    /// HEAD as it was written.
    pub written: WrittenHead,
    /// The job whose checkpoint was claimed had not ended: the leader of that epoch was fenced, and the job ended.
    pub fenced: Option<(JobId, LeaderEpoch)>,
}

/// Begins a job from the snapshot that `start` names, or takes it over when it began from there before: the first leader and
/// every later one are started in the same way. `store` keeps the job's HEAD; `nonce` must come from a good source of
/// randomness.
///
/// The order is that of this module: a crash at any step is made good by the same call, and of two jobs that claim one
/// snapshot exactly one has it. Metadata is read whole and verified; whether all state is there the
/// [verification](crate::verify) of it says.
///
/// # Errors
///
/// Those of [`claim`](crate::claim) and of [`CheckpointStorage::resolve`](crate::CheckpointStorage::resolve). `Configuration`
/// when the job began from something else, or can restore something else already; and of a claim when the snapshot belongs to
/// another job, is Flink's, is a checkpoint that no HEAD retains, or of a job that is active and is to be left alone.
/// `NotFound` when it is being disposed of. `Corrupt` when metadata, HEAD or a mark is damaged. `Retry` or `Unknown` when
/// something could not be read or written: calling once more is safe.
pub fn begin_from(
    store: &dyn HeadStore,
    job: JobId,
    nonce: Nonce,
    start: &Start,
    context: &StorageContext,
    wait: &dyn Wait,
) -> Result<Begun> {
    let mut fenced = None;
    for _ in 0..MOST_TRIES {
        let current = store.read()?;
        let write = match current.as_ref().and_then(|current| current.origin.as_ref()) {
            Some(origin) => {
                refuse_other_start(job, origin, start, context)?;
                Head::claim(current.as_ref(), job, nonce)?
            }
            None => {
                let found = Found::find(start, context)?;
                // What is refused here is refused before anything of the other job changes.
                let write = Head::claim_from(current.as_ref(), job, nonce, &found.foreign, start.mode)?;
                if start.mode == ClaimMode::Claim {
                    store.ready(&write)?;
                    let fences = || {
                        let claim = Head::claim(current.as_ref(), job, nonce);
                        claim.is_ok_and(|claim| matches!(store.write(claim), HeadOutcome::Written(_)))
                    };
                    fenced = fenced.or(make_ours(&found, write.head(), (start, context), &fences, wait)?);
                }
                write
            }
        };
        match store.write(write) {
            HeadOutcome::Written(written) => return Ok(Begun { written, fenced }),
            HeadOutcome::Fenced(_) => {}
            HeadOutcome::Failed(error) | HeadOutcome::Unknown(error) => return Err(error),
        }
    }
    Err(ClaimError::Contended { job, tries: MOST_TRIES }.retry())
}

/// Makes the snapshot the job's that `next` begins.
fn make_ours(
    found: &Found,
    next: &Head,
    (start, context): (&Start, &StorageContext),
    fences: &dyn Fn() -> bool,
    wait: &dyn Wait,
) -> Result<Option<(JobId, LeaderEpoch)>> {
    match found.owner(context)? {
        None => owner::own(found, next, start, fences).map(|()| None),
        Some((store, from)) => {
            let fenced = hand_over(found, &store, from, next, start, wait)?;
            Ok(fenced.map(|epoch| (from, epoch)))
        }
    }
}

/// Has the job `from` hand its checkpoint over. Returns its leader, if that had to be fenced.
fn hand_over(
    found: &Found,
    store: &dyn HeadStore,
    from: JobId,
    next: &Head,
    start: &Start,
    wait: &dyn Wait,
) -> Result<Option<LeaderEpoch>> {
    let (to, mut fenced) = (next.job, None);
    for _ in 0..MOST_TRIES {
        let head = store.read()?.ok_or_else(|| ClaimError::NoHead { job: from }.of_kind(ErrorKind::NotFound))?;
        match found.named_by(&head)? {
            // An earlier try of this came so far.
            Some(owner) if owner == to => return Ok(fenced),
            Some(owner) => {
                let pointer = found.pointed.written.clone();
                return Err(ClaimError::HandedOver { pointer, to: owner, job: to }.configuration());
            }
            None => {}
        }
        let taken = take_over(store, from, next.nonce, start.active, wait)?;
        fenced = fenced.or(taken.fenced);
        match store.write(taken.written.head.hand_over(found.foreign.id, to, &Collected::none())?) {
            HeadOutcome::Written(_) => return Ok(fenced),
            HeadOutcome::Fenced(_) => {}
            HeadOutcome::Failed(error) | HeadOutcome::Unknown(error) => return Err(error),
        }
    }
    Err(ClaimError::Contended { job: from, tries: MOST_TRIES }.retry())
}

/// The same start again is a take-over, which needs nothing of the snapshot any more: it may be claimed, subsumed and gone.
/// As far as it can still be read it must be the same one.
fn refuse_other_start(job: JobId, origin: &Origin, start: &Start, context: &StorageContext) -> Result<()> {
    let is_same = match Found::find(start, context) {
        Ok(Found { foreign: ForeignSnapshot { job, id, uri, metadata_bytes, index_digest, .. }, .. }) => {
            (job, id, &uri, metadata_bytes, index_digest)
                == (origin.job, origin.id, &origin.uri, origin.metadata_bytes, origin.index_digest)
        }
        Err(_) => is_at(start, origin),
    };
    if is_same && start.mode == origin.mode {
        return Ok(());
    }
    let Origin { id, mode, .. } = *origin;
    // What may be a secret is not shown.
    let pointer = StoragePath::from(&*start.pointer).to_string();
    let (uri, other_mode): (_, ClaimMode) = (origin.uri.clone(), start.mode);
    let error: Error = ClaimError::OtherStart { job, id, uri, mode, pointer, other_mode }.configuration();
    Err(error)
}

/// Whether the pointer leads where the origin was, whether that is there or not.
fn is_at(start: &Start, origin: &Origin) -> bool {
    Pointed::place_of(&start.pointer).is_ok_and(|uri| uri == origin.uri)
}
