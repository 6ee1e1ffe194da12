//! What a job's edges allow.

use std::time::Duration;

use ckpt_core::graph::{Edge, UnalignedSupport};
use ckpt_core::id::VertexId;
use ckpt_core::snapshot::{Alignment, AlignmentPolicy, CheckpointOptions, LocationReference, SnapshotKind};

/// The options of a checkpoint as its barrier leaves by that edge.
fn on(edge: Edge, options: CheckpointOptions) -> CheckpointOptions {
    match edge.unaligned {
        UnalignedSupport::Supported => options.with_unaligned_supported(),
        _ => options.with_unaligned_unsupported(),
    }
}

/// Every receiver of a broadcast keeps a copy of one state; where barriers overtook records, one copy had a record in
/// flight that another had applied. Pointwise edges and those that user code routes are no better off.
#[test]
fn flink_22815_barriers_overtake_nothing_on_a_broadcast_edge() {
    let [a, b] = [1, 2].map(|byte| VertexId::new([byte; 16]));
    for aligned_timeout in [Duration::ZERO, Duration::from_secs(1)] {
        let policy = AlignmentPolicy::Unaligned { aligned_timeout };
        let options = CheckpointOptions::for_config(SnapshotKind::Checkpoint, LocationReference::Default, policy);
        assert!(options.needs_channel_state());
        for edge in [Edge::broadcast(a, b), Edge::pointwise(a, b), Edge::custom(a, b)] {
            let forced = on(edge, options.clone());
            assert!(matches!(forced.alignment(), Alignment::ForcedAligned { .. }), "{edge:?}");
            assert!(forced.needs_alignment() && !forced.needs_channel_state() && !forced.is_timeoutable());
            // Behind it, on an edge that can, it is what it was.
            assert_eq!(on(Edge::keyed(a, b), forced), options);
        }
        for edge in [Edge::keyed(a, b), Edge::all_to_all(a, b), Edge::global(a, b)] {
            assert_eq!(on(edge, options.clone()), options, "{edge:?}");
        }
    }
}
