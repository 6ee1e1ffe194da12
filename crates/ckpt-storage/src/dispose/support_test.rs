//! Snapshots to be disposed of.

use std::fs;
use std::path::{Path, PathBuf};

use ckpt_core::head::Nonce;
use ckpt_core::id::{CheckpointId, FileName, LeaderEpoch, OperatorId, Writer, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::mark::{DisposalMark, SavepointMark};
use ckpt_core::metadata::{CheckpointDescription, CheckpointMetadata, OperatorDescription};
use ckpt_core::snapshot::{CheckpointIdentity, CheckpointProperties, RetentionPolicy};
use ckpt_core::state::{FileRef, Place, Places, RelPath, Root, StateHandle, SubtaskState};
use ckpt_core::uri::Uri;
use ckpt_core::{Digest, Timestamp};

use crate::DisposeOptions;
use crate::testing::sample::{job, metadata_of, operator_state};

/// A snapshot in a real directory.
pub(crate) struct Snapshot {
    pub(crate) directory: PathBuf,
    /// Its own files.
    pub(crate) files: Vec<String>,
}

pub(crate) fn options() -> DisposeOptions {
    DisposeOptions::new(Nonce::new([9; 16]), Timestamp::from_millis(1))
}

/// The name of a state file.
pub(crate) fn file(number: u32) -> FileName {
    Writer::new(LeaderEpoch::new(1), WriterId::new(1)).file(number)
}

/// A handle of a state file of three bytes.
pub(crate) fn handle(root: Root, number: u32) -> StateHandle {
    let place = Place::File { root, file: FileRef::Ours(file(number)) };
    StateHandle::assume_durable(place, 3, Some(Digest::of(b"abc")))
}

/// Metadata of checkpoint `id` that name those files.
pub(crate) fn metadata(id: u64, handles: Vec<StateHandle>) -> CheckpointMetadata {
    let id = CheckpointId::new(id).unwrap();
    let identity = CheckpointIdentity::new(id, LeaderEpoch::new(1), Timestamp::from_millis(1), None);
    let state = SubtaskState::new(Vec::new(), handles.into_iter().map(operator_state).collect());
    metadata_of(job(1), identity, Some(state).filter(|state| !state.is_empty()))
}

/// The same whose claimed and borrowed roots lie there.
pub(crate) fn metadata_at(id: u64, handles: Vec<StateHandle>, places: Vec<(Root, Uri)>) -> CheckpointMetadata {
    let id = CheckpointId::new(id).unwrap();
    let identity = CheckpointIdentity::new(id, LeaderEpoch::new(1), Timestamp::from_millis(1), None);
    let properties = CheckpointProperties::checkpoint(RetentionPolicy::default());
    let mut description = CheckpointDescription::new(job(1), identity, properties);
    description.places = Places::new(places).unwrap();
    let mut builder = CheckpointMetadata::builder(description).unwrap();
    let operator = OperatorDescription::new(OperatorId::new([7; 16]), "sample", 1, MaxParallelism::new(128).unwrap());
    let state = SubtaskState::new(Vec::new(), handles.into_iter().map(operator_state).collect());
    builder.operator(&operator).unwrap().subtask(0, &state).unwrap();
    builder.finish(Timestamp::from_millis(2)).unwrap()
}

/// A snapshot of so many files of its own, in a new directory of that name.
pub(crate) fn snapshot(above: &Path, name: &str, files: u32) -> Snapshot {
    let handles = (0..files).map(|number| handle(Root::ThisSnapshot, number)).collect();
    snapshot_of(above, name, files, &metadata(1, handles))
}

/// A snapshot of those metadata, with so many files beside them.
pub(crate) fn snapshot_of(above: &Path, name: &str, files: u32, metadata: &CheckpointMetadata) -> Snapshot {
    let directory = above.canonicalize().unwrap().join(name);
    fs::create_dir(&directory).unwrap();
    let files: Vec<String> = (0..files).map(|number| RelPath::from(&file(number)).to_string()).collect();
    for name in &files {
        fs::write(directory.join(name), "abc").unwrap();
    }
    fs::write(directory.join("_metadata"), metadata.encode().unwrap().0).unwrap();
    Snapshot { directory, files }
}

/// The mark of savepoint `id`.
pub(crate) fn savepoint_mark(id: u64) -> Vec<u8> {
    let (id, epoch) = (CheckpointId::new(id).unwrap(), LeaderEpoch::new(1));
    SavepointMark::new(job(1), id, epoch, Nonce::new([1; 16]), Timestamp::from_millis(5)).encode().unwrap().into()
}

/// The mark of somebody who disposes of what has those metadata.
pub(crate) fn disposal_mark(metadata: &CheckpointMetadata) -> Vec<u8> {
    let (written, summary) = (metadata.encode().unwrap().1, metadata.summary());
    let (snapshot, bytes) = ((summary.job, summary.identity.id), written.length_bytes);
    let mark = DisposalMark::new(snapshot, bytes, written.index_digest, Nonce::new([3; 16]), Timestamp::from_millis(5));
    mark.encode().unwrap().into()
}

impl Snapshot {
    pub(crate) fn pointer(&self) -> &str {
        self.directory.to_str().unwrap()
    }
}

/// The names in a directory, in order.
pub(crate) fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}
