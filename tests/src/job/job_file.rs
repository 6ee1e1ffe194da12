//! What a job is, fixed at its first run.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ckpt_core::id::JobId;
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::{Digest, Error, Result};
use ckpt_storage::{StorageContext, jobs_in};
use serde::{Deserialize, Serialize};

use crate::error::Fault;
use crate::job::entropy::random_bytes;
use crate::operators::PartName;
use crate::text::InputFile;

/// What a job is: fixed at its first run, kept beside its checkpoints, the same for every later one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobFile {
    /// The job.
    pub job: JobId,
    /// How many key groups there are.
    pub max_parallelism: MaxParallelism,
    /// What it reads.
    pub inputs: Vec<InputFile>,
    /// Where its output goes.
    pub output: PathBuf,
    /// The directory that holds this file and the checkpoints.
    pub checkpoints: PathBuf,
}

/// What is asked of a job: it becomes that at its first run, and must agree at a later one.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct JobRequest {
    /// What to read; nothing asks for whatever the job reads.
    pub inputs: Option<Vec<InputFile>>,
    /// Where output goes; nothing asks for where the job's output goes.
    pub output: Option<PathBuf>,
}

/// The file's contents.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    job: String,
    max_parallelism: u32,
    inputs: Vec<InputFile>,
    output: PathBuf,
    /// Of all of the above. A changed path would lead elsewhere, where nothing is wrong.
    digest: String,
}

impl Written {
    fn digest(&self) -> Result<String, serde_json::Error> {
        let bytes = serde_json::to_vec(&(&self.job, self.max_parallelism, &self.inputs, &self.output))?;
        Ok(Digest::of(&bytes).to_string())
    }
}

impl JobRequest {
    /// Those inputs and that place for output.
    pub const fn new(inputs: Option<Vec<InputFile>>, output: Option<PathBuf>) -> Self {
        Self { inputs, output }
    }
}

impl JobFile {
    /// The name of the file.
    pub const NAME: &'static str = "job.json";
    /// Fixed for every job, since it decides where each key lives.
    const MAX_PARALLELISM: u32 = 128;

