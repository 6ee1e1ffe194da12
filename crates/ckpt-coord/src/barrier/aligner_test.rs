//! The aligner by exact lists of actions: by hand, and as scripts in `testdata/`.
//!
//! A script is events with the actions that they lead to beneath. `CKPT_REWRITE_TESTDATA=1` writes the actions anew.

#![expect(clippy::disallowed_methods, reason = "scripts are files")]

use std::fmt::Write as _;
use std::path::Path;

use ckpt_core::Timestamp;
use ckpt_core::snapshot::{Alignment, CheckpointIdentity, CheckpointOptions, LocationReference, SnapshotKind};

use super::*;

pub(in crate::barrier) const ALIGNED: Alignment = Alignment::Aligned { timeout: None };

pub(in crate::barrier) fn barrier(epoch: u64, id: u64, triggered_at: u64, alignment: Alignment) -> CheckpointBarrier {
    let identity = CheckpointIdentity::new(
        CheckpointId::new(id).unwrap(),
        LeaderEpoch::new(epoch),
        Timestamp::from_millis(triggered_at),
        None,
    );
    let options = CheckpointOptions::new(SnapshotKind::Checkpoint, LocationReference::Default, alignment).unwrap();
    CheckpointBarrier::new(identity, options)
}

pub(in crate::barrier) fn at(millis: u64) -> Now {
    Now::new(Monotonic::since_start(Duration::from_millis(millis)), Timestamp::from_millis(1000 + millis))
}

pub(in crate::barrier) fn drain(aligner: &mut BarrierAligner) -> Vec<BarrierAction> {
    std::iter::from_fn(|| aligner.poll_action()).collect()
}

fn print(action: &BarrierAction) -> String {
    let name = |epoch: LeaderEpoch, id: CheckpointId| match epoch.get() {
        1 => format!("{id}"),
        epoch => format!("{id} of epoch {epoch}"),
    };
    match action {
        BarrierAction::Block { input } => format!("block {input}"),
        BarrierAction::UnblockAll => "unblock all".to_owned(),
        BarrierAction::Snapshot { barrier, alignment, start_delay } => {
            let name = name(barrier.identity.epoch, barrier.id());
            format!("snapshot {name} aligned in {alignment:?}, began after {start_delay:?}")
        }
        BarrierAction::Forward(Marker::Cancel { epoch, id }) => format!("forward cancel {}", name(*epoch, *id)),
        BarrierAction::Forward(marker) => format!("forward {marker:?}"),
        BarrierAction::Abort { epoch, id, reason } => format!("abort {}: {reason}", name(*epoch, *id)),
    }
}

/// `<ms> barrier|loose|cancel <id>[/<epoch>] on <input>`, `<ms> end <input>`, `<ms> aborted <id>[/<epoch>]`.
fn parse(line: &str) -> (Now, BarrierEvent) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let key = |text: &str| {
        let (id, epoch) = text.split_once('/').unwrap_or((text, "1"));
        (LeaderEpoch::new(epoch.parse().unwrap()), CheckpointId::new(id.parse().unwrap()).unwrap())
    };
    let event = match words[1..] {
        [kind @ ("barrier" | "loose"), checkpoint, "on", input] => {
            let (epoch, id) = key(checkpoint);
            let alignment = if kind == "loose" { Alignment::AtLeastOnce } else { ALIGNED };
            // Every checkpoint n was triggered at wall time 1000 + n: a start delay can be seen, and a clock ahead too.
            let barrier = barrier(epoch.get(), id.get(), 1000 + id.get(), alignment);
            BarrierEvent::BarrierArrived { input: input.parse().unwrap(), barrier }
        }
        ["cancel", checkpoint, "on", input] => {
            let (epoch, id) = key(checkpoint);
            BarrierEvent::CancelArrived { input: input.parse().unwrap(), epoch, id }
        }
        ["end", input] => BarrierEvent::InputEnded { input: input.parse().unwrap() },
        ["aborted", checkpoint] => {
            let (epoch, id) = key(checkpoint);
            BarrierEvent::AbortNotified { epoch, id }
        }
        _ => panic!("no event: {line}"),
    };
    (at(words[0].parse().unwrap()), event)
}

