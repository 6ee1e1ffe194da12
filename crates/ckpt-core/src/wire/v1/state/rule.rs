//! What holds of state that is read and of state that is written.

use crate::key_group::KeyGroupRange;
use crate::state::{InputChannel, ResultSubpartition};
use crate::wire::Invalid;

/// Something that two numbers identify, which ascends as they do.
pub(in crate::wire::v1) trait ChannelNumbers: Copy + Ord {
    fn of(first: u32, second: u32) -> Self;
    fn numbers(self) -> (u32, u32);
}

impl ChannelNumbers for InputChannel {
    fn of(gate: u32, channel: u32) -> Self {
        Self { gate, channel }
    }

    fn numbers(self) -> (u32, u32) {
        (self.gate, self.channel)
    }
}

impl ChannelNumbers for ResultSubpartition {
    fn of(partition: u32, subpartition: u32) -> Self {
        Self { partition, subpartition }
    }

    fn numbers(self) -> (u32, u32) {
        (self.partition, self.subpartition)
    }
}

/// The most bytes that a name may have.
const MAX_NAME_BYTES: usize = 1024;

/// Names ascend and are not too long.
#[inline]
pub(super) fn check_name(field: &'static str, last: Option<&str>, name: &str) -> Result<(), Invalid> {
    if name.len() > MAX_NAME_BYTES {
        let found = format!("a name of {} bytes", name.len());
        return Err(Invalid::value(field, found, format!("names of at most {MAX_NAME_BYTES}")));
    }
    match last {
        Some(last) if last >= name => Err(Invalid::value(
            field,
            format!("'{}' after '{}'", name.escape_debug(), last.escape_debug()),
            "names that ascend",
        )),
        _ => Ok(()),
    }
}

/// There is one offset for each key group, or one more, where the last section ends.
pub(super) fn check_offsets(range: KeyGroupRange, found: usize) -> Result<(), Invalid> {
    let groups = range.count();
    if found == groups || found == groups + 1 {
        return Ok(());
    }
    Err(Invalid::value("the number of offsets", found, format!("{groups}, one for each of {range}, or one more")))
}

/// Sections end within the piece that holds them; `end` is where the last one does.
#[inline]
pub(super) fn check_end(end: u64, length_bytes: u64) -> Result<(), Invalid> {
    if end <= length_bytes {
        return Ok(());
    }
    Err(Invalid::value("an offset", end, format!("at most {length_bytes}, the length of the piece")))
}
