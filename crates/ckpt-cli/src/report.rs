//! From a value to the screen: as tables for people, or as JSON.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write};

use serde::Serialize;

use crate::error::CommandError;
use crate::json::print_json;

/// What a command gathered.
pub(crate) trait Report: Serialize {
    /// Prints it for people. It says what the JSON says.
    fn print(&self, out: &mut dyn Write, style: Style) -> io::Result<()>;

    /// What the command ends with.
    fn exit(&self) -> Exit {
        Exit::Fine
    }
}

/// What a command ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Nothing is wrong.
    Fine = 0,
    /// It looked, and something is wrong.
    FoundProblems = 1,
    /// It could not look.
    CouldNotRun = 2,
}

/// For whom a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Tables,
    Json,
}

/// Whether there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Coloured,
}

impl Style {
    /// Colours are for terminals, and for nobody who set NO_COLOR to anything.
    fn of_output() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        if io::stdout().is_terminal() && !unwanted { Self::Coloured } else { Self::Plain }
    }

    pub(crate) fn bold(self, text: impl Display) -> String {
        self.with("1", text)
    }

    pub(crate) fn good(self, text: impl Display) -> String {
        self.with("32", text)
    }

    pub(crate) fn bad(self, text: impl Display) -> String {
        self.with("31", text)
    }

    fn with(self, code: &str, text: impl Display) -> String {
        match self {
            Self::Plain => text.to_string(),
            Self::Coloured => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}

/// Prints a report to the standard output. Somebody who reads no further is no error.
pub(crate) fn print(report: &impl Report, format: Format) -> Result<Exit, CommandError> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let printed = match format {
        Format::Tables => report.print(&mut out, Style::of_output()),
        Format::Json => print_json(report, &mut out),
    };
    match printed.and_then(|()| out.flush()) {
        Ok(()) => Ok(report.exit()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            // What is left in the buffer would only fail again when it is dropped.
            drop(out.into_parts());
            Ok(report.exit())
        }
        Err(source) => Err(CommandError::Output { source }),
    }
}

/// Tells of something that is no reason to stop.
pub(crate) fn warn(message: impl Display) {
    // Nobody is left to be told when this cannot be printed.
    let _ = writeln!(io::stderr(), "ckpt: warning: {message}");
}
