//! Where a run happens.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use ckpt_core::Result;
use ckpt_storage::StorageContext;
use tempfile::TempDir;

use crate::error::Fault;
use crate::job::{JobFile, JobRequest};
use crate::text::{InputFile, write_zipf_words};
use crate::wordcount::options::Options;

/// Where a run happens: the job in its directory, and the temporary directory if the run has one.
#[derive(Debug)]
pub(super) struct Workplace {
    pub(super) file: JobFile,
    /// Removed when it is dropped, unless it was kept.
    temporary: Option<TempDir>,
}

/// How much is made up when there is no input.
const MADE_UP_BYTES: u64 = 64 << 20;
const MADE_UP_NAME: &str = "input.txt";

impl Workplace {
    /// Looks at the input first: what cannot be read leaves nothing behind.
    pub(super) fn prepare(options: &Options, context: &StorageContext) -> Result<Self> {
        let mut inputs = options.input.iter().map(|path| InputFile::inspect(path)).collect::<Result<Vec<_>>>()?;
        let temporary =
            match options.checkpoints {
                Some(_) => None,
                None => Some(tempfile::Builder::new().prefix("wordcount-").tempdir().map_err(|source| {
                    Fault::JobFile { path: std::env::temp_dir(), verb: "placed in a temporary directory", source }
                })?),
            };
        let directory = match (&options.checkpoints, &temporary) {
            (Some(directory), _) => absolute(directory)?,
            (None, Some(temporary)) => temporary.path().join("checkpoints"),
            (None, None) => PathBuf::new(),
        };
        let continues = JobFile::read(&directory)?.is_some();
        if inputs.is_empty() && !continues {
            let home = temporary.as_ref().map_or(directory.as_path(), TempDir::path);
            inputs.push(make_up_input(home, options.seed)?);
        }
        let output = match (&options.output, &temporary) {
            (Some(output), _) => Some(absolute(output)?),
            (None, Some(temporary)) => Some(temporary.path().join("output")),
            (None, None) => None,
        };
        let request = JobRequest { inputs: (!inputs.is_empty()).then_some(inputs), output };
        Ok(Self { file: JobFile::open(&directory, &request, context)?, temporary })
    }

    /// Leaves the temporary directory in place, so that it can be looked at and gone on with.
    pub(super) fn keep(&mut self) -> Option<PathBuf> {
        self.temporary.take().map(TempDir::keep)
    }
}

fn make_up_input(directory: &Path, seed: u64) -> Result<InputFile> {
    let path = directory.join(MADE_UP_NAME);
    // Two runs may begin here at once; both make up the same, and neither must see half of it.
    let unfinished = directory.join(format!(".{MADE_UP_NAME}-{}", std::process::id()));
    let written = fs::create_dir_all(directory).and_then(|()| File::create(&unfinished)).and_then(|file| {
        let mut file = BufWriter::with_capacity(1 << 20, file);
        write_zipf_words(&mut file, seed, MADE_UP_BYTES)?;
        file.flush()?;
        fs::rename(&unfinished, &path)
    });
    written.map_err(|source| Fault::Output { path: path.clone(), verb: "made up as input", source })?;
    InputFile::inspect(&path)
}

/// The one name of a directory that may not be there yet: the job file is read by other processes, perhaps from another
/// directory, and a later run may come by another way.
fn absolute(path: &Path) -> Result<PathBuf> {
    let found = |source| Fault::JobFile { path: path.to_owned(), verb: "found", source };
    let whole = std::path::absolute(path).map_err(found)?;
    match (fs::canonicalize(&whole), whole.parent(), whole.file_name()) {
        (Ok(canonical), ..) => Ok(canonical),
        (Err(source), Some(parent), Some(name)) if source.kind() == io::ErrorKind::NotFound => {
            Ok(absolute(parent)?.join(name))
        }
        (Err(source), ..) => Err(found(source).into()),
    }
}
