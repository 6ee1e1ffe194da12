//! Names of output files.

use std::fmt;
use std::str::FromStr;

use ckpt_core::id::{JobId, LeaderEpoch};

/// The name of an output file: whose it is, and how far it has come. No name is ever used for other records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PartName {
    /// How far the file has come.
    pub(crate) stage: Stage,
    /// The job that writes it.
    pub(crate) job: JobId,
    /// The leader under which it is written.
    pub(crate) epoch: LeaderEpoch,
    /// While it is being written a number that the subtask counts, afterwards the checkpoint that it belongs to.
    pub(crate) number: u64,
    /// The subtask of the sink that writes it.
    pub(crate) subtask: u32,
}

/// How far an output file has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Stage {
    /// Records are being added.
    Writing,
    /// Whole and durable; a checkpoint that may or may not be committed names it.
    Staged,
    /// Committed: it is output.
    Part,
}

impl Stage {
    const ALL: [Self; 3] = [Self::Writing, Self::Staged, Self::Part];

    /// Only output is visible to whoever lists the directory.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Writing => ".writing-",
            Self::Staged => ".staged-",
            Self::Part => "part-",
        }
    }
}

impl PartName {
    /// The name of the same file at another stage.
    pub(crate) const fn at(self, stage: Stage) -> Self {
        Self { stage, ..self }
    }
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stage, job, epoch, number, subtask } = self;
        write!(f, "{}{job}-{:08}-{number:010}-{subtask:05}", stage.prefix(), epoch.get())
    }
}

impl FromStr for PartName {
    type Err = NotAPartName;

    /// Accepts the written form only.
    fn from_str(text: &str) -> Result<Self, NotAPartName> {
        let parse = || {
            let (stage, rest) =
                Stage::ALL.into_iter().find_map(|stage| Some((stage, text.strip_prefix(stage.prefix())?)))?;
            let mut fields = rest.split('-');
            let name = Self {
                stage,
                job: fields.next()?.parse().ok()?,
                epoch: LeaderEpoch::new(fields.next()?.parse().ok()?),
                number: fields.next()?.parse().ok()?,
                subtask: fields.next()?.parse().ok()?,
            };
            (name.to_string() == text).then_some(name)
        };
        parse().ok_or(NotAPartName)
    }
}

/// The name of some other file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotAPartName;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_form_round_trips_and_nothing_else_is_accepted() {
        let name = PartName {
            stage: Stage::Staged,
            job: JobId::new([7; 16]),
            epoch: LeaderEpoch::new(3),
            number: 17,
            subtask: 2,
        };
        let text = ".staged-07070707070707070707070707070707-00000003-0000000017-00002";
        assert_eq!(name.to_string(), text);
        for stage in Stage::ALL {
            assert_eq!(name.at(stage).to_string().parse(), Ok(name.at(stage)));
        }
        for bad in [
            "",
            "part-",
            "part-1",
            &text.replace("00000003", "3"),
            &text.replace(".staged", "x.staged"),
            &format!("{text}-1"),
        ] {
            assert_eq!(bad.parse::<PartName>(), Err(NotAPartName), "{bad}");
        }
    }
}
