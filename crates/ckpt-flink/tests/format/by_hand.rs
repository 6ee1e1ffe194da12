//! Files that are put together by hand.

/// Bytes as Java writes them.
#[derive(Clone, Debug)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Bytes {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Magic and version.
    pub(crate) fn begin(version: i32) -> Self {
        Self::new().raw(&[0x49, 0x60, 0x67, 0x2d]).i32(version)
    }

    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn u8(self, number: u8) -> Self {
        self.raw(&[number])
    }

    pub(crate) fn u16(self, number: u16) -> Self {
        self.raw(&number.to_be_bytes())
    }

    pub(crate) fn i32(self, number: i32) -> Self {
        self.raw(&number.to_be_bytes())
    }

    pub(crate) fn i64(self, number: i64) -> Self {
        self.raw(&number.to_be_bytes())
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.u16(text.len() as u16).raw(text.as_bytes())
    }
}

impl From<Bytes> for bytes::Bytes {
    fn from(bytes: Bytes) -> Self {
        bytes.0.into()
    }
}

/// A file with these operators, which begin at byte 24.
pub(crate) fn file_of(version: i32, operators: &[Bytes]) -> Bytes {
    let file = Bytes::begin(version).i64(1).i32(0).i32(operators.len() as i32);
    operators.iter().fold(file, |file, operator| file.raw(&operator.0))
}

/// An operator up to its maximum parallelism: 24 bytes.
pub(crate) fn operator(parallelism: i32, max_parallelism: i32) -> Bytes {
    Bytes::new().raw(&[7; 16]).i32(parallelism).i32(max_parallelism)
}

/// A file of version 3 or 6 with one subtask, whose state begins at byte 57 resp. 61.
pub(crate) fn subtask_in(version: i32, state: Bytes) -> Bytes {
    let names: &[u8] = if version >= 5 { &[0; 4] } else { &[] };
    let operator = Bytes::new().raw(names).raw(&operator(1, 1).0).u8(0).i32(1).i32(0).raw(&state.0);
    file_of(version, &[operator])
}

/// A file with one subtask, whose managed keyed state begins at byte 65.
pub(crate) fn keyed_in(version: i32, handle: Bytes) -> Bytes {
    subtask_in(version, Bytes::new().i32(0).i32(0).raw(&handle.0).u8(0).i32(0).i32(0))
}
