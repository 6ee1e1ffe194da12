//! Reading all of any file or frame, as whoever receives it does.

use bytes::Bytes;
use ckpt_core::head::Head;
use ckpt_core::mark::{DisposalMark, OwnerRecord, SavepointMark};
use ckpt_core::message::{Marker, ToCoordinator, ToTask};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::snapshot::LocationReference;
use ckpt_core::state::{TaskRestore, TaskSnapshot};
use ckpt_core::testing::Envelope;
use ckpt_core::{Digest, ErrorKind, Result};

const LIMIT: usize = 64 << 20;

/// Reads what is in that envelope.
pub(crate) fn read(envelope: Envelope, sealed: &[u8]) -> Result<()> {
    match envelope {
        Envelope::HEAD => Head::decode(sealed).map(drop),
        Envelope::OWNER => OwnerRecord::decode(sealed).map(drop),
        Envelope::SAVEPOINT => SavepointMark::decode(sealed).map(drop),
        Envelope::DISPOSAL => DisposalMark::decode(sealed).map(drop),
        Envelope::TO_TASK => ToTask::decode(sealed, LIMIT).map(drop),
        Envelope::TO_COORDINATOR => ToCoordinator::decode(sealed, LIMIT).map(drop),
        Envelope::MARKER => Marker::decode(sealed, LIMIT).map(drop),
        Envelope::TASK_RESTORE => TaskRestore::decode(sealed, LIMIT).map(drop),
        Envelope::TASK_SNAPSHOT => TaskSnapshot::decode(sealed, LIMIT).map(drop),
        other => panic!("nobody reads {other:?}"),
    }
}

/// Reads metadata and asks for everything in it.
pub(crate) fn read_metadata(file: Bytes) -> Result<()> {
    let metadata = CheckpointMetadata::decode(file)?;
    metadata.visit_handles(&mut |_| ())?;
    for operator in metadata.operators() {
        operator.coordinator_state()?;
        operator.subtasks().try_for_each(|subtask| subtask.map(drop))?;
        operator.summary().descriptors.iter().try_for_each(|descriptor| descriptor.map(drop))?;
    }
    Ok(())
}

/// Reads a location reference with that content in front of the right digest.
pub(crate) fn read_location(content: &[u8]) -> Result<()> {
    let digest = Digest::of(content).value().to_le_bytes();
    LocationReference::at([content, &digest].concat().into())?.to_uri().map(drop)
}

/// Refused as what no writer writes, in so many words.
pub(crate) fn refused(what: &str, read: Result<()>, expected: &str) {
    let error = read.err().unwrap_or_else(|| panic!("{what} is read"));
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {error}");
    assert!(error.to_string().contains(expected), "{what}: {error}");
    assert!(error.to_string().len() < 8 << 10, "{what}: an error of {} bytes", error.to_string().len());
}
