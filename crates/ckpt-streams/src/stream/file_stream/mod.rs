//! One stream of state: inline while it is small, then a file.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc as StdArc;

use ckpt_core::id::FileName;
use ckpt_core::state::RelPath;
use ckpt_core::state_file::{BlockDigester, FileEnd};
use ckpt_core::{Error, ErrorKind, Result};

use crate::file_system::{CasOutcome, Durability, FileWriter, Visible};
use crate::io_error::{into_error, into_io};
use crate::stream::early::{self, Helper};
use crate::stream::error::StreamError;
use crate::stream::file::{FileStreamsInner, FileStreamsOptions};
use crate::stream::lanes::Lease;
use crate::stream::staged::{Staged, StagedFile};
use crate::stream::unsealed::{Ahead, FileAt, Key, Taken, Unsealed};
use crate::stream::{StateOutputStream, StateScope};
use crate::sync::Arc;
use crate::{Charge, StateDirectory};

mod parts;

/// The most bytes that are written between two looks at a cancellation.
pub(crate) const CHECK_EVERY_BYTES: usize = 1 << 20;

/// A stream of a [`FileStreams`](crate::FileStreams).
///
/// Most writes are small, and all that they do is to be added to a buffer: no lock, no atomic operation, no look at
/// anything but two fields. Whatever else there is to do waits until the buffer is full.
pub(crate) struct FileStream {
    /// A write of fewer bytes only goes into the buffer.
    buffered_below_bytes: usize,
    /// All bytes while they stay in the handle, later those that are not worth a write yet.
    buffer: Vec<u8>,
    /// Payload that is not in the buffer any more.
    passed_bytes: u64,
    output: Output,
    streams: Lease<FileStreamsInner>,
    scope: StateScope,
    /// Whether it fails rather than wait for the budget.
    never_waits: bool,
    /// Whether bytes are being handed on. Between two calls that says that this panicked, and nobody knows what was.
    is_writing: bool,
}

enum Output {
    /// No file so far.
    Inline,
    File(Box<OpenFile>),
    /// Finished or aborted, or a write failed.
    Ended,
}

struct OpenFile {
    key: Key,
    name: FileName,
    writer: Box<dyn FileWriter>,
    digester: BlockDigester,
    /// How long the buffer may be; 0 before there is one.
    buffer_bytes: usize,
    /// As [`FileWriter::part_bytes`] said.
    part_bytes: usize,
    /// For the buffer, or for the part that is being collected.
    charge: Option<Charge>,
}

impl FileStream {
    pub(crate) fn new(streams: Lease<FileStreamsInner>, scope: StateScope) -> Self {
        let (buffer, output) = (Vec::new(), Output::Inline);
        let mut stream = Self {
            buffered_below_bytes: 0,
            buffer,
            passed_bytes: 0,
            output,
            streams,
            scope,
            never_waits: false,
            is_writing: false,
        };
        stream.look_ahead();
        stream
    }

    /// A stream into a file of that name, which is made now.
    pub(crate) fn into_file(streams: Lease<FileStreamsInner>, scope: StateScope, name: FileName) -> Result<Self> {
        let mut stream = Self::new(streams, scope);
        stream.open_file(name)?;
        stream.look_ahead();
        Ok(stream)
    }

    fn open_file(&mut self, name: FileName) -> Result<()> {
        let file = create_file(&self.streams.unsealed, self.streams.directory(self.scope), name)?;
        self.output = Output::File(Box::new(file));
        Ok(())
    }

    fn check_cancelled(&self) -> Result<(), StreamError> {
        if self.streams.unsealed.is_cancelled() { Err(StreamError::Cancelled) } else { Ok(()) }
    }

