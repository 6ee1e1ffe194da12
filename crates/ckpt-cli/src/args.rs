//! The command line.

use std::path::PathBuf;

use ckpt_core::id::JobId;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::help;
use crate::map_root::MapRoot;
use crate::report::Format;
use crate::snapshot::Detail;

/// Looks into checkpoints and savepoints, of ckpt and of Apache Flink, verifies them, and removes those of ckpt. Nothing is modified but by
/// rm and gc, and by those only with --yes.
#[derive(Debug, Parser)]
#[command(name = "ckpt", version, propagate_version = true, after_help = help::CKPT)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the checkpoints and savepoints below a directory.
    #[command(after_help = help::LS)]
    Ls(LsArgs),
    /// Show one checkpoint or savepoint, from a summary to every handle.
    #[command(after_help = help::SHOW)]
    Show(ShowArgs),
    /// Verify that every file that a snapshot names is there, and is what was written.
    #[command(after_help = help::VERIFY)]
    Verify(VerifyArgs),
    /// Remove one checkpoint or savepoint of ours: say what that would do, and do it with --yes.
    #[command(after_help = help::RM)]
    Rm(RmArgs),
    /// Collect what a job needs no more: say what that is, and delete it with --yes.
    #[command(after_help = help::GC)]
    Gc(GcArgs),
    /// Look into what only Flink's files have.
    #[command(subcommand, after_help = help::FLINK)]
    Flink(FlinkCommand),
    /// Print completions for a shell.
    #[command(after_help = help::COMPLETIONS)]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page, or that of a command.
    #[command(after_help = help::MAN)]
    Man {
        /// The command.
        command: Vec<String>,
    },
}

/// What only Flink's files have.
#[derive(Debug, Subcommand)]
pub(crate) enum FlinkCommand {
    /// Everything that a `_metadata` of Flink's says, as JSON in Flink's own terms.
    #[command(after_help = help::DUMP)]
    Dump(DumpArgs),
}

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

/// The arguments of `ckpt rm`.
#[derive(Debug, Args)]
pub(crate) struct RmArgs {
    /// A snapshot of ours: its directory, or the `_metadata` in it.
    pub(crate) path: PathBuf,
    /// The directory of a job whose HEAD must not need the snapshot. Those beside it are asked anyway. May be given several
    /// times.
    #[arg(long, value_name = "DIR")]
    pub(crate) job_dir: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) act: ActArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// The arguments of `ckpt gc`.
#[derive(Debug, Args)]
pub(crate) struct GcArgs {
    /// The directory of a job of ours, in which its HEAD is.
    pub(crate) directory: PathBuf,
    #[command(flatten)]
    pub(crate) act: ActArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Whether, and by what right, something is changed.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct ActArgs {
    /// Do it. Without this nothing is changed.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Take the job of this id over, though it is active: whoever leads it is fenced, and can commit nothing more.
    #[arg(long, value_name = "JOBID")]
    pub(crate) take_over: Option<JobId>,
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
