//! How types become bytes: what every file and frame has in common.
//!
//! The types of this crate know nothing of bytes. Each format version has mirror types of its own ([`v1`]) which alone
//! derive serde; decoding borrows from the bytes, and what leaves is copied and checked. Nothing read is trusted.

mod codec;
mod error;
mod list;
pub(crate) mod v1;

pub(crate) use codec::{Fixed, decode, encode, encode_after};
pub(crate) use error::{Invalid, Subject, WireError};
pub(crate) use list::{Blob, List};
