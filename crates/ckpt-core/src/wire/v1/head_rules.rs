//! What every HEAD obeys, checked when it is written and when it is read.

use crate::head::{Head, Ownership, RetainedSnapshot, SnapshotPlace};
use crate::id::CheckpointId;
use crate::snapshot::{AfterSavepoint, SnapshotKind};
use crate::state::ClaimId;
use crate::wire::Invalid;

/// The most bytes that a URI in HEAD may have.
const MAX_URI_BYTES: usize = 4096;

pub(super) fn check(head: &Head) -> Result<(), Invalid> {
    check_claims(head)?;
    check_history(head)?;
    check_stopped_at(head)?;
    check_savepoints(head)?;
    match head.restored_from.filter(|id| *id >= head.unreserved_id) {
        Some(id) => Err(Invalid::value("the restored checkpoint", id, format!("one below {}", head.unreserved_id))),
        None => Ok(()),
    }
}

/// No number and no place is claimed twice, and no number will be given again.
fn check_claims(head: &Head) -> Result<(), Invalid> {
    let mut before: Option<ClaimId> = None;
    for (index, claim) in head.claims.iter().enumerate() {
        check_uri("the place of a claim", &claim.uri)?;
        let id = claim.id.get();
        if let Some(before) = before.filter(|before| *before >= claim.id) {
            let found = format!("{id} after {}", before.get());
            return Err(Invalid::value("the number of a claim", found, "numbers that ascend"));
        }
        if claim.id >= head.next_claim {
            let expected = format!("one below the next, {}", head.next_claim.get());
            return Err(Invalid::value("the number of a claim", id, expected));
        }
        if let Some(other) = head.claims[..index].iter().find(|other| other.uri == claim.uri) {
            let expected = format!("one that is not claimed yet, as claim {} does", other.id.get());
            return Err(Invalid::value("the place of a claim", claim.uri.escape_debug(), expected));
        }
        before = Some(claim.id);
    }
    Ok(())
}

/// What was removed was older than all that stayed, so both lists are one history. Epochs of other jobs say nothing here.
fn check_history(head: &Head) -> Result<(), Invalid> {
    let mut before: Option<&RetainedSnapshot> = None;
    let mut before_ours: Option<&RetainedSnapshot> = None;
    for snapshot in head.removed.iter().chain(&head.retained) {
        if let Some(before) = before.filter(|before| before.id >= snapshot.id) {
            return Err(out_of_order(before, snapshot));
        }
        check_number(head, "the number of a snapshot", snapshot.id)?;
        before = Some(snapshot);
        check_owner(head, snapshot)?;
        if snapshot.ownership != Ownership::Job {
            continue;
        }
        if let Some(before) = before_ours.filter(|before| before.epoch > snapshot.epoch) {
            return Err(out_of_order(before, snapshot));
        }
        check_epoch(head, snapshot)?;
        if snapshot.kind.is_savepoint() {
            return Err(Invalid::value("a snapshot of the job's own", snapshot.kind, "a checkpoint"));
        }
        before_ours = Some(snapshot);
    }
    match head.removed.iter().find(|snapshot| !snapshot.may_be_deleted()) {
        Some(borrowed) => Err(Invalid::value("a removed snapshot", borrowed.id, "none that is borrowed")),
        None => Ok(()),
    }
}

fn out_of_order(before: &RetainedSnapshot, snapshot: &RetainedSnapshot) -> Invalid {
    let found = format!("{} (epoch {}) after {} (epoch {})", snapshot.id, snapshot.epoch, before.id, before.epoch);
    Invalid::value("a snapshot", found, "numbers that ascend and epochs that never descend")
}

