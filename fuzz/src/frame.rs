//! Frames: a header, the length of the body, the body, a digest of all before.

use ckpt_core::Digest;

/// What stands before the length of the body.
#[derive(Clone, Copy, Debug)]
pub struct Framed(pub &'static [u8]);

/// HEAD, version 1.
pub const HEAD: Framed = Framed(b"CKPTHEAD\x01\0\0\0");

/// Messages, version 1, of each kind.
pub const MESSAGES: [Framed; 5] = [
    Framed(b"CKPM\x01\0\x01\0"),
    Framed(b"CKPM\x01\0\x02\0"),
    Framed(b"CKPM\x01\0\x03\0"),
    Framed(b"CKPM\x01\0\x04\0"),
    Framed(b"CKPM\x01\0\x05\0"),
];

impl Framed {
    /// A frame around that body, with the right length and digest.
    pub fn around(self, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
        let content = [self.0, &length, body].concat();
        let digest = Digest::of(&content).value().to_le_bytes();
        [content.as_slice(), &digest].concat()
    }

    /// The body of such a frame.
    pub fn body(self, frame: &[u8]) -> Option<&[u8]> {
        let body = frame.strip_prefix(self.0)?.get(4..)?;
        body.get(..body.len().checked_sub(8)?)
    }
}
