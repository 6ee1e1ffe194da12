//! HEAD's transitions: what each makes of HEAD, what each refuses, and random histories of all of them against a model so
//! plain that it cannot be wrong.

mod claims;
mod commits;
mod ends;
mod history;
mod model;
mod sample;
mod savepoints;
