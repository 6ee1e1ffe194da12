//! From the command line to an exit status.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::args::{Cli, Command, FlinkCommand};
use crate::error::CommandError;
use crate::report::{Exit, Format, print};
use crate::{dump, ls, show, verify};

/// Runs the command that the arguments of this process name, and says how it ended: 0 when all is well, 1 when
/// something is wrong with what was looked at, 2 when it could not be looked at.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for. Nobody is left to be told when they cannot be printed.
            let _ = error.print();
            return exit_code(if error.use_stderr() { Exit::CouldNotRun } else { Exit::Fine });
        }
    };
    exit_code(match run(&cli.command) {
        Ok(exit) => exit,
        Err(error) => {
            // Nobody is left to be told when this cannot be printed.
            let _ = writeln!(io::stderr(), "ckpt: error: {}", error.message());
            error.exit()
        }
    })
}

fn exit_code(exit: Exit) -> ExitCode {
    ExitCode::from(exit as u8)
}

fn run(command: &Command) -> Result<Exit, CommandError> {
    match command {
        Command::Ls(args) => print(&ls::gather(args)?, args.output.format()),
        Command::Show(args) => print(&show::gather(args)?, args.output.format()),
        Command::Verify(args) => print(&verify::gather(args)?, args.output.format()),
        Command::Flink(FlinkCommand::Dump(args)) => print(&dump::gather(args)?, Format::Json),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "ckpt", &mut script);
            write(&script)
        }
        Command::Man { command } => write(&manual_page(command)?),
    }
}

/// The page of the command that these words name.
fn manual_page(words: &[String]) -> Result<Vec<u8>, CommandError> {
    let mut command = Cli::command();
    command.build();
    for word in words {
        let Some(next) = command.find_subcommand(word) else {
            return Err(CommandError::NoCommand { name: words.join(" ") });
        };
        command = next.clone();
    }
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(command).render(&mut page);
    rendered.map_err(|source| CommandError::Output { source })?;
    Ok(page)
}

fn write(text: &[u8]) -> Result<Exit, CommandError> {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => Err(CommandError::Output { source }),
        _ => Ok(Exit::Fine),
    }
}
