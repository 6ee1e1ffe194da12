//! What every stream of state must do.

use std::io::Write as _;

use ckpt_core::ErrorKind;

use crate::{Staged, StateOutputStream};

/// One kind of stream with all that is around it: a fresh one for each of the suite's tests.
pub trait StreamSubject {
    /// Begins a stream.
    fn begin(&self) -> Box<dyn StateOutputStream>;

    /// Seals what a stream came to, and reads it.
    fn seal_and_read(&self, staged: Staged) -> Vec<u8>;

    /// How many files there are, sealed or not, wherever streams write to.
    fn files(&self) -> usize;

    /// Cancels, and waits until nothing is left that is not sealed.
    fn cancel(&self);
}

/// How much the suite writes into one stream at most.
const MOST_BYTES: usize = 300_000;

/// Runs the suite. `make` gives a subject whose streams take state of 300,000 bytes.
///
/// ```
/// use ckpt_streams::testing::contract::{self, StreamSubject};
/// use ckpt_streams::{FileStateReader, MemoryStreams, Staged, StateOutputStream, StateReader, StateScope, StreamFactory};
///
/// struct InMemory(MemoryStreams);
///
/// impl StreamSubject for InMemory {
///     fn begin(&self) -> Box<dyn StateOutputStream> {
///         self.0.create(StateScope::Exclusive).unwrap()
///     }
///
///     fn seal_and_read(&self, staged: Staged) -> Vec<u8> {
///         let handle = self.0.seal_piece(staged).unwrap();
///         let mut found = Vec::new();
///         FileStateReader::new(Vec::new()).open(&handle).unwrap().read_to_end(&mut found).unwrap();
///         found
///     }
///
///     fn files(&self) -> usize {
///         0
///     }
///
///     fn cancel(&self) {
///         self.0.cancel().wait().unwrap();
///     }
/// }
///
/// contract::stream(&|| Box::new(InMemory(MemoryStreams::new(1 << 20))));
/// ```
///
/// # Panics
///
/// When the contract is broken.
pub fn stream(make: &dyn Fn() -> Box<dyn StreamSubject>) {
    for (length, piece) in
        [(1, 1), (3_000, 1), (10_000, 7), (65_536, 65_536), (200_000, 4_096), (MOST_BYTES, MOST_BYTES)]
    {
        what_was_written_is_read_however_it_was_cut(&*make(), length, piece);
    }
    nothing_written_is_no_state(&*make());
    for length in [0, 1, MOST_BYTES] {
        what_is_given_up_leaves_nothing(&*make(), length);
        what_is_cancelled_fails_and_leaves_nothing(&*make(), length);
    }
    giving_up_spares_what_is_sealed_and_what_is_being_written(&*make());
    a_stream_may_go_to_another_thread(&*make());
}

/// No two neighbours of it are the same.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

fn begin_with(subject: &dyn StreamSubject, length: usize) -> Box<dyn StateOutputStream> {
    let mut stream = subject.begin();
    stream.write_all(&pattern(length)).expect("there is room");
    stream
}

fn finish(stream: Box<dyn StateOutputStream>) -> Staged {
    stream.finish().expect("nothing is in the way").expect("something was written")
}

fn what_was_written_is_read_however_it_was_cut(subject: &dyn StreamSubject, length: usize, piece: usize) {
    let bytes = pattern(length);
    let mut stream = subject.begin();
    for (number, part) in bytes.chunks(piece).enumerate() {
        assert_eq!(stream.position(), (number * piece) as u64, "the position counts what was written");
        stream.write_all(part).expect("there is room");
        if number % 1_000 == 1 {
            stream.write_all(b"").expect("nothing needs no room");
            stream.flush().expect("nothing is in the way");
        }
    }
    assert_eq!(stream.position(), length as u64);
    let staged = finish(stream);
    assert_eq!(staged.length_bytes(), length as u64);
    assert!(subject.seal_and_read(staged) == bytes, "{length} bytes in pieces of {piece} come back as they were");
}

fn nothing_written_is_no_state(subject: &dyn StreamSubject) {
    assert!(subject.begin().finish().expect("nothing is in the way").is_none());
    let mut stream = subject.begin();
    for _ in 0..3 {
        stream.write_all(b"").expect("nothing needs no room");
        stream.flush().expect("nothing is in the way");
        assert_eq!(stream.position(), 0);
    }
    assert!(stream.finish().expect("nothing is in the way").is_none());
    assert_eq!(subject.files(), 0, "no state has no file");
}

fn what_is_given_up_leaves_nothing(subject: &dyn StreamSubject, length: usize) {
    begin_with(subject, length).abort().expect("nothing is in the way");
    assert_eq!(subject.files(), 0, "after an abort");
    drop(begin_with(subject, length));
    assert_eq!(subject.files(), 0, "after a stream was dropped");
    drop(begin_with(subject, length).finish().expect("nothing is in the way"));
    assert_eq!(subject.files(), 0, "after what it came to was dropped");
}

fn giving_up_spares_what_is_sealed_and_what_is_being_written(subject: &dyn StreamSubject) {
    let sealed = finish(begin_with(subject, MOST_BYTES));
    assert!(subject.seal_and_read(sealed) == pattern(MOST_BYTES));
    let kept = subject.files();
    let open = begin_with(subject, MOST_BYTES);
    begin_with(subject, MOST_BYTES).abort().expect("nothing is in the way");
    assert!(subject.seal_and_read(finish(open)) == pattern(MOST_BYTES));
    assert!(subject.files() >= kept);
    let kept = subject.files();
    subject.cancel();
    assert_eq!(subject.files(), kept, "what is sealed is nothing that a cancellation takes");
}

fn what_is_cancelled_fails_and_leaves_nothing(subject: &dyn StreamSubject, length: usize) {
    let [mut written, mut flushed, finished, aborted] = [(); 4].map(|()| begin_with(subject, length));
    let staged = begin_with(subject, length).finish().expect("nothing is in the way");
    subject.cancel();
    assert_eq!(subject.files(), 0, "streams that somebody holds keep no file");
    // A write looks at least every 1 MiB, and its error is never one that `write_all` would try again.
    let error = written.write_all(&vec![0; 1 << 20]).expect_err("it was cancelled");
    assert_ne!(error.kind(), std::io::ErrorKind::Interrupted);
    assert_eq!(crate::into_error(error, ErrorKind::Retry).kind(), ErrorKind::Cancelled);
    // Whoever flushes last is not told that all is well either, cancelled or failed.
    for stream in [&mut written, &mut flushed] {
        let error = stream.flush().expect_err("it was cancelled");
        assert_eq!(crate::into_error(error, ErrorKind::Retry).kind(), ErrorKind::Cancelled);
    }
    for stream in [written, flushed, finished] {
        assert_eq!(stream.finish().expect_err("it was cancelled").kind(), ErrorKind::Cancelled);
    }
    aborted.abort().expect("nothing is left of it");
    drop(staged);
    assert_eq!(subject.files(), 0);
}

fn a_stream_may_go_to_another_thread(subject: &dyn StreamSubject) {
    let mut stream = begin_with(subject, 5);
    let staged = std::thread::scope(|threads| {
        let writing = threads.spawn(move || {
            stream.write_all(&pattern(100_000)[5..]).expect("there is room");
            finish(stream)
        });
        writing.join().expect("the other thread does not panic")
    });
    assert!(subject.seal_and_read(staged) == pattern(100_000));
}
