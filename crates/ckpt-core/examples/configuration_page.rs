//! Prints `docs/configuration.md` from the table of settings. `cargo xtask docs` writes the page.

use std::fmt;

use ckpt_core::config::{Key, ignored_keys, keys};

const HEAD: &str = "\
<!-- Written by `cargo xtask docs` from crates/ckpt-core/src/config; changes belong there. -->

# Configuration

The settings of checkpointing have Flink's keys, types, defaults and rules. They are set in code
(`CheckpointConfig::builder()`), read from any key/value map (`CheckpointConfig::parse`), or both
(`ConfigLayers`): code counts before the job's configuration, and that before the cluster's. It is the setting that
counts, not the key: an old key of the job counts before the new one of the cluster.

* A *duration* is a whole number and a unit (`d`, `h`, `min`, `s`, `ms`, `µs`, `ns`, or their long names) in any case, a
  number of milliseconds, or ISO 8601's `PnDTnHnMnS`: `10 min`, `1500`, `PT1H`.
* A *memory size* is a whole number and a unit (`b`, `kb`, `mb`, `gb`, `tb`, `k`, `m`, `g`, `t`, `kibibytes`…), or a number
  of bytes; units are powers of 1024: `20 kb`, `1g`, `64 kibibytes`.
* *Booleans* and names in capitals are read in any case. An *integer* has 32 bits, as in Flink.
* A *path or URI* is absolute or has a scheme. Every character of a path is meant as it stands there; in a URI `%20` is a
  space. Slashes that stand twice or at the end mean nothing. Messages leave out who a URI is for and what it asks for.
* A value that is refused is an error with key, value, layer, rule and remedy. What was accepted and should be looked at
  is a warning value: old names, replaced values, settings that another leaves without effect, ignored and unknown keys
  (with the key that was probably meant). In code, where it can be mended at once, each of these is an error.
* `CheckpointConfig::validate` compares the settings with a job: unaligned checkpoints of a job with feedback edges or
  custom partitioners must be forced; periodic checkpoints are refused for operators that choose their input, and have no
  effect across blocking connections.
";

/// A heading, and the first key below it.
const TOPICS: [(&str, &str); 8] = [
    ("When checkpoints are taken", "execution.checkpointing.interval"),
    ("How barriers are aligned", "execution.checkpointing.mode"),
    ("What a failed checkpoint does", "execution.checkpointing.tolerable-failed-checkpoints"),
    ("Which checkpoints are kept", "execution.checkpointing.externalized-checkpoint-retention"),
    ("Where checkpoints go", "execution.checkpointing.storage"),
    ("Merged files", "execution.checkpointing.file-merging.enabled"),
    ("Local copies", "execution.checkpointing.local-backup.enabled"),
    ("What a job begins with", "execution.state-recovery.path"),
];

fn main() {
    print!("{}", Page);
}

/// The page.
struct Page;

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        for key in keys() {
            if let Some((heading, _)) = TOPICS.iter().find(|(_, first)| *first == key.key) {
                writeln!(f, "\n## {heading}\n")?;
                writeln!(f, "| key | what for | Flink | PyFlink | ours | type | default | rule |")?;
                writeln!(f, "|---|---|---|---|---|---|---|---|")?;
            }
            write_row(f, &key)?;
        }
        writeln!(
            f,
            "\n## Old names\n\nThey are understood, with a warning; beside the key of today they have no effect.\n"
        )?;
        writeln!(f, "| old name | key |\n|---|---|")?;
        for key in keys() {
            for old in &key.old_names {
                writeln!(f, "| `{old}` | `{}` |", key.key)?;
            }
        }
        for key in keys() {
            for fallback in &key.fallbacks {
                writeln!(f, "\nWhere `{}` is not set, `{fallback}` counts for it as well.", key.key)?;
            }
        }
        writeln!(f, "\n## Ignored keys\n\nThey are recognised, have no effect, and are reported with why.\n")?;
        writeln!(f, "| key | why |\n|---|---|")?;
        for ignored in ignored_keys() {
            let all = if ignored.key.ends_with('.') { "*" } else { "" };
            writeln!(f, "| `{}{all}` | {} |", ignored.key, ignored.why)?;
        }
        Ok(())
    }
}

fn write_row(f: &mut fmt::Formatter<'_>, key: &Key) -> fmt::Result {
    let rules: Vec<&str> = [&*key.rule, key.with_others].into_iter().filter(|rule| !rule.is_empty()).collect();
    let (flink, pyflink) = (code(key.flink_setter), code(key.pyflink_setter));
    let (name, meaning, kind, default) = (key.key, key.meaning, key.kind, &key.default);
    let (ours, rules) = (key.builder_method, rules.join("; "));
    writeln!(f, "| `{name}` | {meaning} | {flink} | {pyflink} | `{ours}` | {kind} | {default} | {rules} |")
}

/// The method alone where the class is the one that everybody expects.
fn code(setter: Option<&str>) -> String {
    setter.map_or_else(String::new, |name| format!("`{}`", name.strip_prefix("CheckpointConfig.").unwrap_or(name)))
}
