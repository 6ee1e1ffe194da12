//! Metadata files: what is written is read as what it was, and a changed or moved section is refused or kept byte by byte.

use bytes::Bytes;
use ckpt_core::metadata::{CheckpointMetadata, MetadataReader};
use ckpt_core::testing::MetadataSections;
use ckpt_core::testing::strategies::{any_checkpoint_metadata, cases};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::canonical::{any_changes, changed};

/// From where a section is moved to where, and whether it becomes one that may be skipped.
fn any_move() -> impl Strategy<Value = (Index, Index, bool)> {
    (any::<Index>(), any::<Index>(), prop::bool::weighted(0.2))
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn metadata_and_its_summary(metadata in any_checkpoint_metadata()) {
        let (file, written) = metadata.encode().unwrap();
        prop_assert_eq!(MetadataSections::open(&file).unwrap().seal(), file.clone());
        let reader = MetadataReader::open(Bytes::from(file.clone())).unwrap();
        prop_assert_eq!(reader.summary(), metadata.summary());
        prop_assert_eq!(reader.written(), written);
        let read = reader.read_all().unwrap();
        prop_assert_eq!(&read, &metadata);
        prop_assert_eq!(read.encode().unwrap(), (file, written), "the same bytes again");
        for (one, other) in read.operators().zip(metadata.operators()) {
            prop_assert_eq!(one.summary(), other.summary());
        }
    }

    #[test]
    fn moved_sections(metadata in any_checkpoint_metadata(), moves in vec(any_move(), 1..3)) {
        let mut file = MetadataSections::open(&metadata.encode().unwrap().0).unwrap();
        for (from, to, flag) in moves {
            let mut section = file.sections.remove(from.index(file.sections.len()));
            section.critical ^= flag;
            file.sections.insert(to.index(file.sections.len() + 1), section);
        }
        let other = file.seal();
        if let Ok(read) = CheckpointMetadata::decode(Bytes::from(other.clone())) {
            prop_assert_eq!(read.encode().unwrap().0, other);
        }
    }

    #[test]
    fn changed_sections(metadata in any_checkpoint_metadata(), which in any::<Index>(), changes in any_changes()) {
        let mut file = MetadataSections::open(&metadata.encode().unwrap().0).unwrap();
        let section = which.index(file.sections.len());
        let body = &mut file.sections[section].body;
        *body = changed(std::mem::take(body), &changes);
        let other = file.seal();
        if let Ok(read) = CheckpointMetadata::decode(Bytes::from(other.clone())) {
            let (written, _) = read.encode().unwrap();
            prop_assert_eq!(CheckpointMetadata::decode(written.clone().into()).unwrap(), read);
            prop_assert_eq!(written, other);
        }
    }
}
