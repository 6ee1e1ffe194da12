//! The list for people.

use std::io::{self, Write};

use super::listing::{Listing, SnapshotEntry};
use crate::report::{Exit, Report, Style};
use crate::table::{Align, bytes, bytes_if_known, or_dash, print_table};
use crate::text::{count, escaped};

impl Report for Listing {
    fn print(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        if self.snapshots.is_empty() {
            writeln!(out, "no checkpoints and no savepoints below {}", escaped(&self.path))?;
        }
        let columns = [
            ("PATH", Align::Left),
            ("ID", Align::Right),
            ("KIND", Align::Left),
            ("FORMAT", Align::Left),
            ("TIME", Align::Left),
            ("STATE", Align::Right),
            ("EXCLUSIVE", Align::Right),
            ("SHARED", Align::Right),
            ("OPERATORS", Align::Right),
            ("STATUS", Align::Left),
        ];
        print_table(out, style, &columns, self.snapshots.iter().map(SnapshotEntry::row))?;
        let with_head: Vec<_> = self.jobs.iter().filter_map(|job| Some((job, job.head.as_ref()?))).collect();
        if !with_head.is_empty() {
            writeln!(out)?;
            let columns = [
                ("JOB", Align::Left),
                ("STATE", Align::Left),
                ("HEAD", Align::Right),
                ("EPOCH", Align::Right),
                ("RESTORES", Align::Right),
                ("RETAINS", Align::Left),
                ("REMOVED", Align::Left),
                ("SAVEPOINTS IN PROGRESS", Align::Left),
            ];
            let rows = with_head.into_iter().map(|(job, head)| {
                let savepoints: Vec<_> = head.savepoints_in_progress.iter().map(|it| it.id).collect();
                vec![
                    job.id.clone(),
                    head.state.clone(),
                    head.version.to_string(),
                    head.epoch.to_string(),
                    head.restore_point.map_or_else(|| "-".to_owned(), |id| id.to_string()),
                    list(&head.retained),
                    list(&head.removed),
                    list(&savepoints),
                ]
            });
            print_table(out, style, &columns, rows)?;
        }
        if !self.problems.is_empty() {
            writeln!(out)?;
        }
        for problem in &self.problems {
            writeln!(out, "{} {}: {}", style.bad("problem:"), escaped(&problem.path), escaped(&problem.message))?;
        }
        Ok(())
    }

    fn exit(&self) -> Exit {
        if self.problems.is_empty() { Exit::Fine } else { Exit::FoundProblems }
    }
}

impl SnapshotEntry {
    fn row(&self) -> Vec<String> {
        let snapshot = self.snapshot.as_ref();
        let size = snapshot.map(|snapshot| snapshot.size);
        let dash = || "-".to_owned();
        let mut status = match (self.complete, snapshot) {
            (true, Some(_)) => "complete",
            (true, None) => "unreadable",
            (false, _) => "incomplete",
        }
        .to_owned();
        if let Some(standing) = self.standing {
            status += &format!(", {}", standing.name());
        }
        if let Some(snapshot) = snapshot.filter(|snapshot| snapshot.trailing_bytes > 0) {
            status += &format!(", {} behind the end", count(snapshot.trailing_bytes, "byte"));
        }
        if let Some(snapshot) = snapshot.filter(|snapshot| !snapshot.notes.is_empty()) {
            status += &format!(", {}", count(snapshot.notes.len() as u64, "note"));
        }
        vec![
            self.path.clone(),
            self.checkpoint_id.map_or_else(dash, |id| id.to_string()),
            snapshot.map_or_else(dash, |snapshot| snapshot.kind_text()),
            snapshot.map_or_else(dash, |snapshot| snapshot.format_text()),
            or_dash(snapshot.and_then(|it| it.completed_at.as_deref().or(it.modified_at.as_deref()))),
            size.map_or_else(dash, |size| bytes(size.state_bytes)),
            size.map_or_else(dash, |size| bytes_if_known(size.exclusive_bytes)),
            size.map_or_else(dash, |size| bytes_if_known(size.shared_bytes)),
            snapshot.map_or_else(dash, |snapshot| snapshot.operator_count.to_string()),
            status,
        ]
    }
}

fn list(ids: &[u64]) -> String {
    match ids {
        [] => "-".to_owned(),
        ids => ids.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
    }
}
