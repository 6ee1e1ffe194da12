//! Descriptors of states.

use proptest::option;
use proptest::prelude::*;

use super::state::any_redistribution;
use crate::descriptor::{CodecId, Fingerprint, KeyedStateKind, StateDescriptor, StateKind};

/// Any descriptor, of a user's state or of one of the engine's own.
pub fn any_state_descriptor() -> BoxedStrategy<StateDescriptor> {
    let keyed = prop_oneof![
        Just(KeyedStateKind::Value),
        Just(KeyedStateKind::List),
        Just(KeyedStateKind::Map),
        Just(KeyedStateKind::Reducing),
        Just(KeyedStateKind::Aggregating),
        Just(KeyedStateKind::PriorityQueue),
    ];
    let kind = prop_oneof![keyed.prop_map(StateKind::Keyed), any_redistribution().prop_map(StateKind::Operator)];
    let codec = "[a-zä.]{1,12}".prop_map(|name| CodecId::new(name).expect("the name of a codec"));
    (any::<bool>(), "[a-zä -]{1,12}", kind, codec, any::<u32>(), option::of(any::<u64>()))
        .prop_map(|(is_reserved, name, kind, codec, version, fingerprint)| {
            let descriptor = match is_reserved {
                true => {
                    let name = format!("{}{name}", StateDescriptor::RESERVED_PREFIX);
                    StateDescriptor::reserved(name, kind, codec, version)
                }
                false => StateDescriptor::new(name, kind, codec, version),
            };
            let descriptor = descriptor.expect("the name of a state");
            match fingerprint {
                Some(digest) => descriptor.with_fingerprint(Fingerprint::new(digest)),
                None => descriptor,
            }
        })
        .boxed()
}
