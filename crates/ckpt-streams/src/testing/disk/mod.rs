//! A disk whose machine may lose power at any instant.
//!
//! It is a model of a POSIX file system: directories, names, files, and what was synced. The local file system that
//! ships runs on it, so what is tested is its own order of calls. From what was done the disk yields every image that a
//! loss of power may leave:
//!
//! * what was synced is there: the bytes of a file, the names in a directory;
//! * of everything else any part may be: each name and each write on its own, in no order;
//! * of a write the front, or some of the blocks of 512 or of 4096 bytes; what is missing in front of what is there
//!   reads as zeros.
//!
//! An image is a disk again: what takes over is opened on it, and may lose power as well.

mod image;
mod state;
mod system;

#[cfg(all(test, not(ckpt_loom)))]
mod disk_test;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::file_system::LocalFileSystem;
use crate::file_system::local::system::System;
use crate::sync::Mutex;
use ckpt_core::Result;
use state::{Kept, Nodes, Step};
use system::Calls;

pub use image::{Image, ImageOptions};

/// A disk whose machine may lose power at any instant. Clones are the same disk.
///
/// ```
/// # use std::ops::ControlFlow;
/// # use ckpt_core::state::RelPath;
/// # use ckpt_streams::file_system::{CasOutcome, Durability, FileSystem, Visible};
/// # use ckpt_streams::testing::{Disk, ImageOptions};
/// let disk = Disk::new();
/// let files = disk.open("/job")?;
/// let path = RelPath::new("d/file")?;
/// let mut writer = files.create_new(&path, Visible::AtOnce)?;
/// writer.write_all(b"bytes").expect("room");
/// assert!(matches!(writer.finish(Durability::Full), CasOutcome::Done(_)));
/// files.sync_entries(&[path.clone()])?;
/// let promised = disk.done();
///
/// let images = disk.visit_images(ImageOptions::default(), &|done| usize::from(done >= promised), &mut |image| {
///     let found = image.disk.open("/job").and_then(|files| files.open(&path));
///     // What was promised is there; until then it may be.
///     assert!(found.is_ok() || image.done < promised, "{image:?}");
///     ControlFlow::Continue(())
/// });
/// assert!(images > 10);
/// # Ok::<(), ckpt_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Disk {
    machine: Arc<Mutex<Machine>>,
}

/// The machine that a disk is in.
#[derive(Debug)]
struct Machine {
    /// What a loss of power leaves whatever was done since.
    base: Nodes,
    /// What was done since.
    steps: Vec<Step>,
    /// What a program finds.
    nodes: Nodes,
    umask: u32,
    shares_bytes: bool,
    descriptors: usize,
}

impl Disk {
    /// An empty one.
    pub fn new() -> Self {
        Self::of(Nodes::new())
    }

    fn of(base: Nodes) -> Self {
        let machine =
            Machine { nodes: base.clone(), base, steps: Vec::new(), umask: 0o022, shares_bytes: false, descriptors: 0 };
        Self { machine: Arc::new(Mutex::new(machine)) }
    }

    /// Lets files share their bytes (reflinks).
    pub fn share_bytes(&self) {
        self.machine.lock().shares_bytes = true;
    }

    /// Narrows the modes of what is made from here on.
    pub fn set_umask(&self, umask: u32) {
        self.machine.lock().umask = umask;
    }

    /// Opens the local file system on it, as a process that was just started does.
    ///
    /// # Errors
    ///
    /// Those of [`LocalFileSystem::open`].
    pub fn open(&self, root: impl AsRef<Path>) -> Result<LocalFileSystem> {
        LocalFileSystem::open_on(self.calls(), root.as_ref())
    }

    /// How much was done so far: what came before this instant has a smaller [`Image::done`].
    pub fn done(&self) -> usize {
        self.machine.lock().steps.len()
    }

    /// How many descriptors are open. A file system that has found its root holds one, and two once it has
    /// made or removed a name.
    pub fn descriptors(&self) -> usize {
        self.machine.lock().descriptors
    }

    /// What is left when power is lost now and nothing survives that was not synced.
    pub fn lose_power(&self) -> Self {
        let machine = self.machine.lock();
        let durable = image::durable(&machine.steps, machine.steps.len());
        let mut nodes = machine.base.clone();
        for (step, durable) in machine.steps.iter().zip(durable) {
            nodes.apply(step, if durable { Kept::All } else { Kept::Nothing });
        }
        Self::of(nodes)
    }

    pub(crate) fn calls(&self) -> Arc<dyn System> {
        Arc::new(Calls(Arc::clone(&self.machine)))
    }
}

impl Machine {
    fn log(&mut self, step: Step) {
        self.nodes.apply(&step, Kept::All);
        self.steps.push(step);
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Disk({} steps)", self.done())
    }
}
