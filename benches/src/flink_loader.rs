//! Flink's own loader of metadata, in a JVM of its own that stays warm.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A JVM that loads one file whenever it is asked to.
#[derive(Debug)]
pub struct FlinkLoader {
    jvm: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// What one load of Flink's took.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Load {
    /// Handles of keyed and operator state that were read.
    pub handles: usize,
    /// By the clock on the wall.
    pub wall: Duration,
    /// Processor time of the thread that loaded.
    pub thread: Duration,
    /// Processor time of the whole JVM, its collector's too.
    pub process: Duration,
}

/// More memory than any load needs, so that the collector seldom has to work, and none is fetched while there is a load.
const HEAP: [&str; 3] = ["-Xms4g", "-Xmx4g", "-XX:+AlwaysPreTouch"];
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/flink/LoadMetadata.java");

impl FlinkLoader {
    /// Where Flink's jars are, if the environment says it.
    pub fn jars() -> Option<OsString> {
        std::env::var_os("CKPT_FLINK_LIB")
    }

    /// Starts a JVM for that file.
    ///
    /// # Errors
    ///
    /// There is no `java` of a development kit, of version 17 or newer.
    pub fn start(jars: &OsStr, metadata: &Path) -> io::Result<Self> {
        let class_path = Path::new(jars).join("*");
        let mut java = Command::new("java");
        java.args(HEAP).arg("-cp").arg(class_path).arg(PROGRAM).arg(metadata);
        let mut jvm = java.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        match (jvm.stdin.take(), jvm.stdout.take()) {
            (Some(orders), Some(answers)) => Ok(Self { jvm, orders, answers: BufReader::new(answers) }),
            _ => Err(io::Error::other("the JVM has no pipes")),
        }
    }

    /// Has it load the file once.
    ///
    /// # Errors
    ///
    /// The JVM ended: Flink refused the file, or its classes are not in the jars. Why, it has said on its standard error.
    pub fn load(&mut self) -> io::Result<Load> {
        self.orders.write_all(b"\n")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let numbers: Vec<u64> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        let [handles, wall, thread, process] = numbers[..] else {
            return Err(io::Error::other(format!("Flink's loader said {line:?}")));
        };
        let [wall, thread, process] = [wall, thread, process].map(Duration::from_nanos);
        Ok(Load { handles: handles as usize, wall, thread, process })
    }
}

impl Drop for FlinkLoader {
    fn drop(&mut self) {
        let _ = self.jvm.kill();
        let _ = self.jvm.wait();
    }
}
