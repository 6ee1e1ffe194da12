//! Tables and numbers for people.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr as _;

use crate::report::Style;
use crate::text::escaped;

/// Where the texts of a column stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Prints rows below the names of their columns; nothing when there are none. Texts are escaped here.
///
/// The rows are made twice, for the widths of the columns and to be printed, so that never more than one of them is in
/// memory.
pub(crate) fn print_table(
    out: &mut dyn Write,
    style: Style,
    columns: &[(&str, Align)],
    rows: impl Iterator<Item = Vec<String>> + Clone,
) -> io::Result<()> {
    let mut widths: Vec<_> = columns.iter().map(|(name, _)| name.width()).collect();
    let mut is_empty = true;
    for row in rows.clone() {
        is_empty = false;
        for (width, text) in widths.iter_mut().zip(&row) {
            *width = (*width).max(escaped(text).width());
        }
    }
    if is_empty {
        return Ok(());
    }
    let mut line = String::new();
    put_row(&mut line, columns, &widths, columns.iter().map(|(name, _)| *name));
    writeln!(out, "{}", style.bold(&line))?;
    for row in rows {
        put_row(&mut line, columns, &widths, row.iter().map(String::as_str));
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// Makes the line of a row.
fn put_row<'a>(line: &mut String, columns: &[(&str, Align)], widths: &[usize], texts: impl Iterator<Item = &'a str>) {
    const GAP: usize = 2;
    line.clear();
    // How far the line is behind where the next text begins. Spaces are put in front of a text only, so a line ends without.
    let mut behind = 0;
    for ((text, (_, align)), width) in texts.zip(columns).zip(widths) {
        let text = escaped(text);
        let space = width.saturating_sub(text.width());
        let (before, after) = if *align == Align::Right { (space, 0) } else { (0, space) };
        behind += before;
        if !text.is_empty() {
            line.extend(std::iter::repeat_n(' ', behind));
            line.push_str(&text);
            behind = 0;
        }
        behind += after + GAP;
    }
}

/// Prints what has a name each, the names in one column.
pub(crate) fn print_fields(out: &mut dyn Write, style: Style, fields: &[(&str, String)]) -> io::Result<()> {
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in fields {
        writeln!(out, "{}  {}", style.bold(format_args!("{name:width$}")), escaped(value))?;
    }
    Ok(())
}

/// Bytes as people read them, in powers of 1024. Below zero is what is not known: Flink has -1 for that.
pub(crate) fn bytes(count: i64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if count < 0 {
        return "?".to_owned();
    }
    if count < 1024 {
        return format!("{count} B");
    }
    let (mut scaled, mut unit) = (count as f64 / 1024.0, 0);
    while scaled >= 1023.95 && unit + 1 < UNITS.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    format!("{scaled:.1} {}", UNITS[unit])
}

/// The same of what may be unknown.
pub(crate) fn bytes_if_known(count: Option<i64>) -> String {
    count.map_or_else(|| "?".to_owned(), bytes)
}

/// What may be missing.
pub(crate) fn or_dash(text: Option<&str>) -> String {
    text.unwrap_or("-").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_text_on_a_terminal() {
        let row = |texts: [&str; 3]| texts.map(str::to_owned).to_vec();
        let rows = [row(["a", "1", "x"]), row(["日本", "1000", ""]), row(["e\u{301}\u{1b}", "", "last"])];
        let mut out = Vec::new();
        let columns = [("NAME", Align::Left), ("N", Align::Right), ("END", Align::Left)];
        print_table(&mut out, Style::Plain, &columns, rows.iter().cloned()).unwrap();
        let expected = ["NAME        N  END", "a           1  x", "日本     1000", "e\u{301}\\u{1b}        last"];
        assert_eq!(String::from_utf8(out).unwrap().lines().collect::<Vec<_>>(), expected);

        let mut nothing = Vec::new();
        print_table(&mut nothing, Style::Plain, &columns, std::iter::empty()).unwrap();
        assert_eq!(nothing, b"");
    }

    #[test]
    fn bytes_are_scaled_and_never_four_digits() {
        for (count, expected) in [
            (-1, "?"),
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (1024 * 1024 - 1, "1.0 MiB"),
            (i64::MAX, "8.0 EiB"),
        ] {
            assert_eq!(bytes(count), expected);
        }
    }
}
