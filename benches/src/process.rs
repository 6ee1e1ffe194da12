//! What a process takes.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What a command takes by the clock on the wall, from before it is started until it has ended.
///
/// # Errors
///
/// It cannot be started, or does not succeed.
pub fn wall_time_of(command: &mut Command) -> io::Result<Duration> {
    let begin = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    let taken = begin.elapsed();
    if status.success() { Ok(taken) } else { Err(io::Error::other(format!("{command:?}: {status}"))) }
}

/// The most memory that a command has at a time, in bytes. It must print something when it has done its work, and not before.
///
/// The system forgets it when the process ends. So the command is kept from ending: nothing of what it prints is taken off it
/// until its memory has been read.
///
/// # Errors
///
/// It cannot be started, does not succeed, or prints nothing.
pub fn peak_memory_of(command: &mut Command) -> io::Result<u64> {
    let (output, full) = full_pipe()?;
    let mut child = command.stdin(Stdio::null()).stdout(full).spawn()?;
    // The command has the other end of the pipe; this one would keep it open.
    command.stdout(Stdio::null());
    let peak_bytes = waiting(&mut child).and_then(|()| peak_memory(child.id()));
    let mut printed = Vec::new();
    File::from(output).read_to_end(&mut printed)?;
    let status = child.wait()?;
    if status.success() { peak_bytes } else { Err(io::Error::other(format!("{command:?}: {status}"))) }
}

/// A pipe that takes nothing more until it is read from: the end to read from, and the one to write to.
fn full_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (output, input) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    let mut input = File::from(input);
    input.write_all(&vec![0; rustix::pipe::fcntl_getpipe_size(&input)?])?;
    Ok((output, input.into()))
}

/// Returns when a process that had to work has done nothing for a while.
fn waiting(child: &mut Child) -> io::Result<()> {
    const FOR: Duration = Duration::from_millis(300);
    let (mut since, mut before) = (Instant::now(), String::new());
    while since.elapsed() < FOR {
        sleep(Duration::from_millis(5));
        if let Some(status) = child.try_wait()? {
            return Err(io::Error::other(format!("it ended before it printed anything: {status}")));
        }
        // Its state, and the processor time that it took.
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id()))?;
        let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let now = [0, 11, 12].map(|field| fields.get(field).copied().unwrap_or_default()).join(" ");
        if now != before || !now.starts_with('S') {
            (since, before) = (Instant::now(), now);
        }
    }
    Ok(())
}

fn peak_memory(process: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    let kibibytes: Option<u64> = line.and_then(|number| number.parse().ok());
    kibibytes
        .map(|kibibytes| kibibytes << 10)
        .ok_or_else(|| io::Error::other("the system does not say what memory it has"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_memory_is_that_before_the_output() {
        let sh = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        };
        let peak = |script: &str| peak_memory_of(&mut sh(script));
        assert!(peak("echo").unwrap() < 16 << 20);
        assert!(peak("x=$(head -c 50000000 /dev/zero | tr '\\0' a); x=; echo").unwrap() >= 50_000_000);
        assert!(peak("true").is_err() && peak("echo; exit 1").is_err());
        assert!(wall_time_of(&mut sh("sleep 0.01")).unwrap() >= Duration::from_millis(10));
        assert!(wall_time_of(&mut sh("exit 1")).is_err());
    }
}
