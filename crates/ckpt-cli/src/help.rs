//! What stands below the options in the help of each command: paragraphs, which end where a line is empty and are broken
//! where the terminal ends, and examples, one a line.

/// What the block of examples begins with.
pub(crate) const EXAMPLES: &str = "Examples:\n";

/// What the paragraph on the exit status begins with.
pub(crate) const EXIT_STATUS: &str = "Exit status: ";

pub(crate) const CKPT: &str = "\
Examples:
  ckpt ls /checkpoints
  ckpt show --operators /savepoints/savepoint-f1f1f1-70037165871d
  ckpt verify /checkpoints
  ckpt gc /checkpoints/0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a
  ckpt help flink dump

Exit status: 0 when all is well, 1 when something is wrong with what was looked at or not all could be deleted, 2 when it could \
not be looked at or was refused.";

pub(crate) const LS: &str = "\
Examples:
  ckpt ls /checkpoints
  ckpt ls --json /checkpoints | jq '.snapshots[] | {path, standing}'

Exit status: 0 when all is well, 1 when HEAD or a snapshot is damaged or cannot be read, 2 when the directory cannot be read.";

pub(crate) const SHOW: &str = "\
Examples:
  ckpt show /checkpoints/f1f1f1f1f1f1f1f1000000008abd5ad8/chk-17
  ckpt show --operators savepoint-f1f1f1-70037165871d
  ckpt show --json --handles chk-17 | jq '.operators[].subtasks[].handles[]'

Exit status: 0 when all is well, 1 when the metadata is damaged, 2 when it could not be read.";

pub(crate) const VERIFY: &str = "\
Files of Flink's have no digest: that they are there and their lengths are all that can be verified. An absolute path of \
Flink's is looked for by --map-root; or else, when the snapshot is not where it was written and the path was next to it, next \
to the snapshot; or else where it says.

Examples:
  ckpt verify /checkpoints/f1f1f1f1f1f1f1f1000000008abd5ad8/chk-17
  ckpt verify /backup --map-root hdfs://nn/checkpoints=/backup
  ckpt verify --json /checkpoints | jq '.snapshots[].problems[] | {file, owner}'

Exit status: 0 when all is well, 1 when a file is missing or is not what was written, or when metadata or HEAD is damaged, 2 when \
there was nothing to verify.";

pub(crate) const RM: &str = "\
A checkpoint that HEAD of its job names goes through HEAD, which drops it first, so that no restore ever begins from what is \
half gone. An active job is refused: its coordinator deletes what it needs no more. End the job; or, when nobody runs it any \
more, take it over by its id. That fences whoever still does, and where the job retains the checkpoint it ends the job as \
cancelled. Snapshots of Flink's are refused.

Examples:
  ckpt rm /savepoints/savepoint-0a0a0a-70037165871d
  ckpt rm --yes /checkpoints/0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a/chk-17
  ckpt rm --take-over 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a chk-17

Exit status: 0 when all is well, 1 when not all could be deleted and the same command again goes on, 2 when it was refused and \
nothing was deleted.";

pub(crate) const GC: &str = "\
Deletes snapshots that HEAD lists as removed, savepoints that were given up, what leaders that are gone wrote and HEAD does not \
name, and what tasks were to dispose of when the job has ended and nothing of it is left. Files that nobody knows stay. An \
active job is refused, unless it is taken over by its id: that fences whoever leads it, and leaves it active.

Examples:
  ckpt gc /checkpoints/0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a
  ckpt gc --yes /checkpoints/0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a
  ckpt gc --json 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a | jq '.collectable'

Exit status: 0 when all is well, 1 when not all could be deleted and the same command again goes on, 2 when it was refused and \
nothing was deleted.";

pub(crate) const FLINK: &str = "\
Examples:
  ckpt flink dump /savepoints/savepoint-f1f1f1-70037165871d";

pub(crate) const DUMP: &str = "\
Examples:
  ckpt flink dump /savepoints/savepoint-f1f1f1-70037165871d
  ckpt flink dump chk-17/_metadata | jq '.operators[] | {uid, stateSize}'

Exit status: 0 when all is well, 1 when the metadata is damaged, 2 when it could not be read.";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  ckpt completions bash > ~/.local/share/bash-completion/completions/ckpt
  ckpt completions fish > ~/.config/fish/completions/ckpt.fish
  ckpt completions zsh > ~/.zfunc/_ckpt";

pub(crate) const MAN: &str = "\
Examples:
  ckpt man | man -l -
  ckpt man flink dump | man -l -
  ckpt man verify > /usr/local/share/man/man1/ckpt-verify.1";

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory as _, Parser as _};

    use super::*;
    use crate::args::Cli;

    /// Every command but `help`, which clap makes.
    fn commands() -> Vec<Command> {
        fn add(command: &Command, all: &mut Vec<Command>) {
            all.push(command.clone());
            command.get_subcommands().filter(|it| it.get_name() != "help").for_each(|it| add(it, all));
        }
        let mut cli = Cli::command();
        cli.build();
        let mut all = Vec::new();
        add(&cli, &mut all);
        all
    }

    #[test]
    fn each_command_has_examples_of_its_own_that_can_be_run() {
        let mut parsed = 0;
        for command in commands() {
            let help = command.get_after_help().unwrap().to_string();
            let (_, examples) = help.split_once(EXAMPLES).unwrap();
            let lines: Vec<_> = examples.lines().take_while(|line| !line.is_empty()).collect();
            assert!(
                lines.iter().any(|line| line.trim().starts_with(command.get_bin_name().unwrap_or("ckpt"))),
                "{help}"
            );
            for line in lines {
                let words = line.strip_prefix("  ").unwrap().split(' ');
                let words: Vec<_> = words.take_while(|word| !["|", ">"].contains(word)).collect();
                let found = Cli::try_parse_from(&words);
                let is_help = words.get(1) == Some(&"help") && found.as_ref().is_err_and(|error| !error.use_stderr());
                assert!(found.is_ok() || is_help, "{line}");
                parsed += 1;
            }
        }
        assert!(parsed >= 25, "{parsed}");
    }

    /// As narrow as terminals are, and as wide as it gets.
    #[test]
    fn help_is_broken_once_where_the_terminal_ends() {
        for width in [80, 100] {
            for command in commands() {
                let help = command.term_width(width).render_help().to_string();
                let lines: Vec<_> = help.lines().collect();
                for (line, next) in lines.iter().zip(lines.iter().skip(1)) {
                    assert!(line.len() <= width, "{width}: {line}");
                    // Nothing but the width ends a line of a paragraph.
                    let is_paragraph = [line, next].iter().all(|it| !it.is_empty() && !it.starts_with(' '));
                    let first = next.split(' ').next().unwrap();
                    assert!(!is_paragraph || line.len() + 1 + first.len() > width, "{width}: {line}\n{next}");
                    // And nothing but the end of an example ends its line.
                    assert!(!line.starts_with("  ckpt ") || next.is_empty() || next.starts_with("  ckpt "), "{next}");
                }
            }
        }
    }
}
