//! The command `ckpt` as a process, with Flink's metadata: how soon it has shown a small snapshot, and what memory it takes
//! for a very large one.
//!
//! `CKPT_COMMAND` says where the command is; `cargo xtask bench` builds it and says so. A process that does nothing is the
//! baseline of the time, and the file that of the memory.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;

use ckpt_benches::{Bar, Bench, Work, peak_memory_of, wall_time_of, write_flink_metadata};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const SNAPSHOT: &str = "../crates/ckpt-flink/testdata/fixtures/1.20.3-savepoint-canonical-hashmap-blob";
const LARGE_BYTES: u64 = 1 << 30;

fn main() -> Result<()> {
    let bench = Bench::from_arguments();
    if !bench.takes("flink: ") {
        return Ok(());
    }
    let Some(command) = std::env::var_os("CKPT_COMMAND") else {
        eprintln!("skipped: CKPT_COMMAND does not say where the command is");
        return Ok(());
    };
    let ckpt = |subcommand: &str, path: &Path| ckpt(&command, subcommand, path);
    let small = Path::new(env!("CARGO_MANIFEST_DIR")).join(SNAPSHOT);
    let mut pairs = Vec::new();
    for _ in 0..4 * bench.large_pairs() {
        pairs.push((wall_time_of(&mut ckpt("show", &small))?, wall_time_of(&mut Command::new("true"))?));
    }
    let name = "flink: ckpt show of a small snapshot, on the wall";
    bench.bar(Bar::AtMost(20.0)).compare_durations(name, "process that does nothing", Work::Process, pairs);

    let names = ["ls", "show"].map(|command| (command, format!("flink: ckpt {command} of 1 GiB of metadata, memory")));
    if !names.iter().any(|(_, name)| bench.takes(name)) {
        return Ok(());
    }
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let snapshot = directory.path().join("chk-42");
    fs::create_dir(&snapshot)?;
    let mut file = BufWriter::new(File::create_new(snapshot.join("_metadata"))?);
    write_flink_metadata(LARGE_BYTES, &mut file)?;
    file.flush()?;
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let file_mebibytes = mebibytes(file.get_ref().metadata()?.len());
    for (command, name) in names {
        let of = if command == "ls" { directory.path() } else { &snapshot };
        let most_mebibytes = mebibytes(peak_memory_of(&mut ckpt(command, of))?);
        bench.bar(Bar::AtMost(64.0)).compare_sizes(&name, "the file", "MiB", (most_mebibytes, file_mebibytes));
    }
    Ok(())
}

fn ckpt(program: &OsString, subcommand: &str, path: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg(subcommand).arg(path);
    command
}
