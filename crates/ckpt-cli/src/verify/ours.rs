//! Snapshots of ours, which ckpt-storage verifies: where their roots are here, and its findings as problems.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ckpt_core::id::OperatorId;
use ckpt_core::metadata::{CheckpointMetadata, MetadataReader};
use ckpt_core::state::{RelPath, Root, SubtaskReport};
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_storage::verify::{Finding, FindingKind, StateOwner, StateRole, VerifyObserver, VerifyOptions};
use ckpt_storage::{CompletedLocation, SHARED_DIRECTORY, StorageContext, TASK_OWNED_DIRECTORY};
use ckpt_streams::file_system::LocalFileSystem;
use ckpt_streams::{StateDirectory, StateFlaw};

use super::maps::Maps;
use super::references::{OperatorName, Owner, Owners};
use super::verdict::{FoundBy, Problem, ProblemKind, VerifiedSnapshot};
use crate::error::CommandError;
use crate::metadata_file::MetadataFile;
use crate::report::warn;
use crate::snapshot::{
    OperatorHead, Piece, PieceFile, SnapshotHead, StateKind, SubtaskEnd, Walk, Wanted, file_name, of_subtask,
    snapshot_head,
};
use crate::text::escaped_path;

/// A snapshot of ours whose metadata was read.
pub(super) struct OurSnapshot {
    pub(super) head: SnapshotHead,
    metadata: Arc<CheckpointMetadata>,
}

/// Where its roots are here.
struct Roots {
    directories: Vec<StateDirectory>,
    /// How those were found that it names.
    named: BTreeMap<Root, FoundBy>,
    /// Those that cannot be opened, and why.
    closed: BTreeMap<Root, (ProblemKind, String)>,
}

impl OurSnapshot {
    /// Reads all of the metadata.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn read(file: &MetadataFile) -> Result<Self, CommandError> {
        let metadata = MetadataReader::open(file).and_then(MetadataReader::read_all);
        let metadata = metadata.map_err(|source| file.error(source))?;
        Ok(Self { head: snapshot_head(metadata.summary()), metadata: Arc::new(metadata) })
    }

    /// Reads all files that it names.
    ///
    /// # Errors
    ///
    /// A directory beside it cannot be opened.
    pub(super) fn verify(
        &self,
        file: &MetadataFile,
        maps: &Maps,
        context: &StorageContext,
        verified: &mut VerifiedSnapshot,
    ) -> Result<(), CommandError> {
        let roots = Roots::of(&self.metadata, file, maps).map_err(|source| file.error(source))?;
        let pointer = file.directory.to_string_lossy().into_owned();
        let mut location = CompletedLocation::new(pointer, Arc::clone(&self.metadata));
        for directory in &roots.directories {
            location = location.with_root(directory.clone());
        }
        // A name that is no path below the directory is that of no file that could be listed there.
        if let Some(Ok(path)) = file.path.file_name().and_then(|name| name.to_str()).map(RelPath::new) {
            location = location.with_metadata_path(path);
        }
        let mut problems = Problems {
            roots: &roots,
            roles: Roles { metadata: &self.metadata, of: None, roles: BTreeMap::new() },
            directory: &file.directory,
            found: Vec::new(),
            extra: Some(Vec::new()),
        };
        let report = location.verify(context, &VerifyOptions::default(), &mut problems);
        let Problems { mut found, extra, .. } = problems;
        let report = report.map_err(|source| file.error(source))?;
        found.sort_by(|one, other| one.file.cmp(&other.file));
        verified.problems.append(&mut found);
        verified.extra = extra;
        let files = &mut verified.files;
        (files.named, files.inline) = (report.files, report.inline);
        (files.with_digest, files.without_digest) = (report.with_digest, report.without_digest);
        for (root, whole) in report.whole {
            files.add(whole, roots.named.get(&root).copied().unwrap_or(FoundBy::Place));
        }
        Ok(())
    }
}

impl Roots {
    /// The snapshot's own directory, those of its job next to it, and those that it names.
    ///
    /// # Errors
    ///
    /// `Configuration`, naming the root that cannot be opened.
    fn of(metadata: &CheckpointMetadata, file: &MetadataFile, maps: &Maps) -> Result<Self> {
        let job = file.directory.parent().unwrap_or(&file.directory);
        let mut roots = Self {
            directories: vec![
                local(Root::ThisSnapshot, &file.directory)?,
                local(Root::JobShared, &job.join(SHARED_DIRECTORY))?,
                local(Root::JobTaskOwned, &job.join(TASK_OWNED_DIRECTORY))?,
            ],
            named: BTreeMap::new(),
            closed: BTreeMap::new(),
        };
        let own = if file.job_directory_name().is_some() { job } else { &file.directory };
        for (root, uri) in metadata.summary().places.iter() {
            let found = match maps.directory(uri.as_str()) {
                Ok(found) => found,
                Err(why) => {
                    roots.closed.insert(root, (ProblemKind::Elsewhere, why));
                    continue;
                }
            };
            let by = match found.is_mapped {
                true => FoundBy::Map,
                false if found.path.starts_with(own) => FoundBy::Place,
                false => FoundBy::OtherPlace,
            };
            match local(root, &found.path) {
                Ok(opened) => {
                    roots.directories.push(opened);
                    roots.named.insert(root, by);
                }
                Err(error) => {
                    roots.closed.insert(root, (ProblemKind::Unreadable, CommandError::chain(&error)));
                }
            }
        }
        Ok(roots)
    }
}

