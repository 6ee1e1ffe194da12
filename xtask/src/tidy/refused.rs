//! Examples that the compiler must refuse.

use super::{Finding, Tree};

/// One block of code in a doc comment.
struct Example<'a> {
    /// The line of its fence, from 1.
    line: usize,
    /// What stands behind the fence.
    attributes: &'a str,
    code: Vec<&'a str>,
}

/// An example that must not compile says with which error, and the same comment has its twin that does and differs in one
/// line. So what is refused is that line: not a name that was changed, or an import that is missing.
pub(super) fn with_a_twin(tree: &Tree, findings: &mut Vec<Finding>) {
    for file in tree.sources.iter().filter(|file| file.in_crates()) {
        for comment in comments(&file.text) {
            let is_refused = |example: &&Example<'_>| example.attributes.contains("compile_fail");
            for refused in comment.iter().filter(is_refused) {
                let place = format!("{}:{}", file.path, refused.line);
                if !refused.attributes.split(',').any(is_error_code) {
                    let message = "an example that must not compile names no error, as in `compile_fail,E0308`";
                    findings.push(Finding::failure(&place, message));
                }
                let mut others = comment.iter().filter(|example| !is_refused(example));
                if !others.any(|example| differ_in_one_line(&example.code, &refused.code)) {
                    let message = "an example that must not compile has no twin beside it that does, one line apart";
                    findings.push(Finding::failure(&place, message));
                }
            }
        }
    }
}

/// The examples of each doc comment.
fn comments(text: &str) -> Vec<Vec<Example<'_>>> {
    let mut comments = vec![Vec::new()];
    let mut open: Option<Example<'_>> = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start();
        let Some(line) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")).map(str::trim) else {
            open = None;
            comments.push(Vec::new());
            continue;
        };
        match (line.strip_prefix("```"), &mut open) {
            (Some(attributes), None) => open = Some(Example { line: number + 1, attributes, code: Vec::new() }),
            (Some(_), Some(_)) => comments.last_mut().into_iter().for_each(|comment| comment.extend(open.take())),
            (None, Some(example)) => example.code.push(line),
            (None, None) => {}
        }
    }
    comments
}

fn is_error_code(attribute: &str) -> bool {
    attribute.trim().strip_prefix('E').is_some_and(|number| number.len() == 4 && number.parse::<u16>().is_ok())
}

/// Whether one line is another, or is there in one of them only.
fn differ_in_one_line(one: &[&str], other: &[&str]) -> bool {
    let alike = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let (one, other) = (&one[alike..], &other[alike..]);
    match (one, other) {
        ([first, one @ ..], [second, other @ ..]) => {
            one == other || [&[*first], one].concat() == other || one == [&[*second], other].concat()
        }
        ([_], []) | ([], [_]) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::source::SourceFile;

    fn found(docs: &str) -> Vec<String> {
        let text: String = docs.lines().map(|line| format!("/// {line}\n")).collect();
        let file = SourceFile::new("crates/a/src/lib.rs".to_owned(), text + "pub struct A;\n");
        let mut findings = Vec::new();
        with_a_twin(&Tree { sources: vec![file], ..Tree::default() }, &mut findings);
        findings.into_iter().map(|finding| format!("{}: {}", finding.place, finding.message)).collect()
    }

    #[test]
    fn a_refused_example_has_its_error_and_its_twin() {
        let twin = "```\n# use a;\nf(1);\n```\n";
        let refused = |attributes: &str, code: &str| found(&format!("{twin}```{attributes}\n{code}\n```"));
        assert!(refused("compile_fail,E0308", "# use a;\nf(\"\");").is_empty());
        assert!(refused("compile_fail,E0308", "# use a;\nf(1);\nf(1);").is_empty());
        assert!(refused("compile_fail,E0308", "f(1);").is_empty());
        let nameless = refused("compile_fail", "# use a;\nf(\"\");");
        assert!(nameless.len() == 1 && nameless[0].starts_with("crates/a/src/lib.rs:5: "), "{nameless:?}");
        assert!(nameless[0].contains("names no error"));
        for unlike in ["# use b;\nf(\"\");", "# use a;\nf(1);", "# use a;\nf(1);\ng();\nh();"] {
            let found = refused("compile_fail,E0308", unlike);
            assert!(found.len() == 1 && found[0].contains("no twin"), "{unlike}: {found:?}");
        }
    }

    #[test]
    fn a_twin_stands_in_the_same_comment() {
        let apart =
            "/// ```\n/// f(1);\n/// ```\nstruct A;\n/// ```compile_fail,E0308\n/// f(2);\n/// ```\nstruct B;\n";
        let file = SourceFile::new("crates/a/src/lib.rs".to_owned(), apart.to_owned());
        let mut findings = Vec::new();
        with_a_twin(&Tree { sources: vec![file], ..Tree::default() }, &mut findings);
        assert_eq!(findings.len(), 1);
    }
}
