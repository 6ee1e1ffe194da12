//! What the page about Flink's tests promises: no case is left out, every test and script is there, the totals are right.

use std::collections::BTreeMap;

use super::docs::{cells, is_divider, test_names};
use super::{Finding, Tree};

const PAGE: &str = "docs/flink-test-map.md";

/// As many as the lists have that the page was made from: a row cannot be lost together with its share of the totals.
const LISTED: Listed = Listed { classes: 60, cases: 695, bugs: 86 };

/// Who may have something still to show.
const AREAS: &[&str] = &["core", "streams", "merging", "storage", "coordinator", "task"];

struct Listed {
    classes: usize,
    cases: usize,
    bugs: usize,
}

/// Cases and bugs of each status.
type Totals = BTreeMap<String, (usize, usize)>;

pub(super) fn complete(tree: &Tree, findings: &mut Vec<Finding>) {
    check(tree, &LISTED, findings);
}

fn check(tree: &Tree, listed: &Listed, findings: &mut Vec<Finding>) {
    let Some(text) = tree.documents.get(PAGE) else {
        findings.push(Finding::failure(PAGE, "is missing"));
        return;
    };
    let tests = test_names(tree);
    let is_script = |name: &str| tree.scripts.iter().any(|path| path.ends_with(&format!("/{name}")));
    let mut totals = Totals::new();
    let mut stated = Totals::new();
    let (mut class, mut case, mut cases, mut bugs) = (0, 0, 0, 0);
    for (number, line) in text.lines().enumerate() {
        let mut fail = |message: String| findings.push(Finding::failure(format!("{PAGE}:{}", number + 1), message));
        if let Some(heading) = line.strip_prefix("## T") {
            (class, case) = (class + 1, 0);
            if !heading.starts_with(&format!("{class}. ")) {
                fail(format!("expected the class T{class}"));
            }
            continue;
        }
        let Some(cells) = cells(line).filter(|cells| !is_divider(cells)) else { continue };
        let (id, last) = (cells[0], cells[cells.len() - 1]);
        let is_bug = id.starts_with('B') && id[1..].parse::<u32>().is_ok();
        let is_case = id.starts_with('T') && id.contains('.');
        if let [status, of_cases, of_bugs] = cells[..] {
            if let (Ok(of_cases), Ok(of_bugs)) = (of_cases.parse(), of_bugs.parse()) {
                stated.insert(status.to_owned(), (of_cases, of_bugs));
            }
            continue;
        }
        let expected = if is_bug {
            bugs += 1;
            format!("B{bugs}")
        } else if is_case {
            (case, cases) = (case + 1, cases + 1);
            format!("T{class}.{case}")
        } else {
            if id != "case" {
                fail(format!("`{id}` is no number of a case"));
            }
            continue;
        };
        if id != expected {
            fail(format!("expected the number {expected}, found {id}"));
        }
        match status(last) {
            Some(status) => {
                for key in [status.as_str(), "all"] {
                    let total = totals.entry(key.to_owned()).or_default();
                    *if is_bug { &mut total.1 } else { &mut total.0 } += 1;
                }
            }
            None => fail(format!("`{last}` is neither tests nor `n/a: why` nor `todo: {}`", AREAS.join("|"))),
        }
        for name in last.split('`').skip(1).step_by(2) {
            let (there, what) =
                if name.ends_with(".txt") { (is_script(name), "script") } else { (tests.contains(name), "test") };
            if !there {
                fail(format!("there is no {what} `{name}`"));
            }
        }
    }
    for (what, found, expected) in
        [("classes", class, listed.classes), ("cases", cases, listed.cases), ("bugs", bugs, listed.bugs)]
    {
        if found != expected {
            findings.push(Finding::failure(PAGE, format!("has {found} {what}, expected {expected}")));
        }
    }
    let statuses = ["shown", "n/a"].map(str::to_owned).into_iter();
    for status in statuses.chain(AREAS.iter().map(|area| format!("todo: {area}"))).chain(["all".to_owned()]) {
        let (found, counted) = (stated.remove(&status), totals.remove(&status).unwrap_or_default());
        if found != Some(counted) {
            let (cases, bugs) = counted;
            let message = format!("the totals must have the line `| {status} | {cases} | {bugs} |`");
            findings.push(Finding::failure(PAGE, message));
        }
    }
    for status in stated.into_keys() {
        findings.push(Finding::failure(PAGE, format!("the totals have a line for `{status}`, which is no status")));
    }
}

