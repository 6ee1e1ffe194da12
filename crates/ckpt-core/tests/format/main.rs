//! The bytes of every file and frame: pinned by golden files, and told from damaged ones.

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
mod reading;
mod refused;
mod runs;
mod samples;
mod sections;
