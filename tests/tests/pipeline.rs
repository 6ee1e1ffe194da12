//! The pipeline in this process: right counts whatever the input and the parallelism, restarts, fencing, damage.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ckpt_coord::{CheckpointObserver, CompletedCheckpoint};
use ckpt_core::ErrorKind;
use ckpt_core::config::CheckpointConfig;
use ckpt_core::head::JobState;
use ckpt_core::id::CheckpointId;
use ckpt_tests::check::{Verdict, WordCount, verify};
use ckpt_tests::job::{JobFile, JobObserver, JobOptions, JobRequest, RunningJob, state_of, storage_context};
use ckpt_tests::text::InputFile;
use support::{Tree, words};
use tempfile::TempDir;

/// A job over files with these contents, in a directory of its own.
struct Job {
    directory: TempDir,
    file: JobFile,
}

/// Remembers the newest completed checkpoint.
#[derive(Debug, Default)]
struct Newest(AtomicU64);

impl CheckpointObserver for Newest {
    fn completed(&self, checkpoint: &CompletedCheckpoint) {
        self.0.store(checkpoint.identity.id.get(), Ordering::SeqCst);
    }
}

impl JobObserver for Newest {}

fn every(interval: Duration) -> CheckpointConfig {
    CheckpointConfig::default().with_interval(interval).unwrap()
}

impl Job {
    fn new(contents: &[Vec<u8>]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let inputs = contents.iter().enumerate().map(|(number, content)| {
            let path = directory.path().join(format!("input-{number}"));
            std::fs::write(&path, content).unwrap();
            InputFile::inspect(&path).unwrap()
        });
        let request = JobRequest::new(Some(inputs.collect()), None);
        let file = JobFile::open(&directory.path().join("checkpoints"), &request, &storage_context().unwrap()).unwrap();
        Self { directory, file }
    }

    fn start(&self, options: JobOptions) -> ckpt_core::Result<RunningJob> {
        RunningJob::start(&self.file, options, &storage_context()?)
    }

    fn run(&self, parallelism: u32, credits: usize) {
        let options = JobOptions::new(parallelism, every(Duration::from_millis(10))).with_credits_per_input(credits);
        self.start(options).unwrap().wait().unwrap();
        self.assert_right();
        self.assert_clean();
    }

    /// Runs until some checkpoints are complete, then loses everything that is in memory; returns the newest of them.
    fn run_and_lose(&self, parallelism: u32, checkpoints: u64) -> CheckpointId {
        let newest = Arc::new(Newest::default());
        let options = JobOptions::new(parallelism, every(Duration::from_millis(10)))
            .with_observer(Arc::clone(&newest) as Arc<dyn JobObserver>);
        let job = self.start(options).unwrap();
        let (mut seen, mut last) = (0, 0);
        let deadline = Instant::now() + Duration::from_secs(60);
        while seen < checkpoints {
            assert!(Instant::now() < deadline, "no checkpoint completes");
            let now = newest.0.load(Ordering::SeqCst);
            seen += u64::from(now != last);
            last = now;
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(job);
        CheckpointId::new(newest.0.load(Ordering::SeqCst)).unwrap()
    }

    fn assert_right(&self) {
        let expected = WordCount::of_files(&self.file.inputs).unwrap();
        let verdict = verify(&self.file.output, &expected).unwrap();
        assert!(matches!(verdict, Verdict::Right { lines, .. } if lines == expected.total()), "{verdict:?}");
        assert_eq!(state_of(&self.file, &storage_context().unwrap()).unwrap(), Some(JobState::Finished));
    }

    /// Nothing is left behind that is not output.
    fn assert_clean(&self) {
        let hidden = std::fs::read_dir(&self.file.output).unwrap();
        let hidden: Vec<_> = hidden.map(|entry| entry.unwrap().file_name()).collect();
        assert!(hidden.iter().all(|name| name.to_string_lossy().starts_with("part-")), "{hidden:?}");
    }
}

#[test]
fn any_bytes_at_any_parallelism() {
    let inputs = [
        vec![],
        vec![b"".to_vec(), b"   \n\t ".to_vec()],
        vec![b"one".to_vec()],
        vec![
            b"a b\x0bc\x0cd\r\ne".to_vec(),
            b"no newline at the end".to_vec(),
            vec![],
            b"\xff\xfe \0\0 \xc3\x28".to_vec(),
        ],
        vec![[b"begin ".to_vec(), vec![b'x'; 3_000_000], b" end\n".to_vec()].concat()],
        vec![words(1, 200_000), words(2, 30), words(3, 70_000)],
    ];
    for contents in &inputs {
        for parallelism in 1..=4 {
            Job::new(contents).run(parallelism, 1 + parallelism as usize % 2);
        }
    }
}

#[test]
fn many_inputs_and_more_subtasks_than_words() {
    let contents: Vec<_> = (0..40).map(|number| words(number, 5_000)).collect();
    Job::new(&contents).run(3, 1);
    Job::new(&[b"only three words".to_vec()]).run(16, 2);
}

#[test]
fn lost_again_and_again_at_changing_parallelism() {
    let job = Job::new(&[words(1, 6_000_000), words(2, 1_000), words(3, 2_000_000)]);
    let mut expected = None;
    for parallelism in [2, 3, 1, 4] {
        let newest = job.run_and_lose(parallelism, 2);
        assert!(Some(newest) > expected, "numbers ascend over leaders");
        expected = Some(newest);
    }
    let report = job.start(JobOptions::new(2, every(Duration::from_millis(20)))).unwrap().wait().unwrap();
    // A later one may have been committed while the job was being dropped, an older one never comes back.
    assert!(report.restored_from >= expected, "{report:?}");
    assert_eq!(report.epoch.get(), 5);
    job.assert_right();
    job.assert_clean();
}

#[test]
fn who_takes_over_fences_the_former() {
    let job = Job::new(&[words(1, 4_000_000)]);
    let first = job.start(JobOptions::new(2, every(Duration::from_millis(10)))).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let second = job.start(JobOptions::new(3, every(Duration::from_millis(10)))).unwrap();
    let first = std::thread::spawn(move || first.wait());
    second.wait().unwrap();
    let error = first.join().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Fenced, "{error:?}");
    job.assert_right();
}

#[test]
fn a_finished_job_does_not_run_again() {
    let job = Job::new(&[words(1, 1_000)]);
    job.run(1, 2);
    let before = Tree::of(job.directory.path());
    let error = job.start(JobOptions::new(1, every(Duration::from_millis(10)))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    assert_eq!(Tree::of(job.directory.path()), before);
}

#[test]
fn another_request_is_refused() {
    let job = Job::new(&[words(1, 1_000)]);
    let context = storage_context().unwrap();
    for request in
        [JobRequest::new(Some(Vec::new()), None), JobRequest::new(None, Some(job.directory.path().join("elsewhere")))]
    {
        let error = JobFile::open(&job.file.checkpoints, &request, &context).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    }
    assert_eq!(JobFile::open(&job.file.checkpoints, &JobRequest::default(), &context).unwrap(), job.file);
}

#[test]
fn the_output_of_another_job_is_not_mixed_in() {
    let (one, other) = (Job::new(&[words(1, 1_000)]), Job::new(&[words(2, 1_000)]));
    one.run(1, 2);
    let request = JobRequest::new(None, Some(one.file.output.clone()));
    let checkpoints = other.directory.path().join("more");
    let error = JobFile::open(&checkpoints, &request, &storage_context().unwrap()).unwrap_err();
    assert!(error.to_string().contains("of another job"), "{error}");
}
