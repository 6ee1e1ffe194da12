//! Models: whoever reads, and the jobs that read ahead, in every interleaving.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::Arc as StdArc;

use ckpt_core::state::{FileRef, Place, RelPath, Root, StateHandle};

use crate::file_system::{CasOutcome, Durability, FileSystem as _, MemoryFileSystem, Visible};
use crate::read::file::PIECE_BYTES;
use crate::spawn::{Job, Rejected, Spawn};
use crate::sync::{Mutex, thread};
use crate::{FileStateReader, ReadAhead, ReadOptions, StateDirectory, StateInputStream, StateReader as _};

/// The first piece, which is read without jobs, and two that are read ahead.
const LENGTH: usize = 2 * PIECE_BYTES + 1;

/// A thread for each job.
#[derive(Debug)]
struct Threads(Mutex<Vec<thread::JoinHandle<()>>>);

impl Spawn for Threads {
    fn spawn(&self, name: &'static str, job: Job) -> Result<(), Rejected> {
        self.0.lock().push(thread::spawn_named(name.to_owned(), job).expect("a model has threads"));
        Ok(())
    }
}

fn model(body: impl Fn(Box<dyn StateInputStream>) + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(2));
    builder.check(move || {
        let files = StdArc::new(MemoryFileSystem::new());
        let path = RelPath::new("file").unwrap();
        let mut writer = files.create_new(&path, Visible::AtOnce).unwrap();
        writer.write_all(&vec![1; LENGTH]).unwrap();
        assert!(matches!(writer.finish(Durability::None), CasOutcome::Done(_)));
        let threads = StdArc::new(Threads(Mutex::new(Vec::new())));
        let ahead = ReadAhead::new(StdArc::clone(&threads) as StdArc<dyn Spawn>, 2 * PIECE_BYTES);
        let directory = StateDirectory::new(Root::Borrowed(0), files, None);
        let reader = FileStateReader::new(vec![directory]).with_options(ReadOptions::default().with_read_ahead(ahead));
        let place = Place::File { root: Root::Borrowed(0), file: FileRef::Foreign(path) };
        body(reader.open(&StateHandle::assume_durable(place, LENGTH as u64, None)).unwrap());
        let jobs = std::mem::take(&mut *threads.0.lock());
        for job in jobs {
            job.join().unwrap();
        }
    });
}

fn read(stream: &mut dyn StateInputStream, length: usize) {
    let mut found = vec![0; length];
    stream.read_exact(&mut found).unwrap();
    assert!(found == vec![1; length]);
}

/// All is read, whoever reads which piece. Mutate: a job that has read a piece tells nobody.
#[test]
fn loom_read_ahead() {
    model(|mut stream| {
        read(&mut *stream, LENGTH);
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    });
}

/// A piece that is being read when nobody wants it any more is nobody's. Mutate: `cancel` does not count those that are
/// being read.
#[test]
fn loom_read_ahead_against_a_seek() {
    model(|mut stream| {
        read(&mut *stream, PIECE_BYTES);
        stream.seek(SeekFrom::Start(1)).unwrap();
        read(&mut *stream, 1);
    });
}
