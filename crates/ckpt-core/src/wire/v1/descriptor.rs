//! What a state is.

use serde::{Deserialize, Serialize};

use crate::descriptor;
use crate::state;
use crate::wire::Invalid;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Descriptor<'a> {
    name: &'a str,
    kind: Kind,
    codec: &'a str,
    version: u32,
    fingerprint: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Kind {
    KeyedValue,
    KeyedList,
    KeyedMap,
    KeyedReducing,
    KeyedAggregating,
    KeyedPriorityQueue,
    OperatorSplit,
    OperatorUnion,
    OperatorBroadcast,
}

impl<'a> Descriptor<'a> {
    pub(crate) fn of(descriptor: &'a descriptor::StateDescriptor) -> Self {
        Self {
            name: descriptor.name(),
            kind: Kind::of(descriptor.kind()),
            codec: descriptor.codec().as_str(),
            version: descriptor.version(),
            fingerprint: descriptor.fingerprint().map(descriptor::Fingerprint::get),
        }
    }

    pub(crate) fn into_domain(self) -> Result<descriptor::StateDescriptor, Invalid> {
        let refused = |field| move |error| Invalid::Refused { field, error };
        let codec = descriptor::CodecId::new(self.codec).map_err(refused("the codec of a state"))?;
        let kind = self.kind.into_domain();
        let of_either = descriptor::StateDescriptor::unchecked_reservation(self.name.into(), kind, codec, self.version)
            .map_err(refused("the name of a state"))?;
        Ok(match self.fingerprint {
            Some(digest) => of_either.with_fingerprint(descriptor::Fingerprint::new(digest)),
            None => of_either,
        })
    }
}

impl Kind {
    const fn of(kind: descriptor::StateKind) -> Self {
        use descriptor::KeyedStateKind as Keyed;
        match kind {
            descriptor::StateKind::Keyed(Keyed::Value) => Self::KeyedValue,
            descriptor::StateKind::Keyed(Keyed::List) => Self::KeyedList,
            descriptor::StateKind::Keyed(Keyed::Map) => Self::KeyedMap,
            descriptor::StateKind::Keyed(Keyed::Reducing) => Self::KeyedReducing,
            descriptor::StateKind::Keyed(Keyed::Aggregating) => Self::KeyedAggregating,
            descriptor::StateKind::Keyed(Keyed::PriorityQueue) => Self::KeyedPriorityQueue,
            descriptor::StateKind::Operator(state::Redistribution::Split) => Self::OperatorSplit,
            descriptor::StateKind::Operator(state::Redistribution::Union) => Self::OperatorUnion,
            descriptor::StateKind::Operator(state::Redistribution::Broadcast) => Self::OperatorBroadcast,
        }
    }

    const fn into_domain(self) -> descriptor::StateKind {
        use descriptor::KeyedStateKind as Keyed;
        match self {
            Self::KeyedValue => descriptor::StateKind::Keyed(Keyed::Value),
            Self::KeyedList => descriptor::StateKind::Keyed(Keyed::List),
            Self::KeyedMap => descriptor::StateKind::Keyed(Keyed::Map),
            Self::KeyedReducing => descriptor::StateKind::Keyed(Keyed::Reducing),
            Self::KeyedAggregating => descriptor::StateKind::Keyed(Keyed::Aggregating),
            Self::KeyedPriorityQueue => descriptor::StateKind::Keyed(Keyed::PriorityQueue),
            Self::OperatorSplit => descriptor::StateKind::Operator(state::Redistribution::Split),
            Self::OperatorUnion => descriptor::StateKind::Operator(state::Redistribution::Union),
            Self::OperatorBroadcast => descriptor::StateKind::Operator(state::Redistribution::Broadcast),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descriptor::{CodecId, Fingerprint, StateDescriptor};
    use crate::testing::every_state_kind;
    use crate::wire::{Subject, decode, encode};

    #[test]
    fn every_kind_of_descriptor_has_the_documented_bytes() {
        for (number, kind) in (0..).zip(every_state_kind()) {
            let plain = StateDescriptor::new("s", kind, CodecId::new("c").unwrap(), 300).unwrap();
            let timers = StateDescriptor::reserved("_t", kind, CodecId::new("c").unwrap(), 0).unwrap();
            for (descriptor, bytes) in [
                (plain.clone(), vec![1, b's', number, 1, b'c', 0xac, 2, 0]),
                (plain.with_fingerprint(Fingerprint::new(5)), vec![1, b's', number, 1, b'c', 0xac, 2, 1, 5]),
                (timers, vec![2, b'_', b't', number, 1, b'c', 0, 0]),
            ] {
                assert_eq!(encode(Subject::Metadata, &Descriptor::of(&descriptor)).unwrap(), bytes);
                let read: Descriptor<'_> = decode(Subject::Metadata, &bytes).unwrap();
                assert_eq!(read.into_domain().unwrap(), descriptor);
            }
        }
    }

    #[test]
    fn descriptors_that_no_state_has_are_refused() {
        assert!(decode::<Descriptor<'_>>(Subject::Metadata, &[1, b's', 9, 1, b'c', 0, 0]).is_err(), "an unknown kind");
        for (bytes, expected) in [
            (
                [0, 0, 1, b'c', 0, 0].as_slice(),
                "the name of a state: the name of a state has from 1 to 1024 bytes, found 0",
            ),
            (&[1, 10, 0, 1, b'c', 0, 0], "the name of a state: the name of a state has no control characters"),
            (&[1, b's', 0, 0, 0, 0], "the codec of a state: the name of a codec has from 1 to 256 bytes, found 0"),
        ] {
            let read: Descriptor<'_> = decode(Subject::Metadata, bytes).unwrap();
            let invalid = read.into_domain().unwrap_err().to_string();
            assert!(invalid.starts_with(expected), "{invalid}");
        }
    }
}
