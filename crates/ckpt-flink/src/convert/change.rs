//! What a conversion changed, and what it could not carry.

use std::fmt;

use ckpt_core::id::OperatorId;

use crate::text::JavaText;

/// What a conversion made, and what is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Converted<T> {
    /// What it made.
    pub metadata: T,
    /// What was changed or left out, in the order in which it was met; at each place each kind once.
    pub changes: Vec<Change>,
}

/// Something that was changed or left out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// Where.
    pub place: ChangePlace,
    /// What.
    pub kind: ChangeKind,
    /// Of what was left out, what was found there, where that says more; never a path, in which secrets may be.
    pub found: Option<Box<str>>,
}

/// Where something was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ChangePlace {
    /// The operator; `None` of what concerns the snapshot as a whole.
    pub operator: Option<OperatorId>,
    /// The subtask of it; `None` of what concerns all of the operator.
    pub subtask: Option<u32>,
    /// What of it.
    pub field: Field,
}

/// What of a snapshot, an operator or a subtask a change concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// Which checkpoint it is, of which job, and when it was taken.
    Identity,
    /// What the snapshot is to its job.
    Properties,
    /// The states of participants that are not tasks.
    MasterStates,
    /// The operators, or an operator as a whole.
    Operators,
    /// The name of an operator.
    Name,
    /// The user's identity of an operator.
    Uid,
    /// The descriptors of an operator's states.
    Descriptors,
    /// The state of an operator's coordinator.
    Coordinator,
    /// The subtasks of an operator, or a subtask as a whole.
    Subtasks,
    /// Operator state.
    ManagedOperator,
    /// Operator state that the operator wrote itself.
    RawOperator,
    /// Keyed state.
    ManagedKeyed,
    /// Keyed state that the operator wrote itself.
    RawKeyed,
    /// Data in flight before the operator.
    InputChannels,
    /// Data in flight behind it.
    ResultSubpartitions,
}

/// What a change does to the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// Nothing of the state is missing; what is said of it is not what it was.
    Changed,
    /// What stands at that place is missing.
    NotCarried,
}

/// Which conversion makes a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Direction {
    /// That of Flink's metadata to ours.
    FromFlink,
    /// That of ours to Flink's.
    ToFlink,
    /// Both.
    Both,
}

macro_rules! change_kinds {
    ($($name:ident: $direction:ident, $effect:ident, $text:literal;)*) => {
        /// What was changed or left out. `docs/flink.md` has them in a table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ChangeKind {
            $(#[doc = $text] $name,)*
        }

        impl ChangeKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// What it is, in a sentence or two.
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// What it does to the snapshot.
            pub const fn effect(self) -> Effect {
                match self {
                    $(Self::$name => Effect::$effect,)*
                }
            }

            /// Which conversion makes it.
            pub const fn direction(self) -> Direction {
                match self {
                    $(Self::$name => Direction::$direction,)*
                }
            }
        }
    };
}

