//! The command line of a command: flags are taken one by one, and what is left over is an error.

use std::collections::VecDeque;

use crate::Result;

/// Arguments not yet taken.
pub(crate) struct Arguments {
    own: VecDeque<String>,
    passed_on: Vec<String>,
}

impl Arguments {
    /// Splits at `--`: what follows is passed on to the program that the command runs.
    pub(crate) fn new(arguments: impl Iterator<Item = String>) -> Self {
        let mut own: VecDeque<String> = arguments.collect();
        let passed_on = match own.iter().position(|argument| argument == "--") {
            Some(at) => own.drain(at..).skip(1).collect(),
            None => Vec::new(),
        };
        Self { own, passed_on }
    }

    /// The next argument that is no flag. Flags with a value must have been taken before.
    pub(crate) fn positional(&mut self) -> Option<String> {
        let at = self.own.iter().position(|argument| !argument.starts_with("--"))?;
        self.own.remove(at)
    }

    /// Whether this flag, which has no value, is there.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let at = self.own.iter().position(|argument| argument == name);
        at.map(|at| self.own.remove(at)).is_some()
    }

    /// Ends the reading: anything not taken is an error. Returns what stood behind `--`.
    pub(crate) fn finish(self) -> Result<Vec<String>> {
        match self.own.front() {
            None => Ok(self.passed_on),
            Some(unknown) => Err(format!("unknown argument {unknown:?}").into()),
        }
    }

    /// As [`Arguments::finish`], for a command that passes nothing on.
    pub(crate) fn finish_all(self) -> Result {
        match self.finish()?.first() {
            None => Ok(()),
            Some(unknown) => Err(format!("unknown argument {unknown:?}").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Arguments {
        Arguments::new(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn values_flags_and_positionals_are_taken_in_any_order() {
        let mut given = arguments("name --fast -- --input x");
        assert!(given.flag("--fast"));
        assert!(!given.flag("--fast"));
        assert_eq!(given.positional().as_deref(), Some("name"));
        assert_eq!(given.finish().unwrap(), ["--input", "x"]);
    }

    #[test]
    fn an_argument_that_nobody_took_is_an_error() {
        assert!(arguments("--unknown").finish().is_err());
        assert!(arguments("-- more").finish_all().is_err());
    }
}
