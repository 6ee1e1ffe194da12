//! The main job as its users run it: child processes, real SIGKILLs, exit codes.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Tree, words};
use tempfile::TempDir;

/// The example, built as it is now.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        // This test is <target>/<profile>/deps/main_job-<hash>.
        let test = std::env::current_exe().unwrap();
        let profile = test.ancestors().nth(2).unwrap();
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--package", "ckpt-tests", "--example", "wordcount"]);
        if profile.ends_with("release") {
            build.arg("--release");
        }
        build.arg("--target-dir").arg(profile.parent().unwrap());
        assert!(build.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
        profile.join("examples/wordcount")
    })
}

/// A directory with an input.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new(input: &[u8]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("input"), input).unwrap();
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The word count over this place's input and directories.
    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(program());
        command
            .arg("--input")
            .arg(self.path("input"))
            .arg("--checkpoints")
            .arg(self.path("checkpoints"))
            .arg("--output")
            .arg(self.path("output"))
            .args(arguments.split_whitespace());
        command
    }

    fn run(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs in the background until a checkpoint has been committed, then kills the parent; its child leaves.
    fn leave_unfinished(&self) {
        let mut parent =
            self.command("--kills 0 --interval 10").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        self.wait_for("_metadata");
        parent.kill().unwrap();
        parent.wait().unwrap();
        self.wait_until_quiet();
    }

    fn wait_for(&self, part: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !exists_with(self.directory.path(), part) {
            assert!(Instant::now() < deadline, "no {part} appears");
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn wait_until_quiet(&self) {
        let mut before = Tree::of_existing(self.directory.path());
        loop {
            thread::sleep(Duration::from_millis(300));
            let now = Tree::of_existing(self.directory.path());
            if now == before {
                return;
            }
            before = now;
        }
    }

    /// The last file whose path contains `part`.
    fn last(&self, part: &str) -> PathBuf {
        Tree::of(self.directory.path()).with(part).pop().unwrap()
    }
}

fn exists_with(directory: &Path, part: &str) -> bool {
    Tree::of_existing(directory).with(part).len() > 1
}

/// The process that this one starts.
fn child_of(parent: u32) -> u32 {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
        if let Ok(child) = children.trim().parse() {
            return child;
        }
        assert!(Instant::now() < deadline, "no child is started");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Whether the process is there, and not only waits to be buried.
fn is_running(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/stat"));
    status.is_ok_and(|status| !status.rsplit(')').next().unwrap().starts_with(" Z"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn assert_code(output: &Output, code: i32) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "\n{out}\n{err}");
}

/// Exit code 2, one line that contains `part`, and nothing changed or deleted.
#[track_caller]
fn assert_refused(place: &Place, arguments: &str, part: &str) {
    let before = Tree::of(place.directory.path());
    let output = place.run(arguments);
    assert_code(&output, 2);
    let error = text(&output.stderr);
    assert!(error.starts_with("error: ") && error.trim_end().lines().count() == 1, "{error}");
    assert!(error.contains(part), "{error}");
    let after = Tree::of(place.directory.path());
    for (path, content) in &before.0 {
        assert_eq!(after.0.get(path), Some(content), "{} was changed", path.display());
    }
}

#[test]
fn killed_by_position_phase_and_restore_at_changing_parallelism() {
    let place = Place::new(&words(7, 6 << 20));
    let summary = place.path("summary.json");
    let arguments = format!("--kills 6 --interval 10 --parallelism 2,1,3 --seed 4 --summary {}", summary.display());
    assert_code(&place.run(&arguments), 0);
    let summary: Value = serde_json::from_slice(&fs::read(summary).unwrap()).unwrap();
    let kills = summary["kills"].as_array().unwrap();
    assert_eq!((summary["ok"].as_bool(), summary["seed"].as_u64()), (Some(true), Some(4)));
    assert_eq!(summary["attempts"].as_u64().unwrap(), kills.len() as u64 + 1);
    assert!(kills.len() >= 3 && kills.iter().all(|kill| kill["phase"].is_string()), "{kills:?}");
}

#[test]
fn killed_exactly_at_each_phase() {
    let phases = "restoring,reading,aligning,capturing,writing-state,sealing,acknowledging,publishing,writing-head,\
                  notifying,committing,collecting";
    let place = Place::new(&words(8, 32 << 20));
    let summary = place.path("summary.json");
    let arguments = format!("--kills 12 --interval 10 --kill-phase {phases} --summary {}", summary.display());
    assert_code(&place.run(&arguments), 0);
    let summary: Value = serde_json::from_slice(&fs::read(summary).unwrap()).unwrap();
    let killed: Vec<_> =
        summary["kills"].as_array().unwrap().iter().map(|kill| kill["phase"].as_str().unwrap()).collect();
    assert_eq!(killed, phases.split(',').collect::<Vec<_>>());
}

#[test]
fn killed_within_calls_that_commit_and_delete() {
    let place = Place::new(&words(16, 16 << 20));
    let summary = place.path("summary.json");
    let parts = "--kill-step commit,subsume,collect --step-delay 2000";
    assert_code(&place.run(&format!("--kills 3 --interval 10 {parts} --summary {}", summary.display())), 0);
    let summary: Value = serde_json::from_slice(&fs::read(summary).unwrap()).unwrap();
    let kills = summary["kills"].as_array().unwrap();
    assert!(!kills.is_empty() && kills.iter().all(|kill| kill["step"].is_string()), "{kills:?}");
}

#[test]
fn leaders_that_are_continued_find_themselves_fenced() {
    let place = Place::new(&words(17, 8 << 20));
    let mut command = Command::new(program());
    command.arg("zombies").arg("--input").arg(place.path("input")).arg("--summary").arg(place.path("summary.json"));
    command.arg("--checkpoints").arg(place.path("checkpoints")).arg("--output").arg(place.path("output"));
    // Alone each of them would read for a minute.
    command.args("--zombies 2 --interval 20 --read-limit 140000 --step-delay 2000 --seed 3".split(' '));
    assert_code(&command.output().unwrap(), 0);
    let summary: Value = serde_json::from_slice(&fs::read(place.path("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["zombies"].as_array().unwrap().len(), 2, "{summary}");
    for count in ["harmed", "notified", "lost", "doubled", "orphans"] {
        assert_eq!(summary[count].as_u64(), Some(0), "{count}: {summary}");
    }
}

#[test]
fn an_unfinished_run_is_continued_at_another_parallelism() {
    let place = Place::new(&words(9, 12 << 20));
    place.leave_unfinished();
    let output = place.run("--kills 1 --parallelism 3");
    assert_code(&output, 0);
    assert!(text(&output.stdout).contains("restored from checkpoint"), "{}", text(&output.stdout));
    let again = place.run("");
    assert_code(&again, 0);
    assert!(text(&again.stdout).contains("has finished before"), "{}", text(&again.stdout));
}

#[test]
fn a_directory_is_the_same_by_another_way() {
    let place = Place::new(b"some words");
    fs::create_dir(place.path("inner")).unwrap();
    let run = |arguments: &str, within: &str| {
        let mut command = Command::new(program());
        command.args(arguments.split_whitespace()).args(["--kills", "0"]).current_dir(place.path(within));
        command.output().unwrap()
    };
    assert_code(&run("--input input --checkpoints new/checkpoints --output output", "."), 0);
    let again = run("--checkpoints ../new/checkpoints --output ../output", "inner");
    assert_code(&again, 0);
    assert!(text(&again.stdout).contains("has finished before"), "{}", text(&again.stdout));
}

#[test]
fn of_two_parents_one_is_fenced_and_the_other_is_right() {
    let place = Place::new(&words(10, 12 << 20));
    let first = place.command("--kills 0 --interval 20").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    place.wait_for("_metadata");
    let second = place.run("--kills 0 --interval 20 --parallelism 1");
    let first = first.wait_with_output().unwrap();
    assert_code(&first, 3);
    let line = text(&first.stderr);
    assert!(line.starts_with("fenced: ") && line.trim_end().lines().count() == 1, "{line}");
    assert_code(&second, 0);
}

#[test]
fn damage_is_refused_and_nothing_is_deleted() {
    let states_of = |path: &PathBuf| Tree::of(path.parent().unwrap()).with("-0000");
    // Early state is small and lies in `_metadata`, and only HEAD knows which checkpoint is committed: so each that may
    // be has to have files of its own.
    let (place, metadata) = (11..31)
        .find_map(|seed| {
            let place = Place::new(&words(seed, 12 << 20));
            place.leave_unfinished();
            let metadata = Tree::of(place.directory.path()).with("/_metadata");
            metadata.iter().all(|path| !states_of(path).is_empty()).then_some((place, metadata))
        })
        .expect("in one of twenty runs every checkpoint has files of its own");
    // By kind: the newest HEAD; every checkpoint.
    let heads = Tree::of(place.directory.path()).with("/head/HEAD-");
    let states: Vec<_> = metadata.iter().flat_map(states_of).collect();
    for (paths, part) in [(&heads[heads.len() - 1..], "/head/HEAD"), (&metadata, "/_metadata"), (&states, "chk-")] {
        let contents: Vec<_> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
        for (path, content) in paths.iter().zip(&contents) {
            let mut damaged = content.clone();
            damaged[content.len() / 2] ^= 0x10;
            fs::write(path, damaged).unwrap();
        }
        assert_refused(&place, "--kills 0", part);
        for (path, content) in paths.iter().zip(&contents) {
            fs::write(path, content).unwrap();
        }
    }
    assert_code(&place.run("--kills 0"), 0);
}

#[test]
fn what_cannot_be_read_or_is_not_ours_is_refused() {
    let place = Place::new(b"some words");
    let missing = place.path("missing");
    let directory = place.directory.path();
    for (extra, part) in [(&*missing, "cannot be read"), (directory, "not a regular file")] {
        assert_refused(&place, &format!("--input {}", extra.display()), part);
    }
    assert!(!place.path("checkpoints").exists(), "what is refused leaves nothing behind");
    for bad in ["--parallelism 0", "--parallelism 129", "--interval 1", "--kill-phase sleeping", "--nonsense", "words"]
    {
        assert_code(&place.run(bad), 2);
    }

    // The checkpoints of another job.
    let other = Place::new(b"other words");
    assert_code(&other.run("--kills 0"), 0);
    assert_code(&place.run("--kills 0"), 0);
    assert_refused(&other, &format!("--input {}", place.path("input").display()), "has other inputs");
    fs::remove_file(place.path("checkpoints/job.json")).unwrap();
    assert_refused(&place, "", "holds checkpoints of job");
    fs::copy(other.path("checkpoints/job.json"), place.path("checkpoints/job.json")).unwrap();
    assert_refused(&place, "", "holds checkpoints of job");
    let description = fs::read_to_string(other.path("checkpoints/job.json")).unwrap();
    for damaged in ["{".to_owned(), description.replace("/output", "/outpux"), description.replace("128", "127")] {
        assert_ne!(damaged, description);
        fs::write(place.path("checkpoints/job.json"), damaged).unwrap();
        assert_refused(&place, "", "is damaged");
    }
}

#[test]
fn a_full_disk_is_an_error_and_the_run_can_be_continued() {
    let place = Place::new(&words(12, 8 << 20));
    // No file may grow beyond 1 MiB (512-byte blocks); with the signal ignored writes fail, as on a full disk.
    let limited = |place: &Place, arguments: &str| {
        let command = place.command(arguments);
        Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\""])
            .arg(command.get_program())
            .args(command.get_args())
            .output()
            .unwrap()
    };
    let output = limited(&place, "--kills 0 --interval 60000");
    assert_code(&output, 2);
    let error = text(&output.stderr);
    assert!(error.starts_with("error: task sink/") && error.trim_end().lines().count() == 1, "{error}");
    assert_code(&place.run("--kills 0"), 0);
}

#[test]
fn a_lost_or_doubled_record_is_named() {
    let place = Place::new(&words(13, 100_000));
    assert_code(&place.run("--kills 0"), 0);
    let part = place.last("/part-");
    let content = fs::read(&part).unwrap();
    let line = content.split_inclusive(|&byte| byte == b'\n').next().unwrap();
    fs::write(&part, [line, &content].concat()).unwrap();
    let doubled = place.run("");
    assert_code(&doubled, 1);
    assert!(text(&doubled.stderr).contains("is there twice"), "{}", text(&doubled.stderr));
    fs::write(&part, &content[line.len()..]).unwrap();
    let lost = place.run("");
    assert_code(&lost, 1);
    assert!(text(&lost.stderr).contains("is missing"), "{}", text(&lost.stderr));
}

#[test]
fn a_named_pipe_is_refused_and_not_waited_for() {
    let place = Place::new(b"some words");
    let pipe = place.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Looking for what a refused run has changed would read the pipe.
    let output = place.run(&format!("--input {}", pipe.display()));
    assert_code(&output, 2);
    assert!(text(&output.stderr).contains("not a regular file"), "{}", text(&output.stderr));
}

#[test]
fn output_that_nobody_reads_stops_nothing() {
    let place = Place::new(&words(14, 200_000));
    let mut run = place.command("--kills 1").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(run.stdout.take());
    let output = run.wait_with_output().unwrap();
    assert_code(&output, 0);
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn the_pipeline_does_not_outlive_its_parent() {
    let place = Place::new(&words(15, 1 << 20));
    // It would take minutes, and say nothing between two checkpoints.
    let mut parent = place
        .command("--kills 0 --interval 3600000 --read-limit 500")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let child = child_of(parent.id());
    // It reads by now; had it died at once the parent would have ended, too.
    thread::sleep(Duration::from_millis(500));
    assert!(is_running(child));
    parent.kill().unwrap();
    parent.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while is_running(child) {
        assert!(Instant::now() < deadline, "the pipeline runs on without its parent");
        thread::sleep(Duration::from_millis(2));
    }
}
