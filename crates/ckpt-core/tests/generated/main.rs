//! What is written is read as what it was, for made-up values of every type that has bytes or a written form; and whatever
//! is read is written as the very bytes that it was read from, however those came about.

mod arithmetic;
mod canonical;
mod metadata;
mod state;
mod state_file;
mod text;
mod unwritten;