    /// Says which writes need nothing but the buffer: at most so many that a cancellation is looked for often enough.
    fn look_ahead(&mut self) {
        let FileStreamsOptions { inline_threshold_bytes, .. } = self.streams.options;
        let free_bytes = |limit_bytes: usize| limit_bytes.saturating_sub(self.buffer.len());
        self.buffered_below_bytes = match &self.output {
            Output::Inline => free_bytes(inline_threshold_bytes).min(CHECK_EVERY_BYTES) + 1,
            // As long as there is a part to collect; and many a part is so long that a cancellation must be looked for.
            Output::File(file) if file.part_bytes > 0 && file.charge.is_none() => 0,
            Output::File(file) if file.part_bytes > 0 => free_bytes(file.part_bytes).min(CHECK_EVERY_BYTES),
            Output::File(file) => free_bytes(file.buffer_bytes),
            Output::Ended => 0,
        };
    }

    /// A write that is not small, or that finds the buffer full.
    #[inline(never)]
    fn write_large(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hand_on(|stream| stream.try_write(bytes))
    }

    /// Whatever fails in it ends the stream, a panic too.
    fn hand_on(&mut self, action: impl FnOnce(&mut Self) -> Result<()>) -> io::Result<()> {
        let has_panicked = std::mem::replace(&mut self.is_writing, true);
        let outcome = if has_panicked { Err(StreamError::FailedEarlier.into()) } else { action(self) };
        self.is_writing = false;
        let outcome = outcome.map_err(|error| into_io(self.fail(error)));
        self.look_ahead();
        outcome
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<()> {
        self.check_cancelled()?;
        match self.output {
            Output::Ended => Err(StreamError::FailedEarlier.into()),
            Output::Inline if self.buffer.len() + bytes.len() <= self.streams.options.inline_threshold_bytes => {
                self.buffer.extend_from_slice(bytes);
                Ok(())
            }
            Output::Inline => {
                self.open_file(self.streams.names.next()?)?;
                self.write_to_file(bytes)
            }
            Output::File(_) => self.write_to_file(bytes),
        }
    }

    /// Large writes go through, small ones and what is left over are collected: so the file is written in whole buffers,
    /// from multiples of their size.
    fn write_to_file(&mut self, mut bytes: &[u8]) -> Result<()> {
        if matches!(&self.output, Output::File(file) if file.part_bytes > 0) {
            return self.write_parts(bytes);
        }
        let buffer_bytes = self.claim_buffer(bytes.len());
        if !self.buffer.is_empty() {
            let free_bytes = buffer_bytes.saturating_sub(self.buffer.len());
            let (filling, rest) = bytes.split_at(bytes.len().min(free_bytes));
            self.collect(filling, buffer_bytes);
            if self.buffer.len() < buffer_bytes {
                return Ok(());
            }
            self.write_buffer()?;
            bytes = rest;
        }
        let (through, rest) = bytes.split_at(bytes.len() - bytes.len() % buffer_bytes);
        self.write_through(through)?;
        self.collect(rest, buffer_bytes);
        Ok(())
    }

    fn collect(&mut self, bytes: &[u8], buffer_bytes: usize) {
        if !bytes.is_empty() {
            let missing_bytes = buffer_bytes.saturating_sub(self.buffer.len());
            // All at once: it will be filled again and again.
            self.buffer.reserve_exact(missing_bytes.max(bytes.len()));
            self.buffer.extend_from_slice(bytes);
        }
    }

    fn write_buffer(&mut self) -> Result<()> {
        // A part of an upload cannot be sent before it is full.
        if matches!(&self.output, Output::File(file) if file.part_bytes == 0) {
            let mut buffer = std::mem::take(&mut self.buffer);
            let outcome = self.write_through(&buffer);
            buffer.clear();
            self.buffer = buffer;
            outcome?;
        }
        Ok(())
    }

    fn write_through(&mut self, bytes: &[u8]) -> Result<()> {
        for piece in bytes.chunks(CHECK_EVERY_BYTES) {
            self.check_cancelled()?;
            if let Output::File(file) = &mut self.output {
                file.digester.update(piece);
                file.writer.write_all(piece).map_err(|error| into_error(error, ErrorKind::AbortCheckpoint))?;
            }
            self.passed_bytes += piece.len() as u64;
        }
        Ok(())
    }

    /// Removes the file if there is one. The stream has ended.
    fn remove(&mut self) -> Result<()> {
        self.passed_bytes = self.position();
        self.buffer = Vec::new();
        match std::mem::replace(&mut self.output, Output::Ended) {
            Output::File(file) => remove_open(&self.streams.unsealed, file.key, file.writer),
            Output::Inline | Output::Ended => Ok(()),
        }
    }

    /// Whatever failed, nothing is left; and what failed says more than a failure to remove.
    fn fail(&mut self, error: Error) -> Error {
        let _ = self.remove();
        error
    }

    fn try_finish(&mut self) -> Result<Option<Staged>> {
        self.check_cancelled()?;
        match std::mem::replace(&mut self.output, Output::Ended) {
            Output::Ended => Err(StreamError::FailedEarlier.into()),
            Output::Inline if self.buffer.is_empty() => Ok(None),
            Output::Inline => Ok(Some(Staged::inline(std::mem::take(&mut self.buffer).into()))),
            // Made before there was anything to write, and there never was.
            Output::File(file) if self.position() == 0 => {
                remove_open(&self.streams.unsealed, file.key, file.writer).map(|()| None)
            }
            Output::File(file) => self.stage(*file).map(Some),
        }
    }

    /// Writes what was collected last and what stands behind it: by one write, if it is no upload. Nothing of it is in
    /// memory then.
    fn write_last(&mut self, file: &mut OpenFile, end: &[u8]) -> Result<()> {
        if file.part_bytes > 0 {
            return self.write_last_parts(file, end);
        }
        let mut last = std::mem::take(&mut self.buffer);
        last.extend_from_slice(end);
        let outcome = file.writer.write_all(&last);
        drop((last, file.charge.take()));
        outcome.map_err(|error| into_error(error, ErrorKind::AbortCheckpoint))
    }

    /// Ends the file and hands it to the factory.
    fn stage(&mut self, mut file: OpenFile) -> Result<Staged> {
        let length_bytes = self.position();
        file.digester.update(&self.buffer);
        let FileEnd { bytes, handle_digest: digest, .. } = std::mem::take(&mut file.digester).finish(&file.name);
        if let Err(error) = self.write_last(&mut file, &bytes) {
            let _ = remove_open(&self.streams.unsealed, file.key, file.writer);
            return Err(error);
        }
        let unsealed = &self.streams.unsealed;
        let ahead = match self.streams.options.durability {
            Durability::None => close(unsealed, &file.name, file.key, file.writer).map(|()| None)?,
            Durability::Full => match unsealed.stage(file.key, file.writer) {
                Ok(ahead) => Some(ahead),
                Err((error, writer)) => {
                    // Whoever cancelled ends the file; this closes it.
                    let _ = writer.discard();
                    return Err(error.into());
                }
            },
        };
        // From here on dropping it removes the file.
        let staged = Staged::file(StagedFile {
            unsealed: Arc::clone(unsealed),
            key: file.key,
            root: self.streams.directory(self.scope).root,
            name: file.name,
            length_bytes,
            digest,
        });
        if let Some(Ahead { helper_is_wanted, oldest }) = ahead {
            if helper_is_wanted {
                Helper::spawn(unsealed, &*self.streams.spawn);
            }
            if let Some(oldest) = oldest {
                early::sync(unsealed, oldest);
            }
        }
        Ok(staged)
    }
}

impl Write for FileStream {
    /// Takes all bytes or fails; after an error nothing is left of the stream.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() < self.buffered_below_bytes {
            self.buffered_below_bytes -= bytes.len();
            self.buffer.extend_from_slice(bytes);
            return Ok(());
        }
        self.write_large(bytes)
    }

    /// Hands collected bytes to the file, if there is one: nothing is durable by it.
    fn flush(&mut self) -> io::Result<()> {
        self.hand_on(|stream| {
            stream.check_cancelled()?;
            match stream.output {
                Output::Ended => Err(StreamError::FailedEarlier.into()),
                Output::Inline | Output::File(_) => stream.write_buffer(),
            }
        })
    }
}

