//! The primitives of the format.

use crate::error::{Write, WriteError};
use crate::read::MAX_DEPTH;
use crate::text::JavaText;

/// Bytes that are written by the rules of Java's `DataOutputStream`.
#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: Vec<u8>,
    depth: u32,
}

impl Output {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn u8(&mut self, number: u8) {
        self.bytes.push(number);
    }

    pub(super) fn i32(&mut self, number: i32) {
        self.bytes.extend_from_slice(&number.to_be_bytes());
    }

    pub(super) fn i64(&mut self, number: i64) {
        self.bytes.extend_from_slice(&number.to_be_bytes());
    }

    pub(super) fn bool(&mut self, value: &bool) {
        self.u8((*value).into());
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// How many, as far as Java counts.
    pub(super) fn count(&mut self, what: &'static str, count: usize) -> Write {
        match i32::try_from(count) {
            Ok(count) => self.i32(count),
            Err(_) => return Err(WriteError::invalid(what, format!("{count} long"), format!("at most {}", i32::MAX))),
        }
        Ok(())
    }

    pub(super) fn list<T>(
        &mut self,
        what: &'static str,
        list: &[T],
        mut write: impl FnMut(&mut Self, &T) -> Write,
    ) -> Write {
        self.count(what, list.len())?;
        list.iter().try_for_each(|element| write(self, element))
    }

    pub(super) fn blob(&mut self, what: &'static str, bytes: &[u8]) -> Write {
        self.count(what, bytes.len())?;
        self.raw(bytes);
        Ok(())
    }

    /// A text is never longer than its length of two bytes can say.
    pub(super) fn text(&mut self, text: &JavaText) {
        let bytes = text.as_bytes();
        self.bytes.extend_from_slice(&(bytes.len() as u16).to_be_bytes());
        self.raw(bytes);
    }

    /// So many numbers as a count before has said.
    pub(super) fn offsets(&mut self, offsets: &[i64]) {
        self.bytes.reserve(8 * offsets.len());
        offsets.iter().for_each(|offset| self.i64(*offset));
    }

    /// One level deeper, as deep as can be read again.
    pub(super) fn nested(&mut self, what: &'static str, write: impl FnOnce(&mut Self) -> Write) -> Write {
        if self.depth == MAX_DEPTH {
            return Err(WriteError::invalid(what, "one more in one another", format!("at most {MAX_DEPTH}")));
        }
        self.depth += 1;
        let written = write(self);
        self.depth -= 1;
        written
    }
}
