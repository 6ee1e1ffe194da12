//! What is wrong with a file, or with what shall be written.

use std::borrow::Cow;
use std::fmt;
use std::io;

use ckpt_core::id::OperatorId;
use ckpt_core::{Error, ErrorKind};

use crate::version::MetadataVersion;

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error(transparent)]
    Format(FlinkFormatError),
    #[error(
        "Flink metadata has version 1, expected 2 to {}: Flink 1.1 and 1.2 wrote it, and Flink no longer supports it either",
        MetadataVersion::LATEST
    )]
    TooOld,
    #[error("Flink metadata has version {found}, expected 2 to {}: a newer Flink wrote it", MetadataVersion::LATEST)]
    Newer { found: i32 },
    #[error("Flink metadata cannot be read at byte {offset_bytes}")]
    Source { offset_bytes: u64, source: io::Error },
}

/// Bytes that are not what Flink writes or reads: where they are, what was expected and what was found.
///
/// ```
/// use ckpt_core::ErrorKind;
/// use ckpt_flink::{FlinkFormatError, FlinkMetadata};
///
/// # let mut file = include_bytes!("../testdata/samples/meta_v6.bin").to_vec();
/// file.truncate(100);
/// let error = FlinkMetadata::decode(file.into()).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Corrupt);
/// let at = error.downcast_ref::<FlinkFormatError>().unwrap();
/// println!("byte {}, {}: {}, expected {}", at.offset_bytes(), at.place(), at.found(), at.expected());
/// # assert!(at.offset_bytes() <= 100);
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct FlinkFormatError {
    offset_bytes: u64,
    /// From the innermost field outwards.
    path: Vec<Step>,
    expected: Cow<'static, str>,
    found: String,
}

impl FlinkFormatError {
    /// The byte in the file.
    pub const fn offset_bytes(&self) -> u64 {
        self.offset_bytes
    }

    /// The operator, once its id was read.
    pub fn operator(&self) -> Option<OperatorId> {
        self.path.iter().find_map(|step| match step {
            Step::Operator(operator) => Some(*operator),
            _ => None,
        })
    }

    /// The subtask, once its index was read.
    pub fn subtask(&self) -> Option<i32> {
        self.path.iter().find_map(|step| match step {
            Step::Subtask(subtask) => Some(*subtask),
            _ => None,
        })
    }

    /// The field, behind all that it is in.
    pub fn place(&self) -> impl fmt::Display + '_ {
        Place(&self.path)
    }

    /// What Flink would have written.
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// What is there.
    pub fn found(&self) -> &str {
        &self.found
    }
}

/// Steps, the outermost first.
struct Place<'a>(&'a [Step]);

/// One step from the file as a whole to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Field(&'static str),
    /// One of several, counting from 0.
    Item(&'static str, usize),
    Operator(OperatorId),
    Subtask(i32),
}

/// What reading ends with when it fails; in a box, since it is large and seldom.
pub(crate) type Read<T> = Result<T, Box<ReadError>>;

impl ReadError {
    pub(crate) fn format(
        offset_bytes: u64,
        field: &'static str,
        expected: impl Into<Cow<'static, str>>,
        found: impl fmt::Display,
    ) -> Box<Self> {
        let (expected, found, path) = (expected.into(), found.to_string(), vec![Step::Field(field)]);
        Box::new(Self::Format(FlinkFormatError { offset_bytes, path, expected, found }))
    }
}

/// Says where an error lies, one step further out.
pub(crate) trait Within {
    fn within(self, step: Step) -> Self;
}

impl<T> Within for Read<T> {
    #[inline]
    fn within(mut self, step: Step) -> Self {
        if let Err(error) = &mut self {
            if let ReadError::Format(format) = &mut **error {
                format.path.push(step);
            }
        }
        self
    }
}

impl fmt::Display for FlinkFormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset_bytes, path, expected, found } = self;
        let place = Place(path);
        write!(f, "Flink metadata cannot be read: {place} at byte {offset_bytes} is {found}, expected {expected}")
    }
}

impl std::error::Error for FlinkFormatError {}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().rev().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            step.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => f.write_str(field),
            Self::Item(field, index) => write!(f, "{field} {index}"),
            Self::Operator(operator) => write!(f, "operator {operator}"),
            Self::Subtask(subtask) => write!(f, "subtask {subtask}"),
        }
    }
}

impl From<Box<ReadError>> for Error {
    fn from(error: Box<ReadError>) -> Self {
        match *error {
            ReadError::Format(error) => Self::new(ErrorKind::Corrupt, error),
            error @ (ReadError::TooOld | ReadError::Newer { .. }) => Self::new(ErrorKind::Configuration, error),
            ReadError::Source { offset_bytes, source } => {
                let is_shorter = source.kind() == io::ErrorKind::UnexpectedEof;
                let kind = if is_shorter { ErrorKind::Corrupt } else { ErrorKind::Retry };
                Self::new(kind, ReadError::Source { offset_bytes, source })
            }
        }
    }
}

/// A text that Java cannot write.
#[derive(Debug, thiserror::Error)]
#[error("a text takes {length_bytes} bytes in Java's modified UTF-8, expected at most {}", u16::MAX)]
pub(crate) struct TextTooLong {
    pub(crate) length_bytes: usize,
}

impl From<TextTooLong> for Error {
    fn from(error: TextTooLong) -> Self {
        Self::new(ErrorKind::Configuration, error)
    }
}

/// A value that cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("metadata of version 2 can be read only, expected one of 3 to {}", MetadataVersion::LATEST)]
    ReadOnly,
    #[error("metadata of version {version} has no place for {what}, expected at least version {needed}")]
    NoPlace { what: &'static str, version: MetadataVersion, needed: MetadataVersion },
    #[error("{what} is {found}, expected {expected}")]
    Invalid { what: &'static str, found: String, expected: String },
    #[error("operator {operator} cannot be written")]
    Operator { operator: OperatorId, source: Box<WriteError> },
    #[error("subtask {subtask} cannot be written")]
    Subtask { subtask: i32, source: Box<WriteError> },
}

/// What writing ends with when it fails.
pub(crate) type Write<T = ()> = Result<T, Box<WriteError>>;

impl WriteError {
    pub(crate) fn invalid(what: &'static str, found: impl fmt::Display, expected: impl Into<String>) -> Box<Self> {
        Box::new(Self::Invalid { what, found: found.to_string(), expected: expected.into() })
    }
}

impl From<Box<WriteError>> for Error {
    fn from(error: Box<WriteError>) -> Self {
        Self::new(ErrorKind::Configuration, error)
    }
}
