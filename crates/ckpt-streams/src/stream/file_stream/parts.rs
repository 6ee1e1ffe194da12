//! The budget of what a stream collects: a buffer before a file, or the parts of an upload.

use std::io::Write as _;

use ckpt_core::{ErrorKind, Result};

use crate::io_error::into_error;
use crate::stream::error::StreamError;
use crate::stream::file_stream::{CHECK_EVERY_BYTES, FileStream, OpenFile, Output};
use crate::{BudgetAccount, Charge};

/// How long a buffer may be that is not charged.
const UNCHARGED_BUFFER_BYTES: usize = 4 << 10;

impl FileStream {
    /// How long the buffer may be before the next write to the file.
    ///
    /// A long buffer is charged once, when it is first needed, for as long as there is the file. Without room for it a
    /// short one must do, until there is: nobody waits here, whatever the engine holds or does between two writes.
    pub(super) fn claim_buffer(&mut self, write_bytes: usize) -> usize {
        let wanted_bytes = self.streams.options.write_buffer_bytes;
        let Output::File(file) = &mut self.output else { return wanted_bytes };
        let nothing_to_collect = self.buffer.is_empty() && write_bytes % wanted_bytes == 0;
        if file.charge.is_none() && !nothing_to_collect {
            file.charge = self.streams.budget.try_charge(wanted_bytes as u64);
            file.buffer_bytes =
                if file.charge.is_some() { wanted_bytes } else { wanted_bytes.min(UNCHARGED_BUFFER_BYTES) };
        }
        if file.buffer_bytes == 0 { wanted_bytes } else { file.buffer_bytes }
    }

    /// Collects parts, and sends those that are full. What was collected while there was no file comes first.
    pub(super) fn write_parts(&mut self, bytes: &[u8]) -> Result<()> {
        if matches!(&self.output, Output::File(file) if file.charge.is_none()) && !self.buffer.is_empty() {
            let inline = std::mem::take(&mut self.buffer);
            self.collect_parts(&inline)?;
        }
        self.collect_parts(bytes)
    }

    fn collect_parts(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            self.check_cancelled()?;
            let Output::File(file) = &mut self.output else { return Ok(()) };
            if file.charge.is_none() {
                // The buffer was sent, and the next one waits for its turn.
                file.charge = Some(claim_part(&self.streams.budget, file.part_bytes, self.never_waits)?);
                self.buffer.reserve_exact(file.part_bytes);
            }
            let free_bytes = file.part_bytes.saturating_sub(self.buffer.len());
            let (now, later) = bytes.split_at(bytes.len().min(free_bytes).min(CHECK_EVERY_BYTES));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() >= file.part_bytes {
                let part = std::mem::take(&mut self.buffer);
                file.digester.update(&part);
                self.passed_bytes += part.len() as u64;
                file.send_part(part)?;
            }
        }
        Ok(())
    }

    /// Sends what was collected last and what stands behind it.
    pub(super) fn write_last_parts(&mut self, file: &mut OpenFile, mut end: &[u8]) -> Result<()> {
        let mut part = std::mem::take(&mut self.buffer);
        while !end.is_empty() || !part.is_empty() {
            if file.charge.is_none() {
                file.charge = Some(claim_part(&self.streams.budget, file.part_bytes, self.never_waits)?);
            }
            let (now, later) = end.split_at(end.len().min(file.part_bytes.saturating_sub(part.len())));
            part.extend_from_slice(now);
            end = later;
            file.send_part(std::mem::take(&mut part))?;
        }
        Ok(())
    }
}

fn claim_part(budget: &BudgetAccount, part_bytes: usize, never_waits: bool) -> Result<Charge> {
    if never_waits {
        let refused = || StreamError::NoRoom { part_bytes, limit_bytes: budget.limit_bytes() }.into();
        return budget.try_charge(part_bytes as u64).ok_or_else(refused);
    }
    budget.charge(part_bytes as u64)
}

impl OpenFile {
    fn send_part(&mut self, part: Vec<u8>) -> Result<()> {
        let outcome = match self.charge.take() {
            Some(mut charge) => {
                charge.sent();
                self.writer.write_part(part.into(), charge)
            }
            None => self.writer.write_all(&part),
        };
        outcome.map_err(|error| into_error(error, ErrorKind::AbortCheckpoint))
    }
}
