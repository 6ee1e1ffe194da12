//! What a loss of power leaves.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::fmt;
use std::hash::{Hash as _, Hasher as _};
use std::ops::ControlFlow;

use crate::testing::disk::state::{Kept, Random, Step};
use crate::testing::disk::{Disk, Machine};

/// What a loss of power left.
#[derive(Clone)]
pub struct Image {
    /// The disk afterwards.
    pub disk: Disk,
    /// How much had been done, as [`Disk::done`] counts it.
    pub done: usize,
    /// What survived of each step that was not synced.
    survived: Vec<(usize, Kept)>,
    /// Those steps, for a message.
    steps: Disk,
}

/// Which images are made.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ImageOptions {
    /// What is drawn is drawn from it.
    pub seed: u64,
    /// With at most so many steps that were not synced every subset of them is an image.
    pub exhaustive_steps: u32,
    /// With more so many subsets are drawn; and with any number so many images with torn writes.
    pub drawn: u32,
}

impl ImageOptions {
    /// The default with another seed.
    pub fn with_seed(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }
}

impl Default for ImageOptions {
    /// Every subset of 12 steps; 64 drawn.
    fn default() -> Self {
        Self { seed: 1, exhaustive_steps: 12, drawn: 64 }
    }
}

/// An image that is being chosen: what survives of each step that was not synced.
type Choice = Vec<(usize, Kept)>;

impl Disk {
    /// Visits every image that a loss of power could have left at any instant so far, each once for every `epoch` of the
    /// instant: images that are the same are visited again only where `epoch` says that more was promised. How many
    /// were visited.
    pub fn visit_images(
        &self,
        options: ImageOptions,
        epoch: &dyn Fn(usize) -> usize,
        visit: &mut dyn FnMut(&Image) -> ControlFlow<()>,
    ) -> u64 {
        let machine = self.machine.lock();
        let mut random = Random::new(options.seed);
        let mut seen = HashSet::new();
        let mut visited = 0;
        for done in 0..=machine.steps.len() {
            let durable = durable(&machine.steps, done);
            let pending: Vec<usize> =
                (0..done).filter(|at| !durable[*at] && machine.steps[*at].synced_with().is_some()).collect();
            for choice in choices(&machine, &pending, options, &mut random) {
                if !seen.insert(identity(&durable, &choice, epoch(done))) {
                    continue;
                }
                visited += 1;
                if visit(&self.image(&machine, done, &durable, choice)).is_break() {
                    return visited;
                }
            }
        }
        visited
    }

    fn image(&self, machine: &Machine, done: usize, durable: &[bool], survived: Choice) -> Image {
        let mut nodes = machine.base.clone();
        let mut chosen = survived.iter().copied().peekable();
        for (at, step) in machine.steps[..done].iter().enumerate() {
            let kept = match chosen.next_if(|(next, _)| *next == at) {
                Some((_, kept)) => kept,
                None if durable[at] || step.synced_with().is_none() => Kept::All,
                None => Kept::Nothing,
            };
            nodes.apply(step, kept);
        }
        Image { disk: Self::of(nodes), done, survived, steps: self.clone() }
    }
}

/// Which of the first steps no loss of power takes any more.
pub(super) fn durable(steps: &[Step], done: usize) -> Vec<bool> {
    let mut durable = vec![false; done];
    let mut synced = HashSet::new();
    for at in (0..done).rev() {
        match &steps[at] {
            Step::Sync { inode } => {
                synced.insert(*inode);
            }
            step => durable[at] = step.synced_with().is_none_or(|inode| synced.contains(&inode)),
        }
    }
    durable
}

/// Tells an image from others: what was done, whoever synced it and when.
fn identity(durable: &[bool], choice: &Choice, epoch: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    epoch.hash(&mut hasher);
    let mut chosen = choice.iter().copied().peekable();
    for (at, durable) in durable.iter().enumerate() {
        let kept = match chosen.next_if(|(next, _)| *next == at) {
            Some((_, kept)) => kept,
            None => {
                if *durable {
                    Kept::All
                } else {
                    Kept::Nothing
                }
            }
        };
        if kept != Kept::Nothing {
            (at, kept).hash(&mut hasher);
        }
    }
    hasher.finish()
}

