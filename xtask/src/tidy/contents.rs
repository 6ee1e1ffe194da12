//! What no file may contain, and what only some may.

use super::source::{SourceFile, words};
use super::use_tree::imports;
use super::{Finding, Tree};

/// Nothing is left undone, and no test is switched off.
pub(super) fn forbidden_words(tree: &Tree, findings: &mut Vec<Finding>) {
    for file in &tree.sources {
        for word in ["todo!", "unimplemented!", "dbg!", "#[ignore"] {
            for at in words(file.code(), word) {
                findings.push(Finding::failure(file.place(at), format!("`{word}`: finish it or leave it out")));
            }
        }
    }
}

/// What a module exports is listed name by name.
pub(super) fn glob_exports(tree: &Tree, findings: &mut Vec<Finding>) {
    for file in &tree.sources {
        for import in imports(file.code()) {
            // The choice between real and model types is the one place that hands on whatever both sides have.
            let shim = file.path.ends_with("/sync/mod.rs");
            if import.visibility.starts_with("pub") && import.path.ends_with("::*") && !shim {
                findings.push(Finding::failure(file.place(import.at), "a `pub use` lists its names"));
            }
        }
    }
}

/// A call site with a bare `true` says nothing: options structs or enums instead. Setters may take one.
pub(super) fn bool_parameters(tree: &Tree, findings: &mut Vec<Finding>) {
    for file in tree.sources.iter().filter(|file| file.in_crates()) {
        for function in public_functions(file) {
            let setter = |parameter: &str| {
                [parameter.to_owned(), format!("with_{parameter}"), format!("set_{parameter}")].contains(&function.name)
            };
            for parameter in function.parameters.split(',') {
                let Some((name, kind)) = parameter.split_once(':') else { continue };
                if kind.trim() == "bool" && !setter(name.trim().trim_start_matches("mut ")) {
                    let message =
                        format!("`{}` takes a bool; an enum or an options struct says what it means", function.name);
                    findings.push(Finding::failure(file.place(function.at), message));
                }
            }
        }
    }
}

/// Units are in the type: a time that is a bare integer hides its own.
pub(super) fn units(tree: &Tree, findings: &mut Vec<Finding>) {
    for file in tree.sources.iter().filter(|file| file.in_crates() && !file.path.contains("wire")) {
        for (at, _) in file.shipped().match_indices(": u64") {
            let line = file.shipped()[..at].rfind('\n').map_or(0, |line| line + 1);
            let name =
                file.shipped()[line..at].rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or("");
            if ["timeout", "interval", "pause", "delay"].iter().any(|word| name.contains(word)) {
                findings.push(Finding::failure(file.place(at), format!("`{name}` is a time: use `Duration`")));
            }
        }
    }
}

/// Types in memory are apart from types in bytes: serde stands in wire types, messages and configuration only.
pub(super) fn serde_derives(tree: &Tree, findings: &mut Vec<Finding>) {
    const MAY: &[&str] = &["wire", "message", "config", "description"];
    // All that the command makes is printed.
    let is_printed = |path: &str| path.starts_with("crates/ckpt-cli/");
    for file in tree.sources.iter().filter(|file| file.in_crates() && !is_printed(&file.path)) {
        let component =
            |part: &str| MAY.iter().any(|may| part.trim_end_matches(".rs").split('_').any(|word| word == *may));
        if file.path.split('/').any(component) {
            continue;
        }
        for word in ["Serialize", "Deserialize"] {
            let derive = |at: &usize| {
                let before = &file.shipped()[..*at];
                before.rfind("derive(").is_some_and(|derive| !before[derive..].contains(')'))
            };
            for at in words(file.shipped(), word).filter(derive) {
                let message = format!("derives {word} outside of wire types, messages and configuration");
                findings.push(Finding::failure(file.place(at), message));
            }
        }
    }
}

/// A handle that says "durable" is made where bytes were made durable, or read back, or given again as it was registered
/// or looked at; nowhere else.
pub(super) fn assume_durable(tree: &Tree, findings: &mut Vec<Finding>) {
    const MAY: &[&str] = &["seal", "sealed", "wire", "decode", "codec", "message", "shared"];
    for file in tree.sources.iter().filter(|file| file.in_crates()) {
        let component =
            |part: &str| MAY.iter().any(|may| part.trim_end_matches(".rs").split('_').any(|word| word == *may));
        // A view cannot be made by anybody outside; ckpt-storage's views are something else.
        let is_view = file.path.ends_with("/state/view.rs");
        // What Flink's metadata names was durable when Flink wrote that.
        let is_flinks = file.path.contains("/convert/from_flink/");
        if file.path.split('/').any(component) || is_view || is_flinks || file.path.contains("/testing/") {
            continue;
        }
        let shipped = file.shipped();
        for at in words(shipped, "assume_durable").filter(|at| !shipped[..*at].trim_end().ends_with("fn")) {
            findings.push(Finding::failure(
                file.place(at),
                "`assume_durable` stands in sealing, in decoders, in the registry and in conversions from Flink only",
            ));
        }
    }
}

