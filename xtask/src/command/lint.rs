//! `cargo xtask lint`: everything that can be judged without running the code. It changes nothing.

use crate::arguments::Arguments;
use crate::command::{docs, loom, mutants};
use crate::workspace::Workspace;
use crate::{Result, shell, tidy};

pub(crate) fn run(workspace: &Workspace, arguments: Arguments) -> Result {
    arguments.finish_all()?;
    let everything = ["--workspace", "--all-targets", "--all-features"];
    // The cheapest first; all are run, so that one round shows everything there is to mend.
    let steps: [(&str, &dyn Fn() -> Result); 7] = [
        ("format", &|| shell::run(workspace.cargo("fmt").args(["--all", "--check"]))),
        ("tidy", &|| tidy::run(workspace)),
        ("docs", &|| docs::check(workspace)),
        ("mutants apply", &|| mutants::check(workspace)),
        ("clippy", &|| shell::run(workspace.cargo("clippy").args(everything).args(["--", "-D", "warnings"]))),
        ("rustdoc", &|| {
            let rustdoc = ["--workspace", "--all-features", "--no-deps"];
            shell::run(workspace.cargo("doc").args(rustdoc).env("RUSTDOCFLAGS", "-D warnings"))
        }),
        ("loom build", &|| {
            for package in loom::packages_with_models(workspace)? {
                shell::run(loom::cargo_loom(workspace, "check").args(["-p", &package.name, "--lib", "--tests"]))?;
            }
            Ok(())
        }),
    ];
    let mut failed = Vec::new();
    for (name, step) in &steps {
        if let Err(error) = step() {
            eprintln!("{name}: {error}");
            failed.push(*name);
        }
    }
    println!("{} passed, {} failed", steps.len() - failed.len(), failed.len());
    if failed.is_empty() { Ok(()) } else { Err(failed.join(", ").into()) }
}