impl StateOutputStream for FileStream {
    fn position(&self) -> u64 {
        self.passed_bytes + self.buffer.len() as u64
    }

    fn finish(mut self: Box<Self>) -> Result<Option<Staged>> {
        let outcome = if self.is_writing { Err(StreamError::FailedEarlier.into()) } else { self.try_finish() };
        outcome.map_err(|error| self.fail(error))
    }

    fn abort(mut self: Box<Self>) -> Result<()> {
        self.remove()
    }

    fn never_wait(&mut self) {
        self.never_waits = true;
    }
}

impl Drop for FileStream {
    fn drop(&mut self) {
        if matches!(self.output, Output::File(_)) {
            self.streams.unsealed.count_dropped();
            let _ = self.remove();
        }
    }
}

fn create_file(unsealed: &Unsealed, directory: &StateDirectory, name: FileName) -> Result<OpenFile> {
    let path = directory.path_of(&RelPath::from(&name));
    let at = FileAt { file_system: StdArc::clone(&directory.file_system), path };
    let (key, writer) = unsealed.make(at.clone(), |at| directory.file_system.create_new(&at.path, Visible::AtOnce))?;
    match unsealed.opened(key) {
        Ok(()) => {
            let (digester, part_bytes) = (BlockDigester::new(), writer.part_bytes());
            Ok(OpenFile { key, name, writer, digester, buffer_bytes: 0, part_bytes, charge: None })
        }
        Err(error) => {
            let _ = unsealed.remove(Taken { key, at, writer: Some(writer) });
            Err(error.into())
        }
    }
}

