//! The benchmarks of Flink's own classes, which a harness runs in a JVM.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;
use tempfile::TempDir;

use crate::FlinkLoader;

/// Runs them.
#[derive(Debug)]
pub struct FlinkHarness {
    jars: OsString,
    harness: OsString,
    /// Its programs are compiled once, into here.
    directory: TempDir,
}

/// What one benchmark said.
#[derive(Debug, Deserialize)]
pub struct FlinkReport {
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
struct Case {
    name: String,
    unit: String,
    runs: Vec<f64>,
}

impl FlinkHarness {
    /// The one that `CKPT_FLINK_HARNESS` names, with the jars that `CKPT_FLINK_LIB` names. `None`, and a line on standard
    /// error, without them.
    ///
    /// # Errors
    ///
    /// There is no place for its programs.
    pub fn from_environment() -> io::Result<Option<Self>> {
        let (Some(jars), Some(harness)) = (FlinkLoader::jars(), env::var_os("CKPT_FLINK_HARNESS")) else {
            eprintln!(
                "skipped: CKPT_FLINK_LIB and CKPT_FLINK_HARNESS do not say where Flink's jars and its harness are"
            );
            return Ok(None);
        };
        Ok(Some(Self { jars, harness, directory: tempfile::tempdir()? }))
    }

    /// Where it may write on the disk.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Runs that benchmark. What it says on its way goes to standard error.
    ///
    /// # Errors
    ///
    /// It cannot be built or run, or does not end with a report.
    pub fn run(&self, benchmark: &str, arguments: &[String]) -> io::Result<FlinkReport> {
        let mut bash = Command::new("bash");
        bash.arg(Path::new(&self.harness).join("run.sh")).arg(&self.jars).args(["bench", benchmark]).args(arguments);
        let output = bash.env("TMPDIR", self.directory()).stderr(Stdio::inherit()).output()?;
        serde_json::from_slice(&output.stdout)
            .map_err(|error| io::Error::other(format!("Flink's benchmark {benchmark}: {error}; {}", output.status)))
    }
}

impl FlinkReport {
    /// The figures of the case whose name begins so, in that unit, one for each run.
    ///
    /// # Errors
    ///
    /// There is none, or it never ran.
    pub fn runs(&self, name: &str, unit: &str) -> io::Result<&[f64]> {
        let case = self.cases.iter().find(|case| case.name.starts_with(name) && case.unit == unit);
        let runs = case.map(|case| case.runs.as_slice()).filter(|runs| !runs.is_empty());
        runs.ok_or_else(|| io::Error::other(format!("Flink's benchmark has no case {name:?} in {unit}")))
    }
}
