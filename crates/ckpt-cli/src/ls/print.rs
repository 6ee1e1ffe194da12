//! The list for people.

use std::io::{self, Write};

use super::head::{HeadView, SavepointView};
use super::listing::{JobEntry, Listing, SnapshotEntry};
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
            print_heads(out, style, &with_head)?;
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
        for standing in self.marks.standing() {
            status += &format!(", {standing}");
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

/// What seldom is there has a column only where some job has it.
fn print_heads(out: &mut dyn Write, style: Style, heads: &[(&JobEntry, &HeadView)]) -> io::Result<()> {
    type Cell = fn(&HeadView) -> String;
    let always: [(&str, Align, Cell); 7] = [
        ("STATE", Align::Left, |head| head.state.clone()),
        ("HEAD", Align::Right, |head| head.version.to_string()),
        ("EPOCH", Align::Right, |head| head.epoch.to_string()),
        ("RESTORES", Align::Right, |head| list(head.restore_point.as_slice())),
        ("RETAINS", Align::Left, |head| list(&head.retained)),
        ("REMOVED", Align::Left, |head| list(&head.removed)),
        ("SAVEPOINTS IN PROGRESS", Align::Left, |head| ids(&head.savepoints_in_progress)),
    ];
    let seldom: [(&str, Align, Cell); 8] = [
        ("STOPPED AT", Align::Right, |head| list(head.stopped_at.as_slice())),
        ("SET ASIDE", Align::Left, |head| list(&head.set_aside)),
        ("ABANDONED SAVEPOINTS", Align::Left, |head| ids(&head.abandoned_savepoints)),
        ("HANDED OVER", Align::Left, |head| {
            let to = head.handed_over.iter().zip(&head.handed_over_to).map(|(id, job)| format!("{id} to {job}"));
            joined(to)
        }),
        ("RESTORED FROM", Align::Right, |head| list(head.restored_from.as_slice())),
        ("WENT BACK", Align::Left, |head| {
            joined(head.gone_back.map(|it| format!("from {} to {}", it.from, it.to)).into_iter())
        }),
        ("BEGAN FROM", Align::Left, |head| {
            joined(head.origin.iter().map(|origin| format!("{} {} of job {}", origin.mode, origin.id, origin.job)))
        }),
        ("CLAIMS", Align::Left, |head| {
            let held = head.claims.iter().map(|claim| claim.id.to_string());
            joined(held.chain(head.released_claims.iter().map(|claim| format!("{} released", claim.id))))
        }),
    ];
    let is_there = |(_, _, cell): &(&str, Align, Cell)| heads.iter().any(|(_, head)| cell(head) != NOTHING);
    let shown: Vec<_> = always.into_iter().chain(seldom.into_iter().filter(is_there)).collect();
    let mut columns = vec![("JOB", Align::Left)];
    columns.extend(shown.iter().map(|(name, align, _)| (*name, *align)));
    let rows = heads.iter().map(|(job, head)| {
        let cells = shown.iter().map(|(_, _, cell)| cell(head));
        [job.id.clone()].into_iter().chain(cells).collect()
    });
    print_table(out, style, &columns, rows)
}

fn ids(savepoints: &[SavepointView]) -> String {
    list(&savepoints.iter().map(|savepoint| savepoint.id).collect::<Vec<_>>())
}

/// What stands for an empty list.
const NOTHING: &str = "-";

fn list(ids: &[u64]) -> String {
    joined(ids.iter().map(u64::to_string))
}

fn joined(texts: impl Iterator<Item = String>) -> String {
    let texts: Vec<_> = texts.collect();
    if texts.is_empty() { NOTHING.to_owned() } else { texts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ls::head::{ClaimView, GoneBackView, OriginView};

    fn printed(head: &HeadView) -> String {
        let job = JobEntry { id: "f1".to_owned(), path: ".".to_owned(), head: None };
        let mut out = Vec::new();
        print_heads(&mut out, Style::Plain, &[(&job, head)]).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// A number of HEAD that the JSON has is in the table too.
    #[test]
    fn all_that_head_says_is_in_the_table() {
        let savepoint = |id| vec![SavepointView { id, uri: "file:/s".to_owned() }];
        let head = HeadView {
            version: 101,
            epoch: 102,
            state: "finished".to_owned(),
            restore_point: Some(103),
            retained: vec![104, 105],
            stopped_at: Some(106),
            set_aside: vec![107],
            removed: vec![108, 109],
            savepoints_in_progress: savepoint(110),
            abandoned_savepoints: savepoint(111),
            handed_over: vec![112],
            handed_over_to: vec!["119".to_owned()],
            restored_from: Some(113),
            origin: Some(OriginView {
                job: "114".to_owned(),
                id: 115,
                uri: "file:/o".to_owned(),
                mode: "CLAIM".to_owned(),
            }),
            claims: vec![ClaimView { id: 116, uri: "file:/c".to_owned() }],
            released_claims: vec![ClaimView { id: 120, uri: "file:/c".to_owned() }],
            gone_back: Some(GoneBackView { from: 117, to: 118, epoch: 102 }),
        };
        let text = printed(&head);
        let said = |number: u64| text.contains(&format!(" {number}"));
        assert!((101..=120).all(said), "{text}");
        let usual = printed(&HeadView {
            stopped_at: None,
            set_aside: Vec::new(),
            abandoned_savepoints: Vec::new(),
            handed_over: Vec::new(),
            restored_from: None,
            origin: None,
            claims: Vec::new(),
            released_claims: Vec::new(),
            gone_back: None,
            ..head
        });
        let header = usual.lines().next().unwrap();
        assert_eq!(header.split_whitespace().next_back(), Some("PROGRESS"), "{usual}");
    }
}
