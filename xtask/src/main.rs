//! Developer commands: `cargo xtask <command>`.
//!
//! Each command prints every command line that it runs, fails when something failed and when nothing ran, and those
//! that count leave `target/<name>/summary.json` behind.

mod arguments;
mod cargo_test;
mod command;
mod nightly;
mod random;
mod shell;
mod summary;
mod tidy;
mod workspace;

use std::process::ExitCode;

use arguments::Arguments;
use workspace::Workspace;

/// Whatever goes wrong ends the command; the message is all that anyone needs of it.
type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A command: its name, its arguments, what it does, and the function that does it.
struct Entry {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    run: fn(&Workspace, Arguments) -> Result,
}

const COMMANDS: &[Entry] = &[
    Entry {
        name: "lint",
        arguments: "",
        about: "format, clippy, rustdoc, loom build, tidy, pages made from code; changes nothing",
        run: command::lint::run,
    },
    Entry { name: "fix", arguments: "", about: "formats and applies clippy's suggestions", run: command::fix::run },
    Entry {
        name: "docs",
        arguments: "",
        about: "writes the pages that are made from code: docs/configuration.md",
        run: command::docs::run,
    },
    Entry { name: "test", arguments: "", about: "every test: unit, integration, doc, loom", run: command::test::run },
    Entry { name: "loom", arguments: "[CRATE]", about: "the loom models", run: command::loom::run },
    Entry {
        name: "bench",
        arguments: "[--quick] [--strict] [--record] [NAME]",
        about: "ours against a baseline measured in the same run",
        run: command::bench::run,
    },
    Entry {
        name: "kill",
        arguments: "[--runs N] [--kills K] [--seed S] [--phase P[,P]] [--zombies] [-- FLAGS OF WORDCOUNT]",
        about: "the word count, killed at moments drawn from the seed, over and over; or stopped, replaced and continued",
        run: command::kill::run,
    },
    Entry {
        name: "crash",
        arguments: "[--images N] [--scenario NAME] [--seed S]",
        about: "power lost at every instant of what writes state, in every way, on a simulated disk",
        run: command::crash::run,
    },
    Entry {
        name: "order",
        arguments: "",
        about: "the order of system calls that makes a checkpoint durable",
        run: command::order::run,
    },
    Entry {
        name: "race",
        arguments: "[--swaps N]",
        about: "directories swapped for links while they are disposed of; what lies outside is watched",
        run: command::race::run,
    },
    Entry {
        name: "fuzz",
        arguments: "[--seconds N] [TARGET]",
        about: "the fuzz targets, each that long, from the golden files on; needs a nightly compiler",
        run: command::fuzz::run,
    },
    Entry {
        name: "miri",
        arguments: "",
        about: "tests of what touches memory, interpreted; needs a nightly compiler",
        run: command::miri::run,
    },
    Entry {
        name: "model",
        arguments: "[--states N] [--mutants] [NAME]",
        about: "every order of steps, crashes and requests of leaders that commit, over the code that ships",
        run: command::model::run,
    },
    Entry {
        name: "mutants",
        arguments: "[NAME] [--fast]",
        about: "breaks the code on purpose and sees each break caught",
        run: command::mutants::run,
    },
];

fn main() -> ExitCode {
    let mut arguments = Arguments::new(std::env::args().skip(1));
    let name = arguments.positional();
    let Some(entry) = COMMANDS.iter().find(|entry| Some(entry.name) == name.as_deref()) else {
        print_usage();
        return if matches!(name.as_deref(), Some("help")) { ExitCode::SUCCESS } else { ExitCode::from(2) };
    };
    match Workspace::find().and_then(|workspace| (entry.run)(&workspace, arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {}: {error}", entry.name);
            ExitCode::FAILURE
        }
    }
}

fn print_usage() {
    eprintln!("usage: cargo xtask <command>\n");
    for entry in COMMANDS {
        eprintln!("  {} {}\n      {}", entry.name, entry.arguments, entry.about);
    }
}
