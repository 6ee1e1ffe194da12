//! `cargo xtask mutants`: breaks the code on purpose, one break at a time, and sees each caught.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::arguments::Arguments;
use crate::summary::Summary;
use crate::workspace::Workspace;
use crate::{Result, shell};

/// Builds what `cargo xtask order` and `cargo xtask kill` run.
const WORD_COUNT: &str = "cargo build -p ckpt-tests --example wordcount";

/// A patch that breaks something, and the command that has to notice.
#[derive(Debug, PartialEq, Eq)]
struct Mutant {
    name: String,
    path: PathBuf,
    about: String,
    caught_by: String,
    fast: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Caught,
    Survived,
    DoesNotApply,
    DoesNotBuild,
    /// The command fails on the code as it is, so its failure shows nothing.
    FailsAnyway,
}

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result {
    let fast = arguments.flag("--fast");
    let only = arguments.positional();
    arguments.finish_all()?;

    let mut summary = Summary::start();
    let chosen = |name: &str, is_fast: bool| only.as_ref().is_none_or(|only| name.contains(only)) && (is_fast || !fast);
    let (caught, others) = try_chosen(workspace, &chosen, &mut summary)?;
    println!("{caught} passed, {others} failed");
    summary.finish(workspace, "mutants")
}

/// Tries those of that name. Returns how many were caught, and how many were not.
pub(crate) fn try_all(
    workspace: &Workspace,
    chosen: &dyn Fn(&str) -> bool,
    summary: &mut Summary,
) -> Result<(u64, u64)> {
    try_chosen(workspace, &|name, _| chosen(name), summary)
}

fn try_chosen(workspace: &Workspace, chosen: &dyn Fn(&str, bool) -> bool, summary: &mut Summary) -> Result<(u64, u64)> {
    let chosen = |mutant: &Mutant| chosen(&mutant.name, mutant.fast);
    let mutants: Vec<Mutant> = read_all(workspace)?.into_iter().filter(chosen).collect();
    let mut scratch = Scratch::new(workspace)?;
    let (mut caught, mut others) = (0, 0);
    let mut verdicts = Vec::new();
    for mutant in &mutants {
        println!("\n{}: {}", mutant.name, mutant.about);
        let verdict = scratch.try_mutant(mutant)?;
        println!("{}: {}", mutant.name, verdict.text());
        summary.runs += 1;
        summary.failures += u64::from(verdict != Verdict::Caught);
        summary.hit(verdict.text(), 1);
        match verdict {
            Verdict::Caught => caught += 1,
            _ => others += 1,
        }
        verdicts.push((verdict, &mutant.name));
    }
    println!();
    for (verdict, name) in verdicts {
        println!("{:<15} {name}", verdict.text());
    }
    Ok((caught, others))
}

/// Sees that every patch still applies to the tree, the slow ones too, which are not tried with every change.
pub(crate) fn check(workspace: &Workspace) -> Result {
    let mut stale = Vec::new();
    for mutant in read_all(workspace)? {
        let mut apply = Command::new("git");
        apply.args(["apply", "--check", "--whitespace=nowarn"]).arg(&mutant.path).current_dir(workspace.root());
        if shell::run(&mut apply).is_err() {
            stale.push(mutant.name);
        }
    }
    if stale.is_empty() { Ok(()) } else { Err(format!("patches that do not apply: {}", stale.join(", ")).into()) }
}

fn read_all(workspace: &Workspace) -> Result<Vec<Mutant>> {
    let mut mutants = Vec::new();
    for entry in fs::read_dir(workspace.root().join("tests/mutants"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "patch") {
            let text = fs::read_to_string(&path)?;
            mutants.push(Mutant::parse(path, &text)?);
        }
    }
    mutants.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(mutants)
}

impl Mutant {
    /// Reads the lines before the diff: `# sentence`, `# caught by: command`, and perhaps `# fast`.
    fn parse(path: PathBuf, text: &str) -> Result<Self> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let (mut about, mut caught_by, mut fast) = (Vec::new(), None, false);
        for line in text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim) {
            match line.strip_prefix("caught by:") {
                Some(command) => caught_by = Some(command.trim().to_owned()),
                None if line == "fast" => fast = true,
                None => about.push(line),
            }
        }
        let caught_by = caught_by.filter(|command| !command.is_empty());
        let caught_by = caught_by.ok_or_else(|| format!("{name}: has no line `# caught by: <command>`"))?;
        if about.is_empty() {
            return Err(format!("{name}: has no line `# <what it breaks>`").into());
        }
        Ok(Self { name, path, about: about.join(" "), caught_by, fast })
    }
}

