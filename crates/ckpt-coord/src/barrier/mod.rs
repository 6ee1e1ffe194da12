//! Barriers of several inputs, brought together.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]