fn local(root: Root, directory: &Path) -> Result<StateDirectory> {
    Ok(StateDirectory::new(root, Arc::new(LocalFileSystem::open(directory)?), None))
}

/// Makes problems of findings.
struct Problems<'a> {
    roots: &'a Roots,
    roles: Roles<'a>,
    directory: &'a Path,
    found: Vec<Problem>,
    extra: Option<Vec<String>>,
}

impl VerifyObserver for Problems<'_> {
    fn found(&mut self, finding: Finding) {
        let name = finding.file.as_ref().map_or_else(String::new, |file| file_name(finding.root, file));
        let why = finding.error.as_ref().map_or_else(String::new, |error| CommandError::chain(error));
        let flaw = match finding.kind {
            FindingKind::State(flaw) => flaw,
            FindingKind::Extra | FindingKind::ExtraEntry => {
                self.extra.get_or_insert_default().push(finding.name.unwrap_or(name));
                return;
            }
            // They are told of snapshots whose metadata cannot be read, too.
            FindingKind::Mark => return,
            _ => {
                let directory = escaped_path(self.directory);
                warn(format_args!("'{directory}' cannot be listed, so it is not known what else is in it: {why}"));
                self.extra = None;
                return;
            }
        };
        let (kind, message) = match self.roots.closed.get(&finding.root) {
            Some((kind, why)) => (*kind, why.clone()),
            None => (kind_of(flaw, finding.error.as_ref()), message(flaw, why)),
        };
        let first = finding.owners.first().map(|first| self.roles.owner(first));
        let owners = first.map(|first| Owners { first, more: finding.owners.len().saturating_sub(1) as u64 });
        self.found.push(Problem::of_file(kind, &name, message, owners));
    }
}

fn kind_of(flaw: StateFlaw, error: Option<&Error>) -> ProblemKind {
    match flaw {
        StateFlaw::Missing | StateFlaw::PlaceUnknown => ProblemKind::Missing,
        StateFlaw::TooShort { .. } | StateFlaw::TooLong { .. } => ProblemKind::WrongLength,
        StateFlaw::BlocksChanged { .. } | StateFlaw::Changed | StateFlaw::NoDigest => ProblemKind::Damaged,
        StateFlaw::NotAFile | StateFlaw::Unreadable => ProblemKind::Unreadable,
        _ if error.is_some_and(|error| error.kind() == ErrorKind::Corrupt) => ProblemKind::Damaged,
        _ => ProblemKind::Unreadable,
    }
}

/// Where in the file it is, besides what the reader says.
fn message(flaw: StateFlaw, why: String) -> String {
    match flaw {
        StateFlaw::BlocksChanged { offset_bytes, blocks, .. } => {
            let more = match blocks {
                0 | 1 => String::new(),
                blocks => format!(", and {} more", blocks - 1),
            };
            format!("{why}; it begins at byte {offset_bytes} of the file{more}")
        }
        _ => why,
    }
}

/// What pieces of state are to their operators, of the subtask that was asked for last: most of a subtask's files come
/// together.
struct Roles<'a> {
    metadata: &'a CheckpointMetadata,
    of: Option<(OperatorId, u32)>,
    /// By kind and file.
    roles: BTreeMap<(StateKind, String), String>,
}

impl Roles<'_> {
    fn owner(&mut self, owner: &StateOwner) -> Owner {
        let kind = match owner.role {
            StateRole::Keyed => StateKind::ManagedKeyed,
            StateRole::RawKeyed => StateKind::RawKeyed,
            StateRole::Operator => StateKind::ManagedOperator,
            StateRole::RawOperator => StateKind::RawOperator,
            StateRole::InputChannel => StateKind::InputChannel,
            StateRole::ResultSubpartition => StateKind::ResultSubpartition,
            _ => StateKind::Coordinator,
        };
        let file = owner.handle.place().file().map_or_else(String::new, |(root, file)| file_name(root, file));
        let role =
            owner.subtask.and_then(|subtask| self.of_subtask(owner.operator, subtask).get(&(kind, file)).cloned());
        let name = Some(Arc::from(&*owner.operator_name));
        let operator = OperatorName { id: owner.operator.to_string().into(), name };
        Owner { operator, subtask: owner.subtask, kind, role: role.unwrap_or_default() }
    }

    fn of_subtask(&mut self, operator: OperatorId, subtask: u32) -> &BTreeMap<(StateKind, String), String> {
        if self.of != Some((operator, subtask)) {
            self.of = Some((operator, subtask));
            self.roles.clear();
            let found = self.metadata.operator(operator);
            // All of it was decoded before.
            let report = found.and_then(|operator| operator.subtask(subtask).ok().flatten());
            if let Some(SubtaskReport::State(state)) = report {
                of_subtask(&state, self);
            }
        }
        &self.roles
    }
}

impl Walk for Roles<'_> {
    fn wanted(&self) -> Wanted {
        Wanted::Everything
    }

    fn operator(&mut self, _: OperatorHead) {}

    fn subtask(&mut self, _: Option<u32>) {}

    fn piece(&mut self, piece: Piece) {
        if let Some(name) = piece.file.as_ref().map(PieceFile::name) {
            self.roles.entry((piece.kind, name)).or_insert(piece.role);
        }
    }

    fn end_of_subtask(&mut self, _: SubtaskEnd) {}
}
