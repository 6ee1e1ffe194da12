//! The storage that everything shares: HEAD with its compare-and-swap, files, and what is on its way to them.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ckpt_core::head::{Head, Orphans};
use ckpt_core::id::{CheckpointId, FileName, LeaderEpoch};
use ckpt_storage::SeenHead;
use ckpt_streams::file_system::VersionTag;

use crate::history::{Broken, History};
use crate::rules::{Break, Rules};

/// What is stored, and the requests that may still reach it.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Store {
    /// HEAD, and which write it was.
    pub(crate) head: Option<Record>,
    /// HEAD before that one, which a read of the past shows.
    before: Option<Record>,
    /// How many writes of HEAD there were.
    writes: u32,
    /// Writes of HEAD whose sender has given up waiting, and that may land at any time.
    pub(crate) late: Vec<LateWrite>,
    /// What `_metadata` in the directory of a checkpoint says.
    pub(crate) metadata: BTreeMap<CheckpointId, Metadata>,
    /// State in the directory of a checkpoint.
    pub(crate) state: BTreeSet<(CheckpointId, FileName)>,
    /// State that several checkpoints may name.
    pub(crate) shared: BTreeSet<FileName>,
    /// The directories of savepoints.
    pub(crate) savepoints: BTreeMap<CheckpointId, SavepointFiles>,
    /// Deletions that were sent, each of which may land at any time, also after its sender is gone.
    pub(crate) deletions: Vec<Deletion>,
}

/// HEAD as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Record {
    pub(crate) body: Bytes,
    write: u32,
}

/// A write of HEAD on its way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LateWrite {
    expected: Option<String>,
    body: Bytes,
}

/// What a checkpoint's `_metadata` says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Metadata {
    pub(crate) epoch: LeaderEpoch,
    pub(crate) state: BTreeSet<FileName>,
    pub(crate) shared: BTreeSet<FileName>,
}

/// What is in the directory of a savepoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SavepointFiles {
    /// The mark by which the directory is that savepoint's, created first and deleted before the last.
    pub(crate) mark: bool,
    pub(crate) state: bool,
    pub(crate) metadata: SavepointMetadata,
    /// Whether who deletes it has seen that there is no `_metadata`.
    pub(crate) seen_unpublished: bool,
}

/// What has the name `_metadata` in the directory of a savepoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SavepointMetadata {
    Absent,
    Published,
    /// Whoever deletes has taken the name, so that it cannot be published any more.
    TakenAway,
}

/// Something that is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Deletion {
    /// The leader that waits for it.
    pub(crate) by: u8,
    pub(crate) what: Doomed,
}

/// What a deletion names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Doomed {
    /// A removed snapshot, with the shared files that it was the last to name.
    Removed(CheckpointId, Vec<FileName>),
    /// The place of a checkpoint that was aborted.
    Aborted(CheckpointId),
    /// Shared files that no checkpoint names.
    Shared(Vec<FileName>),
    /// All that former leaders left.
    Orphans(Orphans),
    /// A savepoint that nobody goes on with, in three steps.
    Savepoint(CheckpointId),
}

/// How a write of HEAD ended at the store.
pub(crate) enum Landed {
    Done(VersionTag),
    Lost,
}

impl Record {
    pub(crate) fn tag(&self) -> String {
        format!("w{}", self.write)
    }

    pub(crate) fn head(&self) -> Result<Head, Broken> {
        Head::decode(&self.body).map_err(|_| Broken::HeadNotWhole)
    }

    fn seen(&self) -> Result<(Head, SeenHead), Broken> {
        let head = self.head()?;
        let seen = SeenHead::new(&head, self.body.clone(), VersionTag::new(self.tag()));
        Ok((head, seen))
    }
}

impl Store {
    /// HEAD as it is now.
    pub(crate) fn read(&self) -> Result<Option<(Head, SeenHead)>, Broken> {
        self.head.as_ref().map(Record::seen).transpose()
    }

    /// HEAD as it was before the last write.
    pub(crate) fn read_past(&self) -> Result<Option<(Head, SeenHead)>, Broken> {
        self.before.as_ref().map(Record::seen).transpose()
    }

    /// Whether there was a HEAD before this one.
    pub(crate) const fn has_past(&self) -> bool {
        self.head.is_some() && self.before.is_some()
    }

    /// HEAD as it is now, decoded.
    pub(crate) fn present(&self) -> Option<Head> {
        self.head.as_ref().and_then(|record| record.head().ok())
    }

    /// A compare-and-swap reaches the store.
    pub(crate) fn put(
        &mut self,
        expected: Option<&str>,
        body: &Bytes,
        rules: &Rules,
        history: &mut History,
    ) -> Result<Landed, Broken> {
        let found = self.head.as_ref().map(Record::tag);
        if found.as_deref() != expected && !rules.is(Break::StoreIgnoresTheCondition) {
            return Ok(Landed::Lost);
        }
        let next = Head::decode(body).map_err(|_| Broken::HeadNotWhole)?;
        history.head_changes(self.present().as_ref(), &next)?;
        self.writes += 1;
        let record = Record { body: body.clone(), write: self.writes };
        let tag = VersionTag::new(record.tag());
        self.before = self.head.replace(record);
        Ok(Landed::Done(tag))
    }

