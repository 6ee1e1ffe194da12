//! `cargo xtask miri`: tests of what touches memory, by an interpreter that knows every rule of it.

use crate::arguments::Arguments;
use crate::cargo_test::{self, Totals};
use crate::summary::Summary;
use crate::workspace::Workspace;
use crate::{Result, nightly, shell};

/// Tests of one package that are run, by parts of their names.
struct Part {
    package: &'static str,
    tests: &'static [&'static str],
    skipped: &'static [&'static str],
}

const PARTS: &[Part] = &[
    Part {
        package: "ckpt-core",
        tests: &[
            "digest::",
            "file_name",
            "reserved",
            "key_group::range",
            "message::",
            "metadata::",
            "state::",
            "wire::",
            "state_file::",
            "shared::files",
            "shared::slots",
        ],
        skipped: &[
            "job_graph",
            "state_test",
            "every_changed_byte",
            "pieces_of_one_file",
            "whatever_its_length",
            "the_table",
            "what_is_gone",
            "what_is_measured",
            "what_is_put",
            "refuse_the_same",
        ],
    },
    Part {
        package: "ckpt-streams",
        tests: &["budget_test", "pool_test", "object_store_test", "the_write_that_crosses", "raw_state_test"],
        skipped: &["it_keeps_the_contract"],
    },
];

/// What is not run, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("files of the local file system", "the interpreter knows no openat2, no O_DIRECTORY and no linkat"),
    ("tests in virtual time, of megabytes and of many cases", "a digest takes a microsecond for each byte: hours"),
    ("configuration, the job's graph, URIs", "minutes, and nothing but maps and texts"),
    ("loom models", "they are built for another interpreter"),
    ("the other crates", "none has unsafe code, and what they share is in these two"),
];

pub(crate) fn run(workspace: &Workspace, arguments: Arguments) -> Result {
    arguments.finish_all()?;
    prepare(workspace)?;
    let target = workspace.target().join("miri");
    let (mut summary, mut all) = (Summary::start(), Totals::default());
    for Part { package, tests, skipped } in PARTS {
        let mut command = nightly::cargo(workspace, "miri", &target);
        // Clocks and directories of the machine; and pointers that a lock makes of numbers, which are not ours.
        command.env("MIRIFLAGS", "-Zmiri-disable-isolation -Zmiri-permissive-provenance");
        command.args(["test", "-p", package, "--lib", "--"]).args(*tests);
        skipped.iter().for_each(|name| {
            command.args(["--skip", name]);
        });
        let totals = cargo_test::run(&mut command)?;
        summary.hit(package, totals.runs());
        all += totals;
    }
    println!("left out:");
    for (what, why) in LEFT_OUT {
        println!("  {what}: {why}");
    }
    summary.runs = all.runs();
    summary.failures = all.failed;
    println!("{} passed, {} failed", all.passed, all.failed);
    summary.finish(workspace, "miri")
}

/// Sees that there are a nightly compiler and its interpreter.
fn prepare(workspace: &Workspace) -> Result {
    nightly::require(workspace, "the interpreter")?;
    let mut version = nightly::cargo(workspace, "miri", workspace.target());
    if shell::output(version.arg("--version").stderr(std::process::Stdio::null())).is_err() {
        let mut install = workspace.command("rustup");
        shell::run(install.args(["component", "add", "miri", "rust-src", "--toolchain", "nightly"]))?;
    }
    Ok(())
}