change_kinds! {
    MadeUpIdentity: FromFlink, Changed, "Flink stores neither job nor times nor the leader: job and time are those given, the epoch is 1.";
    CheckpointIdZero: FromFlink, Changed, "The checkpoint has number 0, and becomes 1, since numbers begin there.";
    UnknownProperties: FromFlink, Changed, "The file has no properties, so it becomes an unclaimed snapshot.";
    SnapshotKind: FromFlink, Changed, "A savepoint becomes an unclaimed snapshot: that it is native, or what its job did afterwards, is lost; a kind of checkpoint that is not known becomes the nearest.";
    DiscardFlags: FromFlink, Changed, "When the snapshot was to be discarded, and whether it was forced, is not what follows from its kind and the nearest retention policy.";
    PropertiesBytes: FromFlink, Changed, "The properties are encoded otherwise than Flink 2.2 does it.";
    LegacyNumber: FromFlink, Changed, "Numbers of version 2 that Flink ignores are left out.";
    Order: FromFlink, Changed, "What stood in the order of a hash table is sorted.";
    OperatorName: Both, Changed, "The name of an operator is cut after 1,024 bytes or has characters that are none, or the version has no place for names.";
    OperatorUid: Both, NotCarried, "The user's identity of an operator is longer than 1,024 bytes or no Unicode, or the version has no place for it.";
    Parallelism: FromFlink, NotCarried, "An operator's parallelism is not from 1 to its maximum, or that is above 32,768.";
    TextEncoding: FromFlink, Changed, "A text is encoded otherwise than Java does it.";
    DuplicateOperator: FromFlink, NotCarried, "An operator stands there twice; the first counts.";
    DuplicateSubtask: FromFlink, Changed, "A subtask stands there twice; the last counts, as for Flink.";
    SubtaskOutOfRange: FromFlink, NotCarried, "A subtask is not below the parallelism.";
    AllFinished: FromFlink, Changed, "All subtasks had finished, so the operator is fully finished.";
    CoordinatorOfFinished: FromFlink, NotCarried, "The coordinator of an operator that is fully finished has state.";
    MasterStateVersion: Both, Changed, "The version of a participant's format is taken as a number with, or without, a sign.";
    MasterStateName: FromFlink, NotCarried, "The name of a participant is blank, too long, no Unicode, or has control characters.";
    DuplicateMasterState: FromFlink, NotCarried, "A participant stands there twice; the first counts.";
    HandleName: FromFlink, Changed, "The name of state that lies in the metadata is lost.";
    EmptyFile: FromFlink, Changed, "A file or segment of 0 bytes becomes state that lies in the metadata.";
    EmptySegment: FromFlink, Changed, "The segment that there is not becomes no operator state, or elsewhere state of 0 bytes that lies in the metadata.";
    SegmentIdentity: FromFlink, Changed, "The logical id of a segment, and whether checkpoints share its file, is lost.";
    KeyGroupsStream: FromFlink, Changed, "A stream that is divided into key groups, within state that is divided itself, is taken without its own offsets.";
    PathSpelling: FromFlink, Changed, "A path is spelled in another way.";
    MergingDirectories: FromFlink, Changed, "The directories that a handle of merged files keeps alive are lost.";
    StateHandleId: FromFlink, Changed, "The id that Flink tells keyed state from other by is lost.";
    KeyGroupsKind: Both, Changed, "Whether keyed state is in the format of canonical savepoints is not kept; on the way back it follows from the kind of the snapshot unless it is said.";
    KeyGroupOffsets: Both, Changed, "Offsets of key groups without bytes are lost: 0, or -1 in raw state, is written for them.";
    IncrementalIdentity: FromFlink, Changed, "The id of the backend, and the checkpoint that incremental state was made for, is lost.";
    CheckpointedSize: FromFlink, Changed, "How much of incremental state was written for this checkpoint is unknown, or more than there is: all of it counts.";
    Changelog: FromFlink, Changed, "A changelog without changes becomes the state that was materialized.";
    DuplicateState: FromFlink, Changed, "A state of an operator stands there twice; the last counts, as for Flink.";
    ChannelForm: Both, Changed, "Data in flight is named once for each file, or once for each channel in versions before 6.";
    ChannelSize: FromFlink, Changed, "The size of a channel's data is not that of its pieces.";
    SizeUnknown: FromFlink, NotCarried, "The length of a file is unknown.";
    Path: FromFlink, NotCarried, "A path leads upwards, holds a secret, or is no path of ours for another reason.";
    SegmentStart: FromFlink, NotCarried, "A segment begins before its file.";
    StateName: FromFlink, NotCarried, "The name of a state or of a file is longer than 1,024 bytes or no Unicode.";
    DuplicateFile: FromFlink, NotCarried, "Two files of incremental state have one name.";
    OffsetOutOfRange: FromFlink, NotCarried, "An offset is negative or beyond the end.";
    OffsetOrder: FromFlink, NotCarried, "Offsets do not ascend.";
    EmptyKeyGroupRange: FromFlink, NotCarried, "Keyed state has no key groups.";
    KeyGroupsElsewhere: FromFlink, NotCarried, "Keyed state has key groups of another subtask.";
    ChangelogChanges: FromFlink, NotCarried, "Changes since the state was materialized, which are no state.";
    ChannelNumbers: FromFlink, NotCarried, "A number of a subtask or a channel is negative, or a channel stands there twice.";
    SerializedChannels: FromFlink, NotCarried, "The list of merged channels cannot be decoded.";
    OurIdentity: ToFlink, Changed, "The job, the leader's epoch, times, and the checkpoint that was complete before are lost.";
    GraphDigest: ToFlink, Changed, "The digest of the job graph is lost.";
    NoProperties: ToFlink, Changed, "The version has no place for properties.";
    Admission: ToFlink, Changed, "What the snapshot is to its job is said in Flink's words, from which it cannot be known again.";
    Descriptors: ToFlink, Changed, "The descriptors of states are lost.";
    Handle: ToFlink, Changed, "The digest of a file, its root, and that its name is ours are lost: Flink knows a path and a length.";
    SectionEnds: ToFlink, Changed, "Where sections end is lost: Flink knows where they begin.";
    WriterOperator: ToFlink, Changed, "The operator that wrote incremental state is lost: another one has it.";
    KeyGroupAtZero: ToFlink, NotCarried, "Keyed state of a backend has a key group at offset 0, which for Flink is one without state.";
    SeveralStates: ToFlink, NotCarried, "There are several states in one list: Flink has a place for one.";
    CoordinatorInFile: ToFlink, NotCarried, "The state of a coordinator lies in a file.";
    NoChannels: ToFlink, NotCarried, "A file of data in flight has data of no channel.";
    TooLarge: ToFlink, NotCarried, "A length, an offset, or the number of a channel is more than Java counts.";
}