/// Removes the file of a stream that has the writer itself.
fn remove_open(unsealed: &Unsealed, key: Key, writer: Box<dyn FileWriter>) -> Result<()> {
    match unsealed.give_up(key) {
        Some(taken) => unsealed.remove(Taken { writer: Some(writer), ..taken }),
        // A cancellation removes the name; this closes the file.
        None => writer.discard(),
    }
}

/// Nothing is synced, so nothing needs the descriptor that wrote.
fn close(unsealed: &Unsealed, name: &FileName, key: Key, writer: Box<dyn FileWriter>) -> Result<()> {
    let Some(taken) = unsealed.give_up(key) else {
        // A cancellation removes the name; this closes the file.
        let _ = writer.discard();
        return Err(StreamError::Cancelled.into());
    };
    let mut closing = Closing { unsealed, taken: Some(taken) };
    match writer.finish(Durability::None) {
        CasOutcome::Done(_) => {
            // There is nothing to sync, as if it were.
            unsealed.synced_early(key, Ok(()))?;
            closing.taken = None;
            Ok(())
        }
        CasOutcome::Lost => Err(closing.absent(StreamError::NameTaken { path: name.to_string() }.into())),
        CasOutcome::Failed(error) => Err(closing.absent(error)),
        CasOutcome::Unknown(error) => Err(error),
    }
}

/// A file that is being closed. It is removed if it is not wanted any more, and if nobody knows what became of it.
struct Closing<'a> {
    unsealed: &'a Unsealed,
    taken: Option<Taken>,
}

impl Closing<'_> {
    /// Nothing of it is there: what lies under its name, if anything does, is another's.
    fn absent(&mut self, error: Error) -> Error {
        if let Some(taken) = self.taken.take() {
            self.unsealed.end(taken.key);
        }
        error
    }
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        if let Some(taken) = self.taken.take() {
            // Counted when it fails.
            let _ = self.unsealed.remove(taken);
        }
    }
}

impl fmt::Debug for FileStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("FileStream");
        debug.field("position", &self.position());
        if let Output::File(file) = &self.output {
            debug.field("file", &file.name);
        }
        debug.finish_non_exhaustive()
    }
}
