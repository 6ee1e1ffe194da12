//! Where the workspace is and which packages it has.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::{Result, shell};

/// The workspace that is worked on.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

/// A package as `cargo metadata` shows it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
    #[serde(default)]
    metadata: Option<PackageMetadata>,
}

/// A dependency of a package.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// None is a normal dependency; others are `dev` and `build`.
    pub(crate) kind: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct PackageMetadata {
    #[serde(default)]
    ckpt: Option<CkptMetadata>,
}

#[derive(Clone, Debug, Deserialize)]
struct CkptMetadata {
    #[serde(rename = "loom-models", default)]
    loom_models: u64,
}

impl Package {
    /// How many loom models it says it has, in `[package.metadata.ckpt]`.
    pub(crate) fn loom_models(&self) -> u64 {
        self.metadata.as_ref().and_then(|metadata| metadata.ckpt.as_ref()).map_or(0, |ckpt| ckpt.loom_models)
    }
}

impl Workspace {
    /// The workspace that this command was started from, by `cargo run` or as a program built from it.
    pub(crate) fn find() -> Result<Self> {
        let manifest =
            std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = manifest.parent().ok_or("the package xtask has no workspace around it")?.to_path_buf();
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |given| root.join(given));
        Ok(Self { root, target })
    }

    /// The directory of the workspace's `Cargo.toml`.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where builds and summaries go.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// A program that is to run in the root.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// `cargo`, to run in the root.
    pub(crate) fn cargo(&self, subcommand: &str) -> Command {
        let mut command = self.command("cargo");
        command.arg(subcommand);
        command
    }

    /// The packages of the workspace.
    pub(crate) fn packages(&self) -> Result<Vec<Package>> {
        #[derive(Deserialize)]
        struct Metadata {
            packages: Vec<Package>,
        }
        let text = shell::output(self.cargo("metadata").args(["--no-deps", "--format-version", "1"]))?;
        Ok(serde_json::from_str::<Metadata>(&text)?.packages)
    }
}
