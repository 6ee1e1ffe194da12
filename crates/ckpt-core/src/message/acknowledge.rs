//! A task's part of a checkpoint.

use crate::error::Result;
use crate::id::{CheckpointId, LeaderEpoch, TaskAttempt, Writer, WriterId};
use crate::message::error::SpillRefusal;
use crate::message::{Decline, DeclineReason};
use crate::snapshot::CheckpointMetrics;
use crate::state::{FileRef, Place, Root, StateHandle, TaskSnapshot};

/// A task's part of a checkpoint, durable (Flink's `AcknowledgeCheckpoint`): only sealing makes the handles that it takes.
///
/// ```
/// # use ckpt_core::{message::Acknowledge, state::{StateHandle, TaskSnapshot}};
/// fn with<Other>(mut acknowledge: Acknowledge, state: TaskSnapshot<StateHandle>) -> Acknowledge {
///     acknowledge.snapshot = state;
///     acknowledge
/// }
/// ```
///
/// Of other state none is made.
///
/// ```compile_fail,E0308
/// # use ckpt_core::{message::Acknowledge, state::{StateHandle, TaskSnapshot}};
/// fn with<Other>(mut acknowledge: Acknowledge, state: TaskSnapshot<Other>) -> Acknowledge {
///     acknowledge.snapshot = state;
///     acknowledge
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Acknowledge {
    /// The leader that asked for it.
    pub epoch: LeaderEpoch,
    /// The checkpoint.
    pub id: CheckpointId,
    /// Who took it.
    pub attempt: TaskAttempt,
    /// Under which number its files are named.
    pub writer: WriterId,
    /// The state.
    pub snapshot: TaskSnapshot,
    /// What was measured.
    pub metrics: CheckpointMetrics,
}

/// An [`Acknowledge`] whose snapshot is too long for a message: it lies in a file of the checkpoint's own directory, as
/// [`TaskSnapshot::encode`] writes it.
///
/// Whoever receives it reads the file and goes on with what [`loaded`](Self::loaded) yields. The file goes with the
/// directory; nothing names it afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpilledAcknowledge {
    /// The leader that asked for it.
    pub epoch: LeaderEpoch,
    /// The checkpoint.
    pub id: CheckpointId,
    /// Who took it.
    pub attempt: TaskAttempt,
    /// Under which number its files are named.
    pub writer: WriterId,
    /// What was measured.
    pub metrics: CheckpointMetrics,
    spilled: StateHandle,
}

impl Acknowledge {
    /// An acknowledgement without measurements.
    pub fn new(
        epoch: LeaderEpoch,
        id: CheckpointId,
        attempt: TaskAttempt,
        writer: WriterId,
        snapshot: TaskSnapshot,
    ) -> Self {
        Self { epoch, id, attempt, writer, snapshot, metrics: CheckpointMetrics::default() }
    }

    /// The same, with the snapshot in that file.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` unless the file is of this writer, lies in the checkpoint's own directory, has a digest, and at
    /// most [`SpilledAcknowledge::MAX_BYTES`].
    pub fn spilled(self, spilled: StateHandle) -> Result<SpilledAcknowledge> {
        let Self { epoch, id, attempt, writer, snapshot: _, metrics } = self;
        SpilledAcknowledge::new((epoch, id), attempt, writer, metrics, spilled)
    }
}

impl SpilledAcknowledge {
    /// The most bytes of a snapshot that is spilled. With about 45 bytes a handle this is more than a million handles;
    /// it bounds what a task can make the coordinator hold in memory.
    pub const MAX_BYTES: usize = 64 << 20;

    /// The file that holds the snapshot.
    pub const fn handle(&self) -> &StateHandle {
        &self.spilled
    }

    /// What the coordinator is told instead when the file cannot be read.
    pub fn unreadable(self, message: impl Into<String>) -> Decline {
        Decline::new(self.epoch, self.id, self.attempt, DeclineReason::SpillFailed, message)
    }

