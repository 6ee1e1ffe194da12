//! Digests of bytes.

use std::fmt;

/// CRC-64/NVME of some bytes, tagged with its algorithm so that another one may come.
///
/// It proves that bytes are the ones that were written, not who wrote them. (The choice: what S3 computes as well, and
/// about memory speed on present processors.)
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest {
    algorithm: DigestAlgorithm,
    value: u64,
}

/// How a digest is computed. The number is what stands in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum DigestAlgorithm {
    /// CRC-64/NVME.
    Crc64Nvme = 1,
}

/// A digest of bytes that come piece by piece.
pub struct Digester(crc_fast::Digest);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self::crc64_nvme(crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, bytes))
    }

    /// A CRC-64/NVME that was computed elsewhere or read from a file.
    pub const fn crc64_nvme(value: u64) -> Self {
        Self { algorithm: DigestAlgorithm::Crc64Nvme, value }
    }

    /// How it was computed.
    pub const fn algorithm(self) -> DigestAlgorithm {
        self.algorithm
    }

    /// The 64 bits.
    pub const fn value(self) -> u64 {
        self.value
    }
}

impl Digester {
    /// A digest of no bytes yet.
    pub fn new() -> Self {
        Self(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme))
    }

    /// Takes more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes so far.
    pub fn finish(&self) -> Digest {
        Digest::crc64_nvme(self.0.clone().finalize())
    }
}

impl Default for Digester {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Digester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Digester").field(&self.finish()).finish()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "crc64nvme:{:016x}", self.value)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_value_of_the_algorithm() {
        // The check value that the NVM Express specification gives for "123456789".
        assert_eq!(Digest::of(b"123456789"), Digest::crc64_nvme(0xae8b_1486_0a79_9888));
        let mut pieces = Digester::new();
        pieces.update(b"1234");
        pieces.update(b"56789");
        assert_eq!(pieces.finish(), Digest::of(b"123456789"));
    }
}
