//! The command line of a command: flags are taken one by one, and what is left over is an error.

use std::collections::VecDeque;
use std::str::FromStr;

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

    /// The value of this flag, as `--name value` or `--name=value`.
    pub(crate) fn value<T: FromStr>(&mut self, name: &str) -> Result<Option<T>> {
        let Some(at) =
            self.own.iter().position(|a| a == name || a.strip_prefix(name).is_some_and(|r| r.starts_with('=')))
        else {
            return Ok(None);
        };
        let argument = self.own.remove(at).unwrap_or_default();
        let text = match argument.split_once('=') {
            Some((_, text)) => text.to_owned(),
            None => self.own.remove(at).ok_or_else(|| format!("{name} needs a value"))?,
        };
        text.parse().map(Some).map_err(|_| format!("{name}: {text:?} is not a value for it").into())
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
        let mut given = arguments("name --runs 7 --fast --seed=9 -- --input x");
        assert_eq!(given.value::<u32>("--runs").unwrap(), Some(7));
        assert_eq!(given.value::<u64>("--seed").unwrap(), Some(9));
        assert!(given.flag("--fast"));
        assert!(!given.flag("--fast"));
        assert_eq!(given.positional().as_deref(), Some("name"));
        assert_eq!(given.finish().unwrap(), ["--input", "x"]);
    }

    #[test]
    fn an_argument_that_nobody_took_is_an_error() {
        assert!(arguments("--unknown").finish().is_err());
        assert!(arguments("-- more").finish_all().is_err());
        assert!(arguments("--runs seven").value::<u32>("--runs").is_err());
        assert!(arguments("--runs").value::<u32>("--runs").is_err());
    }
}
