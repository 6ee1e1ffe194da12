//! Phases by name and by byte.

use ckpt_coord::Phase;

/// Every phase with its name; its byte on the pipe is its place in this list, from 1.
const NAMES: [(Phase, &str); 12] = [
    (Phase::Restoring, "restoring"),
    (Phase::Reading, "reading"),
    (Phase::Aligning, "aligning"),
    (Phase::Capturing, "capturing"),
    (Phase::WritingState, "writing-state"),
    (Phase::Sealing, "sealing"),
    (Phase::Acknowledging, "acknowledging"),
    (Phase::Publishing, "publishing"),
    (Phase::WritingHead, "writing-head"),
    (Phase::Notifying, "notifying"),
    (Phase::Committing, "committing"),
    (Phase::Collecting, "collecting"),
];

/// The phases in which a checkpoint is under way.
pub(super) fn of_a_checkpoint() -> impl ExactSizeIterator<Item = Phase> {
    NAMES[2..].iter().map(|(phase, _)| *phase)
}

pub(super) fn name(phase: Phase) -> &'static str {
    NAMES.iter().find(|(candidate, _)| *candidate == phase).map_or("unknown", |(_, name)| name)
}

/// Reads a name.
pub(super) fn parse(text: &str) -> Result<Phase, String> {
    let found = NAMES.iter().find(|(_, name)| *name == text).map(|(phase, _)| *phase);
    found.ok_or_else(|| {
        let names: Vec<_> = NAMES.iter().map(|(_, name)| *name).collect();
        format!("expected one of {}", names.join(", "))
    })
}

/// A byte below every byte of text; zero for a phase without a name.
pub(super) fn byte(phase: Phase) -> u8 {
    NAMES.iter().position(|(candidate, _)| *candidate == phase).map_or(0, |index| index as u8 + 1)
}

pub(super) fn of_byte(byte: u8) -> Option<Phase> {
    let index = usize::from(byte).checked_sub(1)?;
    NAMES.get(index).map(|(phase, _)| *phase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_bytes_round_trip() {
        for (phase, text) in NAMES {
            assert_eq!((parse(text), of_byte(byte(phase)), name(phase)), (Ok(phase), Some(phase), text));
            assert!(byte(phase) > 0 && byte(phase) < b' ');
        }
        assert!(parse("sleeping").is_err());
        assert_eq!((of_byte(0), of_byte(13)), (None, None));
    }
}
