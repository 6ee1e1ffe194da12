//! From system calls to what they mean for the files of a job.

use std::path::{Component, Path, PathBuf};

use super::strace::Call;

/// Something that happened to the files below a directory, or a step that was announced.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) thread: u32,
    /// Order in which it began.
    pub(super) begin: usize,
    /// Order in which it had happened.
    pub(super) end: usize,
    pub(super) what: What,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum What {
    Created(PathBuf),
    DirectoryMade(PathBuf),
    Written(PathBuf),
    /// A file's bytes, or a directory's names.
    Synced(PathBuf),
    /// By a link or by a rename.
    Named {
        from: PathBuf,
        to: PathBuf,
    },
    Phase {
        name: String,
        checkpoint: Option<u64>,
    },
}

/// What the traced program writes before a step: `ckpt-phase <phase> [<checkpoint>]`.
const MARK: &str = "ckpt-phase ";

/// The events below `root`, and the phases.
pub(super) fn events(calls: &[Call], root: &Path) -> Vec<Event> {
    let mut events = Vec::new();
    for call in calls.iter().filter(|call| !call.result.starts_with('-') && !call.result.starts_with('?')) {
        let Some(what) = meaning(call) else { continue };
        let concerns = match &what {
            What::Phase { .. } => true,
            What::Created(path) | What::DirectoryMade(path) | What::Written(path) => path.starts_with(root),
            What::Named { to, .. } => to.starts_with(root),
            // The entry of the root itself is in the directory above.
            What::Synced(path) => path.starts_with(root) || root.parent() == Some(path),
        };
        if concerns {
            events.push(Event { thread: call.thread, begin: call.begin, end: call.end, what });
        }
    }
    events
}

fn meaning(call: &Call) -> Option<What> {
    let argument = |at: usize| call.arguments.get(at).map(String::as_str);
    match call.name.as_str() {
        "openat" | "openat2" if argument(2)?.contains("O_CREAT") => Some(What::Created(described(&call.result)?)),
        "mkdir" => Some(What::DirectoryMade(named(None, argument(0)?)?)),
        "mkdirat" => Some(What::DirectoryMade(named(argument(0), argument(1)?)?)),
        "write" | "writev" | "pwrite64" | "pwritev" => match phase(argument(1)?) {
            Some(phase) => Some(phase),
            None => Some(What::Written(described(argument(0)?)?)),
        },
        "fsync" | "fdatasync" => Some(What::Synced(described(argument(0)?)?)),
        "link" | "rename" => Some(What::Named { from: named(None, argument(0)?)?, to: named(None, argument(1)?)? }),
        "linkat" | "renameat" | "renameat2" => {
            let from = named(argument(0), argument(1)?)?;
            Some(What::Named { from, to: named(argument(2), argument(3)?)? })
        }
        _ => None,
    }
}

/// The path in `5</path>`.
fn described(descriptor: &str) -> Option<PathBuf> {
    let path = descriptor.split_once('<')?.1.rsplit_once('>')?.0;
    Some(PathBuf::from(path))
}

/// A quoted path below a described directory.
fn named(directory: Option<&str>, quoted: &str) -> Option<PathBuf> {
    let name = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let whole = directory.and_then(described).unwrap_or_default().join(name);
    Some(whole.components().filter(|component| *component != Component::CurDir).collect())
}

fn phase(quoted: &str) -> Option<What> {
    let text = quoted.split_once(MARK)?.1;
    let text = text.split("\\n").next()?.trim_end_matches('"');
    let mut words = text.split_whitespace();
    let name = words.next()?.to_owned();
    Some(What::Phase { name, checkpoint: words.next().and_then(|id| id.parse().ok()) })
}

#[cfg(test)]
mod tests {
    use super::super::strace::calls;
    use super::*;

    #[test]
    fn calls_become_events_and_others_are_left_out() {
        let trace = r#"
1 mkdirat(3</c>, "chk-1", 0700) = 0
1 mkdirat(3</c>, "chk-1", 0700) = -1 EEXIST (File exists)
1 openat2(4</c/chk-1>, "f", {flags=O_WRONLY|O_CREAT|O_EXCL, mode=0600}, 24) = 5</c/chk-1/f>
1 openat(4</c/chk-1>, "f", O_RDONLY) = 6</c/chk-1/f>
1 write(5</c/chk-1/f>, "x", 1) = 1
1 fdatasync(5</c/chk-1/f>) = 0
1 linkat(4</c/chk-1>, "f", 4</c/chk-1>, "g", 0) = 0
1 write(9</elsewhere>, "x", 1) = 1
1 write(2</dev/null>, "ckpt-phase writing-head 7\n", 26) = 26
"#;
        let path = |name: &str| PathBuf::from(name);
        let expected = [
            What::DirectoryMade(path("/c/chk-1")),
            What::Created(path("/c/chk-1/f")),
            What::Written(path("/c/chk-1/f")),
            What::Synced(path("/c/chk-1/f")),
            What::Named { from: path("/c/chk-1/f"), to: path("/c/chk-1/g") },
            What::Phase { name: "writing-head".to_owned(), checkpoint: Some(7) },
        ];
        let found: Vec<What> = events(&calls(trace), Path::new("/c")).into_iter().map(|event| event.what).collect();
        assert_eq!(found, expected);
    }
}
