//! `cargo xtask bench --record NAME`: puts what was measured into `docs/benchmarks.md`, so that nobody types a figure.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use super::{Comparison, sorted};
use crate::workspace::Workspace;
use crate::{Result, shell};

const PAGE: &str = "docs/benchmarks.md";
const END: &str = "<!-- end -->";

/// Replaces the section of that name.
pub(super) fn record(workspace: &Workspace, name: &str, comparisons: Vec<Comparison>) -> Result {
    let path = workspace.root().join(PAGE);
    let page = fs::read_to_string(&path).map_err(|error| format!("{PAGE}: {error}"))?;
    let section = format!("{}\n\n{}", machine()?, table(comparisons));
    fs::write(&path, replaced(&page, name, &section)?)?;
    println!("wrote {PAGE}");
    Ok(())
}

/// The page with another section of that name: what stands between its marker and the next end.
fn replaced(page: &str, name: &str, section: &str) -> Result<String> {
    let marker = format!("<!-- cargo xtask bench --record {name} -->");
    let missing =
        |what: &str| format!("{PAGE}: expected a section between the lines {marker:?} and {END:?}, found no {what}");
    let (before, rest) = page.split_once(&marker).ok_or_else(|| missing("beginning"))?;
    let (_, after) = rest.split_once(END).ok_or_else(|| missing("end"))?;
    Ok(format!("{before}{marker}\n\n{}\n\n{END}{after}", section.trim_end()))
}

/// Where and when: figures are nothing without it.
fn machine() -> Result<String> {
    let of_file = |path: &str, key: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix(':'));
        line.unwrap_or("unknown").trim().to_owned()
    };
    let said = |program: &str, arguments: &[&str]| -> Result<String> {
        Ok(shell::output(Command::new(program).args(arguments))?.trim().to_owned())
    };
    Ok(format!(
        "On {}: {} processors ({}), memory {}, Linux {}, {}.",
        said("date", &["-u", "+%F"])?,
        available_parallelism()?,
        of_file("/proc/cpuinfo", "model name"),
        of_file("/proc/meminfo", "MemTotal"),
        said("uname", &["-r"])?,
        said("rustc", &["--version"])?,
    ))
}

fn table(comparisons: Vec<Comparison>) -> String {
    let mut table = "| what | ours | ratio | bar | beside |\n|---|---|---|---|---|\n".to_owned();
    for comparison in sorted(comparisons) {
        let [name, ours, bar, holds, ratio, beside] = comparison.row();
        let bar = match holds.as_str() {
            "" => String::new(),
            "yes" => format!("{bar}: holds"),
            _ => format!("**{bar}: does not hold**"),
        };
        table.push_str(&format!("| {name} | {ours} | {ratio} | {bar} | {beside} |\n"));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_replaced_and_nothing_else() {
        let page = "a\n<!-- cargo xtask bench --record b -->\nold\n<!-- end -->\nc\n<!-- cargo xtask bench --record d -->\n<!-- end -->\n";
        let new = replaced(page, "b", "new\n").unwrap();
        assert_eq!(new, page.replace("\nold\n", "\n\nnew\n\n"));
        assert_eq!(replaced(&new, "b", "new").unwrap(), new);
        for unknown in ["c", ""] {
            let error = replaced(page, unknown, "new").unwrap_err().to_string();
            assert!(error.contains("found no beginning"), "{error}");
        }
        let error = replaced(page.strip_suffix("<!-- end -->\n").unwrap(), "d", "").unwrap_err().to_string();
        assert!(error.contains("found no end"), "{error}");
    }
}
