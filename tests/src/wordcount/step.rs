//! Steps of a coordinator that are as short as a call of the system, made longer so that a signal meets them.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ckpt_coord::Phase;
use ckpt_core::Result;
use ckpt_core::id::CheckpointId;
use ckpt_storage::StorageContext;
use ckpt_streams::file_system::{FileSystem, FileSystems};
use ckpt_streams::testing::FailingCalls;
use ckpt_streams::{Job, Pool, PoolOptions, Rejected, Spawn};

/// A call of the system on which it depends what is committed and what is deleted: about to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Step {
    /// `_metadata` gets its name.
    MetadataLink,
    /// `_metadata`, or its name, becomes durable.
    MetadataSync,
    /// A HEAD that commits gets its name.
    HeadLink,
    /// A HEAD that commits, or its name, becomes durable.
    HeadSync,
    /// Something of a subsumed checkpoint is deleted.
    SubsumeRemove,
    /// Something that a former leader left is deleted.
    CollectRemove,
}

/// Every step with its name, and with that of the part of the protocol to which it belongs. Its byte on the pipe follows
/// those of the phases.
const NAMES: [(Step, &str, &str); 6] = [
    (Step::MetadataLink, "metadata-link", "commit"),
    (Step::MetadataSync, "metadata-sync", "commit"),
    (Step::HeadLink, "head-link", "commit"),
    (Step::HeadSync, "head-sync", "commit"),
    (Step::SubsumeRemove, "subsume-remove", "subsume"),
    (Step::CollectRemove, "collect-remove", "collect"),
];

const FIRST_BYTE: u8 = 13;

impl Step {
    pub(super) fn name(self) -> &'static str {
        NAMES.iter().find(|(step, ..)| *step == self).map_or("unknown", |(_, name, _)| name)
    }

    /// The steps of a part of the protocol.
    pub(super) fn of_part(part: &str) -> Vec<Self> {
        NAMES.iter().filter(|(.., of)| *of == part).map(|(step, ..)| *step).collect()
    }

    /// A byte below every byte of text.
    pub(super) fn byte(self) -> u8 {
        NAMES.iter().position(|(step, ..)| *step == self).map_or(0, |index| FIRST_BYTE + index as u8)
    }

    pub(super) fn of_byte(byte: u8) -> Option<Self> {
        let index = usize::from(byte.checked_sub(FIRST_BYTE)?);
        NAMES.get(index).map(|(step, ..)| *step)
    }

    /// The step that begins where a thread makes this call in that phase.
    fn of(phase: Phase, call: &str) -> Option<Self> {
        match (phase, call) {
            (Phase::Publishing, "link") => Some(Self::MetadataLink),
            (Phase::Publishing, "sync") => Some(Self::MetadataSync),
            (Phase::WritingHead, "link") => Some(Self::HeadLink),
            (Phase::WritingHead, "sync") => Some(Self::HeadSync),
            (Phase::Collecting, "remove") => Some(Self::SubsumeRemove),
            _ => None,
        }
    }
}

/// Checks the name of a part of the protocol.
pub(super) fn parse_part(text: &str) -> Result<String, String> {
    match Step::of_part(text).is_empty() {
        false => Ok(text.to_owned()),
        true => Err("expected one of commit, subsume, collect".to_owned()),
    }
}

thread_local! {
    /// The phase of the coordinator that this thread works on, and the checkpoint.
    static CURRENT: Cell<Option<(Phase, Option<CheckpointId>)>> = const { Cell::new(None) };
}

/// From here on this thread works on that phase.
pub(super) fn enter(phase: Phase, checkpoint: Option<CheckpointId>) {
    CURRENT.set(Some((phase, checkpoint)));
}

fn current(call: &str) -> Option<Step> {
    match CURRENT.get()? {
        // What is collected is that of former leaders, and a HEAD that commits nothing is no commit.
        (Phase::Collecting, None) => (call == "remove").then_some(Step::CollectRemove),
        (_, None) => None,
        (phase, Some(_)) => Step::of(phase, call),
    }
}

/// Storage on local files in which each step is told to `tell` and takes that much longer.
///
/// # Errors
///
/// `FailJob` when the system gives no threads.
pub(super) fn slow_context(delay: Duration, tell: impl Fn(Step) + Send + Sync + 'static) -> Result<StorageContext> {
    let calls = FailingCalls::watched(move |call| {
        if let Some(step) = current(call) {
            tell(step);
            thread::sleep(delay);
        }
    });
    let mut file_systems = FileSystems::none();
    let open = move |location: &str| Ok(Arc::new(calls.open(Path::new(location))?) as Arc<dyn FileSystem>);
    file_systems.register("file", open)?;
    let pool = SteppedPool { inner: Pool::new(PoolOptions::default())? };
    Ok(StorageContext::new(Arc::new(file_systems), Arc::new(pool)))
}

/// A pool whose jobs work on what those work on that ask for them, until they say otherwise.
#[derive(Debug)]
struct SteppedPool {
    inner: Pool,
}

impl Spawn for SteppedPool {
    fn spawn(&self, name: &'static str, job: Job) -> Result<(), Rejected> {
        let inherited = CURRENT.get();
        self.inner.spawn(
            name,
            Box::new(move || {
                CURRENT.set(inherited);
                job();
            }),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_bytes_round_trip() {
        for (step, name, part) in NAMES {
            assert_eq!((Step::of_byte(step.byte()), step.name()), (Some(step), name));
            assert!(Step::of_part(part).contains(&step) && parse_part(part).is_ok());
            assert!(step.byte() < b' ');
        }
        assert!(parse_part("sleep").is_err());
        assert_eq!((Step::of_byte(12), Step::of_byte(19)), (None, None));
    }

    #[test]
    fn a_step_is_one_of_the_phase_that_its_thread_is_in() {
        let id = CheckpointId::new(1);
        for (phase, checkpoint, call, expected) in [
            (Phase::WritingHead, id, "link", Some(Step::HeadLink)),
            (Phase::WritingHead, None, "link", None),
            (Phase::Publishing, id, "sync", Some(Step::MetadataSync)),
            (Phase::Publishing, id, "write", None),
            (Phase::Collecting, id, "remove", Some(Step::SubsumeRemove)),
            (Phase::Collecting, None, "remove", Some(Step::CollectRemove)),
            (Phase::Sealing, id, "sync", None),
        ] {
            enter(phase, checkpoint);
            assert_eq!(current(call), expected, "{phase:?} {checkpoint:?} {call}");
        }
    }
}
