//! What crosses threads may do so.

use ckpt_core::config::{CheckpointConfig, CheckpointConfigBuilder, ConfigLayers, ConfigWarning, Key, ResolvedConfig};
use ckpt_core::graph::JobGraph;
use ckpt_core::head::{ClaimedHead, Head, HeadWrite, RemovedSnapshot, RetainedSnapshot, WrittenHead};
use ckpt_core::id::{FileName, ReservedIds, TaskAttempt};
use ckpt_core::message::{Marker, ToCoordinator, ToTask};
use ckpt_core::metadata::{
    CheckedParts, CheckpointMetadata, MetadataBuilder, MetadataReader, MetadataSummary, OperatorMetadata,
    WrittenMetadata,
};
use ckpt_core::snapshot::{CheckpointBarrier, CheckpointMetrics};
use ckpt_core::state::{StateHandle, TaskRestore, TaskSnapshot};
use ckpt_core::{Digest, Digester, Error};

fn may_cross_threads<T: Send + Sync + 'static>() {}

#[test]
fn everything_may_cross_threads() {
    may_cross_threads::<CheckpointConfig>();
    may_cross_threads::<ConfigWarning>();
    may_cross_threads::<CheckpointConfigBuilder>();
    may_cross_threads::<ConfigLayers>();
    may_cross_threads::<Key>();
    may_cross_threads::<ResolvedConfig>();
    may_cross_threads::<JobGraph>();
    may_cross_threads::<Head>();
    may_cross_threads::<ClaimedHead>();
    may_cross_threads::<HeadWrite>();
    may_cross_threads::<WrittenHead>();
    may_cross_threads::<RetainedSnapshot>();
    may_cross_threads::<RemovedSnapshot>();
    may_cross_threads::<FileName>();
    may_cross_threads::<ReservedIds>();
    may_cross_threads::<TaskAttempt>();
    may_cross_threads::<Marker>();
    may_cross_threads::<ToCoordinator>();
    may_cross_threads::<ToTask>();
    may_cross_threads::<CheckpointMetadata>();
    may_cross_threads::<MetadataSummary>();
    may_cross_threads::<OperatorMetadata<'static>>();
    may_cross_threads::<MetadataBuilder>();
    may_cross_threads::<MetadataReader<bytes::Bytes>>();
    may_cross_threads::<CheckedParts>();
    may_cross_threads::<WrittenMetadata>();
    may_cross_threads::<CheckpointBarrier>();
    may_cross_threads::<CheckpointMetrics>();
    may_cross_threads::<StateHandle>();
    may_cross_threads::<TaskRestore>();
    may_cross_threads::<TaskSnapshot>();
    may_cross_threads::<Digest>();
    may_cross_threads::<Digester>();
    may_cross_threads::<Error>();
}
