//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::map_root::MapRoot;
use crate::report::Format;
use crate::snapshot::Detail;

/// Looks into checkpoints and savepoints, of ckpt and of Apache Flink, and verifies them. Nothing is ever modified.
#[derive(Debug, Parser)]
#[command(name = "ckpt", version, propagate_version = true, after_help = EXIT_STATUS)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_STATUS: &str = "Exit status: 0 when all is well, 1 when something is wrong with what was looked at, 2 when it could not be looked at.";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the checkpoints and savepoints below a directory.
    #[command(after_help = LS_EXAMPLES)]
    Ls(LsArgs),
    /// Show one checkpoint or savepoint, from a summary to every handle.
    #[command(after_help = SHOW_EXAMPLES)]
    Show(ShowArgs),
    /// Verify that every file that a snapshot names is there, and is what was written.
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(VerifyArgs),
    /// What only Flink's files have.
    #[command(subcommand)]
    Flink(FlinkCommand),
    /// Print completions for a shell.
    #[command(
        after_help = "Examples:\n  ckpt completions bash > ~/.local/share/bash-completion/completions/ckpt\n  ckpt completions fish > ~/.config/fish/completions/ckpt.fish"
    )]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page, or that of a command.
    #[command(
        after_help = "Examples:\n  ckpt man | man -l -\n  ckpt man flink dump | man -l -\n  ckpt man > /usr/local/share/man/man1/ckpt.1"
    )]
    Man {
        /// The command.
        command: Vec<String>,
    },
}

/// What only Flink's files have.
#[derive(Debug, Subcommand)]
pub(crate) enum FlinkCommand {
    /// Everything that a `_metadata` of Flink's says, as JSON in Flink's own terms.
    #[command(after_help = DUMP_EXAMPLES)]
    Dump(DumpArgs),
}

const DUMP_EXAMPLES: &str = "Examples:
  ckpt flink dump /savepoints/savepoint-f1f1f1-70037165871d
  ckpt flink dump chk-17/_metadata | jq '.operators[] | {uid, stateSize}'";

const LS_EXAMPLES: &str = "Examples:
  ckpt ls /checkpoints
  ckpt ls --json /checkpoints | jq '.snapshots[] | select(.standing == \"restorePoint\") | .path'";

/// The arguments of `ckpt ls`.
#[derive(Debug, Args)]
pub(crate) struct LsArgs {
    /// A directory of jobs, of one job, of savepoints, or one that holds such directories.
    pub(crate) directory: PathBuf,
    #[command(flatten)]
    pub(crate) strict: StrictArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

const SHOW_EXAMPLES: &str = "Examples:
  ckpt show /checkpoints/f1f1f1f1f1f1f1f1000000008abd5ad8/chk-17
  ckpt show --operators savepoint-f1f1f1-70037165871d
  ckpt show --handles --json chk-17/_metadata | jq -r '.operators[].subtasks[].handles[].file'";

/// The arguments of `ckpt show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// A directory with a `_metadata`, or such a file; ours or Flink's.
    pub(crate) path: PathBuf,
    /// Show each operator.
    #[arg(long)]
    operators: bool,
    /// Show each subtask of each operator.
    #[arg(long)]
    subtasks: bool,
    /// Show each handle of each subtask.
    #[arg(long)]
    handles: bool,
    #[command(flatten)]
    pub(crate) strict: StrictArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

impl ShowArgs {
    pub(crate) const fn detail(&self) -> Detail {
        match self {
            Self { handles: true, .. } => Detail::Handles,
            Self { subtasks: true, .. } => Detail::Subtasks,
            Self { operators: true, .. } => Detail::Operators,
            _ => Detail::Summary,
        }
    }
}

const VERIFY_EXAMPLES: &str = "Files of Flink's have no digest: that they are there and their lengths are all that can be verified. Where a path of
Flink's is absolute, it is looked for by --map-root; or else next to the snapshot, in the place that it had next to the
job's directory, or in the snapshot's own; or else where it says.

Examples:
  ckpt verify /checkpoints/f1f1f1f1f1f1f1f1000000008abd5ad8/chk-17
  ckpt verify /backup/checkpoints --map-root hdfs://nn/checkpoints=/backup/checkpoints
  ckpt verify --json /checkpoints | jq -r '.snapshots[].problems[] | [.file, .owner.operatorName, .owner.subtask] | @tsv'";

/// The arguments of `ckpt verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// A snapshot: a directory with a `_metadata`, or such a file. Or a directory with snapshots below it.
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) strict: StrictArgs,
    #[command(flatten)]
    pub(crate) map: MapArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// The arguments of `ckpt flink dump`.
#[derive(Debug, Args)]
pub(crate) struct DumpArgs {
    /// A directory with a `_metadata`, or such a file.
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) strict: StrictArgs,
    #[command(flatten)]
    pub(crate) map: MapArgs,
    /// Nothing else: it is JSON in any case.
    #[arg(long)]
    json: bool,
}

/// How much is tolerated.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct StrictArgs {
    /// Take bytes behind the end of metadata of Flink's for an error. Flink does not look for them.
    #[arg(long)]
    pub(crate) strict: bool,
}

/// Which directories have moved.
#[derive(Clone, Debug, Args)]
pub(crate) struct MapArgs {
    /// What the metadata calls URI lies at PATH now, as in `file:/old=/new`. May be given several times; the first that
    /// fits counts.
    #[arg(long, value_name = "URI=PATH")]
    pub(crate) map_root: Vec<MapRoot>,
}

/// How to print.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct OutputArgs {
    /// Print JSON; docs/cli.md says what it holds.
    #[arg(long)]
    json: bool,
}

impl OutputArgs {
    pub(crate) const fn format(self) -> Format {
        if self.json { Format::Json } else { Format::Tables }
    }
}