impl<T> Converted<T> {
    /// What was left out.
    pub fn not_carried(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.kind.effect() == Effect::NotCarried)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.kind.description())?;
        self.found.as_ref().map_or(Ok(()), |found| write!(f, " ({found})"))
    }
}

impl fmt::Display for ChangePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operator) = self.operator {
            write!(f, "operator {operator}, ")?;
        }
        if let Some(subtask) = self.subtask {
            write!(f, "subtask {subtask}, ")?;
        }
        self.field.fmt(f)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "identity",
            Self::Properties => "properties",
            Self::MasterStates => "master states",
            Self::Operators => "operators",
            Self::Name => "name",
            Self::Uid => "uid",
            Self::Descriptors => "descriptors",
            Self::Coordinator => "coordinator",
            Self::Subtasks => "subtasks",
            Self::ManagedOperator => "managed operator state",
            Self::RawOperator => "raw operator state",
            Self::ManagedKeyed => "managed keyed state",
            Self::RawKeyed => "raw keyed state",
            Self::InputChannels => "input channels",
            Self::ResultSubpartitions => "result subpartitions",
        })
    }
}

/// Why something is left out.
#[derive(Debug)]
pub(super) struct Refusal {
    kind: ChangeKind,
    found: Option<Box<str>>,
}

impl Refusal {
    pub(super) fn new(kind: ChangeKind) -> Self {
        Self { kind, found: None }
    }

    pub(super) fn found(kind: ChangeKind, found: impl fmt::Display) -> Self {
        const MOST_CHARACTERS: usize = 100;
        let found: String = found.to_string().chars().take(MOST_CHARACTERS).flat_map(char::escape_debug).collect();
        Self { kind, found: Some(found.into()) }
    }
}

/// Takes the changes of one conversion.
#[derive(Debug, Default)]
pub(super) struct Changes {
    all: Vec<Change>,
    place: Option<ChangePlace>,
    /// How many there were when the present place was entered.
    before: usize,
}

impl Changes {
    /// All that follows concerns that place.
    pub(super) fn at(&mut self, operator: Option<OperatorId>, subtask: Option<u32>, field: Field) {
        self.place = Some(ChangePlace { operator, subtask, field });
        self.before = self.all.len();
    }

    /// Notes a change, once at each place.
    pub(super) fn add(&mut self, kind: ChangeKind) {
        self.push(kind, None);
    }

    pub(super) fn add_if(&mut self, changed: bool, kind: ChangeKind) {
        if changed {
            self.push(kind, None);
        }
    }

    /// Notes it when a text that is carried comes back in other bytes.
    pub(super) fn add_text(&mut self, text: &JavaText) {
        let bytes = text.as_bytes();
        // Almost all are short ASCII.
        if !bytes.is_ascii() || bytes.contains(&0) {
            let back = text.as_str().and_then(|text| JavaText::new(&text).ok());
            self.add_if(back.is_some_and(|back| back != *text), ChangeKind::TextEncoding);
        }
    }

    /// Notes what is left out: what was changed at this place counts no more.
    pub(super) fn refuse(&mut self, Refusal { kind, found }: Refusal) {
        self.all.truncate(self.before);
        self.push(kind, found);
    }

    /// Notes what is left out beside something that stays.
    pub(super) fn refuse_part(&mut self, Refusal { kind, found }: Refusal) {
        self.push(kind, found);
    }

    fn push(&mut self, kind: ChangeKind, found: Option<Box<str>>) {
        let Some(place) = self.place else { return };
        let is_known = |known: &Change| known.place == place && known.kind == kind && known.found == found;
        if !self.all[self.before..].iter().any(is_known) {
            self.all.push(Change { place, kind, found });
        }
    }

    pub(super) fn into_all(self) -> Vec<Change> {
        self.all
    }
}
