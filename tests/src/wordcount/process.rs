//! The child process, seen from the parent.

use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, unbounded};
use rustix::io::retry_on_intr;
use rustix::process::{Pid, Signal as SystemSignal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::wordcount::options::PipelineOptions;
use crate::wordcount::report::{Signal, SignalParser};

/// The pipeline, running in a child process. The pipe by which it reports is read to its end even after a kill.
#[derive(Debug)]
pub(super) struct PipelineProcess {
    child: Child,
    answers: ChildStdin,
    signals: Receiver<Signal>,
    reader: Option<JoinHandle<()>>,
}

/// How the process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// By itself, with that code.
    Exited(i32),
    /// By SIGKILL, from whomever.
    Killed,
    /// By another signal.
    Signalled(i32),
}

const SIGKILL: i32 = 9;

impl PipelineProcess {
    /// Starts this program again, as the pipeline.
    pub(super) fn start(options: &PipelineOptions) -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(options.to_arguments())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let missing = || io::Error::other("the child has no pipes");
        let answers = child.stdin.take().ok_or_else(missing)?;
        let mut pipe = child.stdout.take().ok_or_else(missing)?;
        let (sender, signals) = unbounded();
        let reader = thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let (mut parser, mut buffer) = (SignalParser::default(), [0; 8192]);
            loop {
                match pipe.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(length) => parser.parse(&buffer[..length], |signal| drop(sender.send(signal))),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
        })?;
        Ok(Self { child, answers, signals, reader: Some(reader) })
    }

    /// The next signal; `None` once the process is gone and all that it wrote has been read.
    ///
    /// # Errors
    ///
    /// `TimedOut` when nothing comes for that long.
    pub(super) fn next(&self, timeout: Duration) -> io::Result<Option<Signal>> {
        match self.signals.recv_timeout(timeout) {
            Ok(signal) => Ok(Some(signal)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// Lets the process pass the gate at which it waits.
    pub(super) fn pass_gate(&mut self) {
        // If it is gone the signals say so.
        let _ = self.answers.write_all(&[1]);
    }

    /// Sends SIGKILL. The signals go on until the pipe is empty.
    pub(super) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()
    }

    /// What the system calls it.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGSTOP and waits until no thread of it runs any more, or it has ended.
    pub(super) fn stop(&mut self) -> io::Result<()> {
        let process = Pid::from_child(&self.child);
        kill_process(process, SystemSignal::STOP)?;
        // The end is left to be waited for.
        let stopped = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        retry_on_intr(|| waitid(WaitId::Pid(process), stopped))?;
        Ok(())
    }

    /// Sends SIGCONT.
    pub(super) fn go_on(&self) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), SystemSignal::CONT)?)
    }

    /// How it ended; waits until it has.
    pub(super) fn ended(mut self) -> io::Result<Ended> {
        let status = self.child.wait()?;
        if let Some(reader) = self.reader.take() {
            // A reader that panicked has lost signals, which is not this run's to judge.
            let _ = reader.join();
        }
        Ok(ended(status))
    }
}

impl Drop for PipelineProcess {
    /// No child outlives its parent's interest in it.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ended(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Exited(code),
        (None, Some(SIGKILL)) => Ended::Killed,
        (None, signal) => Ended::Signalled(signal.unwrap_or_default()),
    }
}
