//! What every HEAD obeys, checked when it is written and when it is read.

use std::collections::BTreeSet;

use super::epoch;
use crate::head::{Claim, Head, JobState, Origin, Ownership, RetainedSnapshot, SavepointInProgress, SnapshotPlace};
use crate::id::CheckpointId;
use crate::snapshot::{AfterSavepoint, SnapshotKind};
use crate::state::{ClaimId, Root};
use crate::wire::Invalid;

pub(super) fn check(head: &Head) -> Result<(), Invalid> {
    check_sizes(head)?;
    check_epochs(head)?;
    check_numbers(head)?;
    check_claims(head)?;
    for snapshot in head.snapshots() {
        check_owner(head, snapshot)?;
    }
    check_needed(head)?;
    check_history(head)?;
    check_stopped_at(head)?;
    check_origin(head)?;
    check_leader(head)
}

/// No list grows without a bound.
fn check_sizes(head: &Head) -> Result<(), Invalid> {
    let roots = head.origin.as_ref().map_or(0, |origin| origin.roots.len());
    for (field, found, limit) in [
        ("the number of retained snapshots", head.retained.len(), Head::MAX_RETAINED),
        ("the number of removed snapshots", head.removed.len(), Head::MAX_REMOVED),
        ("the number of snapshots set aside", head.set_aside.len(), Head::MAX_SET_ASIDE),
        ("the number of snapshots handed over", head.handed_over.len(), Head::MAX_HANDED_OVER),
        ("the number of claims", head.claims.len() + head.released_claims.len(), Head::MAX_CLAIMS),
        ("the number of roots", roots, Head::MAX_ROOTS),
        (
            "the number of savepoints in progress",
            head.savepoints_in_progress.len() + head.abandoned_savepoints.len(),
            Head::MAX_SAVEPOINTS,
        ),
        ("the length of all URIs", head.uris().map(|uri| uri.as_str().len()).sum(), Head::MAX_URI_BYTES),
    ] {
        if found > limit {
            return Err(Invalid::value(field, found, format!("at most {limit}")));
        }
    }
    Ok(())
}

/// Whatever was done, a leader did it, of this job or of another.
fn check_epochs(head: &Head) -> Result<(), Invalid> {
    epoch("the epoch", head.epoch.get())?;
    for snapshot in head.snapshots().chain(&head.stopped_at) {
        epoch("the epoch of a snapshot", snapshot.epoch.get())?;
    }
    let gone_back = head.gone_back.map(|gone_back| epoch("the epoch of going back", gone_back.epoch.get()));
    gone_back.transpose().map(drop)
}

/// A number names one snapshot, and lists ascend.
fn check_numbers(head: &Head) -> Result<(), Invalid> {
    const SNAPSHOT: &str = "the number of a snapshot";
    const SAVEPOINT: &str = "the number of a savepoint in progress";
    let of_snapshots = |list: &[RetainedSnapshot]| list.iter().map(|snapshot| snapshot.id).collect::<Vec<_>>();
    let of_savepoints = |list: &[SavepointInProgress]| list.iter().map(|savepoint| savepoint.id).collect::<Vec<_>>();
    let mut used = BTreeSet::new();
    for (field, ids) in [
        (SNAPSHOT, of_snapshots(&head.removed)),
        (SNAPSHOT, of_snapshots(&head.retained)),
        (SNAPSHOT, of_snapshots(&head.set_aside)),
        (SNAPSHOT, head.handed_over.iter().map(|handed_over| handed_over.snapshot.id).collect()),
        ("the number of the savepoint that the job was stopped with", head.stopped_at.iter().map(|it| it.id).collect()),
        (SAVEPOINT, of_savepoints(&head.savepoints_in_progress)),
        (SAVEPOINT, of_savepoints(&head.abandoned_savepoints)),
    ] {
        if let Some(pair) = ids.windows(2).find(|pair| pair[0] >= pair[1]) {
            let found = format!("{} after {}", pair[1], pair[0]);
            return Err(Invalid::value(field, found, "numbers that ascend"));
        }
        for id in ids {
            check_reserved(head, field, id)?;
            if !used.insert(id) {
                return Err(Invalid::value(field, id, "one that is used once"));
            }
        }
    }
    Ok(())
}

fn check_reserved(head: &Head, field: &'static str, id: CheckpointId) -> Result<(), Invalid> {
    if id < head.unreserved_id {
        return Ok(());
    }
    Err(Invalid::value(field, id, format!("a number below {}, the first unreserved one", head.unreserved_id)))
}

