//! Sealing: from staged state to durable handles, in one batch, whole or not at all.

use std::sync::Arc as StdArc;

use ckpt_core::state::{FileRef, Place, RelPath, StateHandle, TaskSnapshot};
use ckpt_core::{Error, Result};

use crate::file_system::{CasOutcome, Durability, FileSystem, FileWriter};
use crate::spawn::Spawn;
use crate::stream::error::StreamError;
use crate::stream::staged::{Content, Staged};
use crate::stream::unsealed::{HELPERS, Key, Taken, Unsealed};
use crate::sync::{Arc, Condvar, Mutex};

/// Makes everything in the snapshot durable and names it.
///
/// The order is what protects data: the bytes of every file, then the directories that hold their names, then the
/// handles.
pub(crate) fn seal(
    unsealed: &Arc<Unsealed>,
    spawn: &dyn Spawn,
    durability: Durability,
    snapshot: TaskSnapshot<Staged>,
) -> Result<TaskSnapshot<StateHandle>> {
    // Up to the next `?` whatever fails drops `snapshot`, which removes the files.
    let keys = keys_of(unsealed, snapshot.handles())?;
    if keys.is_empty() {
        // All of it is in its handles: there is no file to agree about with a cancellation, so no lock either.
        if unsealed.is_cancelled() {
            return Err(StreamError::Cancelled.into());
        }
        return snapshot.try_map_handles(&mut |staged| handle_of(staged).ok_or(StreamError::StagedElsewhere.into()));
    }
    let files = unsealed.begin_seal(&keys)?;
    let mut sealing = Sealing { unsealed, files };
    // From here on whatever fails drops `sealing`, which removes them. Nobody sees a handle before it is durable.
    let sealed = snapshot.try_map_handles(&mut |staged| handle_of(staged).ok_or(StreamError::StagedElsewhere))?;
    if sealing.files.len() != keys.len() {
        return Err(StreamError::StagedElsewhere.into());
    }
    sealing.sync_files(spawn, durability)?;
    if durability == Durability::Full {
        sealing.sync_names()?;
    }
    sealing.commit()?;
    Ok(sealed)
}

/// Files that are being sealed. Dropping it removes them.
struct Sealing<'a> {
    unsealed: &'a Arc<Unsealed>,
    files: Vec<Taken>,
}

/// Files to be synced, by whoever takes one next.
struct SyncList {
    state: Mutex<SyncState>,
    ended: Condvar,
    durability: Durability,
}

#[derive(Default)]
struct SyncState {
    ahead: Vec<Unsynced>,
    running: usize,
    /// Nothing is there of those: what lies under their names, if anything does, is another's.
    absent: Vec<Key>,
    failure: Option<Error>,
}

struct Unsynced {
    key: Key,
    path: RelPath,
    writer: Box<dyn FileWriter>,
}

impl Sealing<'_> {
    /// Syncs every file that was not synced early. The caller's thread works through the list; jobs only help it.
    fn sync_files(&mut self, spawn: &dyn Spawn, durability: Durability) -> Result<()> {
        let mut ahead: Vec<Unsynced> = (self.files.iter_mut())
            .filter_map(|file| {
                Some(Unsynced { key: file.key, path: file.at.path.clone(), writer: file.writer.take()? })
            })
            .collect();
        if durability == Durability::Full && ahead.len() > 1 {
            // One after the other would have the disk wait for each.
            ahead.iter_mut().for_each(|file| file.writer.begin_sync());
        }
        let helpers = if durability == Durability::Full { ahead.len().saturating_sub(1).min(HELPERS) } else { 0 };
        let list = Arc::new(SyncList {
            state: Mutex::new(SyncState { ahead, running: 0, absent: Vec::new(), failure: None }),
            ended: Condvar::new(),
            durability,
        });
        for _ in 0..helpers {
            let list = Arc::clone(&list);
            if spawn.spawn("sync state files", Box::new(move || list.work())).is_err() {
                break;
            }
        }
        list.work();
        let SyncState { ahead, absent, failure, .. } = list.join();
        for unsynced in ahead {
            // Nobody took it after a failure: only its writer knows whether the name is its own by now.
            if let Some(file) = self.files.iter_mut().find(|file| file.key == unsynced.key) {
                file.writer = Some(unsynced.writer);
            }
        }
        self.files.retain(|file| !absent.contains(&file.key));
        absent.into_iter().for_each(|key| self.unsealed.end(key));
        failure.map_or(Ok(()), Err)
    }

    /// Syncs the directories, once for each file system.
    fn sync_names(&self) -> Result<()> {
        let mut by_file_system: Vec<(&StdArc<dyn FileSystem>, Vec<RelPath>)> = Vec::new();
        for file in &self.files {
            let known = by_file_system.iter_mut().find(|(known, _)| StdArc::ptr_eq(known, &file.at.file_system));
            match known {
                Some((_, paths)) => paths.push(file.at.path.clone()),
                None => by_file_system.push((&file.at.file_system, vec![file.at.path.clone()])),
            }
        }
        by_file_system.into_iter().try_for_each(|(file_system, paths)| file_system.sync_entries(&paths))
    }

    /// The files are the checkpoint's now, unless it was cancelled.
    fn commit(mut self) -> Result<(), StreamError> {
        self.unsealed.sealed(&self.files)?;
        self.files.clear();
        Ok(())
    }
}