impl Verdict {
    const fn text(self) -> &'static str {
        match self {
            Self::Caught => "caught",
            Self::Survived => "SURVIVED",
            Self::DoesNotApply => "does not apply",
            Self::DoesNotBuild => "does not build",
            Self::FailsAnyway => "fails anyway",
        }
    }
}

/// A copy of the tree to break, with a target directory that the mutants share.
struct Scratch {
    tree: PathBuf,
    target: PathBuf,
    source: PathBuf,
    /// Whether a command passes on the code as it is, of those that were tried.
    passes: BTreeMap<String, bool>,
}

impl Scratch {
    fn new(workspace: &Workspace) -> Result<Self> {
        let home = workspace.target().join("mutants");
        let (tree, target) = (home.join("tree"), home.join("target"));
        let scratch = Self { tree, target, source: workspace.root().to_path_buf(), passes: BTreeMap::new() };
        scratch.restore()?;
        Ok(scratch)
    }

    /// Makes the copy equal to the tree. Files that are equal keep their time, so that little is built again.
    fn restore(&self) -> Result {
        fs::create_dir_all(&self.tree)?;
        mirror(&self.source, &self.tree, true)
    }

    fn try_mutant(&mut self, mutant: &Mutant) -> Result<Verdict> {
        self.restore()?;
        if !self.passes.contains_key(&mutant.caught_by) {
            let passes = shell::run(&mut self.command(&mutant.caught_by)).is_ok();
            self.passes.insert(mutant.caught_by.clone(), passes);
        }
        if self.passes.get(&mutant.caught_by) == Some(&false) {
            return Ok(Verdict::FailsAnyway);
        }
        let verdict = self.judge(mutant);
        self.restore()?;
        verdict
    }

    fn judge(&self, mutant: &Mutant) -> Result<Verdict> {
        let mut apply = Command::new("git");
        // The copy lies inside the repository and is none itself: without this, git would look at the outer one.
        apply.args(["apply", "--whitespace=nowarn"]).arg(&mutant.path).current_dir(&self.tree);
        apply.env("GIT_CEILING_DIRECTORIES", self.tree.parent().unwrap_or(&self.tree));
        if shell::run(&mut apply).is_err() {
            return Ok(Verdict::DoesNotApply);
        }
        // A mutant that the compiler refuses shows nothing about the tests.
        if shell::run(&mut self.build(mutant)?).is_err() {
            return Ok(Verdict::DoesNotBuild);
        }
        // What a broken tree prints is not the state of the tree: of a failure that is wanted only the names are shown.
        let (status, printed) = shell::capture(&mut self.command(&mutant.caught_by))?;
        if status.success() {
            println!("{printed}");
            return Ok(Verdict::Survived);
        }
        for noticed in failed_tests(&printed).chain(violations(&printed)) {
            println!("noticed by {noticed}");
        }
        Ok(Verdict::Caught)
    }