    /// A compare-and-swap is sent, and nobody waits for its answer.
    pub(crate) fn put_late(&mut self, expected: Option<&str>, body: &Bytes) {
        self.late.push(LateWrite { expected: expected.map(str::to_owned), body: body.clone() });
        self.late.sort();
        self.late.dedup();
    }

    /// The `index`th late write lands.
    pub(crate) fn land(&mut self, index: usize, rules: &Rules, history: &mut History) -> Result<bool, Broken> {
        let LateWrite { expected, body } = self.late.remove(index);
        let landed = self.put(expected.as_deref(), &body, rules, history)?;
        Ok(matches!(landed, Landed::Done(_)))
    }

    /// The HEADs that late writes would still make.
    pub(crate) fn heads_to_come(&self) -> impl Iterator<Item = Head> {
        let found = self.head.as_ref().map(Record::tag);
        let may_land = move |late: &&LateWrite| late.expected == found;
        self.late.iter().filter(may_land).filter_map(|late| Head::decode(&late.body).ok())
    }

    pub(crate) fn write_shared(&mut self, file: FileName, history: &mut History) -> Result<(), Broken> {
        history.file_written(file)?;
        self.shared.insert(file);
        Ok(())
    }

    pub(crate) fn write_state(
        &mut self,
        id: CheckpointId,
        file: FileName,
        history: &mut History,
    ) -> Result<(), Broken> {
        history.file_written(file)?;
        self.state.insert((id, file));
        Ok(())
    }

    /// Never replaces. Whether it is there now.
    pub(crate) fn publish(&mut self, id: CheckpointId, metadata: Metadata) -> bool {
        if self.metadata.contains_key(&id) {
            return false;
        }
        self.metadata.insert(id, metadata);
        true
    }

    /// Whether everything that the checkpoint names is there.
    pub(crate) fn is_readable(&self, id: CheckpointId, epoch: LeaderEpoch) -> bool {
        self.metadata.get(&id).is_some_and(|metadata| {
            metadata.epoch == epoch
                && metadata.shared.iter().all(|file| self.shared.contains(file))
                && metadata.state.iter().all(|file| self.state.contains(&(id, *file)))
        })
    }

    /// The next step of the `index`th deletion. Returns it when nothing is left to do.
    pub(crate) fn erase(&mut self, index: usize, rules: &Rules) -> Option<Deletion> {
        let what = self.deletions[index].what.clone();
        match what {
            Doomed::Removed(id, files) => {
                self.erase_directory(id);
                self.shared.retain(|file| !files.contains(file));
            }
            Doomed::Aborted(id) => self.erase_directory(id),
            Doomed::Shared(files) => self.shared.retain(|file| !files.contains(file)),
            Doomed::Orphans(orphans) => {
                self.shared.retain(|file| !orphans.contains_shared(*file));
                self.state.retain(|(id, file)| !orphans.contains_state(*id, *file));
                self.metadata.retain(|id, metadata| !orphans.contains_metadata(*id, metadata.epoch));
            }
            Doomed::Savepoint(id) => {
                if !self.erase_of_savepoint(id, rules) {
                    return None;
                }
            }
        }
        Some(self.deletions.remove(index))
    }

    fn erase_directory(&mut self, id: CheckpointId) {
        self.state.retain(|(of, _)| *of != id);
        self.metadata.remove(&id);
    }

    /// One step: the name `_metadata` is taken away, then state and mark go, then the name. Whether that was the last.
    fn erase_of_savepoint(&mut self, id: CheckpointId, rules: &Rules) -> bool {
        let Some(files) = self.savepoints.get_mut(&id) else { return true };
        if !files.seen_unpublished {
            match files.metadata {
                SavepointMetadata::Published if !rules.is(Break::PublishedSavepointRemoved) => return true,
                SavepointMetadata::Absent if !rules.is(Break::SavepointNameNotTaken) => {
                    files.metadata = SavepointMetadata::TakenAway;
                }
                _ => {}
            }
            files.seen_unpublished = true;
            return false;
        }
        if files.mark {
            (files.mark, files.state) = (false, false);
            return false;
        }
        self.savepoints.remove(&id);
        true
    }
}

impl Doomed {
    /// Whether that deletion would take something of the checkpoint.
    pub(crate) fn takes_of(&self, id: CheckpointId, metadata: &Metadata) -> bool {
        self.takes_shared_of(metadata)
            || match self {
                Self::Removed(doomed, _) | Self::Aborted(doomed) => *doomed == id,
                Self::Orphans(orphans) => {
                    orphans.contains_metadata(id, metadata.epoch)
                        || metadata.state.iter().any(|file| orphans.contains_state(id, *file))
                }
                Self::Shared(_) | Self::Savepoint(_) => false,
            }
    }

    /// Whether that deletion would take a shared file that the checkpoint names.
    pub(crate) fn takes_shared_of(&self, metadata: &Metadata) -> bool {
        match self {
            Self::Removed(_, files) | Self::Shared(files) => files.iter().any(|file| metadata.shared.contains(file)),
            Self::Orphans(orphans) => metadata.shared.iter().any(|file| orphans.contains_shared(*file)),
            Self::Aborted(_) | Self::Savepoint(_) => false,
        }
    }
}