fn run_script(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/barrier/testdata").join(name);
    let script = std::fs::read_to_string(&path).unwrap();
    let mut aligner = BarrierAligner::new(0);
    let (mut out, mut events) = (String::new(), 0);
    for line in script.lines().filter(|line| !line.starts_with("  ")) {
        writeln!(out, "{line}").unwrap();
        if let Some(inputs) = line.strip_prefix("inputs ") {
            aligner = BarrierAligner::new(inputs.parse().unwrap());
        } else if !line.is_empty() && !line.starts_with('#') {
            let (now, event) = parse(line);
            aligner.handle(now, event);
            events += 1;
            for action in drain(&mut aligner) {
                writeln!(out, "  {}", print(&action)).unwrap();
            }
        }
    }
    assert!(events > 0, "{name} has no event");
    if std::env::var_os("CKPT_REWRITE_TESTDATA").is_some() {
        std::fs::write(&path, out).unwrap();
    } else {
        for (number, (found, expected)) in out.lines().zip(script.lines()).enumerate() {
            assert_eq!(found, expected, "{name}, line {}", number + 1);
        }
        assert_eq!(out, script, "{name}");
    }
}

#[test]
fn script_one_input() {
    run_script("one_input.txt");
}

#[test]
fn script_several_inputs() {
    run_script("several_inputs.txt");
}

#[test]
fn script_cancellation() {
    run_script("cancellation.txt");
}

#[test]
fn script_overtaking() {
    run_script("overtaking.txt");
}

#[test]
fn script_ended_inputs() {
    run_script("ended_inputs.txt");
}

#[test]
fn script_epochs() {
    run_script("epochs.txt");
}

#[test]
fn script_abort_notices() {
    run_script("abort_notices.txt");
}

#[test]
fn actions_of_an_alignment() {
    let mut aligner = BarrierAligner::new(2);
    let five = barrier(1, 5, 990, ALIGNED);
    aligner.handle(at(10), BarrierEvent::BarrierArrived { input: 1, barrier: five.clone() });
    assert_eq!(drain(&mut aligner), [BarrierAction::Block { input: 1 }]);
    assert_eq!(aligner.aligning(), Some(&five));
    aligner.handle(at(45), BarrierEvent::BarrierArrived { input: 0, barrier: five.clone() });
    let (alignment, start_delay) = (Duration::from_millis(35), Duration::from_millis(20));
    let snapshot = BarrierAction::Snapshot { barrier: five, alignment, start_delay };
    assert_eq!(drain(&mut aligner), [snapshot, BarrierAction::UnblockAll]);
    assert_eq!(aligner.aligning(), None);
}

#[test]
fn an_input_that_does_not_exist_is_passed_over() {
    let mut aligner = BarrierAligner::new(1);
    let one = barrier(1, 1, 0, ALIGNED);
    aligner.handle(at(0), BarrierEvent::BarrierArrived { input: 1, barrier: one });
    aligner.handle(at(0), BarrierEvent::InputEnded { input: u32::MAX });
    let (epoch, id) = (LeaderEpoch::new(1), CheckpointId::FIRST);
    aligner.handle(at(0), BarrierEvent::CancelArrived { input: 7, epoch, id });
    assert_eq!(drain(&mut aligner), []);
}

#[test]
fn remembered_abort_notices_are_bounded() {
    let mut aligner = BarrierAligner::new(2);
    for id in 1..=1000 {
        let (epoch, id) = (LeaderEpoch::new(1), CheckpointId::new(id).unwrap());
        aligner.handle(at(0), BarrierEvent::AbortNotified { epoch, id });
    }
    assert_eq!(aligner.aborted.len(), BarrierAligner::MAX_REMEMBERED_ABORTS);
    let newest = barrier(1, 1000, 0, ALIGNED);
    aligner.handle(at(0), BarrierEvent::BarrierArrived { input: 0, barrier: newest });
    assert!(matches!(drain(&mut aligner)[..], [BarrierAction::Forward(Marker::Cancel { .. })]));
    assert!(aligner.aborted.is_empty());
}
