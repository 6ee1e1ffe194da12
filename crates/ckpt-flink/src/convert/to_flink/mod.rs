//! From our metadata to Flink's.

mod keyed;
mod operator;
mod piece;
mod subtask;

use std::collections::BTreeMap;
use std::fmt;

use ckpt_core::Result;
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::snapshot::{SavepointFormat, SnapshotKind};
use ckpt_core::state::{HandleView, Root};
use ckpt_core::uri::Uri;

use super::change::{ChangeKind, Changes, Converted, Field};
use super::error::ConvertError;
use super::paths::path_of;
use super::properties;
use crate::model::{FlinkMetadata, MasterState};
use crate::properties::StoredProperties;
use crate::text::JavaText;
use crate::version::MetadataVersion;

/// What Flink's metadata shall be.
#[non_exhaustive]
pub struct FlinkTarget<'a> {
    /// Its version: 3 or a later one, since nobody writes version 2.
    pub version: MetadataVersion,
    /// Where a root lies that the metadata names. Where it says nothing, the place that the metadata gives counts.
    pub path_of: &'a dyn Fn(Root) -> Option<RootPath>,
    /// The format of keyed state that is divided into key groups; Flink restores each in another way. `None` when it follows
    /// from the kind of the snapshot: that of canonical savepoints in such, and, as a guess that is
    /// [listed](ChangeKind::KeyGroupsKind), in unclaimed snapshots.
    pub key_groups: Option<KeyGroupsFormat>,
}

/// Where a root lies.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RootPath {
    /// In the directory of the metadata: its paths are relative.
    OwnDirectory,
    /// There: its paths are absolute.
    Directory(Uri),
}

/// The format of keyed state that is divided into key groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyGroupsFormat {
    /// The state backend's own, as in checkpoints and native savepoints.
    Backend,
    /// That of canonical savepoints.
    CanonicalSavepoint,
}

impl<'a> FlinkTarget<'a> {
    /// Metadata of that version, with roots that lie there.
    pub const fn new(version: MetadataVersion, path_of: &'a dyn Fn(Root) -> Option<RootPath>) -> Self {
        Self { version, path_of, key_groups: None }
    }
}

impl fmt::Debug for FlinkTarget<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, path_of: _, key_groups } = self;
        f.debug_struct("FlinkTarget").field("version", version).field("key_groups", key_groups).finish_non_exhaustive()
    }
}

/// One conversion in progress.
#[derive(Debug)]
struct Conversion {
    changes: Changes,
    version: MetadataVersion,
    checkpoint_id: i64,
    /// Of each root in use, what stands in front of the names of its files: nothing where paths are relative.
    roots: BTreeMap<Root, String>,
    key_groups: KeyGroupsFormat,
    /// Whether nobody knows it.
    guesses_key_groups: bool,
    names: Names,
}

/// Makes up the names that Flink tells state from other by.
#[derive(Debug)]
struct Names {
    prefix: String,
    next: u64,
}

/// Makes metadata of Flink's of ours.
///
/// Names that Flink needs and ckpt does not have are made of the job, the checkpoint and a number, so that they are the same
/// each time, and others for each checkpoint.
///
/// # Errors
///
/// `Configuration` when nobody says where a root lies, or the checkpoint's number is more than Java counts. What else cannot be
/// carried is left out, and [listed](Converted::not_carried).
pub fn to_flink(metadata: &CheckpointMetadata, target: &FlinkTarget<'_>) -> Result<Converted<FlinkMetadata>> {
    let summary = metadata.summary();
    let checkpoint_id = i64::try_from(summary.identity.id.get());
    let checkpoint_id = checkpoint_id.map_err(|source| failed(ckpt_core::Error::new(KIND, source)))?;
    let kind = summary.kind();
    let mut conversion = Conversion {
        changes: Changes::default(),
        version: target.version,
        checkpoint_id,
        roots: roots(metadata, target)?,
        key_groups: target.key_groups.unwrap_or(match kind {
            SnapshotKind::Savepoint { format: SavepointFormat::Canonical, .. } => KeyGroupsFormat::CanonicalSavepoint,
            _ => KeyGroupsFormat::Backend,
        }),
        guesses_key_groups: target.key_groups.is_none() && summary.properties.is_unclaimed(),
        names: Names { prefix: format!("ckpt-{}-{}", summary.job, summary.identity.id), next: 0 },
    };
    let mut made = FlinkMetadata::new(target.version, checkpoint_id);
    conversion.head(metadata, &mut made)?;
    for operator in metadata.operators() {
        made.operators.push(conversion.operator(&operator)?);
    }
    Ok(Converted { metadata: made, changes: conversion.changes.into_all() })
}

const KIND: ckpt_core::ErrorKind = ckpt_core::ErrorKind::Configuration;

fn failed(source: ckpt_core::Error) -> ckpt_core::Error {
    ConvertError::ToFlink { source }.into()
}

/// Where each root lies that a handle names.
fn roots(metadata: &CheckpointMetadata, target: &FlinkTarget<'_>) -> Result<BTreeMap<Root, String>> {
    let mut roots = BTreeMap::new();
    metadata.visit_handles(&mut |handle: &HandleView<'_>| {
        if let Some((root, _)) = handle.file() {
            roots.entry(root).or_insert_with(String::new);
        }
    })?;
    for (root, prefix) in &mut roots {
        let given = || metadata.summary().places.get(*root).cloned().map(RootPath::Directory);
        let directory = match (target.path_of)(*root).or_else(given) {
            Some(RootPath::OwnDirectory) => continue,
            Some(RootPath::Directory(uri)) => path_of(&uri),
            None => None,
        };
        *prefix = directory.ok_or(ConvertError::Place { root: *root })? + "/";
    }
    Ok(roots)
}

impl Conversion {
    /// All but the operators.
    fn head(&mut self, metadata: &CheckpointMetadata, made: &mut FlinkMetadata) -> Result<()> {
        let (changes, summary) = (&mut self.changes, metadata.summary());
        changes.at(None, None, Field::Identity);
        changes.add(ChangeKind::OurIdentity);
        changes.add_if(summary.graph_digest.is_some(), ChangeKind::GraphDigest);
        changes.at(None, None, Field::Properties);
        if self.version.has_properties() {
            let properties = StoredProperties::new(properties::to_flink(summary.properties));
            let back = properties::from_flink(Some(&properties), &mut Changes::default());
            changes.add_if(back != summary.properties, ChangeKind::Admission);
            made.properties = Some(properties);
        } else {
            changes.add(ChangeKind::NoProperties);
        }
        changes.at(None, None, Field::MasterStates);
        for (name, state) in metadata.master_states() {
            changes.add_if(i32::try_from(state.version).is_err(), ChangeKind::MasterStateVersion);
            let name = JavaText::new(name)?;
            made.master_states.push(MasterState::new(state.version as i32, name, state.bytes.clone()));
        }
        Ok(())
    }
}

impl Names {
    /// A name that nothing else has.
    fn next(&mut self) -> Result<JavaText> {
        self.next += 1;
        JavaText::new(&format!("{}-{}", self.prefix, self.next))
    }
}
