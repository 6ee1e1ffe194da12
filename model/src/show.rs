//! States and steps, for people.

use std::fmt;

use crate::estate::Estate;
use crate::ownership;
use crate::world::{Action, Process, World};

impl Process {
    /// What it is doing, for people.
    const fn doing(&self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Claiming(_) => "claiming",
            Self::Leading(_) => "leading",
        }
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.store.present() {
            None => f.write_str("no HEAD")?,
            Some(head) => {
                write!(f, "HEAD {} of epoch {}, {}", head.version, head.epoch, head.state)?;
                let lists = [("retained", &head.retained), ("removed", &head.removed), ("set aside", &head.set_aside)];
                for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
                    write!(f, ", {name}")?;
                    list.iter().try_for_each(|snapshot| write!(f, " {}", snapshot.id))?;
                }
                if let Some(stopped) = &head.stopped_at {
                    write!(f, ", stopped at {}", stopped.id)?;
                }
            }
        }
        for process in self.processes.iter().filter(|process| !matches!(process, Process::Down)) {
            write!(f, "; leader {} {}", process.name(), process.doing())?;
        }
        let (late, deletions) = (self.store.late.len(), self.store.deletions.len());
        write!(f, "; {late} late, {deletions} to delete")?;
        self.broken.map_or(Ok(()), |broken| write!(f, "; BROKEN: {broken:?}"))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Land(index) => write!(f, "the store: late write {index} of HEAD lands"),
            Self::Erase(index) => write!(f, "the store: deletion {index} lands"),
            Self::Of(_, u8::MAX, step) => write!(f, "a process: {step:?}"),
            Self::Of(_, name, step) => write!(f, "leader {name}: {step:?}"),
        }
    }
}

impl fmt::Display for Estate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, head) in ["the former job", "job b", "job c"].iter().zip(&self.heads) {
            let Some(head) = head else { continue };
            write!(f, "{name}: HEAD {} of epoch {}, retained", head.version, head.epoch)?;
            head.retained.iter().try_for_each(|snapshot| write!(f, " {}", snapshot.id))?;
            head.handed_over.iter().try_for_each(|given| write!(f, ", handed over {}", given.snapshot.id))?;
            f.write_str("; ")?;
        }
        write!(f, "{} directories, {} shared files", self.directories.len(), self.shared.len())?;
        self.broken.map_or(Ok(()), |broken| write!(f, "; BROKEN: {broken:?}"))
    }
}

impl fmt::Display for ownership::Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
