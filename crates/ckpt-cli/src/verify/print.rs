//! The verdict for people.

use std::io::{self, Write};

use super::verdict::{Moved, Problem, SkipReason, Verification, VerifiedSnapshot};
use crate::report::{Exit, Report, Style};
use crate::text::{count, escaped};

/// Of how many moves and extra files each is told: a store may put every file into another directory.
const SHOWN: usize = 3;

impl Report for Verification {
    fn print(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        for snapshot in &self.snapshots {
            let path = escaped(&snapshot.path);
            if snapshot.problems.is_empty() {
                writeln!(out, "{} {path}: {}", style.good("ok"), snapshot.counts_text())?;
            } else {
                let problems = problems_text(snapshot.problems.len());
                writeln!(out, "{} {path}: {}", style.bad(problems), snapshot.counts_text())?;
            }
            snapshot.print_found(out)?;
            snapshot.print_extra(out)?;
            print_problems(out, style, &snapshot.problems)?;
        }
        for skipped in &self.skipped {
            let reason = match skipped.reason {
                SkipReason::Incomplete => "it has no '_metadata'",
                SkipReason::Removed => "it is retained no more, and its files are being deleted",
            };
            writeln!(out, "skipped {}: {reason}", escaped(&skipped.path))?;
        }
        for job in &self.jobs {
            job.print(out)?;
        }
        if !self.problems.is_empty() {
            writeln!(out, "{}", style.bad("problems of no snapshot in particular"))?;
            print_problems(out, style, &self.problems)?;
        }
        let problems = self.all_problems().count();
        let snapshots = self.snapshots.len();
        if snapshots != 1 || !self.problems.is_empty() {
            writeln!(out, "{}, {}", count(snapshots as u64, "snapshot"), problems_text(problems))?;
        }
        Ok(())
    }

    fn exit(&self) -> Exit {
        if self.all_problems().next().is_none() { Exit::Fine } else { Exit::FoundProblems }
    }
}

fn problems_text(problems: usize) -> String {
    count(problems as u64, "problem")
}

fn print_problems(out: &mut dyn Write, style: Style, problems: &[Problem]) -> io::Result<()> {
    for problem in problems {
        let (kind, file) = (style.bad(problem.kind.name()), escaped(&problem.file));
        writeln!(out, "  {kind}: {file}: {}", escaped(&problem.message))?;
        if let Some(looked_at) = problem.looked_at.as_ref().filter(|looked_at| **looked_at != problem.file) {
            writeln!(out, "    looked at {}", escaped(looked_at))?;
        }
        if let Some(owner) = &problem.owner {
            let others = match problem.other_owners {
                0 => String::new(),
                others => format!(", and {others} more"),
            };
            writeln!(out, "    needed by {}{others}", escaped(&owner.text()))?;
        }
    }
    Ok(())
}

impl VerifiedSnapshot {
    fn counts_text(&self) -> String {
        let files = &self.files;
        format!(
            "{} ({} with digest, {} with no digest), {} inline",
            count(files.named, "file"),
            files.with_digest,
            files.without_digest,
            count(files.inline, "piece")
        )
    }

    /// What lies in its directory and is not named.
    fn print_extra(&self, out: &mut dyn Write) -> io::Result<()> {
        let extra = self.extra.as_deref().unwrap_or_default();
        for file in extra.iter().take(SHOWN) {
            writeln!(out, "  extra: {}: it is not named", escaped(file))?;
        }
        match extra.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            Some(more) => writeln!(out, "  extra: {} more", count(more as u64, "file")),
            None => Ok(()),
        }
    }

    /// Where files were found, if they did not all lie in its directory and that of its job.
    fn print_found(&self, out: &mut dyn Write) -> io::Result<()> {
        for Moved { from, to } in self.moved.iter().take(SHOWN) {
            writeln!(out, "  moved from {} to {}", escaped(from), escaped(to))?;
        }
        if let Some(more) = self.moved.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            writeln!(out, "  moved from {} more", count(more as u64, "place"))?;
        }
        let files = &self.files;
        if self.moved.is_empty() && files.found_outside == 0 && files.found_by_map == 0 {
            return Ok(());
        }
        let outside = match files.found_outside {
            0 => String::new(),
            outside => format!(" ({outside} of them outside of its directory and its job's)"),
        };
        writeln!(
            out,
            "  found {} in place{outside}, {} where they moved to with it, {} by --map-root",
            files.found_in_place, files.found_by_layout, files.found_by_map
        )
    }
}
