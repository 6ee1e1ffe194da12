//! The order that a trace must show.
//!
//! 1. When a task acknowledges, every state file that it wrote for this checkpoint is synced, and so is its name:
//!    the directory it is in, and every new directory above that one. The same holds for output that it staged.
//! 2. When the HEAD write begins, `_metadata` of the checkpoint was written, synced, named, and its name synced.
//! 3. A HEAD is named after its bytes were synced; when anyone is told, its name is synced as well.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use super::event::{Event, What};

/// What a trace showed.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) violations: Vec<String>,
    acknowledgements: u64,
    state_files: u64,
    staged_outputs: u64,
    metadata_files: u64,
    heads: u64,
    notices: u64,
}

/// Judges a trace.
pub(super) fn check(events: &[Event]) -> Verdict {
    let mut verdict = Verdict::default();
    let trace = Trace { events };
    let mut begun: BTreeMap<u32, usize> = BTreeMap::new();
    for event in events {
        match &event.what {
            What::Phase { name, checkpoint } => match (name.as_str(), checkpoint) {
                ("writing-state", _) => {
                    begun.insert(event.thread, event.begin);
                }
                ("acknowledging", Some(id)) => {
                    let since = begun.remove(&event.thread).unwrap_or(0);
                    trace.acknowledged(event, since, *id, &mut verdict);
                }
                ("writing-head", Some(id)) => trace.metadata_before_head(event, *id, &mut verdict),
                ("notifying", Some(id)) => trace.head_before_notice(event, *id, &mut verdict),
                _ => {}
            },
            What::Named { from, to } if is_head(to) => {
                verdict.heads += 1;
                let what = format!("{} is named while its bytes are not synced", to.display());
                verdict.expect(trace.bytes_synced(from, event.begin), what);
            }
            _ => {}
        }
    }
    verdict
}

/// A trace to look things up in.
struct Trace<'a> {
    events: &'a [Event],
}

