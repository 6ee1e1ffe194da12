//! Options of a checkpoint against what Flink's own class says of them.

use std::time::Duration;

use ckpt_core::snapshot::{
    AfterSavepoint, Alignment, AlignmentPolicy, AlignmentTimeout, CheckpointOptions, LocationReference,
    SavepointFormat, SnapshotKind,
};

const FROM_FLINK: &str = include_str!("../../testdata/flink/checkpoint_options.txt");

fn kind(name: &str) -> SnapshotKind {
    let savepoint = |format, then| SnapshotKind::Savepoint { format, then };
    match name {
        "CHECKPOINT" => SnapshotKind::Checkpoint,
        "FULL_CHECKPOINT" => SnapshotKind::FullCheckpoint,
        "SAVEPOINT" => savepoint(SavepointFormat::Canonical, AfterSavepoint::Continue),
        "SUSPEND" => savepoint(SavepointFormat::Native, AfterSavepoint::Suspend),
        "TERMINATE" => savepoint(SavepointFormat::Native, AfterSavepoint::Terminate),
        other => panic!("no kind '{other}'"),
    }
}

fn millis(text: &str) -> Option<Duration> {
    (text != "none").then(|| Duration::from_millis(text.parse().unwrap()))
}

/// `None` of what cannot even be said: a timeout of what is not aligned.
fn alignment(name: &str, timeout: &str) -> Option<Alignment> {
    let timeout = millis(timeout).map(|timeout| AlignmentTimeout::new(timeout).unwrap());
    match name {
        "AT_LEAST_ONCE" => timeout.is_none().then_some(Alignment::AtLeastOnce),
        "UNALIGNED" => timeout.is_none().then_some(Alignment::Unaligned),
        "ALIGNED" => Some(Alignment::Aligned { timeout }),
        "FORCED_ALIGNED" => Some(Alignment::ForcedAligned { timeout }),
        other => panic!("no alignment '{other}'"),
    }
}

fn shown(options: &CheckpointOptions) -> String {
    let with = |name, timeout: Option<AlignmentTimeout>| {
        let timeout = timeout.map_or("none".to_owned(), |timeout| timeout.get().as_millis().to_string());
        format!("{name} {timeout}")
    };
    match options.alignment() {
        Alignment::AtLeastOnce => with("AT_LEAST_ONCE", None),
        Alignment::Unaligned => with("UNALIGNED", None),
        Alignment::Aligned { timeout } => with("ALIGNED", timeout),
        Alignment::ForcedAligned { timeout } => with("FORCED_ALIGNED", timeout),
        other => panic!("no alignment {other:?}"),
    }
}

/// What ours say to a question; `None` when the options that it is about do not exist here.
fn answer(question: &[&str]) -> Option<String> {
    let here = LocationReference::Default;
    if let ["config", name, exactly_once, unaligned, timeout] = question {
        let policy = match (*exactly_once, *unaligned) {
            ("false", _) => AlignmentPolicy::AtLeastOnce,
            (_, "false") => AlignmentPolicy::Aligned,
            _ => AlignmentPolicy::Unaligned { aligned_timeout: millis(timeout).unwrap_or(Duration::MAX) },
        };
        return Some(shown(&CheckpointOptions::for_config(kind(name), here, policy)));
    }
    let [what, name, aligned, timeout] = question else { panic!("{question:?}") };
    let options = CheckpointOptions::new(kind(name), here, alignment(aligned, timeout)?).ok()?;
    Some(match *what {
        "predicates" => {
            let [aligned, timeoutable] = [options.needs_alignment(), options.is_timeoutable()];
            format!("{aligned} {timeoutable} {} {}", options.needs_channel_state(), options.is_exactly_once())
        }
        "unsupported" => shown(&options.with_unaligned_unsupported()),
        "supported" => shown(&options.with_unaligned_supported()),
        "to-unaligned" => options.to_unaligned().map_or("refused".to_owned(), |options| shown(&options)),
        other => panic!("no question '{other}'"),
    })
}

#[test]
fn predicates_transitions_and_beginnings_are_those_of_flink() {
    let (mut same, mut absent) = (0, 0);
    for line in FROM_FLINK.lines().filter(|line| !line.starts_with('#')) {
        let (question, expected) = line.split_once(" = ").unwrap();
        let question: Vec<&str> = question.split(' ').collect();
        match (&question[..], answer(&question)) {
            // An alignment timeout without end: docs/differences.md says why.
            (["config", "CHECKPOINT" | "FULL_CHECKPOINT", "true", "true", "none"], found) => {
                assert_eq!((found.as_deref(), expected), (Some("ALIGNED none"), "UNALIGNED none"));
            }
            (_, Some(found)) => {
                assert_eq!(found, expected, "{line}");
                same += 1;
            }
            // Flink's constructor lets these be, though none of its factories makes them. Here they do not exist.
            ([_, name, aligned, timeout], None) => {
                let savepoint = kind(name).is_savepoint() && (*aligned == "FORCED_ALIGNED" || *timeout != "none");
                let loose = *aligned == "AT_LEAST_ONCE" && *timeout != "none";
                assert!(savepoint || loose || expected == "refused", "{line}");
                absent += 1;
            }
            (_, None) => panic!("{line}"),
        }
    }
    assert!(same > 150 && absent < 180, "{same} the same, {absent} absent");
}