/// What a row counts as: what is partly shown counts as still to be shown.
fn status(cell: &str) -> Option<String> {
    let (shown, rest) = match cell.rsplit_once("todo: ") {
        Some((shown, area)) if AREAS.contains(&area) => (shown.strip_suffix("; ").unwrap_or(shown), Some(area)),
        Some(_) => return None,
        None => (cell, None),
    };
    if let Some(reason) = shown.strip_prefix("n/a: ") {
        return (!reason.is_empty() && rest.is_none()).then(|| "n/a".to_owned());
    }
    match rest {
        Some(area) => (shown.is_empty() || shown.starts_with('`')).then(|| format!("todo: {area}")),
        None => shown.starts_with('`').then(|| "shown".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::tree;
    use super::*;

    const LISTED: Listed = Listed { classes: 2, cases: 4, bugs: 2 };

    const GOOD: &str = "\
| status | cases | bugs |
|---|---|---|
| shown | 1 | 1 |
| n/a | 1 | 0 |
| todo: core | 0 | 0 |
| todo: streams | 0 | 0 |
| todo: merging | 0 | 0 |
| todo: storage | 1 | 0 |
| todo: coordinator | 0 | 0 |
| todo: task | 1 | 1 |
| all | 4 | 2 |

## T1. First

| case | Flink's test | behaviour | shown by |
|---|---|---|---|
| T1.1 | a | b | `it_holds` (`one.txt`), `it_holds` |
| T1.2 | a | b | n/a: Java, and `it_holds` |

## T2. Second

| case | Flink's test | behaviour | shown by |
|---|---|---|---|
| T2.1 | a | b | todo: task |
| T2.2 | a | b | `it_holds`; todo: storage |

## Bugs

| case | ticket | class | what went wrong | shown by |
|---|---|---|---|---|
| B1 | a | b | c | `it_holds` |
| B2 | a | b | c | todo: task |
";

    fn messages(text: &str) -> Vec<String> {
        let mut tree = tree([("crates/a/tests/a.rs", "fn it_holds() {}"), ("crates/a/src/a.rs", "fn shipped() {}")]);
        tree.scripts.insert("crates/a/testdata/one.txt".to_owned());
        tree.documents.insert(PAGE.to_owned(), text.to_owned());
        let mut findings = Vec::new();
        check(&tree, &LISTED, &mut findings);
        findings.into_iter().map(|finding| format!("{} {}", finding.place, finding.message)).collect()
    }

    /// The one finding that a change leads to, besides those about totals.
    fn finding(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from));
        let all = messages(&GOOD.replacen(from, to, 1));
        let mut lines: Vec<String> = all.into_iter().filter(|message| !message.contains("the totals must")).collect();
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines.remove(0)
    }

    #[test]
    fn a_page_in_order_passes_and_a_missing_one_fails() {
        assert_eq!(messages(GOOD), [""; 0]);
        let mut findings = Vec::new();
        complete(&tree([]), &mut findings);
        assert_eq!(findings, [Finding::failure(PAGE, "is missing")]);
    }

    #[test]
    fn a_test_or_a_script_that_is_not_there_fails() {
        assert!(finding("`it_holds` (", "`gone` (").ends_with(":17 there is no test `gone`"));
        assert!(finding("`one.txt`", "`ne.txt`").ends_with("there is no script `ne.txt`"));
        assert!(finding("`it_holds`;", "`shipped`;").ends_with("there is no test `shipped`"));
        assert!(finding("and `it_holds`", "and `no_more`").ends_with("there is no test `no_more`"));
    }

    #[test]
    fn an_unknown_status_or_area_fails() {
        for (from, to) in [
            ("todo: task |\n| T2.2", "todo: cli |\n| T2.2"),
            ("n/a: Java, and `it_holds`", "n/a: "),
            ("| `it_holds` |", "| |"),
            ("| `it_holds` |", "| later |"),
            ("`it_holds`; todo: storage", "n/a: x; todo: storage"),
        ] {
            assert!(finding(from, to).contains("is neither tests nor"), "{to}");
        }
    }

    #[test]
    fn a_number_that_is_missing_or_doubled_fails() {
        assert!(finding("| T1.2 |", "| T1.1 |").ends_with(":18 expected the number T1.2, found T1.1"));
        assert!(finding("| T2.2 |", "| T2.3 |").ends_with("expected the number T2.2, found T2.3"));
        assert!(finding("| B2 |", "| B1 |").ends_with("expected the number B2, found B1"));
        assert!(finding("## T2.", "## T3.").contains("expected the class T2"));
        assert!(finding("| B2 | a | b | c | todo: task |\n", "").ends_with("has 1 bugs, expected 2"));
        assert!(finding("| T2.2 | a | b | `it_holds`; todo: storage |\n", "").ends_with("has 3 cases, expected 4"));
    }

    #[test]
    fn totals_that_do_not_add_up_fail() {
        let wrong = |from: &str, to: &str| messages(&GOOD.replacen(from, to, 1));
        let line = |text: &str| [format!("{PAGE} the totals must have the line `{text}`")];
        assert_eq!(wrong("| shown | 1 | 1 |", "| shown | 2 | 1 |"), line("| shown | 1 | 1 |"));
        assert_eq!(wrong("| todo: streams | 0 | 0 |\n", ""), line("| todo: streams | 0 | 0 |"));
        assert_eq!(wrong("| all | 4 | 2 |", "| all | 4 | 1 |"), line("| all | 4 | 2 |"));
        let unknown = [format!("{PAGE} the totals have a line for `todo: cli`, which is no status")];
        assert_eq!(wrong("| all |", "| todo: cli | 0 | 0 |\n| all |"), unknown);
    }
}
