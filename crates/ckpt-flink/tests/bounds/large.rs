//! A file of a gigabyte, most of which is state in the metadata.

use std::io::{self, Read, Seek, SeekFrom};

use ckpt_flink::{FlinkReader, SkippedBytes, StreamSource};

use super::measure::Measure;

const SUBTASKS: u64 = 1_024;
const STATE_BYTES: u64 = 1 << 20;

/// A file with one operator whose subtasks have state of a mebibyte each: as short as it is described here, and as long as
/// it says.
struct Large {
    header: Vec<u8>,
    position: u64,
}

/// What stands before the state of a subtask, and after it.
const BEFORE: usize = 4 + 8 + 9 + 4 + 4;
const AFTER: usize = 1 + 8;
const SUBTASK_BYTES: u64 = BEFORE as u64 + STATE_BYTES + AFTER as u64;

impl Large {
    fn new() -> Self {
        let mut header = vec![0x49, 0x60, 0x67, 0x2d, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1];
        header.extend([7; 16]);
        header.extend((SUBTASKS as i32).to_be_bytes().repeat(2));
        header.push(0);
        header.extend((SUBTASKS as i32).to_be_bytes());
        Self { header, position: 0 }
    }

    fn length_bytes(&self) -> u64 {
        self.header.len() as u64 + SUBTASKS * SUBTASK_BYTES
    }

    /// The bytes around the state of a subtask: keyed state of a checkpoint without key groups, in a byte stream.
    fn before(subtask: u64) -> Vec<u8> {
        let mut bytes = (subtask as i32).to_be_bytes().to_vec();
        bytes.extend([0; 8]);
        bytes.extend([&[7][..], &[0; 8], &[1, 0, 1, b'x']].concat());
        bytes.extend((STATE_BYTES as i32).to_be_bytes());
        assert_eq!(bytes.len(), BEFORE);
        bytes
    }

    /// What lies from there on, as far as it is of one kind: some bytes, then zeros up to a length.
    fn piece(&self, position: u64) -> (Vec<u8>, u64) {
        let Some(behind) = position.checked_sub(self.header.len() as u64) else {
            let rest = self.header[position as usize..].to_vec();
            let length = rest.len() as u64;
            return (rest, length);
        };
        let (subtask, offset) = (behind / SUBTASK_BYTES, behind % SUBTASK_BYTES);
        let before = Self::before(subtask).split_off((offset as usize).min(BEFORE));
        (before, SUBTASK_BYTES - offset)
    }
}

impl Read for Large {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.position == self.length_bytes() {
            return Ok(0);
        }
        let (bytes, length) = self.piece(self.position);
        let length = (length as usize).min(into.len());
        let into = &mut into[..length];
        into.fill(0);
        let bytes = &bytes[..bytes.len().min(length)];
        into[..bytes.len()].copy_from_slice(bytes);
        self.position += length as u64;
        Ok(length)
    }
}

impl Seek for Large {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = match to {
            SeekFrom::Start(position) => position,
            SeekFrom::End(0) => self.length_bytes(),
            SeekFrom::End(_) | SeekFrom::Current(_) => return Err(io::ErrorKind::Unsupported.into()),
        };
        Ok(self.position)
    }
}

#[test]
fn a_gigabyte_of_state_is_passed_over_in_little_memory() {
    let measure = Measure::new();
    let (found, peak_bytes) = measure.peak_bytes(|| {
        let source = StreamSource::new(Large::new()).unwrap();
        let mut reader = FlinkReader::<_, SkippedBytes>::open(source).unwrap();
        let (mut subtasks, mut handles) = (0_u64, 0_u64);
        while reader.next_operator().unwrap().is_some() {
            while let Some(subtask) = reader.next_subtask().unwrap() {
                assert_eq!(subtask.index as u64, subtasks);
                subtasks += 1;
                handles += u64::from(subtask.state.unwrap().managed_keyed.is_some());
            }
        }
        assert_eq!(reader.finish().unwrap().trailing, None);
        (subtasks, handles)
    });
    assert_eq!(found, (SUBTASKS, SUBTASKS));
    assert!(Large::new().length_bytes() > 1 << 30);
    assert!(peak_bytes < 128 << 10, "{peak_bytes} bytes");
}
