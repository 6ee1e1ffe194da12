//! Configuration: against Flink's facts, and for any map.

mod any_map;
mod flink;
mod random;
mod round_trip;
