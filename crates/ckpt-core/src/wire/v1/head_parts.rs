//! What HEAD consists of.

use serde::{Deserialize, Serialize};

use super::snapshot::Kind;
use super::stored::{Digest, Root};
use super::{Id, checkpoint, epoch};
use crate::head;
use crate::id::JobId;
use crate::state::ClaimId;
use crate::uri::Uri;
use crate::wire::{Invalid, List};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Retained<'a> {
    id: u64,
    epoch: u64,
    kind: Kind,
    #[serde(borrow)]
    place: Place<'a>,
    metadata_bytes: u64,
    index_digest: Digest,
    ownership: Ownership,
    /// The numbers of claims.
    claims: List<u64, { head::Head::MAX_CLAIMS }>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Place<'a> {
    JobDirectory,
    Elsewhere(&'a str),
}

#[derive(Debug, Serialize, Deserialize)]
enum Ownership {
    Job,
    Claimed(u64),
    Borrowed,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Origin<'a> {
    job: Id,
    id: u64,
    uri: &'a str,
    metadata_bytes: u64,
    index_digest: Digest,
    mode: Mode,
    #[serde(borrow)]
    roots: List<SnapshotRoot<'a>, { head::Head::MAX_ROOTS }>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Mode {
    Claim,
    NoClaim,
}

#[derive(Debug, Serialize, Deserialize)]
struct SnapshotRoot<'a> {
    named: Root,
    here: Root,
    uri: &'a str,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claim<'a> {
    id: u64,
    uri: &'a str,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Savepoint<'a> {
    id: u64,
    uri: &'a str,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct GoneBack {
    from: u64,
    to: u64,
    epoch: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct HandedOver<'a> {
    #[serde(borrow)]
    snapshot: Retained<'a>,
    to: Id,
}

impl<'a> Retained<'a> {
    pub(super) fn of(snapshot: &'a head::RetainedSnapshot) -> Self {
        Self {
            id: snapshot.id.get(),
            epoch: snapshot.epoch.get(),
            kind: Kind::of(snapshot.kind),
            place: match &snapshot.place {
                head::SnapshotPlace::JobDirectory => Place::JobDirectory,
                head::SnapshotPlace::Elsewhere(uri) => Place::Elsewhere(uri.as_str()),
            },
            metadata_bytes: snapshot.metadata_bytes,
            index_digest: Digest::of(snapshot.index_digest),
            ownership: match snapshot.ownership {
                head::Ownership::Job => Ownership::Job,
                head::Ownership::Claimed(claim) => Ownership::Claimed(claim.get()),
                head::Ownership::Borrowed => Ownership::Borrowed,
            },
            claims: List(snapshot.claims.iter().map(|claim| claim.get()).collect()),
        }
    }

    pub(super) fn into_domain(self) -> Result<head::RetainedSnapshot, Invalid> {
        Ok(head::RetainedSnapshot {
            id: checkpoint("a snapshot", self.id)?,
            epoch: epoch("the epoch of a snapshot", self.epoch)?,
            kind: self.kind.into_domain(),
            place: match self.place {
                Place::JobDirectory => head::SnapshotPlace::JobDirectory,
                Place::Elsewhere(text) => head::SnapshotPlace::Elsewhere(uri("the place of a snapshot", text)?),
            },
            metadata_bytes: self.metadata_bytes,
            index_digest: self.index_digest.into_domain()?,
            ownership: match self.ownership {
                Ownership::Job => head::Ownership::Job,
                Ownership::Claimed(claim) => head::Ownership::Claimed(ClaimId::new(claim)),
                Ownership::Borrowed => head::Ownership::Borrowed,
            },
            claims: self.claims.0.into_iter().map(ClaimId::new).collect(),
        })
    }
}

impl<'a> Origin<'a> {
    pub(super) fn of(origin: &'a head::Origin) -> Self {
        let root = |root: &'a head::SnapshotRoot| SnapshotRoot {
            named: Root::of(root.named),
            here: Root::of(root.here),
            uri: root.uri.as_str(),
        };
        Self {
            job: origin.job.bytes(),
            id: origin.id.get(),
            uri: origin.uri.as_str(),
            metadata_bytes: origin.metadata_bytes,
            index_digest: Digest::of(origin.index_digest),
            mode: match origin.mode {
                head::ClaimMode::Claim => Mode::Claim,
                head::ClaimMode::NoClaim => Mode::NoClaim,
            },
            roots: List(origin.roots.iter().map(root).collect()),
        }
    }

    pub(super) fn into_domain(self) -> Result<head::Origin, Invalid> {
        let root = |root: SnapshotRoot<'_>| {
            let (named, here) = (root.named.into_domain(), root.here.into_domain());
            Ok(head::SnapshotRoot::new(named, here, uri("the place of a root", root.uri)?))
        };
        Ok(head::Origin {
            job: JobId::new(self.job),
            id: checkpoint("the origin", self.id)?,
            uri: uri("the place of the origin", self.uri)?,
            metadata_bytes: self.metadata_bytes,
            index_digest: self.index_digest.into_domain()?,
            mode: match self.mode {
                Mode::Claim => head::ClaimMode::Claim,
                Mode::NoClaim => head::ClaimMode::NoClaim,
            },
            roots: self.roots.0.into_iter().map(root).collect::<Result<_, _>>()?,
        })
    }
}

impl<'a> Claim<'a> {
    pub(super) fn of(claim: &'a head::Claim) -> Self {
        Self { id: claim.id.get(), uri: claim.uri.as_str() }
    }

    pub(super) fn into_domain(self) -> Result<head::Claim, Invalid> {
        Ok(head::Claim::new(ClaimId::new(self.id), uri("the place of a claim", self.uri)?))
    }
}

impl<'a> Savepoint<'a> {
    pub(super) fn of(savepoint: &'a head::SavepointInProgress) -> Self {
        Self { id: savepoint.id.get(), uri: savepoint.uri.as_str() }
    }

    pub(super) fn into_domain(self) -> Result<head::SavepointInProgress, Invalid> {
        let id = checkpoint("the number of a savepoint in progress", self.id)?;
        Ok(head::SavepointInProgress::new(id, uri("the place of a savepoint in progress", self.uri)?))
    }
}

impl GoneBack {
    pub(super) const fn of(gone_back: &head::GoneBack) -> Self {
        Self { from: gone_back.from.get(), to: gone_back.to.get(), epoch: gone_back.epoch.get() }
    }

    pub(super) fn into_domain(self) -> Result<head::GoneBack, Invalid> {
        let from = checkpoint("the snapshot that was gone back from", self.from)?;
        let to = checkpoint("the snapshot that was gone back to", self.to)?;
        Ok(head::GoneBack::new(from, to, epoch("the epoch of going back", self.epoch)?))
    }
}

impl<'a> HandedOver<'a> {
    pub(super) fn of(handed_over: &'a head::HandedOver) -> Self {
        Self { snapshot: Retained::of(&handed_over.snapshot), to: handed_over.to.bytes() }
    }

    pub(super) fn into_domain(self) -> Result<head::HandedOver, Invalid> {
        Ok(head::HandedOver::new(self.snapshot.into_domain()?, JobId::new(self.to)))
    }
}

fn uri(field: &'static str, text: &str) -> Result<Uri, Invalid> {
    Uri::new(text).map_err(|error| Invalid::Refused { field, error })
}
