//! From the command line to an exit status.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::args::{Cli, Command, FlinkCommand};
use crate::error::CommandError;
use crate::report::{Exit, Format, print};
use crate::{dump, gc, ls, manual, rm, show, verify};

/// Runs the command that the arguments of this process name, and says how it ended: 0 when all is well, 1 when
/// something is wrong with what was looked at, 2 when it could not be looked at.
pub fn main() -> ExitCode {
    let ended = match Cli::try_parse() {
        Ok(cli) => run(&cli.command),
        // Nobody is left to be told when this cannot be printed.
        Err(error) if error.use_stderr() => {
            let _ = error.print();
            Ok(Exit::CouldNotRun)
        }
        // Help and version are asked for.
        Err(asked_for) => written(asked_for.print()),
    };
    exit_code(match ended {
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
        Command::Rm(args) => print(&rm::gather(args)?, args.output.format()),
        Command::Gc(args) => print(&gc::gather(args)?, args.output.format()),
        Command::Flink(FlinkCommand::Dump(args)) => print(&dump::gather(args)?, Format::Json),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "ckpt", &mut script);
            write(&script)
        }
        Command::Man { command } => write(&manual::page(command)?),
    }
}

fn write(text: &[u8]) -> Result<Exit, CommandError> {
    let mut out = io::stdout().lock();
    written(out.write_all(text).and_then(|()| out.flush()))
}

/// Somebody who reads no further is no error.
fn written(written: io::Result<()>) -> Result<Exit, CommandError> {
    match written {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => Err(CommandError::Output { source }),
        _ => Ok(Exit::Fine),
    }
}
