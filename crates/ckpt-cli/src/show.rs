//! `ckpt show`: one snapshot.

use std::io::{self, Write};

use ckpt_storage::METADATA_FILE;
use serde::Serialize;

use crate::args::ShowArgs;
use crate::error::CommandError;
use crate::marks::Marks;
use crate::metadata_file::{MetadataFile, MetadataFormat};
use crate::oddity;
use crate::report::{Report, Style};
use crate::snapshot::{self, Handle, Operator, Size, Snapshot, Subtask};
use crate::table::{Align, bytes, bytes_if_known, or_dash, print_fields, print_table};
use crate::text::count;

/// As much of a snapshot as is asked for, and what the marks beside it say.
#[derive(Debug, Serialize)]
pub(crate) struct MarkedSnapshot {
    #[serde(flatten)]
    snapshot: Snapshot,
    #[serde(skip_serializing_if = "Marks::is_empty")]
    marks: Marks,
}

/// Looks at it.
pub(crate) fn gather(args: &ShowArgs) -> Result<MarkedSnapshot, CommandError> {
    let file = MetadataFile::find(&args.path)?;
    let snapshot = snapshot::gather(&file, args.detail())?;
    oddity::tell(&file, snapshot.trailing_bytes, &snapshot.notes, args.strict)?;
    let is_marked = file.path.ends_with(METADATA_FILE);
    let marks = if is_marked { Marks::in_directory(&file.directory) } else { Marks::default() };
    Ok(MarkedSnapshot { snapshot, marks })
}

impl Report for MarkedSnapshot {
    fn print(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let mut fields = self.snapshot.fields();
        fields.extend(self.marks.texts().into_iter().map(|(file, text)| ("mark", format!("{file}: {text}"))));
        print_fields(out, style, &fields)?;
        self.snapshot.print_state(out, style)
    }
}

impl Snapshot {
    fn print_state(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        if !self.master_states.first.is_empty() {
            writeln!(out)?;
            let rows = self.master_states.first.iter().map(|state| {
                let length = i64::try_from(state.length_bytes).unwrap_or(i64::MAX);
                vec![state.name.clone(), state.version.to_string(), bytes(length)]
            });
            let columns = [("MASTER STATE", Align::Left), ("VERSION", Align::Right), ("SIZE", Align::Right)];
            print_table(out, style, &columns, rows)?;
            if self.master_states.more() > 0 {
                let all = bytes(i64::try_from(self.master_states.length_bytes.unwrap_or(0)).unwrap_or(i64::MAX));
                writeln!(out, "… and {} more, {all} in all", self.master_states.more())?;
            }
        }
        let Some(operators) = &self.operators else { return Ok(()) };
        writeln!(out)?;
        print_operators(out, style, operators)?;
        let subtasks =
            || operators.iter().flat_map(|operator| operator.subtasks.iter().flatten().map(move |it| (operator, it)));
        if subtasks().next().is_some() {
            writeln!(out)?;
            print_subtasks(out, style, subtasks())?;
        }
        let handles = || {
            subtasks().flat_map(|(operator, it)| it.handles.iter().flatten().map(move |handle| (operator, it, handle)))
        };
        if handles().next().is_some() {
            writeln!(out)?;
            print_handles(out, style, handles())?;
        }
        Ok(())
    }

    /// What kind it is, for people.
    pub(crate) fn kind_text(&self) -> String {
        match (&self.kind, self.savepoint_format) {
            (Some(kind), Some(format)) => format!("{kind}, {format}"),
            (Some(kind), None) => kind.clone(),
            (None, _) => "?".to_owned(),
        }
    }

    /// Whose it is, for people.
    pub(crate) fn format_text(&self) -> String {
        let name = match self.format {
            MetadataFormat::Ckpt => "ckpt",
            MetadataFormat::Flink => "Flink",
        };
        format!("{name} v{}", self.format_version)
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("snapshot", self.path.clone()),
            ("format", self.format_text()),
            ("kind", self.kind_text()),
            ("checkpoint", self.checkpoint_id.to_string()),
        ];
        let optional = [("job", &self.job), ("triggered", &self.triggered_at), ("completed", &self.completed_at)];
        fields.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
        if self.completed_at.is_none() {
            fields.extend(self.modified_at.clone().map(|time| ("written", time)));
        }
        if let Some(self_contained) = self.self_contained {
            fields.push(("movable", if self_contained { "yes, it is self-contained" } else { "no" }.to_owned()));
        }
        fields.push(("metadata", bytes(i64::try_from(self.metadata_bytes).unwrap_or(i64::MAX))));
        fields.push(("state", size_text(&self.size)));
        let mut held = count(self.operator_count, "operator");
        held += &format!(", {} with state", count(self.counts.subtasks_with_state, "subtask"));
        if self.counts.finished_subtasks > 0 {
            held += &format!(", {} finished", self.counts.finished_subtasks);
        }
        fields.push(("holds", format!("{held}, {}", count(self.counts.handles, "handle"))));
        fields.extend(self.places.iter().map(|place| ("place", format!("{} = {}", place.root, place.uri))));
        if self.trailing_bytes > 0 {
            fields.push(("warning", format!("{} behind the end", count(self.trailing_bytes, "byte"))));
        }
        fields.extend(self.notes.iter().map(|note| ("warning", note.clone())));
        fields
    }
}

