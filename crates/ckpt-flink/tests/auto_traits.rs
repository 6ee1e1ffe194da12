//! What crosses threads may do so.

use std::fs::File;

use bytes::Bytes;
use ckpt_flink::{
    BytesSource, CheckpointProperties, Decoded, Ending, FlinkMetadata, FlinkReader, JavaText, SkippedBytes,
    StoredProperties, StreamSource,
};

fn may_cross_threads<T: Send + Sync + 'static>() {}

#[test]
fn everything_may_cross_threads() {
    may_cross_threads::<FlinkMetadata>();
    may_cross_threads::<FlinkMetadata<SkippedBytes>>();
    may_cross_threads::<Decoded>();
    may_cross_threads::<Ending>();
    may_cross_threads::<FlinkReader<BytesSource, Bytes>>();
    may_cross_threads::<FlinkReader<StreamSource<File>, SkippedBytes>>();
    may_cross_threads::<JavaText>();
    may_cross_threads::<CheckpointProperties>();
    may_cross_threads::<StoredProperties>();
}
