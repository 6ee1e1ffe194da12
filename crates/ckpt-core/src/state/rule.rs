//! Which files a snapshot may name.

use crate::error::{Error, ErrorKind};
use crate::state::{FileRef, Root, SubtaskState};

/// Which files a snapshot may name besides state that is in its handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PlaceRule {
    /// In an acknowledgement: what was written lies in the checkpoint's own directory or one of the job's; what is named
    /// again in the shared directory or a claimed place. Nothing borrowed, since its owner may delete it at any time.
    Acknowledgement,
    /// In a savepoint: files of its own directory alone, so that it can be moved and outlives the job.
    Savepoint,
}

/// A file that a snapshot must not name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("{file} below {root} must not be named by {}", rule.subject())]
pub struct MisplacedFile {
    /// What the file lies below.
    pub root: Root,
    /// The file.
    pub file: FileRef,
    /// What forbids it.
    pub rule: PlaceRule,
}

impl PlaceRule {
    /// Whether the file of a handle may lie below that root.
    pub const fn allows_handle(self, root: Root) -> bool {
        match self {
            Self::Acknowledgement => matches!(root, Root::ThisSnapshot | Root::JobShared | Root::JobTaskOwned),
            Self::Savepoint => matches!(root, Root::ThisSnapshot),
        }
    }

    /// Whether a file below that root may be named again without a handle.
    pub const fn allows_reused(self, root: Root) -> bool {
        match self {
            Self::Acknowledgement => matches!(root, Root::JobShared | Root::Claimed(_)),
            Self::Savepoint => false,
        }
    }

    /// Whether all files that the state names may be named.
    ///
    /// # Errors
    ///
    /// The first file that the state names and must not. As an [`Error`](crate::Error) it is one of `AbortCheckpoint`.
    pub fn check(self, state: &SubtaskState) -> Result<(), MisplacedFile> {
        let mut handles = state.handles().filter_map(|handle| handle.place().file());
        let handle = handles.find(|(root, _)| !self.allows_handle(*root));
        let reused = || state.reused().find(|reused| !self.allows_reused(reused.root));
        match handle.or_else(|| reused().map(|reused| (reused.root, &reused.file))) {
            Some((root, file)) => Err(MisplacedFile { root, file: file.clone(), rule: self }),
            None => Ok(()),
        }
    }

    const fn subject(self) -> &'static str {
        match self {
            Self::Acknowledgement => "an acknowledgement",
            Self::Savepoint => "a savepoint, which names files of its own directory alone",
        }
    }
}

impl From<MisplacedFile> for Error {
    fn from(misplaced: MisplacedFile) -> Self {
        Self::new(ErrorKind::AbortCheckpoint, misplaced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::id::{LeaderEpoch, OperatorId, Writer, WriterId};
    use crate::key_group::{KeyGroup, KeyGroupRange};
    use crate::state::{
        ClaimId, IncrementalState, KeyedState, OperatorState, Place, ReusedFile, SharedFile, SortedMap, StateHandle,
    };

    #[test]
    fn files_are_named_where_the_rule_allows_it() {
        use PlaceRule::{Acknowledgement, Savepoint};
        let claimed = Root::Claimed(ClaimId::new(1));
        let file = FileRef::Ours(Writer::new(LeaderEpoch::new(1), WriterId::new(2)).file(3));
        let expected = [
            (Root::ThisSnapshot, [true, true], [false, false]),
            (Root::JobShared, [true, false], [true, false]),
            (Root::JobTaskOwned, [true, false], [false, false]),
            (claimed, [false, false], [true, false]),
            (Root::Borrowed(4), [false, false], [false, false]),
        ];
        let meta = || StateHandle::inline(bytes::Bytes::from_static(b"meta"));
        for (root, by_handle, reused) in expected {
            let places = [
                Place::File { root, file: file.clone() },
                Place::Segment { root, file: file.clone(), offset_bytes: 5 },
            ];
            let handles = places.map(|place| StateHandle::assume_durable(place, 6, Some(Digest::of(b"bytes"))));
            let mut states = handles.map(|handle| {
                let state = OperatorState::new(SortedMap::default(), handle);
                (SubtaskState::new(Vec::new(), vec![state]), by_handle)
            });
            let range = KeyGroupRange::new(KeyGroup::new(0), KeyGroup::new(1)).unwrap();
            let shared = [("a", SharedFile::Reused(ReusedFile::whole(root, file.clone())))].into();
            let files = IncrementalState::new(OperatorId::new([7; 16]), range, shared, SortedMap::default(), meta());
            let reusing = (SubtaskState::new(vec![KeyedState::Incremental(files)], Vec::new()), reused);
            for (state, allowed) in states.iter_mut().chain([&mut reusing.clone()]) {
                for (rule, allowed) in [Acknowledgement, Savepoint].into_iter().zip(*allowed) {
                    let refused = MisplacedFile { root, file: file.clone(), rule };
                    let expected = if allowed { Ok(()) } else { Err(refused) };
                    assert_eq!(rule.check(state), expected, "{rule:?} {root:?}");
                }
            }
        }
    }
}
