//! What every reader of state must do.

use std::io::{Read as _, Seek as _, SeekFrom};

use ckpt_core::state::StateHandle;

use crate::{StateInputStream, StateReader, read_section};

/// Runs the suite. The handle is of state that has those bytes, a few at least, and that the reader finds.
///
/// # Panics
///
/// When the contract is broken.
pub fn state_reader(reader: &dyn StateReader, handle: &StateHandle, expected: &[u8]) {
    let open = || reader.open(handle).unwrap();
    assert_eq!(open().length_bytes(), expected.len() as u64);
    for length in [1, 7, 1000, 1 << 16, 1 << 20] {
        in_order(&mut *open(), expected, length);
    }
    from_positions(&mut *open(), expected);
    sought(&mut *open(), expected);
    // Streams of one handle know nothing of one another.
    let (mut first, mut second) = (open(), open());
    first.read_exact(&mut [0; 2]).unwrap();
    in_order(&mut *second, expected, 1000);
    assert_eq!((first.stream_position().unwrap(), byte(&mut *first)), (2, expected[2]));
}

fn byte(stream: &mut dyn StateInputStream) -> u8 {
    let mut byte = [0];
    stream.read_exact(&mut byte).unwrap();
    byte[0]
}

fn in_order(stream: &mut dyn StateInputStream, expected: &[u8], length: usize) {
    let mut found = Vec::new();
    let mut buffer = vec![0; length];
    loop {
        assert_eq!(stream.read(&mut []).unwrap(), 0);
        match stream.read(&mut buffer).unwrap() {
            0 => break,
            read => found.extend_from_slice(&buffer[..read]),
        }
        assert_eq!(stream.stream_position().unwrap(), found.len() as u64);
    }
    assert!(found == expected, "{length} bytes at a time");
    assert_eq!(stream.read(&mut buffer).unwrap(), 0, "the end stays the end");
}

fn from_positions(stream: &mut dyn StateInputStream, expected: &[u8]) {
    let end = expected.len();
    stream.seek(SeekFrom::Start(1)).unwrap();
    for (from, to) in [(0, end), (end / 2, end), (0, 1), (end - 1, end), (end / 3, end / 2), (end, end), (0, 0)] {
        assert!(read_section(stream, from as u64, Some(to as u64)).unwrap() == expected[from..to], "{from} to {to}");
    }
    for (from, length) in [(end as u64, 1), (0, end + 1), (u64::MAX, 1), (1, end)] {
        let mut untouched = vec![0; length];
        stream.read_exact_at(&mut untouched, from).unwrap_err();
        assert!(untouched == vec![0; length], "{length} bytes at {from}");
    }
    assert_eq!((stream.stream_position().unwrap(), byte(stream)), (1, expected[1]), "the position stays");
}

fn sought(stream: &mut dyn StateInputStream, expected: &[u8]) {
    let end = expected.len() as u64;
    for (to, position) in [
        (SeekFrom::End(-1), end - 1),
        (SeekFrom::Start(2), 2),
        (SeekFrom::Current(-2), 0),
        (SeekFrom::Current(1), 1),
        (SeekFrom::End(0), end),
        (SeekFrom::Start(end + 5), end + 5),
    ] {
        assert_eq!(stream.seek(to).unwrap(), position, "{to:?}");
        match usize::try_from(position).ok().and_then(|at| expected.get(at)) {
            Some(expected) => assert_eq!(byte(stream), *expected, "{to:?}"),
            None => assert_eq!(stream.read(&mut [0; 10]).unwrap(), 0, "{to:?}"),
        }
        stream.seek(SeekFrom::Start(position)).unwrap();
    }
    stream.seek(SeekFrom::Start(1)).unwrap();
    for before in [SeekFrom::Current(-2), SeekFrom::End(-1 - end as i64)] {
        stream.seek(before).unwrap_err();
        assert_eq!(stream.stream_position().unwrap(), 1, "{before:?}");
    }
}