/// No number and no place is claimed twice, and no number will be given again.
fn check_claims(head: &Head) -> Result<(), Invalid> {
    const FIELD: &str = "the number of a claim";
    for list in [&head.claims, &head.released_claims] {
        if let Some(pair) = list.windows(2).find(|pair| pair[0].id >= pair[1].id) {
            let found = format!("{} after {}", pair[1].id.get(), pair[0].id.get());
            return Err(Invalid::value(FIELD, found, "numbers that ascend"));
        }
    }
    let mut seen: Vec<&Claim> = Vec::new();
    for claim in head.claims.iter().chain(&head.released_claims) {
        if claim.id >= head.next_claim {
            let expected = format!("one below the next, {}", head.next_claim.get());
            return Err(Invalid::value(FIELD, claim.id.get(), expected));
        }
        if let Some(other) = seen.iter().find(|other| other.id == claim.id || other.uri == claim.uri) {
            let (found, other) = (format!("{} at '{}'", claim.id, claim.uri), other.id.get());
            return Err(Invalid::value("a claim", found, format!("one of which claim {other} has neither")));
        }
        seen.push(claim);
    }
    Ok(())
}

/// A claim that nothing needs is released.
fn check_needed(head: &Head) -> Result<(), Invalid> {
    let needed: BTreeSet<ClaimId> = head.snapshots().flat_map(|snapshot| snapshot.claims.iter().copied()).collect();
    match head.claims.iter().find(|claim| !needed.contains(&claim.id)) {
        Some(claim) => Err(Invalid::value("a claim", claim.id.get(), "one that a snapshot needs")),
        None => Ok(()),
    }
}

/// Ours are in the job's directory; the one that the job began from is elsewhere, claimed or borrowed.
fn check_owner(head: &Head, snapshot: &RetainedSnapshot) -> Result<(), Invalid> {
    let origin = head.origin.as_ref().filter(|origin| origin.id == snapshot.id);
    let own_root = origin.and_then(|origin| origin.roots.first()).map(|root| root.here);
    let fits = match (&snapshot.place, snapshot.ownership) {
        (SnapshotPlace::JobDirectory, Ownership::Job) => origin.is_none(),
        (SnapshotPlace::Elsewhere(uri), Ownership::Claimed(claim)) => {
            origin.is_some_and(|origin| origin.uri == *uri)
                && own_root == Some(Root::Claimed(claim))
                && snapshot.claims.contains(&claim)
        }
        (SnapshotPlace::Elsewhere(uri), Ownership::Borrowed) => {
            origin.is_some_and(|origin| origin.uri == *uri)
                && matches!(own_root, Some(Root::Borrowed(_)))
                && snapshot.claims.is_empty()
        }
        _ => false,
    };
    if !fits {
        let found = format!("{} at {} with {}", snapshot.ownership, snapshot.place, shown(&snapshot.claims));
        let expected = "the job in its own directory, or for the snapshot that it began from as that was claimed";
        return Err(Invalid::value("the owner of a snapshot", found, expected));
    }
    if !snapshot.claims.windows(2).all(|pair| pair[0] < pair[1]) {
        let expected = "numbers that ascend";
        return Err(Invalid::value("the claims of a snapshot", shown(&snapshot.claims), expected));
    }
    match snapshot.claims.iter().find(|claim| !head.claims.iter().any(|held| held.id == **claim)) {
        Some(claim) => Err(Invalid::value("the claim on a snapshot", claim.get(), "one that HEAD holds")),
        None => Ok(()),
    }
}

fn shown(claims: &[ClaimId]) -> String {
    match claims {
        [] => "no claim".to_owned(),
        claims => claims.iter().map(|claim| format!("claim {claim}")).collect::<Vec<_>>().join(", "),
    }
}

/// What the job took itself is one history. Epochs of other jobs say nothing here.
fn check_history(head: &Head) -> Result<(), Invalid> {
    let mut taken: Vec<_> = head.snapshots().filter(|snapshot| snapshot.ownership == Ownership::Job).collect();
    if let Some(savepoint) = taken.iter().find(|snapshot| snapshot.kind.is_savepoint()) {
        return Err(Invalid::value("a snapshot of the job's own", savepoint.kind, "a checkpoint"));
    }
    taken.extend(&head.stopped_at);
    taken.sort_by_key(|snapshot| snapshot.id);
    for snapshot in &taken {
        let is_of_this_leader = snapshot.epoch == head.epoch;
        let has_its_number = snapshot.id >= head.first_reserved_id;
        // Who takes over a job that has ended reserves no numbers.
        let fits = if is_of_this_leader { has_its_number } else { !has_its_number || head.state != JobState::Active };
        if snapshot.epoch > head.epoch || !fits {
            let found = format!("{} of snapshot {}", snapshot.epoch, snapshot.id);
            let expected = format!("at most {}, from number {} on just that", head.epoch, head.first_reserved_id);
            return Err(Invalid::value("the epoch", found, expected));
        }
    }
    match taken.windows(2).find(|pair| pair[0].epoch > pair[1].epoch) {
        Some(pair) => {
            let shown = |snapshot: &RetainedSnapshot| format!("{} (epoch {})", snapshot.id, snapshot.epoch);
            let found = format!("{} after {}", shown(pair[1]), shown(pair[0]));
            Err(Invalid::value("a snapshot", found, "epochs that never descend"))
        }
        None => check_lists(head),
    }
}

