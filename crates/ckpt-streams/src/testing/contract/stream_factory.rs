//! What every stream factory must do.

use std::io::Write as _;
use std::sync::Arc;

use ckpt_core::ErrorKind;
use ckpt_core::id::OperatorId;
use ckpt_core::state::{OperatorState, StateHandle, SubtaskState, TaskSnapshot};

use crate::testing::contract::state_reader;
use crate::{Staged, StateOutputStream, StateReader, StateScope, StreamFactory};

/// Runs the suite. `make` gives a factory whose state the reader finds; state of 1000 bytes must fit.
///
/// # Panics
///
/// When the contract is broken.
pub fn stream_factory(make: &dyn Fn() -> (Arc<dyn StreamFactory>, Arc<dyn StateReader>)) {
    let (streams, reader) = make();
    what_was_sealed_is_read_back(&*streams, &*reader);
    nothing_written_is_no_state(&*make().0);
    after_a_cancellation_everything_is_refused(&*make().0);
    cancelling_twice_answers_twice(&*make().0);
    copies_have_the_same_bytes(&*streams, &*reader);
}

fn write(stream: &mut dyn StateOutputStream, bytes: &[u8]) {
    stream.write_all(bytes).unwrap();
}

fn seal_one(streams: &dyn StreamFactory, staged: Staged) -> ckpt_core::Result<StateHandle> {
    let state = SubtaskState::new(Vec::new(), vec![OperatorState::new(Default::default(), staged)]);
    let sealed = streams.seal(TaskSnapshot::new([(OperatorId::new([1; 16]), state)].into()))?;
    Ok(sealed.handles().next().expect("one piece gives one handle").clone())
}

fn what_was_sealed_is_read_back(streams: &dyn StreamFactory, reader: &dyn StateReader) {
    for scope in [StateScope::Exclusive, StateScope::Shared] {
        let mut stream = streams.create(scope).unwrap();
        assert_eq!(stream.position(), 0);
        for piece in [&b"a"[..], b"", b"bcd", &[7; 900]] {
            write(&mut *stream, piece);
        }
        assert_eq!(stream.position(), 904);
        let staged = stream.finish().unwrap().expect("something was written");
        let handle = seal_one(streams, staged).unwrap();
        assert_eq!(handle.length_bytes(), 904);
        state_reader(reader, &handle, &[&b"abcd"[..], &[7; 900]].concat());
    }
}

fn nothing_written_is_no_state(streams: &dyn StreamFactory) {
    assert!(streams.create(StateScope::Exclusive).unwrap().finish().unwrap().is_none());
    let mut stream = streams.create(StateScope::Exclusive).unwrap();
    write(&mut *stream, b"");
    assert!(stream.finish().unwrap().is_none());
    streams.create(StateScope::Exclusive).unwrap().abort().unwrap();
    let sealed = streams.seal(TaskSnapshot::default()).unwrap();
    assert_eq!(sealed.handles().count(), 0);
}

fn after_a_cancellation_everything_is_refused(streams: &dyn StreamFactory) {
    let mut open = streams.create(StateScope::Exclusive).unwrap();
    write(&mut *open, &[1; 500]);
    let mut other = streams.create(StateScope::Exclusive).unwrap();
    write(&mut *other, &[1; 500]);
    let mut finished = streams.create(StateScope::Shared).unwrap();
    write(&mut *finished, &[1; 500]);
    let staged = finished.finish().unwrap().expect("something was written");
    streams.cancel().wait().unwrap();
    let created = streams.create(StateScope::Exclusive).map(drop).unwrap_err();
    assert_eq!(created.kind(), ErrorKind::Cancelled);
    assert_eq!(open.finish().unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(seal_one(streams, staged).unwrap_err().kind(), ErrorKind::Cancelled);
    // A write looks at least every 1 MiB, and its error is never one that `write_all` would try again.
    let error = other.write_all(&vec![0; 1 << 20]).unwrap_err();
    assert_ne!(error.kind(), std::io::ErrorKind::Interrupted);
    assert_eq!(crate::into_error(error, ErrorKind::Retry).kind(), ErrorKind::Cancelled);
    assert_eq!(other.finish().unwrap_err().kind(), ErrorKind::Cancelled);
}

fn cancelling_twice_answers_twice(streams: &dyn StreamFactory) {
    let (first, second) = (streams.cancel(), streams.cancel());
    second.wait().unwrap();
    first.wait().unwrap();
}

fn copies_have_the_same_bytes(streams: &dyn StreamFactory, reader: &dyn StateReader) {
    let mut stream = streams.create(StateScope::Shared).unwrap();
    write(&mut *stream, &[9; 1000]);
    let original = seal_one(streams, stream.finish().unwrap().expect("something was written")).unwrap();
    let mut copies = streams.duplicate(std::slice::from_ref(&original), StateScope::Exclusive).unwrap();
    let copy = seal_one(streams, copies.pop().expect("one copy for one handle")).unwrap();
    state_reader(reader, &copy, &[9; 1000]);
    assert_eq!(copy.length_bytes(), 1000);
}
