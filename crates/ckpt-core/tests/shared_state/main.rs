//! The registry of shared files: its rules, the bugs that made them, and a plain model of it.

mod flink;
mod leader;
mod model;
mod rules;
mod segments;
