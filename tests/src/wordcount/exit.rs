//! How the program ends.

use std::error::Error as _;
use std::process::ExitCode;

use ckpt_core::{Error, ErrorKind};

/// How the program ends.
#[derive(Debug)]
pub(super) enum Exit {
    /// The output is right, or the pipeline has ended.
    Right,
    /// The output is wrong; what is.
    Wrong(String),
    /// An error; one line that says all of it.
    Failed(String),
    /// Another run has taken over; one line.
    Fenced(String),
    /// The pipeline has said to its parent how it ended.
    Said(u8),
}

impl Exit {
    const WRONG: u8 = 1;
    /// Also what a wrong command line ends with.
    pub(super) const FAILED: u8 = 2;
    pub(super) const FENCED: u8 = 3;

    pub(super) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Right => 0,
            Self::Wrong(_) => Self::WRONG,
            Self::Failed(_) => Self::FAILED,
            Self::Fenced(_) => Self::FENCED,
            Self::Said(code) => *code,
        })
    }

    pub(super) fn line(&self) -> Option<String> {
        match self {
            Self::Right | Self::Said(_) => None,
            Self::Wrong(what) => Some(format!("wrong: {what}")),
            Self::Failed(why) => Some(format!("error: {why}")),
            Self::Fenced(why) => Some(format!("fenced: {why}")),
        }
    }
}

impl From<Error> for Exit {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Fenced => Self::Fenced(one_line(&error)),
            _ => Self::Failed(one_line(&error)),
        }
    }
}

/// An error and everything that it followed from, in one line.
pub(super) fn one_line(error: &Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        line = format!("{line}: {error}");
        source = error.source();
    }
    line.replace(['\n', '\r'], " ")
}
