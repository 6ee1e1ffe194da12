//! Flink's table of options, as data; and that transitions follow it for every value.

use std::time::Duration;

use super::*;
use crate::error::ErrorKind;
use crate::snapshot::{AfterSavepoint, SavepointFormat};

fn timeout() -> AlignmentTimeout {
    AlignmentTimeout::new(Duration::from_millis(10)).unwrap()
}

fn alignments() -> [Alignment; 6] {
    let timeout = Some(timeout());
    [
        Alignment::AtLeastOnce,
        Alignment::Aligned { timeout: None },
        Alignment::Aligned { timeout },
        Alignment::Unaligned,
        Alignment::ForcedAligned { timeout: None },
        Alignment::ForcedAligned { timeout },
    ]
}

fn kinds() -> Vec<SnapshotKind> {
    let mut kinds = vec![SnapshotKind::Checkpoint, SnapshotKind::FullCheckpoint];
    for format in [SavepointFormat::Canonical, SavepointFormat::Native] {
        for then in [AfterSavepoint::Continue, AfterSavepoint::Suspend, AfterSavepoint::Terminate] {
            kinds.push(SnapshotKind::Savepoint { format, then });
        }
    }
    kinds
}

/// Every value that there is, up to the length of the timeout and the bytes of the target.
fn every_value() -> Vec<CheckpointOptions> {
    let of = |kind| {
        alignments().into_iter().flat_map(move |alignment| {
            let target = LocationReference::at(bytes::Bytes::from_static(b"place")).unwrap();
            CheckpointOptions::new(kind, target, alignment)
        })
    };
    kinds().into_iter().flat_map(of).collect()
}

fn checkpoint(alignment: Alignment) -> CheckpointOptions {
    CheckpointOptions::new(SnapshotKind::Checkpoint, LocationReference::Default, alignment).unwrap()
}

#[test]
fn predicates_follow_the_table() {
    // needs alignment, timeoutable, needs channel state, exactly once
    let table = [
        [false, false, false, false],
        [true, false, false, true],
        [true, true, true, true],
        [false, false, true, true],
        [true, false, false, true],
        [true, false, false, true],
    ];
    for (alignment, expected) in alignments().into_iter().zip(table) {
        let options = checkpoint(alignment);
        let found = [
            options.needs_alignment(),
            options.is_timeoutable(),
            options.needs_channel_state(),
            options.is_exactly_once(),
        ];
        assert_eq!(found, expected, "{alignment:?}");
        assert_eq!(options.alignment_timeout(), options.is_timeoutable().then(timeout));
    }
}

#[test]
fn transitions_follow_the_table() {
    let [loose, aligned, timeoutable, unaligned, forced, forced_timeoutable] = alignments();
    // from; with unaligned unsupported; with unaligned supported; to unaligned
    let table = [
        (loose, loose, loose, None),
        (aligned, aligned, aligned, Some(unaligned)),
        (timeoutable, forced_timeoutable, timeoutable, Some(unaligned)),
        (unaligned, forced, unaligned, None),
        (forced, forced, unaligned, None),
        (forced_timeoutable, forced_timeoutable, timeoutable, None),
    ];
    for (from, unsupported, supported, to_unaligned) in table {
        let options = checkpoint(from);
        assert_eq!(options.clone().with_unaligned_unsupported(), checkpoint(unsupported), "{from:?}");
        assert_eq!(options.clone().with_unaligned_supported(), checkpoint(supported), "{from:?}");
        match (options.to_unaligned(), to_unaligned) {
            (Ok(found), Some(expected)) => assert_eq!(found, checkpoint(expected)),
            (Err(error), None) => {
                assert_eq!(error.kind(), ErrorKind::Configuration);
                assert!(error.to_string().starts_with("only an aligned checkpoint turns unaligned"), "{error}");
            }
            (found, expected) => panic!("{from:?} turned {found:?}, expected {expected:?}"),
        }
    }
}

