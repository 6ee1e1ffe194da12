//! How a leader takes a savepoint.

use ckpt_core::id::CheckpointId;
use ckpt_core::uri::Uri;

use crate::history::Broken;
use crate::leader::{Leader, SavepointStage, What};
use crate::rules::Break;
use crate::scene::{Event, Scene};
use crate::store::{SavepointFiles, SavepointMetadata};

impl Leader {
    /// The savepoint's directory is made.
    pub(crate) fn make_savepoint(&mut self, id: CheckpointId, scene: &mut Scene<'_>) {
        let there =
            SavepointFiles { mark: true, state: true, metadata: SavepointMetadata::Absent, seen_unpublished: false };
        let stage = match scene.store.savepoints.contains_key(&id) {
            true => SavepointStage::Failed,
            false => SavepointStage::Made,
        };
        if stage == SavepointStage::Made {
            scene.store.savepoints.insert(id, there);
            scene.savepoint_made(id);
        }
        self.savepoints.insert(id, stage);
    }

    /// The savepoint's `_metadata` is published, unless the name is taken.
    pub(crate) fn publish_savepoint(&mut self, id: CheckpointId, scene: &mut Scene<'_>) {
        let nothing =
            SavepointFiles { mark: false, state: false, metadata: SavepointMetadata::Absent, seen_unpublished: false };
        let files = scene.store.savepoints.entry(id).or_insert(nothing);
        let stage = match files.metadata {
            SavepointMetadata::Absent => {
                files.metadata = SavepointMetadata::Published;
                SavepointStage::Published
            }
            _ => SavepointStage::Failed,
        };
        if stage == SavepointStage::Failed {
            scene.hit(Event::SavepointKeptOut);
        }
        self.savepoints.insert(id, stage);
    }

    /// Whoever published looks whether the directory is still the savepoint's.
    pub(crate) fn look_for_mark(&mut self, id: CheckpointId, scene: &mut Scene<'_>) {
        let marked = scene.store.savepoints.get(&id).is_some_and(|files| files.mark);
        let stage = if marked || scene.rules.is(Break::SavepointMarkNotLookedAt) {
            scene.history.savepoints_told.insert(id);
            SavepointStage::Complete
        } else {
            scene.store.savepoints.remove(&id);
            scene.hit(Event::SavepointMarkGone);
            SavepointStage::Failed
        };
        self.savepoints.insert(id, stage);
    }

    /// A savepoint is asked for.
    pub(crate) fn begin_savepoint(&mut self, scene: &mut Scene<'_>) -> Result<(), Broken> {
        let id = self.take_number(scene)?;
        self.savepoints.insert(id, SavepointStage::Beginning);
        if !self.begin_write(What::BeginSavepoint(id), scene)? {
            self.savepoints.remove(&id);
        } else if scene.rules.is(Break::SavepointNotInHead) {
            self.make_savepoint(id, scene);
        }
        Ok(())
    }
}

/// Where a savepoint lies.
pub(crate) fn savepoint_uri(id: CheckpointId) -> Uri {
    Uri::new(format!("file:///savepoints/savepoint-{id}")).unwrap_or_else(|_| unreachable!("it is a URI"))
}
