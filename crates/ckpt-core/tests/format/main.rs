//! The bytes of every file and frame: pinned by golden files, told from damaged ones, and the same after a round trip.

mod damage;
mod frames;
mod golden;
mod head_rules;
mod head_samples;
mod hostile;
mod mark_samples;
mod marks;
mod message_samples;
mod metadata_samples;
mod refused;
mod round_trip;
mod samples;
mod sections;
