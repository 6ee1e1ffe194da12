//! Tables and numbers for people.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::report::Style;
use crate::text::escaped;

/// Where the texts of a column stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Prints rows below the names of their columns; nothing when there are none. Texts are escaped here.
pub(crate) fn print_table(
    out: &mut dyn Write,
    style: Style,
    columns: &[(&str, Align)],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> io::Result<()> {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|(name, _)| *name));
    for row in rows {
        table.add_row(row.iter().map(|text| escaped(text).into_owned()));
    }
    if table.is_empty() {
        return Ok(());
    }
    for (column, (_, align)) in table.column_iter_mut().zip(columns) {
        column.set_padding((0, 2));
        if *align == Align::Right {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for (number, line) in table.lines().enumerate() {
        let line = line.trim_end();
        match number {
            0 => writeln!(out, "{}", style.bold(line))?,
            _ => writeln!(out, "{line}")?,
        }
    }
    Ok(())
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
