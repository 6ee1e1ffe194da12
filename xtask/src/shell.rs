//! Running programs, with every command line shown.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};

use crate::Result;

/// Runs a command with the terminal as its output; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result {
    show(command);
    let status = command.status().map_err(|error| format!("{}: {error}", line_of(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed: {status}", line_of(command)).into()) }
}

/// Runs a command and returns what it wrote to its standard output; anything but success is an error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| format!("{}: {error}", line_of(command)))?;
    if !output.status.success() {
        return Err(format!("{} failed: {}", line_of(command), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Runs a command and keeps everything that it prints, both kinds in one text.
pub(crate) fn capture(command: &mut Command) -> Result<(ExitStatus, String)> {
    show(command);
    let output = command.output().map_err(|error| format!("{}: {error}", line_of(command)))?;
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    Ok((output.status, text.into_owned()))
}

/// Where a line of a watched command came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    Output,
    Error,
}

/// Runs a command, passes its output through, and shows each line to `watch` as well.
pub(crate) fn watch(command: &mut Command, watch: impl FnMut(Channel, &str) + Send) -> Result<ExitStatus> {
    show(command);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", line_of(command)))?;
    let watch = std::sync::Mutex::new(watch);
    let pass = |channel: Channel, pipe: &mut dyn Read| {
        for_each_line(pipe, |line| {
            match channel {
                Channel::Output => println!("{line}"),
                Channel::Error => eprintln!("{line}"),
            }
            if let Ok(mut watch) = watch.lock() {
                watch(channel, line);
            }
        });
    };
    let (output, error) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        scope.spawn(|| output.map(|mut pipe| pass(Channel::Output, &mut pipe)));
        scope.spawn(|| error.map(|mut pipe| pass(Channel::Error, &mut pipe)));
    });
    Ok(child.wait()?)
}

/// Tests may print any bytes; what is no UTF-8 must not end the reading.
fn for_each_line(pipe: &mut dyn Read, mut act: impl FnMut(&str)) {
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    while matches!(reader.read_until(b'\n', &mut line), Ok(1..)) {
        act(String::from_utf8_lossy(&line).trim_end_matches('\n'));
        line.clear();
    }
}

/// Prints the command line as one would type it.
pub(crate) fn show(command: &Command) {
    println!("$ {}", line_of(command));
}

/// The command line as one would type it, with the variables that are set for it.
pub(crate) fn line_of(command: &Command) -> String {
    let variables =
        command.get_envs().filter_map(|(name, value)| Some(format!("{}={}", name.to_str()?, quoted(value?))));
    let words = std::iter::once(command.get_program()).chain(command.get_args()).map(quoted);
    variables.chain(words).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_typed_again() {
        let mut command = Command::new("cargo");
        command.args(["test", "a b", "it's"]).env("RUSTFLAGS", "--cfg ckpt_loom").env_remove("OTHER");
        assert_eq!(line_of(&command), r"RUSTFLAGS='--cfg ckpt_loom' cargo test 'a b' 'it'\''s'");
    }

    #[test]
    fn a_failing_command_is_an_error_and_its_lines_are_seen() {
        assert!(run(&mut Command::new("false")).is_err());
        assert!(run(&mut Command::new("/no/such/program")).is_err());
        let mut lines = Vec::new();
        let status = watch(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]), |channel, line| {
            lines.push((channel, line.to_owned()));
        });
        assert_eq!(status.unwrap().code(), Some(3));
        assert!(lines.contains(&(Channel::Output, "out".to_owned())));
        assert!(lines.contains(&(Channel::Error, "err".to_owned())));
    }
}
