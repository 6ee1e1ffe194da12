//! The pipeline harness.
