//! Flink's metadata made ours and back.

use ckpt_core::ErrorKind;
use ckpt_core::state::Root;
use ckpt_flink::{FlinkMetadata, FlinkTarget, MetadataVersion, RootPath, to_checkpoint, to_flink};

use crate::bounded_by;
use crate::round_trip::{context, own_directory, there_and_back};

/// A handle of some thirty bytes becomes several of ours, each with its place and digest, and changes that are listed.
const TIMES: usize = 256;

/// What can be read is converted, and what comes back is what went in but for what is listed: the rule of `docs/flink.md`,
/// as its tests hold it. What was made is written in every version.
pub(crate) fn convert(input: &[u8]) {
    let Ok(decoded) = FlinkMetadata::decode(input.to_vec().into()) else { return };
    let metadata = decoded.metadata;
    let ours = match bounded_by(TIMES, input.len(), || to_checkpoint(&metadata, &context())) {
        Ok(ours) => ours.metadata,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
            return;
        }
    };
    there_and_back("the input", &metadata);
    for version in [MetadataVersion::V3, MetadataVersion::V4, MetadataVersion::V5, MetadataVersion::V6] {
        for paths in [&own_directory, &(|_| None) as &dyn Fn(Root) -> Option<RootPath>] {
            let target = FlinkTarget::new(version, paths);
            let theirs = bounded_by(TIMES, input.len(), || to_flink(&ours, &target)).expect("all places are known");
            let written = theirs.metadata.encode().expect("what was made can be written");
            let again = FlinkMetadata::decode(written.into()).expect("what was written can be read");
            assert_eq!((again.metadata, again.notes.total()), (theirs.metadata, 0));
        }
    }
}
