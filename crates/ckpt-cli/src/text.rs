//! Texts for people; those of strangers are made fit for a terminal.

use std::borrow::Cow;
use std::path::Path;

/// The text with every character escaped that could move a cursor, change a colour, turn the direction of writing or
/// hide.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_dangerous(character) {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// The same of a path; bytes that are no text are shown as U+FFFD.
pub(crate) fn escaped_path(path: &Path) -> String {
    escaped(&path.to_string_lossy()).into_owned()
}

/// So many of something, whose name becomes plural by an `s`.
pub(crate) fn count(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Whether a terminal may obey it, or show nothing: controls, line ends, and Unicode's format characters, among which are
/// those that turn the direction of writing.
pub(crate) fn is_dangerous(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    let is_format = matches!(character,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}'
        | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}');
    character.is_control() || is_format || matches!(character, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_nothing_else_is() {
        assert_eq!(escaped("chk-1/ä 😀 '\\"), "chk-1/ä 😀 '\\");
        assert_eq!(escaped("a\u{1b}[31mb\n\u{9b}c"), "a\\u{1b}[31mb\\n\\u{9b}c");
        assert_eq!(escaped("gpj\u{202e}.exe"), "gpj\\u{202e}.exe");
        assert_eq!(escaped("a\u{200b}b\u{e0041}"), "a\\u{200b}b\\u{e0041}");
    }
}