fn size_text(size: &Size) -> String {
    let mut text = format!("{} ({} written for it)", bytes(size.state_bytes), bytes(size.written_bytes));
    text += &format!(": {} inline", bytes(size.inline_bytes));
    if let (Some(exclusive), Some(shared)) = (size.exclusive_bytes, size.shared_bytes) {
        text += &format!(", {} exclusive, {} shared", bytes(exclusive), bytes(shared));
    }
    text
}

fn size_cells(size: &Size) -> Vec<String> {
    let places = [Some(size.inline_bytes), size.exclusive_bytes, size.shared_bytes];
    let mut cells = vec![bytes(size.state_bytes), bytes(size.written_bytes)];
    cells.extend(places.map(bytes_if_known));
    cells
}

const SIZE_COLUMNS: [(&str, Align); 5] = [
    ("STATE", Align::Right),
    ("WRITTEN", Align::Right),
    ("INLINE", Align::Right),
    ("EXCLUSIVE", Align::Right),
    ("SHARED", Align::Right),
];

fn print_operators(out: &mut dyn Write, style: Style, operators: &[Operator]) -> io::Result<()> {
    let mut columns = vec![
        ("OPERATOR", Align::Left),
        ("NAME", Align::Left),
        ("UID", Align::Left),
        ("PARALLELISM", Align::Right),
        ("SUBTASKS", Align::Right),
        ("FINISHED", Align::Right),
        ("HANDLES", Align::Right),
    ];
    columns.extend(SIZE_COLUMNS);
    let rows = operators.iter().map(|operator| {
        let finished = match operator.fully_finished {
            true => "all".to_owned(),
            false => operator.counts.finished_subtasks.to_string(),
        };
        let mut row = vec![
            operator.id.clone(),
            or_dash(operator.name.as_deref()),
            or_dash(operator.uid.as_deref()),
            format!("{}/{}", operator.parallelism, operator.max_parallelism),
            operator.counts.subtasks_with_state.to_string(),
            finished,
            operator.counts.handles.to_string(),
        ];
        row.extend(size_cells(&operator.size));
        row
    });
    print_table(out, style, &columns, rows)
}

fn print_subtasks<'a>(
    out: &mut dyn Write,
    style: Style,
    subtasks: impl Iterator<Item = (&'a Operator, &'a Subtask)> + Clone,
) -> io::Result<()> {
    let mut columns = vec![("OPERATOR", Align::Left), ("SUBTASK", Align::Right), ("HANDLES", Align::Right)];
    columns.extend(SIZE_COLUMNS);
    let rows = subtasks.map(|(operator, subtask)| {
        let handles = if subtask.finished { "finished".to_owned() } else { subtask.handle_count.to_string() };
        let mut row = vec![operator.title().to_owned(), index_text(subtask.index), handles];
        row.extend(size_cells(&subtask.size));
        row
    });
    print_table(out, style, &columns, rows)
}

fn print_handles<'a>(
    out: &mut dyn Write,
    style: Style,
    handles: impl Iterator<Item = (&'a Operator, &'a Subtask, &'a Handle)> + Clone,
) -> io::Result<()> {
    let columns = [
        ("OPERATOR", Align::Left),
        ("SUBTASK", Align::Right),
        ("KIND", Align::Left),
        ("WHAT", Align::Left),
        ("KEY GROUPS", Align::Right),
        ("BYTES", Align::Right),
        ("WHERE", Align::Left),
        ("DIGEST", Align::Left),
    ];
    let rows = handles.map(|(operator, subtask, handle)| {
        let place = match (&handle.file, handle.offset_bytes) {
            (None, _) => "inline".to_owned(),
            (Some(file), None) => file.clone(),
            (Some(file), Some(offset)) => format!("{file} from {offset}"),
        };
        vec![
            operator.title().to_owned(),
            index_text(subtask.index),
            handle.kind.name().to_owned(),
            handle.role.clone(),
            handle.key_groups.map_or_else(String::new, |[first, last]| format!("{first}-{last}")),
            if handle.length_bytes < 0 { "?".to_owned() } else { handle.length_bytes.to_string() },
            place,
            or_dash(handle.digest.as_deref()),
        ]
    });
    print_table(out, style, &columns, rows)
}

fn index_text(index: Option<u32>) -> String {
    index.map_or_else(|| "coordinator".to_owned(), |index| index.to_string())
}

impl Operator {
    /// What people know it by.
    fn title(&self) -> &str {
        self.uid.as_deref().or(self.name.as_deref()).unwrap_or(&self.id)
    }
}