impl Trace<'_> {
    /// Rule 1, for the task whose write job runs on the thread that acknowledges.
    fn acknowledged(&self, event: &Event, since: usize, id: u64, verdict: &mut Verdict) {
        verdict.acknowledgements += 1;
        let directory = format!("chk-{id}");
        let own =
            |earlier: &&Event| earlier.thread == event.thread && earlier.begin >= since && earlier.end < event.begin;
        for earlier in self.events.iter().filter(own) {
            // Under which name the bytes were written, and under which they are found.
            let (written, found) = match &earlier.what {
                What::Created(path) if [directory.as_str(), "shared"].contains(&parent_name(path)) => {
                    verdict.state_files += 1;
                    (path, path)
                }
                What::Named { from, to } if parent_name(to) == "output" => {
                    verdict.staged_outputs += 1;
                    (from, to)
                }
                _ => continue,
            };
            let shown = found.display();
            let what = format!("checkpoint {id} is acknowledged while the bytes of {shown} are not synced");
            verdict.expect(self.bytes_synced(written, event.begin), what);
            let what = |unsynced: &Path| {
                format!("checkpoint {id} is acknowledged while the name {} is not synced", unsynced.display())
            };
            self.expect_names_synced(found, earlier.end, event.begin, verdict, what);
        }
    }

    /// Rule 2.
    fn metadata_before_head(&self, event: &Event, id: u64, verdict: &mut Verdict) {
        let name: PathBuf = [format!("chk-{id}"), "_metadata".to_owned()].iter().collect();
        let published =
            self.events.iter().filter(|earlier| earlier.end < event.begin).find_map(|earlier| match &earlier.what {
                What::Named { from, to } if to.ends_with(&name) => Some((earlier, from, to)),
                _ => None,
            });
        let Some((naming, from, to)) = published else {
            verdict
                .violations
                .push(format!("the HEAD write of checkpoint {id} begins before `_metadata` is published"));
            return;
        };
        verdict.metadata_files += 1;
        let what = format!("`_metadata` of checkpoint {id} is published while its bytes are not synced");
        verdict.expect(self.bytes_synced(from, naming.begin), what);
        let what = |unsynced: &Path| {
            format!("the HEAD write of checkpoint {id} begins while the name {} is not synced", unsynced.display())
        };
        self.expect_names_synced(to, naming.end, event.begin, verdict, what);
    }

    /// Rule 3, second half: the newest HEAD was named after the write of this checkpoint began, and its name is synced.
    fn head_before_notice(&self, event: &Event, id: u64, verdict: &mut Verdict) {
        verdict.notices += 1;
        let of_write = |earlier: &&Event| {
            let What::Phase { name, checkpoint } = &earlier.what else { return false };
            name == "writing-head" && *checkpoint == Some(id)
        };
        let began = self.events.iter().filter(|earlier| earlier.begin < event.begin).rfind(of_write);
        let named = began.and_then(|began| {
            self.events.iter().filter(|e| e.begin > began.begin && e.end < event.begin).find_map(|e| match &e.what {
                What::Named { to, .. } if is_head(to) => Some((e.end, to)),
                _ => None,
            })
        });
        match named {
            None => verdict.violations.push(format!("checkpoint {id} is announced before its HEAD is written")),
            Some((at, head)) => {
                let what = |unsynced: &Path| {
                    format!("checkpoint {id} is announced while {} is not synced", unsynced.display())
                };
                self.expect_names_synced(head, at, event.begin, verdict, what);
            }
        }
    }

    /// Whether a sync of this file began after its last write had ended, and had ended itself by then.
    fn bytes_synced(&self, path: &Path, by: usize) -> bool {
        let touched = self.events.iter().filter(|event| event.begin < by).filter_map(|event| match &event.what {
            What::Written(written) | What::Created(written) if written == path => Some(event.end),
            _ => None,
        });
        touched.max().is_some_and(|last| self.synced(path, last, by))
    }

    fn synced(&self, path: &Path, after: usize, by: usize) -> bool {
        let is_sync = |event: &Event| matches!(&event.what, What::Synced(synced) if synced == path);
        self.events.iter().any(|event| is_sync(event) && event.begin > after && event.end < by)
    }

    /// A name is durable when its directory was synced after it came to be there; a new directory's name likewise.
    fn expect_names_synced(
        &self,
        path: &Path,
        named_at: usize,
        by: usize,
        verdict: &mut Verdict,
        what: impl Fn(&Path) -> String,
    ) {
        let mut next = Some((path, named_at));
        while let Some((path, at)) = next.take() {
            let Some(directory) = path.parent() else { return };
            verdict.expect(self.synced(directory, at, by), what(path));
            let made = self
                .events
                .iter()
                .filter(|event| event.begin < by)
                .rfind(|event| matches!(&event.what, What::DirectoryMade(made) if made == directory));
            next = made.map(|made| (directory, made.end));
        }
    }
}

fn parent_name(path: &Path) -> &str {
    path.parent().and_then(Path::file_name).and_then(OsStr::to_str).unwrap_or_default()
}

fn is_head(path: &Path) -> bool {
    parent_name(path) == "head" && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("HEAD-"))
}

impl Verdict {
    /// How many things were looked at.
    pub(super) fn checked(&self) -> u64 {
        self.counts().iter().map(|(_, times)| times).sum()
    }

    pub(super) fn counts(&self) -> [(&'static str, u64); 6] {
        [
            ("acknowledgements", self.acknowledgements),
            ("state files", self.state_files),
            ("staged outputs", self.staged_outputs),
            ("_metadata files", self.metadata_files),
            ("HEADs", self.heads),
            ("notices", self.notices),
        ]
    }

    fn expect(&mut self, holds: bool, otherwise: String) {
        if !holds {
            self.violations.push(otherwise);
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, times) in self.counts() {
            write!(f, "{times} {kind}, ")?;
        }
        write!(f, "{} violations", self.violations.len())
    }
}

#[cfg(test)]
#[path = "rules_test.rs"]
mod tests;
