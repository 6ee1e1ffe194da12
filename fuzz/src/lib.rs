//! What fuzz targets have in common.
//!
//! A digest stops a fuzzer at the door: no mutated file has the right one. So a target takes the bodies apart from their
//! frame and puts whatever the fuzzer made of them into a frame whose lengths and digests are right ([`frame`],
//! [`MetadataFile`]); the bytes as they are go to the decoder too.

mod bounded;
mod frame;
mod metadata_file;
pub mod target;

pub use bounded::bounded;
pub use frame::{Framed, HEAD, MESSAGES};
pub use metadata_file::MetadataFile;
