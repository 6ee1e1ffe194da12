//! On a terminal, through a pipe, and into a pipe that nobody reads.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::our_tree::{self, JOB};
use super::run::{Run, Tree};

/// Runs the command with its output on a pseudo-terminal.
fn on_terminal(tree: &Tree, line: &str, environment: &[(&str, &str)]) -> Run {
    let leader = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&leader).unwrap();
    unlockpt(&leader).unwrap();
    let name = ptsname(&leader, Vec::new()).unwrap();
    let terminal: OwnedFd = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let mut command = tree.command(line.split_whitespace());
    command.env("TERM", "xterm").envs(environment.iter().copied());
    command.stdout(Stdio::from(terminal)).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    // Its copies of the terminal go with the command, and what was written can then be read to its end.
    drop(command);
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // A terminal that everybody has closed ends with an error.
        let _ = File::from(leader).read_to_end(&mut bytes);
        bytes
    });
    let mut output = child.wait_with_output().unwrap();
    output.stdout = reader.join().unwrap();
    let mut run = tree.ended(output);
    run.stdout = run.stdout.replace("\r\n", "\n");
    run
}

fn without_colours(text: &str) -> String {
    ["1", "31", "32", "0"].iter().fold(text.to_owned(), |text, code| text.replace(&format!("\u{1b}[{code}m"), ""))
}

#[test]
fn colours_are_for_terminals_and_say_nothing_of_their_own() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    for line in ["ls .", &format!("show --handles jobs/{JOB}/chk-3"), "verify ."] {
        let piped = tree.ckpt(line);
        assert!(!piped.stdout.contains('\u{1b}'), "{line}");
        let coloured = on_terminal(&tree, line, &[]);
        assert!(coloured.stdout.contains("\u{1b}["), "{line}: {coloured:?}");
        assert_eq!(without_colours(&coloured.stdout), piped.stdout, "{line}");
        for plain in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            assert_eq!(on_terminal(&tree, line, &[plain]).stdout, piped.stdout, "{line} {plain:?}");
        }
        let json = format!("{line} --json");
        assert_eq!(on_terminal(&tree, &json, &[]).stdout, tree.ckpt(&json).stdout, "{line}");
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    for line in ["ls .", "ls --json .", "verify .", "--help", "man", "completions bash"] {
        let mut command = tree.command(line.split_whitespace());
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        drop(reader);
        let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
        let run = tree.ended(output);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{line}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_an_error() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    for line in ["ls .", "verify --json .", "man", "completions fish", "--help", "help ls", "--version"] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let run =
            tree.ended(tree.command(line.split_whitespace()).stdout(full).stderr(Stdio::piped()).output().unwrap());
        assert_eq!(run.status, 2, "{line}: {run:?}");
        assert!(run.stderr.starts_with("ckpt: error: the output cannot be written: "), "{run:?}");
    }
}
