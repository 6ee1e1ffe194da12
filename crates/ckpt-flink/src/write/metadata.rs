//! A whole file.

use ckpt_core::Result;

use super::output::Output;
use crate::error::{Write, WriteError};
use crate::model::FlinkMetadata;
use crate::read::MAGIC;
use crate::version::MetadataVersion;

impl FlinkMetadata {
    /// Writes a file of its [version](Self::version). What was read of a file of that version and not changed becomes the
    /// bytes that it was, but for what the reader [noted](crate::Note) and for what followed its end. The numbers of
    /// version 2 that Flink ignores are left out of later ones.
    ///
    /// # Errors
    ///
    /// `Configuration` when the version has no place for something, which is named, or when Flink would refuse to read it.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let mut output = Output::default();
        output.metadata(self)?;
        Ok(output.into_bytes())
    }
}

impl Output {
    fn metadata(&mut self, metadata: &FlinkMetadata) -> Write {
        let FlinkMetadata { version, checkpoint_id, master_states, operators, properties } = metadata;
        let version = *version;
        if version == MetadataVersion::V2 {
            return Err(Box::new(WriteError::ReadOnly));
        }
        if *checkpoint_id < 0 {
            return Err(WriteError::invalid("the checkpoint id", checkpoint_id, "at least 0"));
        }
        self.raw(&MAGIC);
        self.i32(version.number());
        self.i64(*checkpoint_id);
        self.list("the list of master states", master_states, Self::master_state)?;
        self.list("the list of operators", operators, |output, operator| {
            output
                .operator(version, operator)
                .map_err(|source| Box::new(WriteError::Operator { operator: operator.description.id, source }))
        })?;
        match (properties, version.has_properties()) {
            (Some(properties), true) => self.raw(properties.as_bytes()),
            (None, false) => {}
            (Some(_), false) => {
                let (what, needed) = ("properties", MetadataVersion::V4);
                return Err(Box::new(WriteError::NoPlace { what, version, needed }));
            }
            (None, true) => {
                let expected = format!("something, if only null, from version {} on", MetadataVersion::V4);
                return Err(WriteError::invalid("the value of the properties", "missing", expected));
            }
        }
        Ok(())
    }
}