    /// The acknowledgement itself, with the snapshot that the file holds.
    ///
    /// # Errors
    ///
    /// Those of [`TaskSnapshot::decode`].
    pub fn loaded(&self, file: &[u8]) -> Result<Acknowledge> {
        let snapshot = TaskSnapshot::decode(file, Self::MAX_BYTES)?;
        let Self { epoch, id, attempt, writer, metrics, .. } = *self;
        Ok(Acknowledge { epoch, id, attempt, writer, snapshot, metrics })
    }

    pub(crate) fn new(
        (epoch, id): (LeaderEpoch, CheckpointId),
        attempt: TaskAttempt,
        writer: WriterId,
        metrics: CheckpointMetrics,
        spilled: StateHandle,
    ) -> Result<Self> {
        let of = Writer::new(epoch, writer);
        match spilled.place() {
            Place::File { root: Root::ThisSnapshot, file: FileRef::Ours(name) } if name.writer() == of => {}
            place => return Err(SpillRefusal::Place { place: place.to_string(), of }.into()),
        }
        if spilled.digest().is_none() {
            return Err(SpillRefusal::NoDigest.into());
        }
        match spilled.length_bytes() {
            found if found > Self::MAX_BYTES as u64 => Err(SpillRefusal::Length { found }.into()),
            _ => Ok(Self { epoch, id, attempt, writer, metrics, spilled }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::error::ErrorKind;
    use crate::id::{AttemptId, TaskId, VertexId};
    use crate::state::{ClaimId, SortedMap};

    const EPOCH: LeaderEpoch = LeaderEpoch::new(3);
    const WRITER: WriterId = WriterId::new(9);
    const DIGEST: Option<Digest> = Some(Digest::crc64_nvme(1));

    /// What is said when an acknowledgement is spilled into that file.
    fn refusal(root: Root, of: Writer, length_bytes: u64, digest: Option<Digest>) -> Option<String> {
        let attempt = TaskId::new(VertexId::new([2; 16]), 0).attempt(AttemptId::new(1));
        let snapshot = TaskSnapshot::new(SortedMap::default());
        let acknowledge = Acknowledge::new(EPOCH, CheckpointId::FIRST, attempt, WRITER, snapshot);
        let place = Place::File { root, file: FileRef::Ours(of.file(4)) };
        let refused = acknowledge.spilled(StateHandle::assume_durable(place, length_bytes, digest)).err()?;
        assert_eq!(refused.kind(), ErrorKind::AbortCheckpoint);
        Some(refused.to_string())
    }

    #[test]
    fn an_acknowledgement_is_spilled_into_a_bounded_file_of_its_writer_in_its_checkpoint_only() {
        const MAX: u64 = SpilledAcknowledge::MAX_BYTES as u64;
        let own = Writer::new(EPOCH, WRITER);
        assert_eq!(refusal(Root::ThisSnapshot, own, MAX, DIGEST), None);
        for root in [Root::JobShared, Root::JobTaskOwned, Root::Claimed(ClaimId::new(1)), Root::Borrowed(1)] {
            let text = refusal(root, own, MAX, DIGEST).unwrap();
            assert!(text.contains("expected a file of writer 9 of epoch 3"), "{text}");
        }
        for other in [Writer::new(LeaderEpoch::new(2), WRITER), Writer::new(EPOCH, WriterId::new(8))] {
            let text = refusal(Root::ThisSnapshot, other, MAX, DIGEST).unwrap();
            assert!(text.contains("in the checkpoint's own directory"), "{text}");
        }
        let text = refusal(Root::ThisSnapshot, own, MAX, None).unwrap();
        assert_eq!(text, "the file of a spilled acknowledgement has no digest");
        let text = refusal(Root::ThisSnapshot, own, MAX + 1, DIGEST).unwrap();
        assert_eq!(text, "a spilled acknowledgement has 67108865 bytes, expected at most 67108864");
    }
}
