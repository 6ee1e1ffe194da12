//! From values to bytes: what was read and not changed becomes the bytes that it was.

mod channel;
mod handle;
mod keyed;
mod metadata;
mod operator;
mod output;
