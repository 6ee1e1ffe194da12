//! What a task may acknowledge.

use ckpt_core::graph::Vertex;
use ckpt_core::id::Writer;
use ckpt_core::shared::AcknowledgedFiles;
use ckpt_core::state::{FileRef, IncrementalState, KeyedState, PlaceRule, Root, SharedFile, StateHandle, TaskSnapshot};

use crate::coordinator::StateRefusal;

/// Checks that a checkpoint may name the state that a task acknowledged, and puts the registered handle in the place of
/// each file that is only named again.
///
/// Whatever is written lies in the checkpoint's own directory or the shared one, under a name of the acknowledging
/// writer; what is shared the registry decides, by `files`. So nothing that a checkpoint names can be deleted by anyone
/// who does not know of it.
pub(super) fn validate(
    snapshot: TaskSnapshot,
    vertex: &Vertex,
    writer: Writer,
    rule: PlaceRule,
    files: &mut AcknowledgedFiles<'_>,
) -> Result<TaskSnapshot, StateRefusal> {
    for (operator, state) in snapshot.operators() {
        if vertex.operators.iter().all(|known| known.id != *operator) {
            return Err(StateRefusal::UnknownOperator(*operator));
        }
        rule.check(state)?;
        for handle in state.handles() {
            check_exclusive(handle, writer)?;
            files.written(handle)?;
        }
        for keyed in state.all_keyed() {
            match keyed {
                KeyedState::KeyGroups(_) => {}
                KeyedState::Incremental(state) => check_shared(state, rule)?,
                _ => return Err(StateRefusal::UnknownForm),
            }
        }
    }
    snapshot.try_fill_in(&mut |reused| Ok(files.reused(reused)?))
}

/// A handle of bytes that the task says it wrote for this checkpoint alone, or whose life is the tasks' own.
fn check_exclusive(handle: &StateHandle, writer: Writer) -> Result<(), StateRefusal> {
    match handle.place().file() {
        Some((Root::ThisSnapshot, FileRef::Ours(name))) if name.writer() != writer => {
            Err(StateRefusal::ForeignWriter { file: *name })
        }
        Some((Root::ThisSnapshot | Root::JobTaskOwned, file @ FileRef::Ours(_))) if handle.digest().is_none() => {
            Err(StateRefusal::NoDigest { file: file.clone() })
        }
        Some((root @ (Root::ThisSnapshot | Root::JobTaskOwned), file @ FileRef::Foreign(_))) => {
            Err(StateRefusal::Root { root, file: file.clone() })
        }
        _ => Ok(()),
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