    /// A line for the shell, to run in the copy.
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new("bash");
        command.args(["-c", line]).current_dir(&self.tree).env("CARGO_TARGET_DIR", &self.target);
        // Set for this program by cargo; they would point the copy's own xtask at the real tree.
        for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO"] {
            command.env_remove(name);
        }
        command
    }

    /// The build that the command will need: for a `cargo test` that very command, not run.
    fn build(&self, mutant: &Mutant) -> Result<Command> {
        let line =
            match (mutant.caught_by.strip_prefix("cargo test "), mutant.caught_by.strip_prefix("cargo xtask loom")) {
                (None, None) if mutant.caught_by.starts_with("cargo run ") => {
                    let own = mutant.caught_by.split(" -- ").next().unwrap_or_default();
                    own.replacen("cargo run", "cargo build", 1)
                }
                (Some(rest), _) => {
                    // What stands behind `--` is for the test program.
                    let own = rest.split(" -- ").next().unwrap_or(rest);
                    format!("cargo test {own} --no-run")
                }
                (None, Some(package)) => {
                    let package =
                        package.split_whitespace().next().ok_or("`cargo xtask loom` in a mutant names a crate")?;
                    format!(
                        "cargo test --profile loom -p {package} --lib --target-dir \"$CARGO_TARGET_DIR/loom\" --no-run"
                    )
                }
                (None, None) if mutant.caught_by.starts_with("cargo xtask order") => WORD_COUNT.to_owned(),
                (None, None) if mutant.caught_by.starts_with("cargo xtask kill") => format!("{WORD_COUNT} --release"),
                (None, None) => "cargo check --workspace --all-targets".to_owned(),
            };
        let mut command = self.command(&line);
        if mutant.caught_by.starts_with("cargo xtask loom") {
            command.env("RUSTFLAGS", "--cfg ckpt_loom");
        }
        Ok(command)
    }
}

/// The tests that failed, of what `cargo test` printed.
fn failed_tests(printed: &str) -> impl Iterator<Item = &str> {
    printed.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"))
}

/// The properties of the model that do not hold.
fn violations(printed: &str) -> impl Iterator<Item = &str> {
    printed.lines().filter_map(|line| line.trim().strip_prefix("VIOLATED: "))
}

/// Makes `to` equal to `from`, without hidden files (except cargo's configuration) and without build output.
fn mirror(from: &Path, to: &Path, top: bool) -> Result {
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if !from.join(entry.file_name()).exists() {
            if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path())? } else { fs::remove_file(entry.path())? }
        }
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let skipped = top && (name == "target" || (name.to_string_lossy().starts_with('.') && name != ".cargo"));
        let target = to.join(&name);
        if skipped {
            continue;
        } else if entry.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            mirror(&entry.path(), &target, false)?;
        } else {
            let content = fs::read(entry.path())?;
            if fs::read(&target).ok().as_deref() != Some(&content) {
                fs::write(&target, content)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_what_is_broken_and_who_notices() {
        let text = "# HEAD is written\n# too early.\n# caught by: cargo test -p a --lib x\n# fast\n\ndiff --git a/x b/x\n# no\n";
        let mutant = Mutant::parse(PathBuf::from("tests/mutants/head.patch"), text).unwrap();
        assert_eq!((mutant.name.as_str(), mutant.fast), ("head", true));
        assert_eq!(mutant.about, "HEAD is written too early.");
        assert_eq!(mutant.caught_by, "cargo test -p a --lib x");
        assert!(Mutant::parse(PathBuf::from("a.patch"), "# Something.\ndiff").is_err());
        assert!(Mutant::parse(PathBuf::from("a.patch"), "# caught by: cargo test\ndiff").is_err());
    }

    #[test]
    fn who_noticed_is_named() {
        let printed = "test a::b ... ok\ntest a::c ... FAILED\nthread 'a::c' panicked\ntest result: FAILED. 1 passed";
        assert_eq!(failed_tests(printed).collect::<Vec<_>>(), ["a::c"]);
        let printed = "  9 states\n  VIOLATED: nothing is lost, after 9 states\n    1. a step";
        assert_eq!(violations(printed).collect::<Vec<_>>(), ["nothing is lost, after 9 states"]);
    }

    #[test]
    fn the_copy_follows_the_tree() {
        let home = std::env::temp_dir().join(format!("ckpt-xtask-mirror-{}", std::process::id()));
        let (from, to) = (home.join("from"), home.join("to"));
        fs::create_dir_all(from.join("target")).unwrap();
        fs::create_dir_all(from.join("a/target")).unwrap();
        fs::create_dir_all(to.join("old")).unwrap();
        fs::write(from.join("a/x"), "1").unwrap();
        fs::write(to.join("old/y"), "2").unwrap();
        mirror(&from, &to, true).unwrap();
        assert_eq!(fs::read_to_string(to.join("a/x")).unwrap(), "1");
        assert!(to.join("a/target").exists() && !to.join("target").exists() && !to.join("old").exists());
        fs::remove_dir_all(home).unwrap();
    }
}