impl Drop for Sealing<'_> {
    fn drop(&mut self) {
        for file in self.files.drain(..) {
            // Counted; the next leader collects what is left.
            let _ = self.unsealed.remove(file);
        }
    }
}

impl SyncList {
    /// Syncs files until none is ahead or one has failed.
    fn work(&self) {
        let mut state = self.state.lock();
        while state.failure.is_none() {
            let Some(next) = state.ahead.pop() else { break };
            state.running += 1;
            drop(state);
            let panicked = StreamError::SyncPanicked { path: next.path.to_string() };
            let mut running = Running { list: self, absent: None, outcome: Err(panicked.into()) };
            running.outcome = match next.writer.finish(self.durability) {
                CasOutcome::Done(_) => Ok(()),
                CasOutcome::Unknown(error) => Err(error),
                CasOutcome::Lost => {
                    running.absent = Some(next.key);
                    Err(StreamError::NameTaken { path: next.path.to_string() }.into())
                }
                CasOutcome::Failed(error) => {
                    running.absent = Some(next.key);
                    Err(error)
                }
            };
            drop(running);
            state = self.state.lock();
        }
    }

    /// Waits for the files that others have taken: their threads are running, so they come to an end. What became of all.
    fn join(&self) -> SyncState {
        let mut state = self.state.lock();
        while state.running > 0 {
            self.ended.wait(&mut state);
        }
        std::mem::take(&mut *state)
    }
}

/// A file that is being synced. It counts as ended even if its writer panics.
struct Running<'a> {
    list: &'a SyncList,
    /// The file, when nothing of it is there.
    absent: Option<Key>,
    outcome: Result<()>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut state = self.list.state.lock();
        state.running -= 1;
        state.absent.extend(self.absent);
        if let Err(error) = std::mem::replace(&mut self.outcome, Ok(())) {
            state.failure.get_or_insert(error);
        }
        drop(state);
        self.list.ended.notify_all();
    }
}

/// The files among the staged state, which must all be of this factory.
fn keys_of<'a>(unsealed: &Arc<Unsealed>, staged: impl Iterator<Item = &'a Staged>) -> Result<Vec<Key>, StreamError> {
    let files = staged.filter_map(|staged| match staged.content() {
        Some(Content::File(file)) => Some(file),
        Some(Content::Inline(_)) | None => None,
    });
    files
        .map(|file| match Arc::ptr_eq(&file.unsealed, unsealed) {
            true => Ok(file.key),
            false => Err(StreamError::StagedElsewhere),
        })
        .collect()
}

/// The handle that staged state has once it is durable.
fn handle_of(staged: Staged) -> Option<StateHandle> {
    Some(match staged.into_content()? {
        Content::Inline(bytes) => StateHandle::inline(bytes),
        Content::File(file) => StateHandle::assume_durable(
            Place::File { root: file.root, file: FileRef::Ours(file.name) },
            file.length_bytes,
            Some(file.digest),
        ),
    })
}
