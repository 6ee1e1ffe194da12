//! Reading what `strace -f -y` wrote.

use std::collections::BTreeMap;

/// A system call that ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) thread: u32,
    pub(super) name: String,
    /// As printed, without the parentheses.
    pub(super) arguments: Vec<String>,
    /// What stands behind `=`.
    pub(super) result: String,
    /// The line on which it began.
    pub(super) begin: usize,
    /// The line on which it ended: another thread may have done something in between.
    pub(super) end: usize,
}

/// The calls of a trace, in the order in which they began. A call that never ended, since its process was killed, is
/// left out: nothing may rely on it.
pub(super) fn calls(trace: &str) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut unfinished: BTreeMap<u32, (usize, String)> = BTreeMap::new();
    for (number, line) in trace.lines().enumerate() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let Ok(thread) = thread.parse() else { continue };
        let rest = rest.trim_start();
        if let Some(head) = rest.strip_suffix("<unfinished ...>") {
            unfinished.insert(thread, (number, head.trim_end().to_owned()));
        } else if let Some(resumed) = rest.strip_prefix("<... ") {
            let tail = resumed.split_once(" resumed>").map_or("", |(_, tail)| tail);
            if let Some((begin, head)) = unfinished.remove(&thread) {
                calls.extend(parse(thread, &format!("{head}{tail}"), begin, number));
            }
        } else {
            calls.extend(parse(thread, rest, number, number));
        }
    }
    calls.sort_by_key(|call| call.begin);
    calls
}

fn parse(thread: u32, line: &str, begin: usize, end: usize) -> Option<Call> {
    let (name, rest) = line.split_once('(')?;
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return None;
    }
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    let arguments = split(arguments);
    Some(Call { thread, name: name.to_owned(), arguments, result: result.trim().to_owned(), begin, end })
}

/// Splits at commas that are outside of strings, brackets and paths.
fn split(arguments: &str) -> Vec<String> {
    let (mut parts, mut part, mut depth, mut quoted) = (Vec::new(), String::new(), 0_usize, false);
    let mut chars = arguments.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted => {
                part.push(c);
                part.extend(chars.next());
                continue;
            }
            '"' => quoted = !quoted,
            '{' | '[' | '<' if !quoted => depth += 1,
            '}' | ']' | '>' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                parts.push(std::mem::take(&mut part).trim().to_owned());
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    if !part.trim().is_empty() {
        parts.push(part.trim().to_owned());
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_also_when_another_thread_cuts_in() {
        let trace = "\
7 openat2(3</r>, \"a, b\", {flags=O_WRONLY|O_CREAT, mode=0600}, 24) = 5</r/a, b>
7 fsync(5</r/a, b> <unfinished ...>
8 write(2</dev/pts/0>, \"x = (\\\"1\\\")\\n\", 10) = 10
7 <... fsync resumed>)                  = 0
7 --- SIGCHLD {si_signo=SIGCHLD} ---
8 +++ exited with 0 +++
9 fsync(4</r> <unfinished ...>
";
        let calls = calls(trace);
        assert_eq!(calls.len(), 3);
        assert_eq!(calls[0].arguments[..2], ["3</r>", "\"a, b\""]);
        assert_eq!(calls[0].result, "5</r/a, b>");
        assert_eq!((calls[1].name.as_str(), calls[1].begin, calls[1].end), ("fsync", 1, 3));
        assert_eq!((calls[2].thread, calls[2].arguments.len()), (8, 3));
    }
}
