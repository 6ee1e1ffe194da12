//! Places of files as users write them.

use super::{Kind, Unreadable, trim};
use crate::uri::{StoragePath, is_printable};

impl Kind for StoragePath {
    const TYPE: &'static str = "path or URI";
    const REMEDY: &'static str = "write an absolute path, or a URI with a scheme";

    fn read(text: &str) -> Result<Self, Unreadable> {
        Ok(Self::from(text))
    }

    fn write(&self) -> Option<String> {
        Some(self.as_str().to_owned())
    }

    fn fits(&self) -> Result<(), Unreadable> {
        printable(self.as_str())
    }
}

/// Directories of this machine, separated by `,` or `:` as in Flink.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::config) struct LocalDirectories(pub(in crate::config) Vec<String>);

impl Kind for LocalDirectories {
    const TYPE: &'static str = "list of paths";
    const REMEDY: &'static str = "write absolute paths of this machine with commas between them";

    fn read(text: &str) -> Result<Self, Unreadable> {
        Ok(Self(text.split([',', ':']).map(|path| trim(path).to_owned()).collect()))
    }

    fn write(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.join(","))
    }

    fn fits(&self) -> Result<(), Unreadable> {
        for path in &self.0 {
            printable(path)?;
            if path.contains([',', ':']) {
                return Err(Unreadable::Separator);
            }
        }
        Ok(())
    }
}

/// Text that reads the same when it is written and read again.
pub(super) fn printable(text: &str) -> Result<(), Unreadable> {
    match text {
        "" => Err(Unreadable::Empty),
        _ if !is_printable(text) => Err(Unreadable::Unprintable),
        _ => Ok(()),
    }
}