/// Ours are in the job's directory; all others are elsewhere, claimed or borrowed.
fn check_owner(head: &Head, snapshot: &RetainedSnapshot) -> Result<(), Invalid> {
    match (&snapshot.place, snapshot.ownership) {
        (SnapshotPlace::JobDirectory, Ownership::Job) => Ok(()),
        (SnapshotPlace::Elsewhere(uri), Ownership::Borrowed) => check_uri("the place of a snapshot", uri),
        (SnapshotPlace::Elsewhere(uri), Ownership::Claimed(claim)) => {
            check_uri("the place of a snapshot", uri)?;
            match head.claims.iter().any(|held| held.id == claim) {
                true => Ok(()),
                false => Err(Invalid::value("the claim on a snapshot", claim.get(), "one that HEAD holds")),
            }
        }
        (place, ownership) => {
            let (found, expected) = (format!("{ownership:?} at {place:?}"), "the job's own in its own directory");
            Err(Invalid::value("the owner of a snapshot", found, expected))
        }
    }
}

/// The savepoint that the job was stopped with is this job's work and its user's property.
fn check_stopped_at(head: &Head) -> Result<(), Invalid> {
    let Some(savepoint) = &head.stopped_at else { return Ok(()) };
    let stops = [AfterSavepoint::Suspend, AfterSavepoint::Terminate];
    if !matches!(savepoint.kind, SnapshotKind::Savepoint { then, .. } if stops.contains(&then)) {
        let expected = "a savepoint that stops the job";
        return Err(Invalid::value("what the job was stopped with", savepoint.kind, expected));
    }
    if savepoint.ownership != Ownership::Borrowed {
        let found = format!("{:?}", savepoint.ownership);
        return Err(Invalid::value("the owner of the savepoint that the job was stopped with", found, "its user"));
    }
    check_owner(head, savepoint)?;
    check_number(head, "the savepoint that the job was stopped with", savepoint.id)?;
    check_unlisted(head, "the savepoint that the job was stopped with", savepoint.id)?;
    check_epoch(head, savepoint)
}

fn check_savepoints(head: &Head) -> Result<(), Invalid> {
    const FIELD: &str = "a savepoint in progress";
    let mut before: Option<CheckpointId> = None;
    for savepoint in &head.savepoints_in_progress {
        check_uri("the place of a savepoint in progress", &savepoint.uri)?;
        if let Some(before) = before.filter(|before| *before >= savepoint.id) {
            return Err(Invalid::value(FIELD, format!("{} after {before}", savepoint.id), "numbers that ascend"));
        }
        check_number(head, FIELD, savepoint.id)?;
        check_unlisted(head, FIELD, savepoint.id)?;
        if head.stopped_at.as_ref().is_some_and(|stopped| stopped.id == savepoint.id) {
            return Err(Invalid::value(FIELD, savepoint.id, "one that the job was not stopped with"));
        }
        before = Some(savepoint.id);
    }
    Ok(())
}

fn check_number(head: &Head, field: &'static str, id: CheckpointId) -> Result<(), Invalid> {
    if id < head.unreserved_id {
        return Ok(());
    }
    Err(Invalid::value(field, id, format!("a number below {}, the first unreserved one", head.unreserved_id)))
}

fn check_epoch(head: &Head, snapshot: &RetainedSnapshot) -> Result<(), Invalid> {
    if snapshot.epoch <= head.epoch {
        return Ok(());
    }
    let found = format!("{} of snapshot {}", snapshot.epoch, snapshot.id);
    Err(Invalid::value("the epoch", found, format!("an epoch of at most {}", head.epoch)))
}

/// A number names one snapshot.
fn check_unlisted(head: &Head, field: &'static str, id: CheckpointId) -> Result<(), Invalid> {
    if !head.removed.iter().chain(&head.retained).any(|snapshot| snapshot.id == id) {
        return Ok(());
    }
    Err(Invalid::value(field, id, "a number that no snapshot has which is retained or removed"))
}

fn check_uri(field: &'static str, uri: &str) -> Result<(), Invalid> {
    if uri.is_empty() || uri.len() > MAX_URI_BYTES || uri.chars().any(char::is_control) {
        let shown: String = uri.chars().take(200).collect();
        let expected = format!("a URI of 1 to {MAX_URI_BYTES} bytes without control characters");
        return Err(Invalid::value(field, format!("'{}'", shown.escape_debug()), expected));
    }
    Ok(())
}
