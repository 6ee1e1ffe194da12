//! The calls by which a checkpoint is published and HEAD written, in their order, and nothing else.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, Mode, OFlags, RawDir, ResolveFlags, StatxFlags, fstat, fsync, linkat, mkdirat, openat, openat2, statx,
    unlinkat,
};
use rustix::io::{Errno, Result, write};

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const NEW_FILE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const OWNER: Mode = Mode::RUSR.union(Mode::WUSR);

/// How many versions are written until old ones are declared dead, and how many stay then.
const COLLECT_EVERY: u64 = 16;
const KEPT: u64 = 2;

/// A directory in which checkpoints are published and HEAD is written.
pub(crate) struct Bare(OwnedFd);

impl Bare {
    /// An empty one.
    pub(crate) fn new(directory: &Path) -> Result<Self> {
        let root = rustix::fs::open(directory, DIRECTORY, Mode::empty())?;
        mkdirat(&root, "head", Mode::RWXU)?;
        Ok(Self(root))
    }

    /// A checkpoint's place, its `_metadata`, and their names.
    pub(crate) fn publish(&self, number: u64, bytes: &[u8]) -> Result<()> {
        let (place, temporary) = (format!("chk-{number}"), format!("chk-{number}/._metadata.bare"));
        assert_eq!(self.open(&place).err(), Some(Errno::NOENT));
        assert_eq!(self.create(&temporary).err(), Some(Errno::NOENT));
        mkdirat(&self.0, &*place, Mode::RWXU)?;
        // Whether the umask has narrowed what its owner may do.
        fstat(self.open(&place)?)?;
        self.write_new(&temporary, bytes)?;
        self.rename(&place, "._metadata.bare", "_metadata")?;
        let place = self.open(&place)?;
        look(&place)?;
        let root = openat(&self.0, ".", DIRECTORY, Mode::empty())?;
        fsync(&place)?;
        fsync(&root)
    }

    /// The next version of HEAD, if that is the next.
    pub(crate) fn write_head(&self, version: u64, bytes: &[u8]) -> Result<()> {
        self.look_at_versions()?;
        self.write_new("head/.HEAD.bare", bytes)?;
        self.rename("head", ".HEAD.bare", &name_of(version))?;
        self.sync_versions()?;
        self.look_at_versions()?;
        if version % COLLECT_EVERY == 0 {
            self.collect(version - KEPT)?;
        }
        Ok(())
    }

    fn collect(&self, dead_upto: u64) -> Result<()> {
        let marker = self.create(&format!("head/DEAD-{dead_upto:020}"))?;
        fstat(marker)?;
        self.sync_versions()?;
        self.look_at_versions()?;
        self.look_at_versions()?;
        for version in dead_upto.saturating_sub(COLLECT_EVERY - 1).max(1)..=dead_upto {
            match unlinkat(self.open("head")?, &*name_of(version), AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn write_new(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let file = self.create(path)?;
        fstat(&file)?;
        write(&file, bytes)?;
        fsync(&file)?;
        look(&file)
    }

    fn rename(&self, directory: &str, from: &str, to: &str) -> Result<()> {
        let directory = self.open(directory)?;
        linkat(&directory, from, &directory, to, AtFlags::empty())?;
        unlinkat(&directory, from, AtFlags::empty())
    }

    fn sync_versions(&self) -> Result<()> {
        let directory = self.open("head")?;
        look(&directory)?;
        fsync(&directory)
    }

    fn look_at_versions(&self) -> Result<()> {
        let directory = self.open("head")?;
        let mut buffer = [MaybeUninit::uninit(); 32 * 1024];
        let mut entries = RawDir::new(&directory, &mut buffer);
        while let Some(entry) = entries.next() {
            std::hint::black_box(entry?.file_name());
        }
        Ok(())
    }

    fn open(&self, path: &str) -> Result<OwnedFd> {
        openat2(&self.0, path, DIRECTORY, Mode::empty(), ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS)
    }

    fn create(&self, path: &str) -> Result<OwnedFd> {
        openat2(&self.0, path, NEW_FILE, OWNER, ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS)
    }
}

fn name_of(version: u64) -> String {
    format!("HEAD-{version:020}")
}

fn look(descriptor: &impl AsFd) -> Result<()> {
    let wanted = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
    std::hint::black_box(statx(descriptor, "", AtFlags::EMPTY_PATH, wanted)?);
    Ok(())
}
