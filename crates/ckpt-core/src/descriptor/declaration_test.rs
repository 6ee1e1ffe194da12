//! The table of compatibility, as data; and what is refused.

use super::*;
use crate::descriptor::{CodecId, Fingerprint, KeyedStateKind, StateKind};
use crate::error::ErrorKind;
use crate::state::Redistribution;

const VALUE: StateKind = StateKind::Keyed(KeyedStateKind::Value);

fn codec(name: &str) -> CodecId {
    CodecId::new(name).unwrap()
}

fn descriptor(kind: StateKind, codec_name: &str, version: u32, fingerprint: Option<u64>) -> StateDescriptor {
    let descriptor = StateDescriptor::new("counts", kind, codec(codec_name), version).unwrap();
    match fingerprint {
        Some(digest) => descriptor.with_fingerprint(Fingerprint::new(digest)),
        None => descriptor,
    }
}

#[test]
fn stored_state_is_compatible_as_the_table_says() {
    let own = descriptor(VALUE, "postcard", 3, Some(7));
    let declared = StateDeclaration::new(own.clone()).with_migration_from(1).unwrap();
    let list = StateKind::Keyed(KeyedStateKind::List);
    let split = StateKind::Operator(Redistribution::Split);
    let incompatible = |message: &str| Err(message.to_owned());
    let table = [
        (own.clone(), Ok(Compatibility::AsIs)),
        (descriptor(VALUE, "postcard", 3, None), Ok(Compatibility::AsIs)),
        (descriptor(VALUE, "postcard", 1, Some(8)), Ok(Compatibility::AfterMigration { from: 1 })),
        (
            descriptor(VALUE, "postcard", 2, Some(7)),
            incompatible(
                "the job declares version 3 of state 'counts' and no migration from version 2, which the snapshot holds",
            ),
        ),
        (
            descriptor(VALUE, "postcard", 4, Some(7)),
            incompatible("the job declares version 3 of state 'counts', the snapshot holds the newer version 4"),
        ),
        (
            descriptor(VALUE, "postcard", 3, Some(8)),
            incompatible(
                "the job declares version 3 of state 'counts' with fingerprint 0000000000000007, the snapshot holds it with \
                 0000000000000008",
            ),
        ),
        (
            descriptor(VALUE, "json", 3, Some(7)),
            incompatible("the job declares codec 'postcard' of state 'counts', the snapshot was written by 'json'"),
        ),
        (
            descriptor(list, "postcard", 3, Some(7)),
            incompatible(
                "the job declares state 'counts' as a keyed value state, the snapshot holds a keyed list state",
            ),
        ),
        (
            descriptor(split, "postcard", 1, Some(7)),
            incompatible(
                "the job declares state 'counts' as a keyed value state, the snapshot holds a split operator state",
            ),
        ),
        (
            StateDescriptor::new("others", VALUE, codec("postcard"), 3).unwrap(),
            incompatible("the job declares state 'counts', the snapshot holds 'others'"),
        ),
    ];
    for (stored, expected) in table {
        let found = match declared.compatibility_with(&stored) {
            Compatibility::Incompatible(reason) => {
                let error = crate::Error::from(reason);
                assert_eq!(error.kind(), ErrorKind::Configuration);
                Err(error.to_string())
            }
            compatible => Ok(compatible),
        };
        assert_eq!(found, expected, "{stored:?}");
    }
    let unknown = StateDeclaration::new(descriptor(VALUE, "postcard", 3, None));
    assert_eq!(unknown.compatibility_with(&own), Compatibility::AsIs, "the job's codec computes no fingerprint");
}

#[test]
fn another_redistribution_is_another_kind() {
    let all = [Redistribution::Split, Redistribution::Union, Redistribution::Broadcast];
    for (declared, stored) in all.iter().flat_map(|declared| all.iter().map(move |stored| (*declared, *stored))) {
        let of = |redistribution| descriptor(StateKind::Operator(redistribution), "postcard", 1, None);
        let found = StateDeclaration::new(of(declared)).compatibility_with(&of(stored));
        assert_eq!(found == Compatibility::AsIs, declared == stored, "{declared:?} {stored:?}");
    }
}

#[test]
fn descriptors_that_cannot_be_are_refused() {
    let refused = |result: Result<StateDescriptor>, message: &str| {
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Configuration, message));
    };
    let new = |name: &str| StateDescriptor::new(name, VALUE, codec("postcard"), 1);
    let reserved = |name: &str| StateDescriptor::reserved(name, VALUE, codec("postcard"), 1);
    refused(new(""), "the name of a state has from 1 to 1024 bytes, found 0");
    refused(reserved(&"_".repeat(1025)), "the name of a state has from 1 to 1024 bytes, found 1025");
    refused(new("a\nb"), "the name of a state has no control characters, found \"a\\nb\"");
    refused(new("_default_"), "names of states that begin with '_' are the engine's own, found '_default_'");
    refused(reserved("counts"), "the name of a state of the engine's own begins with '_', found 'counts'");
    assert!(reserved("_timer_state/processing").unwrap().is_reserved());
    assert!(!new(&"x".repeat(1024)).unwrap().is_reserved());
    for (name, message) in [
        ("".to_owned(), "the name of a codec has from 1 to 256 bytes, found 0"),
        ("x".repeat(257), "the name of a codec has from 1 to 256 bytes, found 257"),
        ("\0".to_owned(), "the name of a codec has no control characters, found \"\\0\""),
    ] {
        assert_eq!(CodecId::new(name).unwrap_err().to_string(), message);
    }
    for version in [3, 4] {
        let declared = StateDeclaration::new(descriptor(VALUE, "postcard", 3, None));
        let message =
            format!("state 'counts' is declared in version 3: expected a migration from an older one, found {version}");
        assert_eq!(declared.with_migration_from(version).unwrap_err().to_string(), message);
    }
}
