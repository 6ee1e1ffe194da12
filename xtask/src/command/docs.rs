//! `cargo xtask docs`: the pages that are made from code. `cargo xtask lint` fails when one differs.

use std::path::PathBuf;

use crate::arguments::Arguments;
use crate::workspace::Workspace;
use crate::{Result, shell};

/// A page, and the example that prints it.
struct Page {
    path: &'static str,
    package: &'static str,
    example: &'static str,
}

const PAGES: &[Page] = &[Page { path: "docs/configuration.md", package: "ckpt-core", example: "configuration_page" }];

pub(crate) fn run(workspace: &Workspace, arguments: Arguments) -> Result {
    arguments.finish_all()?;
    for page in PAGES {
        std::fs::write(page.file(workspace), page.print(workspace)?)?;
        println!("wrote {}", page.path);
    }
    Ok(())
}

/// Fails when a page is not what the code says.
pub(crate) fn check(workspace: &Workspace) -> Result {
    for page in PAGES {
        let there = std::fs::read_to_string(page.file(workspace)).map_err(|error| format!("{}: {error}", page.path))?;
        if let Some(line) = first_difference(&there, &page.print(workspace)?) {
            return Err(format!("{}:{line}: differs from the code: run `cargo xtask docs`", page.path).into());
        }
    }
    println!("docs: {} pages", PAGES.len());
    Ok(())
}

impl Page {
    fn file(&self, workspace: &Workspace) -> PathBuf {
        workspace.root().join(self.path)
    }

    fn print(&self, workspace: &Workspace) -> Result<String> {
        let mut command = workspace.cargo("run");
        command.args(["--quiet", "--package", self.package, "--example", self.example]);
        shell::show(&command);
        let printed = shell::output(&mut command)?;
        if printed.is_empty() {
            return Err(format!("{} printed nothing", self.example).into());
        }
        Ok(printed)
    }
}

/// The first line that is not the same in both, counted from 1.
fn first_difference(there: &str, printed: &str) -> Option<usize> {
    let same = there.split('\n').zip(printed.split('\n')).take_while(|(a, b)| a == b).count();
    (there != printed).then_some(same + 1)
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn a_page_that_differs_is_told_with_its_line() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some(2));
        assert_eq!(first_difference("a\nb\n", "a\nb\nc\n"), Some(3));
        assert_eq!(first_difference("", "a"), Some(1));
    }
}
