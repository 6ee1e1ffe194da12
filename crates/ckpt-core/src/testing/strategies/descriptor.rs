//! Descriptors of states.

use proptest::option;
use proptest::prelude::*;

use crate::descriptor::{CodecId, Fingerprint, StateDescriptor};
use crate::testing::every_state_kind;

/// Any descriptor, of a user's state or of one of the engine's own.
pub fn any_state_descriptor() -> BoxedStrategy<StateDescriptor> {
    let kind = prop::sample::select(every_state_kind());
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