struct Function {
    at: usize,
    name: String,
    parameters: String,
}

/// Functions marked exactly `pub`, and those of public traits (which carry no mark).
fn public_functions(file: &SourceFile) -> Vec<Function> {
    let code = file.shipped();
    let mut functions = Vec::new();
    for at in words(code, "fn") {
        let line = code[..at].rfind('\n').map_or(0, |line| line + 1);
        let before = code[line..at].trim_start();
        if !before.starts_with("pub ") {
            continue;
        }
        let signature = &code[at + "fn".len()..];
        let Some(open) = signature.find('(') else { continue };
        let name = signature[..open].split('<').next().unwrap_or_default().trim().to_owned();
        let parameters = balanced(&signature[open..]).to_owned();
        functions.push(Function { at, name, parameters });
    }
    functions
}

/// What stands between a parenthesis and the one that closes it.
fn balanced(text: &str) -> &str {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 1 => return &text[1..at],
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    text.get(1..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{failures, tree};
    use super::*;

    #[test]
    fn unfinished_work_and_ignored_tests_fail() {
        let text = "//! X.\nfn a() { todo!() }\n// todo!()\n#[ignore]\nfn b() { unimplemented!(\"\") }\n";
        let found = failures(forbidden_words, &tree([("a.rs", text)]));
        assert_eq!(found, ["a.rs:2", "a.rs:5", "a.rs:4"]);
    }

    #[test]
    fn exporting_everything_fails() {
        let tree = tree([
            ("a.rs", "pub use b::*;\nuse c::*;\npub(crate) use d::{e, f::*};\n"),
            ("crates/a/src/sync/mod.rs", "pub(crate) use real::*;\n"),
        ]);
        assert_eq!(failures(glob_exports, &tree), ["a.rs:1", "a.rs:3"]);
    }

    #[test]
    fn a_bool_that_is_no_setter_fails() {
        let text = "\
pub fn open(path: &str, create: bool) {}
pub fn with_create(self, create: bool) {}
pub const fn create(mut self, create: bool) {}
fn private(create: bool) {}
pub fn visit(act: impl Fn(bool), n: u32) -> bool {}
pub fn many(
    first: u32,
    second: bool,
) {}
";
        let tree = tree([("crates/a/src/x.rs", text), ("xtask/src/x.rs", text)]);
        assert_eq!(failures(bool_parameters, &tree), ["crates/a/src/x.rs:1", "crates/a/src/x.rs:6"]);
    }

    #[test]
    fn a_time_without_a_unit_fails() {
        let text = "struct A { timeout: u64, length: u64, pause_millis: u64, interval: Duration }\n";
        assert_eq!(
            failures(units, &tree([("crates/a/src/x.rs", text)])),
            ["crates/a/src/x.rs:1", "crates/a/src/x.rs:1"]
        );
    }

    #[test]
    fn serde_on_a_type_in_memory_fails() {
        let text = "#[derive(Clone, Serialize)]\nstruct A;\n#[derive(Debug)]\nstruct Serialize;\n";
        let tree = tree([
            ("crates/a/src/model.rs", text),
            ("crates/a/src/metadata/wire.rs", text),
            ("crates/a/src/message/marker.rs", text),
            ("crates/a/src/storage_config.rs", text),
            ("crates/ckpt-cli/src/model.rs", text),
        ]);
        assert_eq!(failures(serde_derives, &tree), ["crates/a/src/model.rs:1"]);
    }

    #[test]
    fn calling_a_handle_durable_elsewhere_fails() {
        let tree = tree([
            ("crates/a/src/x.rs", "fn a() { StateHandle::assume_durable() }\n"),
            ("crates/a/src/handle.rs", "pub const fn assume_durable() {}\n"),
            ("crates/a/src/stream/seal.rs", "fn a() { StateHandle::assume_durable() }\n"),
            ("crates/a/src/convert/from_flink/x.rs", "fn a() { StateHandle::assume_durable() }\n"),
            ("crates/a/src/y.rs", "#[cfg(test)]\nmod tests {\nfn a() { StateHandle::assume_durable() }\n}\n"),
        ]);
        assert_eq!(failures(assume_durable, &tree), ["crates/a/src/x.rs:1"]);
    }
}
