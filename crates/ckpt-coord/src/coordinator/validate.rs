//! What a task may acknowledge.

use std::collections::BTreeMap;

use ckpt_core::graph::Vertex;
use ckpt_core::id::Writer;
use ckpt_core::state::{
    FileRef, IncrementalState, KeyedState, Place, PlaceRule, Root, SharedFile, StateHandle, TaskSnapshot,
};

use crate::coordinator::StateRefusal;
use crate::coordinator::committed::Reusable;

/// Checks that a checkpoint may name the state that a task acknowledged, and puts the registered handle in the place of
/// each file that is only named again.
///
/// Whatever is written lies in the checkpoint's own directory or the shared one, under a name of the acknowledging
/// writer; whatever is reused is named by the checkpoint's base. So nothing that a checkpoint names can be deleted by
/// anyone who does not know of it.
pub(super) fn validate(
    snapshot: TaskSnapshot,
    vertex: &Vertex,
    writer: Writer,
    rule: PlaceRule,
    base: Option<&Reusable>,
) -> Result<TaskSnapshot, StateRefusal> {
    let none = BTreeMap::new();
    let base = base.unwrap_or(&none);
    for (operator, state) in snapshot.operators() {
        if vertex.operators.iter().all(|known| known.id != *operator) {
            return Err(StateRefusal::UnknownOperator(*operator));
        }
        rule.check(state)?;
        for handle in state.handles() {
            check(handle, writer)?;
        }
        for keyed in state.all_keyed() {
            match keyed {
                KeyedState::KeyGroups(_) => {}
                KeyedState::Incremental(state) => check_shared(state, rule)?,
                _ => return Err(StateRefusal::UnknownForm),
            }
        }
    }
    snapshot.try_fill_in(&mut |root, file| match base.get(&(root, file.clone())) {
        Some(handle) => Ok(handle.clone()),
        None => Err(StateRefusal::NotInBase { root, file: file.clone() }),
    })
}

/// A handle of bytes that the task says it wrote.
fn check(handle: &StateHandle, writer: Writer) -> Result<(), StateRefusal> {
    let (Place::File { root, file } | Place::Segment { root, file, .. }) = handle.place() else {
        return match handle.place() {
            Place::Inline(_) => Ok(()),
            _ => Err(StateRefusal::UnknownForm),
        };
    };
    match (root, file) {
        (Root::ThisSnapshot | Root::JobShared, FileRef::Ours(name)) if name.writer() != writer => {
            Err(StateRefusal::ForeignWriter { file: *name })
        }
        (Root::ThisSnapshot | Root::JobShared | Root::JobTaskOwned, FileRef::Ours(_)) if handle.digest().is_none() => {
            Err(StateRefusal::NoDigest { file: file.clone() })
        }
        // The life of task-owned files is the tasks' own: the coordinator never deletes one.
        (Root::ThisSnapshot | Root::JobShared | Root::JobTaskOwned, FileRef::Ours(_)) => Ok(()),
        _ => Err(StateRefusal::Root { root: *root, file: file.clone() }),
    }
}

/// Files that later checkpoints may name again must not go with this one; only a savepoint keeps its own.
fn check_shared(state: &IncrementalState, rule: PlaceRule) -> Result<(), StateRefusal> {
    if rule == PlaceRule::Savepoint {
        return Ok(());
    }
    for file in state.shared().values() {
        match file {
            SharedFile::Written(handle) => {
                if let Some((root @ Root::ThisSnapshot, file)) = handle.place().file() {
                    return Err(StateRefusal::Root { root, file: file.clone() });
                }
            }
            SharedFile::Reused(..) => {}
            _ => return Err(StateRefusal::UnknownForm),
        }
    }
    Ok(())
}
