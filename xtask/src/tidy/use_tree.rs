//! The paths that a piece of code names.

/// Every path of every `use`, braces expanded, with the byte where its `use` stands; and whether it is exported.
pub(super) fn imports(code: &str) -> Vec<Import> {
    let mut found = Vec::new();
    for at in super::source::words(code, "use") {
        let line = code[..at].rfind('\n').map_or(0, |line| line + 1);
        let before = code[line..at].trim();
        if !(before.is_empty() || before.starts_with("pub")) {
            continue;
        }
        let end = code[at..].find(';').map_or(code.len(), |len| at + len);
        let mut paths = Vec::new();
        expand("", &code[at + "use".len()..end], &mut paths);
        found.extend(paths.into_iter().map(|path| Import { at, path, visibility: before.to_owned() }));
    }
    found
}

/// A path that a `use` brings in.
#[derive(Debug)]
pub(super) struct Import {
    pub(super) at: usize,
    /// Without an `as` and what follows it.
    pub(super) path: String,
    /// `pub`, `pub(crate)` or nothing.
    pub(super) visibility: String,
}

fn expand(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let tree = tree.trim();
    match tree.split_once('{') {
        Some((head, rest)) => {
            let prefix = format!("{prefix}{}", head.trim());
            let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
            for part in split_at_top(inner) {
                expand(&prefix, part, paths);
            }
        }
        None => {
            let path = tree.split(" as ").next().unwrap_or(tree).trim();
            let path = if path == "self" { String::new() } else { path.split_whitespace().collect() };
            let whole = format!("{prefix}{path}");
            if !whole.is_empty() && !tree.is_empty() {
                paths.push(whole.trim_end_matches("::").to_owned());
            }
        }
    }
}

fn split_at_top(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0_usize, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_are_expanded_at_any_depth() {
        let code = "use a::{self, b::{C, D as E}, f};\npub use g::*;\n    pub(crate) use crate::h;\nlet because = 1;";
        let found = imports(code);
        let paths: Vec<&str> = found.iter().map(|import| import.path.as_str()).collect();
        assert_eq!(paths, ["a", "a::b::C", "a::b::D", "a::f", "g::*", "crate::h"]);
        assert_eq!(found[4].visibility, "pub");
        assert_eq!(found[5].visibility, "pub(crate)");
    }
}