fn choices(machine: &Machine, pending: &[usize], options: ImageOptions, random: &mut Random) -> Vec<Choice> {
    let mut choices = Vec::new();
    let subset = |bit: &dyn Fn(usize) -> bool| -> Choice {
        pending.iter().enumerate().filter(|(n, _)| bit(*n)).map(|(_, at)| (*at, Kept::All)).collect()
    };
    if pending.len() <= options.exhaustive_steps as usize {
        choices.extend((0..1_u64 << pending.len()).map(|mask| subset(&|n| mask >> n & 1 == 1)));
    } else {
        // In the order in which they were done, as a journal keeps them; and in none.
        choices.extend((0..=pending.len()).map(|length| subset(&|n| n < length)));
        for _ in 0..options.drawn {
            let bits: Vec<bool> = pending.iter().map(|_| random.next() % 2 == 0).collect();
            choices.push(subset(&|n| bits[n]));
        }
    }
    let writes: Vec<(usize, usize)> = pending
        .iter()
        .filter_map(|at| match &machine.steps[*at] {
            Step::Write { bytes, .. } => Some((*at, bytes.len())),
            _ => None,
        })
        .collect();
    // Each file's bytes up to some point, and all names.
    for (torn, length) in &writes {
        for prefix in [1, 511, 512, 4096, length / 2, length.saturating_sub(1)] {
            if prefix < *length {
                let kept = |at: &usize| match at.cmp(torn) {
                    std::cmp::Ordering::Equal => Kept::Prefix(prefix),
                    std::cmp::Ordering::Greater if is_write_of(machine, *at, *torn) => Kept::Nothing,
                    _ => Kept::All,
                };
                choices.push(pending.iter().map(|at| (*at, kept(at))).collect());
            }
        }
    }
    if !writes.is_empty() {
        for number in 0..options.drawn {
            let block_bytes = if number % 2 == 0 { 512 } else { 4096 };
            let mut draw = |at: usize| match &machine.steps[at] {
                Step::Write { .. } => Kept::Blocks { block_bytes, seed: random.next() },
                _ if random.next() % 4 == 0 => Kept::Nothing,
                _ => Kept::All,
            };
            choices.push(pending.iter().map(|at| (*at, draw(*at))).collect());
        }
    }
    choices
}

/// Whether a step writes to the file that another writes to.
fn is_write_of(machine: &Machine, at: usize, other: usize) -> bool {
    let inode = |at: usize| match &machine.steps[at] {
        Step::Write { inode, .. } => Some(*inode),
        _ => None,
    };
    inode(at).is_some() && inode(at) == inode(other)
}

impl fmt::Debug for Image {
    /// Every step that was done, and what became of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not while the images of the disk are visited, which holds it.
        let Some(machine) = self.steps.machine.try_lock() else {
            return write!(f, "image after {} steps, of which survived {:?}", self.done, self.survived);
        };
        let durable = durable(&machine.steps, self.done);
        for (at, step) in machine.steps[..self.done].iter().enumerate() {
            let fate = match self.survived.iter().find(|(survivor, _)| *survivor == at) {
                Some((_, kept)) => format!("{kept:?}"),
                None if durable[at] || step.synced_with().is_none() => String::new(),
                None => "LOST".to_owned(),
            };
            match step {
                Step::Make { inode, .. } => writeln!(f, "{at:4} make node {inode}")?,
                Step::SetMode { inode, mode } => writeln!(f, "{at:4} mode {mode:o} of node {inode}")?,
                Step::Write { inode, offset, bytes } => {
                    writeln!(f, "{at:4} write {} bytes at {offset} of node {inode} {fate}", bytes.len())?;
                }
                Step::Link { directory, name, inode } => {
                    writeln!(f, "{at:4} name node {inode} '{name}' in node {directory} {fate}")?;
                }
                Step::Unlink { directory, name } => writeln!(f, "{at:4} remove '{name}' of node {directory} {fate}")?,
                Step::Sync { inode } => writeln!(f, "{at:4} sync node {inode}")?,
            }
        }
        Ok(())
    }
}
