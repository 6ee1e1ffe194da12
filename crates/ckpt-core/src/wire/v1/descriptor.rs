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
