//! JSON that can be shown on a terminal.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use crate::text::is_dangerous;

/// Prints a value as JSON and a line end. What a terminal could obey is escaped, which is the same JSON.
pub(crate) fn print_json(value: &(impl Serialize + ?Sized), out: &mut dyn Write) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *out, Safe(PrettyFormatter::new())))?;
    writeln!(out)
}

/// Lines as people read them, with texts of strangers made fit for a terminal.
struct Safe<'a>(PrettyFormatter<'a>);

impl Formatter for Safe<'_> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, character)) = rest.char_indices().find(|(_, character)| is_dangerous(*character)) {
            let (safe, behind) = rest.split_at(at);
            writer.write_all(safe.as_bytes())?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = behind.strip_prefix(character).unwrap_or_default();
        }
        writer.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn printed(value: &Value) -> String {
        let mut out = Vec::new();
        print_json(value, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_the_value_is_the_same() {
        let dangerous: String = (0..=0x10_ffff).filter_map(char::from_u32).filter(|it| is_dangerous(*it)).collect();
        for one in ["\u{1b}", "\u{7f}", "\u{9b}", "\u{2028}", "\u{200e}", "\u{202e}", "\u{2069}", "\u{e0041}"] {
            assert!(dangerous.contains(one), "{one:?}");
        }
        let value = json!({ dangerous.clone(): [dangerous, "ä 😀\n", { "b": [], "c": {}, "d": 1.5 }] });
        let text = printed(&value);
        assert!(!text.contains(|character| character != '\n' && is_dangerous(character)));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert_eq!(printed(&json!(["\u{9b}", "\u{e0041}ä"])), "[\n  \"\\u009b\",\n  \"\\udb40\\udc41ä\"\n]\n");
    }

    #[test]
    fn everything_else_is_as_serde_json_prints_it() {
        let value = json!({ "a": [1, [], {}, null, "x\"\\\n😀"], "b": { "c": true } });
        assert_eq!(printed(&value), serde_json::to_string_pretty(&value).unwrap() + "\n");
    }
}
