//! The table in `docs/flink.md` is what the code says.

use std::path::Path;

use ckpt_flink::{ChangeKind, Direction, Effect};

const FIRST: &str = "| change | which way | state | what |\n|---|---|---|---|\n";

#[test]
fn the_table_of_changes_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/flink.md");
    let document = std::fs::read_to_string(path).unwrap();
    let table: String = ChangeKind::ALL.iter().map(|kind| row(*kind)).collect();
    let at = document.find(FIRST).expect("the table's head") + FIRST.len();
    let found = document[at..].split("\n\n").next().unwrap().trim_end();
    assert!(found == table.trim_end(), "the table in docs/flink.md should be:\n{FIRST}{table}");
}

fn row(kind: ChangeKind) -> String {
    let direction = match kind.direction() {
        Direction::FromFlink => "from Flink",
        Direction::ToFlink => "to Flink",
        _ => "both",
    };
    let effect = match kind.effect() {
        Effect::Changed => "carried",
        _ => "left out",
    };
    format!("| `{kind:?}` | {direction} | {effect} | {} |\n", kind.description())
}
