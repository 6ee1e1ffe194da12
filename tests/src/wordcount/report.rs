//! What the pipeline says to its parent.

use ckpt_coord::Phase;
use serde::{Deserialize, Serialize};

use crate::wordcount::phase_name;
use crate::wordcount::step::Step;

/// What the pipeline says to its parent, as one line of JSON each. Phases are single bytes between the lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Report {
    /// Every task has its state.
    Restored { from: Option<u64>, position_bytes: u64 },
    /// That much input has been read.
    Progress { position_bytes: u64 },
    /// A checkpoint was committed.
    Completed { id: u64, total_bytes: u64, duration_micros: u64 },
    /// A checkpoint will never complete.
    Aborted { id: u64, reason: String },
    /// The job has ended.
    Finished,
    /// The job cannot go on.
    Failed { fenced: bool, line: String },
}

/// One thing that comes out of the pipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    Phase(Phase),
    Step(Step),
    Report(Report),
}

/// Takes the pipe's bytes apart.
#[derive(Debug, Default)]
pub(super) struct SignalParser {
    line: Vec<u8>,
}

impl SignalParser {
    /// Hands every signal that ends in `bytes` to `take`. What is no signal is passed over: a kill may cut a line.
    pub(super) fn parse(&mut self, bytes: &[u8], mut take: impl FnMut(Signal)) {
        for &byte in bytes {
            let in_line = !self.line.is_empty() || byte >= b' ';
            if !in_line {
                if let Some(phase) = phase_name::of_byte(byte) {
                    take(Signal::Phase(phase));
                } else if let Some(step) = Step::of_byte(byte) {
                    take(Signal::Step(step));
                }
            } else if byte == b'\n' {
                if let Ok(report) = serde_json::from_slice(&self.line) {
                    take(Signal::Report(report));
                }
                self.line.clear();
            } else {
                self.line.push(byte);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_and_reports_come_apart_however_they_are_cut() {
        let reports = [Report::Progress { position_bytes: 7 }, Report::Finished];
        let mut bytes = vec![1, 10];
        for report in &reports {
            bytes.extend(serde_json::to_vec(report).unwrap());
            bytes.extend([b'\n', 12, 13]);
        }
        bytes.extend(b"{\"cut");
        let phase = |byte| Signal::Phase(phase_name::of_byte(byte).unwrap());
        let [progress, finished] = reports.map(Signal::Report);
        let step = || Signal::Step(Step::MetadataLink);
        let expected = vec![phase(1), phase(10), progress, phase(12), step(), finished, phase(12), step()];
        for size in 1..bytes.len() {
            let (mut parser, mut found) = (SignalParser::default(), Vec::new());
            bytes.chunks(size).for_each(|piece| parser.parse(piece, |signal| found.push(signal)));
            assert_eq!(found, expected, "{size}");
        }
    }
}
