//! Real randomness, for identities.

use std::fs::File;
use std::io::Read;

use ckpt_core::Result;

use crate::error::Fault;

/// Sixteen random bytes from the system.
pub(crate) fn random_bytes() -> Result<[u8; 16]> {
    let path = "/dev/urandom";
    let mut bytes = [0; 16];
    File::open(path)
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(|source| Fault::Input { path: path.into(), source })?;
    Ok(bytes)
}
