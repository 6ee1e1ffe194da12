//! The primitives of the format, each with its place in errors.

use bytes::Bytes;

use super::source::Part;
use super::{NoteKind, Notes, Source};
use crate::error::{Read, ReadError, Step, Within};
use crate::model::{InlineBytes, Offsets};
use crate::text::{InvalidText, JavaText};

/// How deeply handles may contain handles, in reading and in writing. Flink's own are at most three deep.
pub(crate) const MAX_DEPTH: u32 = 32;

/// A source that is read by the rules of Java's `DataInputStream`.
///
/// What every handle consists of is read by functions that are always inlined, here and where handles are read: a text is
/// four words, and to pass it up from one function to the next costs more than to read it.
#[derive(Debug)]
pub(crate) struct Input<S> {
    source: S,
    pub(crate) notes: Notes,
    depth: u32,
}

impl<S: Source> Input<S> {
    pub(crate) fn new(source: S) -> Self {
        Self { source, notes: Notes::default(), depth: 0 }
    }

    pub(crate) fn position(&self) -> u64 {
        self.source.position_bytes()
    }

    pub(crate) fn remaining(&self) -> u64 {
        self.source.remaining_bytes()
    }

    #[inline]
    fn array<const N: usize>(&mut self, field: &'static str) -> Read<[u8; N]> {
        let mut bytes = [0; N];
        self.need(field, N as u64)?;
        match self.source.read_exact(&mut bytes) {
            Ok(()) => Ok(bytes),
            Err(source) => Err(self.failed(source)),
        }
    }

    /// So many bytes are left.
    #[inline]
    fn need(&self, field: &'static str, length_bytes: u64) -> Read<()> {
        if length_bytes <= self.remaining() { Ok(()) } else { Err(self.cut_short(field, length_bytes)) }
    }

    #[cold]
    fn cut_short(&self, field: &'static str, length_bytes: u64) -> Box<ReadError> {
        let found = format!("cut short after {} bytes", self.remaining());
        ReadError::format(self.position(), field, format!("{length_bytes} bytes"), found)
    }

    #[cold]
    fn failed(&self, source: std::io::Error) -> Box<ReadError> {
        Box::new(ReadError::Source { offset_bytes: self.position(), source })
    }

    #[inline]
    pub(crate) fn u8(&mut self, field: &'static str) -> Read<u8> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    #[inline]
    pub(crate) fn u16(&mut self, field: &'static str) -> Read<u16> {
        self.array(field).map(u16::from_be_bytes)
    }

    #[inline]
    pub(crate) fn i32(&mut self, field: &'static str) -> Read<i32> {
        self.array(field).map(i32::from_be_bytes)
    }

    #[inline]
    pub(crate) fn i64(&mut self, field: &'static str) -> Read<i64> {
        self.array(field).map(i64::from_be_bytes)
    }

    pub(crate) fn id(&mut self, field: &'static str) -> Read<[u8; 16]> {
        self.array(field)
    }

    /// Zero or not zero, which stand for false and true.
    pub(crate) fn bool(&mut self, field: &'static str) -> Read<bool> {
        let offset = self.position();
        let found = self.u8(field)?;
        if found > 1 {
            self.notes.add(offset, NoteKind::Bool(found));
        }
        Ok(found != 0)
    }

    /// Whether something follows.
    #[inline]
    pub(crate) fn presence(&mut self, field: &'static str) -> Read<bool> {
        let offset = self.position();
        let found = self.i32(field)?;
        if !(0..=1).contains(&found) {
            self.notes.add(offset, NoteKind::Presence(found));
        }
        Ok(found != 0)
    }

    /// A count of elements of which each takes at least so many bytes: never more than the bytes left can hold.
    #[inline]
    pub(crate) fn count(&mut self, field: &'static str, least_bytes: u64) -> Read<usize> {
        let offset = self.position();
        let found = self.i32(field)?;
        self.count_of(field, offset, found, least_bytes)
    }

    /// The count that was found there.
    #[inline]
    pub(crate) fn count_of(&self, field: &'static str, offset: u64, found: i32, least_bytes: u64) -> Read<usize> {
        let most = self.remaining() / least_bytes;
        match usize::try_from(found) {
            Ok(count) if count as u64 <= most => Ok(count),
            Ok(_) => {
                let expected = format!("at most {most}, since {} bytes are left", self.remaining());
                Err(ReadError::format(offset, field, expected, found))
            }
            Err(_) => Err(ReadError::format(offset, field, "not negative", found)),
        }
    }

    /// A count, then so many elements, of which what is given back is kept. Memory grows with what was read, whatever the count
    /// says.
    #[inline]
    pub(crate) fn list_of_kept<T>(
        &mut self,
        field: &'static str,
        least_bytes: u64,
        mut read: impl FnMut(&mut Self) -> Read<Option<T>>,
    ) -> Read<Vec<T>> {
        let count = self.count(field, least_bytes)?;
        let mut list = reserved(count);
        for index in 0..count {
            if let Some(element) = read(self).within(Step::Item(field, index))? {
                list.push(element);
            }
        }
        Ok(list)
    }

    /// A length, then so many bytes.
    pub(crate) fn inline<D: InlineBytes>(&mut self, field: &'static str) -> Read<D> {
        let length = self.count(field, 1)?;
        self.taken(length)
    }

    /// So many bytes, all of which are there.
    pub(super) fn taken<D: InlineBytes>(&mut self, length: usize) -> Read<D> {
        D::take(&mut self.source, length).map_err(|source| self.failed(source))
    }

    /// The next so many bytes, all of which are there, by themselves.
    pub(super) fn part(&mut self, length_bytes: u64) -> Input<Part<'_, S>> {
        Input::new(Part::new(&mut self.source, length_bytes))
    }

