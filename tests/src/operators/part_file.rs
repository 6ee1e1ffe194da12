//! An output file on its way to being committed.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ckpt_core::Result;
use ckpt_core::id::CheckpointId;
use parking_lot::Mutex;

use crate::error::Fault;
use crate::operators::part_name::{PartName, Stage};

/// The file that the sink is adding records to.
#[derive(Debug)]
pub(super) struct OpenPart {
    file: File,
    name: PartName,
    length_bytes: u64,
}

/// A file that belongs to a checkpoint and is not committed. Shared by the task and the jobs that write snapshots.
#[derive(Debug)]
pub(super) struct PendingPart {
    /// Its name once it is staged; its number is the checkpoint that it belongs to.
    pub(super) name: PartName,
    pub(super) checkpoint: CheckpointId,
    pub(super) length_bytes: u64,
    progress: Mutex<Progress>,
}

#[derive(Debug)]
enum Progress {
    /// Not known to be on disk; `name` is the one that it has while it is written.
    Written { file: File, name: PartName },
    /// On disk, under the name of a staged file. The directory may not be.
    Staged,
    /// A sync failed. What the disk holds is unknown and stays so: a second sync would succeed and prove nothing.
    Dead,
}

impl OpenPart {
    pub(super) fn create(directory: &Path, name: PartName) -> Result<Self> {
        let path = directory.join(name.to_string());
        let file = File::create_new(&path).map_err(|source| Fault::Output { path, verb: "created", source })?;
        Ok(Self { file, name, length_bytes: 0 })
    }

    /// Adds whole records.
    pub(super) fn write(&mut self, directory: &Path, records: &[u8]) -> Result<()> {
        self.file.write_all(records).map_err(|source| {
            let path = directory.join(self.name.to_string());
            Fault::Output { path, verb: "written", source }
        })?;
        self.length_bytes += records.len() as u64;
        Ok(())
    }

    /// Ends the file: it belongs to that checkpoint.
    pub(super) fn end(self, checkpoint: CheckpointId) -> PendingPart {
        PendingPart {
            name: PartName { stage: Stage::Staged, number: checkpoint.get(), ..self.name },
            checkpoint,
            length_bytes: self.length_bytes,
            progress: Mutex::new(Progress::Written { file: self.file, name: self.name }),
        }
    }
}

impl PendingPart {
    /// A file that the restored state lists: it was staged before that state was acknowledged.
    pub(super) const fn restored(name: PartName, checkpoint: CheckpointId, length_bytes: u64) -> Self {
        Self { name, checkpoint, length_bytes, progress: Mutex::new(Progress::Staged) }
    }

    /// Pre-commits: the bytes are on disk and the file is named as staged. The caller syncs the directory. Any number of
    /// snapshots may ask for it, the first does it.
    pub(super) fn stage(&self, directory: &Path) -> Result<()> {
        let mut progress = self.progress.lock();
        let (file, writing) = match &*progress {
            Progress::Staged => return Ok(()),
            Progress::Dead => return Err(Fault::DeadOutput { path: self.path(directory, Stage::Staged) }.into()),
            Progress::Written { file, name } => (file, *name),
        };
        let from = directory.join(writing.to_string());
        let staged = file.sync_all().and_then(|()| fs::rename(&from, self.path(directory, Stage::Staged)));
        *progress = if staged.is_ok() { Progress::Staged } else { Progress::Dead };
        staged.map_err(|source| Fault::Output { path: from, verb: "made durable", source }.into())
    }

    /// Whether its records can reach no checkpoint any more. Does not wait for a sync that is under way: records go on.
    pub(super) fn is_dead(&self) -> bool {
        self.progress.try_lock().is_some_and(|progress| matches!(*progress, Progress::Dead))
    }

    pub(super) fn path(&self, directory: &Path, stage: Stage) -> PathBuf {
        directory.join(self.name.at(stage).to_string())
    }
}

/// Commits a staged file of `length_bytes`; it may have been committed before. The caller syncs the directory.
pub(super) fn commit(directory: &Path, name: PartName, checkpoint: CheckpointId, length_bytes: u64) -> Result<()> {
    let staged = directory.join(name.at(Stage::Staged).to_string());
    let part = directory.join(name.at(Stage::Part).to_string());
    check_length(&staged, length_bytes)?;
    match fs::rename(&staged, &part) {
        Ok(()) => Ok(()),
        Err(source) if source.kind() == io::ErrorKind::NotFound => match check_length(&part, length_bytes)? {
            true => Ok(()),
            false => Err(Fault::LostOutput { path: staged, checkpoint }.into()),
        },
        Err(source) => Err(Fault::Output { path: staged, verb: "committed", source }.into()),
    }
}

/// Makes the names in a directory durable.
pub(super) fn sync_directory(directory: &Path) -> Result<()> {
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|source| Fault::Output { path: directory.to_owned(), verb: "made durable", source }.into())
}

/// Whether the file is there; if so, its length must be the expected one.
fn check_length(path: &Path, expected_bytes: u64) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() && metadata.len() == expected_bytes => Ok(true),
        Ok(metadata) => {
            let found_bytes = metadata.len();
            Err(Fault::WrongOutputLength { path: path.to_owned(), expected_bytes, found_bytes }.into())
        }
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(Fault::Output { path: path.to_owned(), verb: "looked at", source }.into()),
    }
}

#[cfg(test)]
mod tests {
    use ckpt_core::id::{JobId, LeaderEpoch};

    use super::*;

    #[test]
    fn asking_whether_it_is_dead_waits_for_no_sync() {
        let (stage, job, epoch) = (Stage::Staged, JobId::new([1; 16]), LeaderEpoch::new(1));
        let name = PartName { stage, job, epoch, number: 1, subtask: 0 };
        let part = PendingPart::restored(name, CheckpointId::FIRST, 0);
        let mut under_way = part.progress.lock();
        std::thread::scope(|scope| {
            let (sender, answer) = crossbeam_channel::bounded(1);
            let part = &part;
            scope.spawn(move || sender.send(part.is_dead()));
            let answer = answer.recv_timeout(std::time::Duration::from_secs(10));
            *under_way = Progress::Dead;
            drop(under_way);
            assert_eq!(answer, Ok(false));
        });
        assert!(part.is_dead());
    }
}
