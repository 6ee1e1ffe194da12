//! How types become bytes: what every file and frame has in common.
//!
//! The types of this crate know nothing of bytes. Each format version has mirror types of its own ([`v1`]) which alone
//! derive serde; decoding borrows from the bytes, and what leaves is copied and checked. Nothing read is trusted.

mod codec;
mod error;
mod input;
mod list;
mod output;
mod record;
pub(crate) mod v1;
mod version;

#[cfg(test)]
pub(crate) use codec::encode;
pub(crate) use codec::{Fixed, decode};
pub(crate) use error::{Invalid, Subject, WireError};
pub(crate) use input::{Flaw, Input, read_all};
pub(crate) use list::{Blob, List};
use output::encoded_bytes;
pub(crate) use output::{put_blob, put_measured, put_mirror, put_u64};
pub(crate) use record::Record;
pub(crate) use version::{kind_of_version, who_writes};