/// What is listed where.
fn check_lists(head: &Head) -> Result<(), Invalid> {
    if let Some(borrowed) = head.removed.iter().find(|snapshot| !snapshot.may_be_deleted()) {
        return Err(Invalid::value("a removed snapshot", borrowed.id, "none that is borrowed"));
    }
    let mut handed_over = head.handed_over.iter().map(|handed_over| &handed_over.snapshot);
    if let Some(borrowed) = handed_over.find(|snapshot| !snapshot.may_be_deleted()) {
        return Err(Invalid::value("a snapshot handed over", borrowed.id, "none that is borrowed"));
    }
    let misplaced = match head.state {
        JobState::Active => head.handed_over.first().map(|it| ("a snapshot handed over", it.snapshot.id)),
        _ => head.savepoints_in_progress.first().map(|it| ("a savepoint in progress", it.id)),
    };
    match misplaced {
        Some((field, id)) => Err(Invalid::value(field, id, format!("none, since the job is {}", head.state))),
        None => Ok(()),
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
    if savepoint.ownership != Ownership::Borrowed || savepoint.uri().is_none() || !savepoint.claims.is_empty() {
        let found = format!("{} at {}", savepoint.ownership, savepoint.place);
        let expected = "its user, elsewhere";
        return Err(Invalid::value("the owner of the savepoint that the job was stopped with", found, expected));
    }
    match head.retained.last().filter(|newest| newest.id > savepoint.id) {
        Some(newest) => {
            let expected = format!("one that is newer than checkpoint {}", newest.id);
            Err(Invalid::value("the savepoint that the job was stopped with", savepoint.id, expected))
        }
        None => Ok(()),
    }
}

/// Every root is called anew once, and what belongs to this job is claimed.
fn check_origin(head: &Head) -> Result<(), Invalid> {
    let Some(origin) = &head.origin else { return Ok(()) };
    check_reserved(head, "the number of the origin", origin.id)?;
    let is_listed = head.snapshots().any(|snapshot| snapshot.id == origin.id);
    if is_listed == origin.roots.is_empty() {
        let found = format!("{} roots", origin.roots.len());
        let expected = if is_listed { "roots, since HEAD lists it" } else { "none, since HEAD does not list it" };
        return Err(Invalid::value("the origin", found, expected));
    }
    if let Some(own) = origin.roots.first() {
        if own.named != Root::ThisSnapshot || own.uri != origin.uri {
            let expected = "that of its own directory";
            return Err(Invalid::value("the first root of the origin", own, expected));
        }
    }
    check_roots(head, origin)
}

fn check_roots(head: &Head, origin: &Origin) -> Result<(), Invalid> {
    let (mut named, mut here, mut uris) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for root in &origin.roots {
        let is_known = match root.here {
            Root::Claimed(id) => head.claims.iter().any(|claim| claim.id == id && claim.uri == root.uri),
            Root::Borrowed(_) => true,
            Root::ThisSnapshot | Root::JobShared | Root::JobTaskOwned => false,
        };
        let is_new = named.insert(root.named) && here.insert(root.here) && uris.insert(&root.uri);
        if !is_known || !is_new {
            let expected = "one that is named once, and borrowed or claimed at that place";
            return Err(Invalid::value("a root of the origin", root, expected));
        }
    }
    Ok(())
}

/// The present leader, its numbers, and what it began from.
fn check_leader(head: &Head) -> Result<(), Invalid> {
    if head.first_reserved_id > head.unreserved_id {
        let expected = format!("at most {}, the first unreserved one", head.unreserved_id);
        return Err(Invalid::value("the leader's first checkpoint", head.first_reserved_id, expected));
    }
    if let Some(foreign) = head.savepoints_in_progress.iter().find(|savepoint| savepoint.id < head.first_reserved_id) {
        let expected = format!("one of the present leader, from {} on", head.first_reserved_id);
        return Err(Invalid::value("a savepoint in progress", foreign.id, expected));
    }
    if let Some(restored) = head.restored_from {
        check_reserved(head, "the restored checkpoint", restored)?;
    }
    let Some(gone_back) = &head.gone_back else { return Ok(()) };
    check_reserved(head, "the snapshot that was gone back from", gone_back.from)?;
    if gone_back.to >= gone_back.from {
        let expected = format!("an older one than {}", gone_back.from);
        return Err(Invalid::value("the snapshot that was gone back to", gone_back.to, expected));
    }
    if gone_back.epoch > head.epoch {
        let expected = format!("at most {}", head.epoch);
        return Err(Invalid::value("the epoch of going back", gone_back.epoch, expected));
    }
    Ok(())
}
