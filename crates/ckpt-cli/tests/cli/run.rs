//! Runs the command, and holds what it says against what it said before.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

/// A directory of a test.
pub(crate) struct Tree {
    _root: TempDir,
    /// Without links, as the command shows paths.
    path: PathBuf,
}

/// What a run of the command ended with.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Tree {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().canonicalize().unwrap();
        Self { _root: root, path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn join(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }

    /// Writes a file and the directories above it.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Changes a file.
    pub(crate) fn change(&self, path: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let path = self.join(path);
        let mut bytes = fs::read(&path).unwrap();
        change(&mut bytes);
        fs::write(path, bytes).unwrap();
    }

    /// The command in this directory, not run yet.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
        command
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::null())
            .env_remove("NO_COLOR")
            .env_remove("COLUMNS");
        command
    }

    /// Runs the command here; the words of the line are its arguments.
    pub(crate) fn ckpt(&self, line: &str) -> Run {
        self.run(line.split_whitespace())
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Run {
        self.ended(self.command(arguments).output().unwrap())
    }

    /// What a run said, with `/data` for this directory.
    pub(crate) fn ended(&self, output: Output) -> Run {
        let text = |bytes| String::from_utf8(bytes).unwrap().replace(self.path().to_str().unwrap(), "/data");
        let status = output.status.code().unwrap_or_else(|| panic!("it ended by a signal: {}", output.status));
        Run { status, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Every file of the tree was last written then.
    pub(crate) fn settle(&self) {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        for path in self.files() {
            fs::File::options().read(true).open(self.path().join(path)).unwrap().set_modified(time).unwrap();
        }
    }

    /// The paths of all files, sorted.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        fn add(directory: &Path, root: &Path, files: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(directory).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    add(&entry.path(), root, files);
                } else {
                    files.push(entry.path().strip_prefix(root).unwrap().to_owned());
                }
            }
        }
        let mut files = Vec::new();
        add(self.path(), self.path(), &mut files);
        files.sort();
        files
    }

    /// Every file with its content: what no command may change.
    pub(crate) fn contents(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let read = |path: PathBuf| {
            let bytes = fs::read(self.path().join(&path)).unwrap();
            (path, bytes)
        };
        self.files().into_iter().map(read).collect()
    }

    /// Runs the commands and holds all that they say against the file of that name in `tests/snapshots`, which
    /// `CKPT_REWRITE=1` writes anew.
    pub(crate) fn assert_snapshot(&self, name: &str, lines: &[&str]) {
        let mut said = String::new();
        for line in lines {
            let run = self.ckpt(line);
            said += &format!("$ ckpt {line}\n{}", run.stdout);
            if !run.stderr.is_empty() {
                said += &format!("--- stderr\n{}", run.stderr);
            }
            said += &format!("--- exit status {}\n\n", run.status);
        }
        assert_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/snapshots/{name}.txt")), &said);
    }
}

impl Run {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The file holds that text; `CKPT_REWRITE=1` writes it.
pub(crate) fn assert_file(path: &Path, text: &str) {
    if std::env::var_os("CKPT_REWRITE").is_some() {
        fs::write(path, text).unwrap();
    }
    let before = fs::read_to_string(path).unwrap_or_default();
    for (number, (before, now)) in before.lines().zip(text.lines()).enumerate() {
        assert_eq!(before, now, "line {} of {}", number + 1, path.display());
    }
    assert_eq!(before.lines().count(), text.lines().count(), "lines of {}", path.display());
}
