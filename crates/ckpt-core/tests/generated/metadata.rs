//! Metadata files: what is written is read as what it was, and a changed section is refused or kept byte by byte.

use bytes::Bytes;
use ckpt_core::metadata::{CheckpointMetadata, MetadataReader};
use ckpt_core::testing::{MetadataSections, any_checkpoint_metadata, cases};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::canonical::{any_changes, changed};

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