    /// Reads the job file in `checkpoints`; `None` when there is none.
    ///
    /// # Errors
    ///
    /// `Configuration` when it cannot be read, `Corrupt` when it is damaged.
    pub fn read(checkpoints: &Path) -> Result<Option<Self>> {
        let path = checkpoints.join(Self::NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Fault::JobFile { path, verb: "read", source }.into()),
        };
        let damaged = |source| Fault::JobFileDamaged { path: path.clone(), source };
        let written: Written = serde_json::from_slice(&bytes).map_err(|error| damaged(error.into()))?;
        let found = written.digest().map_err(|error| damaged(error.into()))?;
        if found != written.digest {
            let expected = &written.digest;
            return Err(damaged(format!("its digest is {found}, expected {expected}").into()).into());
        }
        Ok(Some(Self {
            job: written.job.parse().map_err(|error: Error| damaged(error.into()))?,
            max_parallelism: MaxParallelism::new(written.max_parallelism).map_err(|error| damaged(error.into()))?,
            inputs: written.inputs,
            output: written.output,
            checkpoints: checkpoints.to_owned(),
        }))
    }

    /// The job whose checkpoints are in `checkpoints`, as asked for; at the first run it is made.
    ///
    /// # Errors
    ///
    /// `Configuration` when the directory holds checkpoints of another job, or the job there is not what is asked for, or
    /// something cannot be written; `Corrupt` when the file is damaged. Nothing is changed then.
    pub fn open(checkpoints: &Path, request: &JobRequest, context: &StorageContext) -> Result<Self> {
        let file = match Self::read(checkpoints)? {
            Some(file) => file,
            None => Self::create(checkpoints, request, context)?,
        };
        let expected = || format!("job {} of its {}", file.job, Self::NAME);
        file.refuse_other_jobs(Some(file.job), expected, context)?;
        file.refuse_other_request(request)?;
        file.prepare_output()?;
        Ok(file)
    }

    fn create(checkpoints: &Path, request: &JobRequest, context: &StorageContext) -> Result<Self> {
        let file = Self {
            job: JobId::new(random_bytes()?),
            max_parallelism: MaxParallelism::new(Self::MAX_PARALLELISM)?,
            inputs: request.inputs.clone().unwrap_or_default(),
            output: request.output.clone().unwrap_or_else(|| checkpoints.join("output")),
            checkpoints: checkpoints.to_owned(),
        };
        fs::create_dir_all(checkpoints).map_err(|source| file.fault("created", source))?;
        file.refuse_other_jobs(None, || format!("none, since there is no {}", Self::NAME), context)?;
        let mut written = Written {
            job: file.job.to_string(),
            max_parallelism: file.max_parallelism.get().into(),
            inputs: file.inputs.clone(),
            output: file.output.clone(),
            digest: String::new(),
        };
        let unwritten = |error: serde_json::Error| file.fault("written", error.into());
        written.digest = written.digest().map_err(unwritten)?;
        let bytes = serde_json::to_vec_pretty(&written).map_err(unwritten)?;
        // Two first runs at once: the link of one fails, and it goes on as a later run of the other's job.
        let temporary = checkpoints.join(format!(".{}-{}", Self::NAME, file.job));
        let published = File::create_new(&temporary)
            .and_then(|mut to| to.write_all(&bytes).and_then(|()| to.sync_all()))
            .and_then(|()| fs::hard_link(&temporary, file.path()));
        let removed = fs::remove_file(&temporary);
        match published {
            Err(source) if source.kind() == io::ErrorKind::AlreadyExists => {
                return Self::read(checkpoints)?.ok_or_else(|| file.fault("read", source).into());
            }
            published => published.and(removed).map_err(|source| file.fault("written", source))?,
        }
        File::open(checkpoints)
            .and_then(|directory| directory.sync_all())
            .map_err(|source| file.fault("made durable", source))?;
        Ok(file)
    }

    /// A directory in which another job's checkpoints lie is not ours to use.
    fn refuse_other_jobs(
        &self,
        ours: Option<JobId>,
        expected: impl Fn() -> String,
        context: &StorageContext,
    ) -> Result<()> {
        // A base that is no text is refused when the storage is opened.
        let jobs = jobs_in(&self.checkpoints.to_string_lossy(), context)?;
        match jobs.into_iter().find(|&found| Some(found) != ours) {
            Some(found) => {
                let path = self.checkpoints.clone();
                Err(Fault::ForeignCheckpoints { path, found, expected: expected() }.into())
            }
            None => Ok(()),
        }
    }

    fn refuse_other_request(&self, request: &JobRequest) -> Result<()> {
        let other = |what, expected: String, found: String| {
            Err(Fault::OtherJob { path: self.path(), what, expected, found }.into())
        };
        if let Some(inputs) = request.inputs.as_ref().filter(|inputs| **inputs != self.inputs) {
            return other("inputs", describe(&self.inputs), describe(inputs));
        }
        if let Some(output) = request.output.as_ref().filter(|output| **output != self.output) {
            return other("output", self.output.display().to_string(), output.display().to_string());
        }
        Ok(())
    }

    /// The output directory may hold this job's files, and files that are not output at all.
    fn prepare_output(&self) -> Result<()> {
        let fault = |source| Fault::Output { path: self.output.clone(), verb: "prepared", source };
        fs::create_dir_all(&self.output).map_err(fault)?;
        for entry in fs::read_dir(&self.output).map_err(fault)? {
            let name = entry.map_err(fault)?.file_name().to_string_lossy().into_owned();
            let foreign = match name.parse::<PartName>() {
                Ok(part) => part.job != self.job,
                Err(_) => name.starts_with("part-"),
            };
            if foreign {
                return Err(Fault::ForeignOutput { directory: self.output.clone(), name, job: self.job }.into());
            }
        }
        Ok(())
    }

    /// Bytes of all inputs.
    pub fn input_bytes(&self) -> u64 {
        self.inputs.iter().map(|input| input.length_bytes).sum()
    }

    pub(super) fn shared_inputs(&self) -> Arc<[InputFile]> {
        self.inputs.as_slice().into()
    }

    fn path(&self) -> PathBuf {
        self.checkpoints.join(Self::NAME)
    }

    fn fault(&self, verb: &'static str, source: io::Error) -> Fault {
        Fault::JobFile { path: self.path(), verb, source }
    }
}

fn describe(inputs: &[InputFile]) -> String {
    let named: Vec<_> =
        inputs.iter().map(|input| format!("{} of {} bytes", input.path.display(), input.length_bytes)).collect();
    if named.is_empty() { "none".to_owned() } else { named.join(", ") }
}