#[test]
fn a_savepoint_is_never_unaligned() {
    for kind in kinds() {
        for alignment in alignments() {
            let found = CheckpointOptions::new(kind, LocationReference::Default, alignment);
            let allowed = matches!(alignment, Alignment::AtLeastOnce | Alignment::Aligned { timeout: None });
            if allowed || !kind.is_savepoint() {
                let options = found.unwrap();
                let parts = (options.kind(), options.target(), options.alignment());
                assert_eq!(parts, (kind, &LocationReference::Default, alignment));
            } else {
                let error = found.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Configuration);
                let expected = format!("a {kind} can be at least once or aligned without a timeout, found {alignment}");
                assert_eq!(error.to_string(), expected);
            }
        }
    }
    for savepoint in every_value().into_iter().filter(|options| options.kind().is_savepoint()) {
        assert!(savepoint.to_unaligned().is_err());
        assert!(!savepoint.needs_channel_state());
        assert_eq!(savepoint.clone().with_unaligned_unsupported(), savepoint);
        assert_eq!(savepoint.clone().with_unaligned_supported(), savepoint);
    }
}

#[test]
fn forced_alignment_is_undone_exactly() {
    for options in every_value() {
        let forced = options.clone().with_unaligned_unsupported();
        assert!(!forced.needs_channel_state() && !forced.is_timeoutable(), "{forced:?}");
        assert_eq!(forced.needs_alignment(), options.is_exactly_once());
        let (kind, target) = (options.kind(), options.target().clone());
        assert_eq!((forced.kind(), forced.target()), (kind, &target));
        if !matches!(options.alignment(), Alignment::ForcedAligned { .. }) {
            assert_eq!(forced.with_unaligned_supported(), options);
        }
    }
}

#[test]
fn the_policy_decides_how_it_starts() {
    let millis = Duration::from_millis;
    let unaligned = |aligned_timeout| AlignmentPolicy::Unaligned { aligned_timeout };
    let [loose, aligned, timeoutable, overtaking, ..] = alignments();
    let longest = Alignment::Aligned { timeout: Some(AlignmentTimeout::new(AlignmentTimeout::LONGEST).unwrap()) };
    for (policy, expected) in [
        (AlignmentPolicy::AtLeastOnce, loose),
        (AlignmentPolicy::Aligned, aligned),
        (unaligned(Duration::ZERO), overtaking),
        (unaligned(millis(10)), timeoutable),
        (unaligned(AlignmentTimeout::LONGEST), longest),
    ] {
        for kind in kinds() {
            let options = CheckpointOptions::for_config(kind, LocationReference::Default, policy);
            let expected = if kind.is_savepoint() && options.is_exactly_once() { aligned } else { expected };
            assert_eq!((options.kind(), options.alignment()), (kind, expected), "{policy:?}");
            // It is no value that could not be made otherwise.
            assert_eq!(CheckpointOptions::new(kind, LocationReference::Default, expected).unwrap(), options);
        }
    }
}

#[test]
fn an_alignment_timeout_without_end_never_turns_unaligned() {
    for aligned_timeout in [Duration::MAX, Duration::from_millis(i64::MAX as u64)] {
        let policy = AlignmentPolicy::Unaligned { aligned_timeout };
        let options = CheckpointOptions::for_config(SnapshotKind::Checkpoint, LocationReference::Default, policy);
        assert_eq!(options.alignment(), Alignment::Aligned { timeout: None });
        assert!(!options.needs_channel_state());
    }
}

#[test]
fn timeouts_out_of_bounds_are_refused() {
    for found in [Duration::ZERO, AlignmentTimeout::LONGEST + Duration::from_nanos(1)] {
        let error = AlignmentTimeout::new(found).unwrap_err();
        let expected =
            format!("an alignment timeout is longer than 0 and at most 18446744073.709551615s, found {found:?}");
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Configuration, expected));
    }
}
