//! A source file as the rules see it: comments and literals blanked, tests told from the rest.

/// One `.rs` file.
pub(super) struct SourceFile {
    /// Below the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    /// The text with every comment, string and character literal blanked; same length, same lines.
    code: String,
    /// Where a trailing `#[cfg(test)] mod …` begins, or the end.
    shipped_len: usize,
}

impl SourceFile {
    pub(super) fn new(path: String, text: String) -> Self {
        let code = blank(&text);
        let shipped_len = test_module_start(&code).unwrap_or(code.len());
        Self { path, text, code, shipped_len }
    }

    /// The code of the whole file.
    pub(super) fn code(&self) -> &str {
        &self.code
    }

    /// The code without a trailing test module; nothing for a file that is all tests.
    pub(super) fn shipped(&self) -> &str {
        if self.is_test() { "" } else { &self.code[..self.shipped_len] }
    }

    /// Whether the whole file is tests.
    pub(super) fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let in_tests = self.path.contains("/tests/") || self.path.contains("/testdata/");
        in_tests || name == "tests.rs" || name.ends_with("_test.rs") || name.ends_with("_tests.rs")
    }

    /// Lines that are no tests.
    pub(super) fn shipped_lines(&self) -> usize {
        self.text[..self.shipped_len].lines().count()
    }

    /// `path:line` of a byte of the text.
    pub(super) fn place(&self, at: usize) -> String {
        format!("{}:{}", self.path, 1 + self.text[..at].matches('\n').count())
    }

    /// Whether the file lies in the sources of a library crate.
    pub(super) fn in_crates(&self) -> bool {
        self.path.starts_with("crates/") && self.path.contains("/src/")
    }
}

/// Every place of a word that stands alone.
pub(super) fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let goes_on_before = code[..*at].chars().next_back().is_some_and(part_of_name);
        let goes_on_after = code[at + word.len()..].chars().next().is_some_and(part_of_name);
        let ends_in_name = word.chars().next_back().is_some_and(part_of_name);
        !(goes_on_before || ends_in_name && goes_on_after)
    })
}

fn test_module_start(code: &str) -> Option<usize> {
    let mut at = 0;
    let mut candidate = None;
    for line in code.split_inclusive('\n') {
        let attribute = line.starts_with("#[cfg(") && words(line, "test").next().is_some();
        if attribute {
            candidate = candidate.or(Some(at));
        } else if line.starts_with("mod ") && line.trim_end().ends_with('{') && candidate.is_some() {
            return candidate;
        } else if !line.starts_with("#[") && !line.trim().is_empty() {
            candidate = None;
        }
        at += line.len();
    }
    None
}

/// Replaces comments and the insides of literals by blanks, byte for byte.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = match rest[0] {
            b'/' if rest.starts_with(b"//") => at + line_len(rest),
            b'/' if rest.starts_with(b"/*") => at + block_comment_len(rest),
            b'"' => at + string_len(rest),
            b'r' if !after_name(bytes, at) => match raw_string_len(rest) {
                Some(len) => at + len,
                None => at,
            },
            b'\'' => at + char_len(rest),
            _ => at,
        };
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    // Only whole literals and comments were blanked, so what is left is whole characters.
    String::from_utf8_lossy(&out).into_owned()
}

fn after_name(bytes: &[u8], at: usize) -> bool {
    // `br"…"` is a raw string too.
    let before = |n: usize| at.checked_sub(n).map(|at| bytes[at]);
    let named = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if before(1) == Some(b'b') { named(before(2)) } else { named(before(1)) }
}

fn line_len(rest: &[u8]) -> usize {
    rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
}

fn block_comment_len(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn string_len(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw_string_len(rest: &[u8]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = 2 + hashes;
    let len = rest[body..].windows(close.len()).position(|window| window == close);
    Some(len.map_or(rest.len(), |len| body + len + close.len()))
}

/// Length of a character literal; 0 for a lifetime.
fn char_len(rest: &[u8]) -> usize {
    match rest.get(1) {
        Some(b'\\') => 2 + rest[2..].iter().skip(1).position(|byte| *byte == b'\'').map_or(0, |len| len + 2),
        Some(_) => {
            let len = std::str::from_utf8(&rest[1..rest.len().min(5)])
                .map_or_else(|error| error.valid_up_to(), str::len)
                .min(4);
            let first = std::str::from_utf8(&rest[1..=len]).ok().and_then(|text| text.chars().next());
            let width = first.map_or(1, char::len_utf8);
            if rest.get(1 + width) == Some(&b'\'') { width + 2 } else { 0 }
        }
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blank_and_the_rest_stays() {
        let text = "a /* todo!() /* x */ */ b // todo!()\n\"todo!()\" r#\"a\"todo!()\"# 'x' '\\'' '\"' 'é' c<'d>";
        let code = blank(text);
        assert!(!code.contains("todo"), "{code}");
        assert_eq!(code.len(), text.len());
        assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "b", "c<'d>"]);
        assert_eq!(blank(r#"let s = "a\"b"; x"#).split_whitespace().collect::<Vec<_>>(), ["let", "s", "=", ";", "x"]);
        assert_eq!(blank("b'\\\\' x '\\u{1f}' y").split_whitespace().collect::<Vec<_>>(), ["b", "x", "y"]);
    }

    #[test]
    fn a_trailing_test_module_is_no_shipped_code() {
        let file = |text: &str| SourceFile::new("crates/a/src/x.rs".to_owned(), text.to_owned());
        assert_eq!(file("//! X.\nfn a() {}\n#[cfg(test)]\nmod tests {\n}\n").shipped_lines(), 2);
        assert_eq!(file("//! X.\n#[cfg(all(test, not(ckpt_loom)))]\n#[allow(x)]\nmod tests {\n}\n").shipped_lines(), 1);
        assert_eq!(file("//! X.\n#[cfg(test)]\nmod x_test;\nfn a() {}\n").shipped_lines(), 4);
    }

    #[test]
    fn words_stand_alone() {
        assert_eq!(words("todo!() mytodo!() todo!x", "todo!").count(), 2);
        assert_eq!(words("bool boolean a_bool", "bool").count(), 1);
    }

    #[test]
    fn test_files_are_known_by_their_names() {
        let is_test = |path: &str| SourceFile::new(path.to_owned(), String::new()).is_test();
        assert!(is_test("crates/a/tests/api.rs"));
        assert!(is_test("crates/a/src/x_test.rs"));
        assert!(is_test("tests/tests/restore/main.rs"));
        assert!(!is_test("tests/src/lib.rs"));
    }
}
