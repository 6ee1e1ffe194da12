//! Files that Flink wrote: what they say, that they are written as they were, and what becomes of them when damaged.

mod all_fixtures;
mod by_hand;
mod damage;
mod describe;
mod fixtures;
mod legacy;
mod made;
mod properties;
mod refused;
mod samples;
mod streaming;
mod truth;
mod unwritable;
mod visited;