    /// So many bytes.
    #[inline(always)]
    pub(crate) fn bytes(&mut self, field: &'static str, length: usize) -> Read<Bytes> {
        self.need(field, length as u64)?;
        self.source.read_bytes(length).map_err(|source| self.failed(source))
    }

    #[inline(always)]
    pub(crate) fn text(&mut self, field: &'static str) -> Read<JavaText> {
        let length = self.u16(field)?;
        let offset = self.position();
        let bytes = self.bytes(field, length.into())?;
        match JavaText::from_encoded(bytes) {
            Ok(text) => Ok(text),
            Err(invalid) => Err(Self::invalid_text(field, offset, invalid)),
        }
    }

    #[cold]
    fn invalid_text(field: &'static str, offset: u64, invalid: InvalidText) -> Box<ReadError> {
        let found = invalid.found.map_or_else(|| "the end of the text".to_owned(), |byte| format!("0x{byte:02x}"));
        ReadError::format(offset + invalid.offset_bytes as u64, field, invalid.expected, found)
    }

    /// So many numbers of 8 bytes.
    #[inline]
    pub(crate) fn offsets<O: Offsets>(&mut self, field: &'static str, count: usize) -> Read<O> {
        // A count was checked against the bytes that are left, so this is no more than they are.
        self.need(field, count as u64 * 8)?;
        O::take(&mut self.source, count).map_err(|source| self.failed(source))
    }

    /// One level deeper.
    pub(crate) fn nested<T>(&mut self, field: &'static str, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        self.descend(field)?;
        let value = read(self);
        self.ascend();
        value
    }

    pub(crate) fn descend(&mut self, field: &'static str) -> Read<()> {
        if self.depth == MAX_DEPTH {
            let expected = format!("at most {MAX_DEPTH} of them in one another");
            return Err(ReadError::format(self.position(), field, expected, "one more"));
        }
        self.depth += 1;
        Ok(())
    }

    pub(crate) fn ascend(&mut self) {
        self.depth -= 1;
    }

    /// The error for a tag that was the byte before.
    #[cold]
    pub(crate) fn unknown_tag(&self, field: &'static str, expected: &'static str, found: u8) -> Box<ReadError> {
        ReadError::format(self.position().saturating_sub(1), field, expected, format!("tag {found}"))
    }
}

/// Room for so many elements, and for no more at first than fit in some kilobytes.
pub(crate) fn reserved<T>(count: usize) -> Vec<T> {
    const MOST_BYTES: usize = 16 << 10;
    Vec::with_capacity(count.min(MOST_BYTES / size_of::<T>().max(1)))
}
