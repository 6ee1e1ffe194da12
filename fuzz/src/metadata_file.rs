//! Metadata files, section by section.

use ckpt_core::Digest;
use serde::{Deserialize, Serialize};

const HEADER: &[u8] = b"CKPTMETA\x01\0\0\0";
const END: &[u8] = b"CKPTMEND";
const TRAILER_BYTES: usize = 56;

/// The sections of a metadata file, in a form in which every byte may be changed: no length and no digest is in it twice.
#[derive(Clone, Debug, Default)]
pub struct MetadataFile {
    sections: Vec<Section>,
}

#[derive(Clone, Debug)]
struct Section {
    tag: u8,
    critical: bool,
    operator: Option<[u8; 16]>,
    part: u8,
    body: Vec<u8>,
}

/// An entry of the index, as `docs/format.md` describes it.
#[derive(Serialize, Deserialize)]
struct Entry {
    tag: u32,
    critical: bool,
    operator: Option<[u8; 16]>,
    part: u32,
    offset: u64,
    length: u64,
    algorithm: u8,
    digest: [u8; 8],
}

impl MetadataFile {
    /// What a fuzzer made: {tag, flags, part, 16 bytes of operator if flagged so, length in 3 bytes, body}, as often as
    /// there are bytes; whatever is too short is cut.
    pub fn from_input(mut input: &[u8]) -> Self {
        let mut sections = Vec::new();
        while let [tag, flags, part, rest @ ..] = input {
            let (operator, rest) = match rest.split_first_chunk::<16>() {
                Some((operator, rest)) if flags & 2 != 0 => (Some(*operator), rest),
                _ => (None, rest),
            };
            let Some((length, rest)) = rest.split_first_chunk::<3>() else { break };
            let length = u32::from_le_bytes([length[0], length[1], length[2], 0]) as usize;
            let (body, rest) = rest.split_at(length.min(rest.len()));
            let (tag, critical, part) = (*tag, flags & 1 != 0, *part);
            sections.push(Section { tag, critical, operator, part, body: body.to_vec() });
            input = rest;
        }
        Self { sections }
    }

    /// The input that [`from_input`](Self::from_input) makes this file of.
    pub fn to_input(&self) -> Vec<u8> {
        let mut input = Vec::new();
        for section in &self.sections {
            let flags = u8::from(section.critical) | u8::from(section.operator.is_some()) << 1;
            input.extend_from_slice(&[section.tag, flags, section.part]);
            input.extend(section.operator.iter().flatten());
            input.extend_from_slice(&(section.body.len() as u32).to_le_bytes()[..3]);
            input.extend_from_slice(&section.body);
        }
        input
    }

    /// Takes a file apart. `None` when it is none.
    pub fn parse(file: &[u8]) -> Option<Self> {
        let trailer = file.get(file.len().checked_sub(TRAILER_BYTES)?..)?;
        let number = |at: usize| usize::try_from(u64::from_le_bytes(trailer[at..at + 8].try_into().ok()?)).ok();
        let index = file.get(number(0)?..number(0)?.checked_add(number(8)?)?)?;
        let mut sections = Vec::new();
        let mut rest = index;
        while !rest.is_empty() {
            let (entry, left) = postcard::take_from_bytes::<Entry>(rest).ok()?;
            let first = usize::try_from(entry.offset).ok()?;
            let body = file.get(first..first.checked_add(usize::try_from(entry.length).ok()?)?)?.to_vec();
            let (tag, part) = (u8::try_from(entry.tag).ok()?, u8::try_from(entry.part).ok()?);
            sections.push(Section { tag, critical: entry.critical, operator: entry.operator, part, body });
            rest = left;
        }
        Some(Self { sections })
    }

    /// The file of these sections, with the right offsets, lengths and digests.
    pub fn assemble(&self) -> Vec<u8> {
        let mut file = HEADER.to_vec();
        let mut index = Vec::new();
        for section in &self.sections {
            let entry = Entry {
                tag: section.tag.into(),
                critical: section.critical,
                operator: section.operator,
                part: section.part.into(),
                offset: file.len() as u64,
                length: section.body.len() as u64,
                algorithm: 1,
                digest: digest(&section.body),
            };
            index.extend(postcard::to_stdvec(&entry).expect("an entry has no value that cannot be encoded"));
            file.extend_from_slice(&section.body);
        }
        let mut trailer = Vec::new();
        trailer.extend_from_slice(&(file.len() as u64).to_le_bytes());
        trailer.extend_from_slice(&(index.len() as u64).to_le_bytes());
        trailer.extend_from_slice(&digest(&index));
        file.extend_from_slice(&index);
        trailer.extend_from_slice(&((file.len() + TRAILER_BYTES) as u64).to_le_bytes());
        trailer.extend_from_slice(&[1, 0, 0, 0, 1, 0, 0, 0]);
        let own = digest(&trailer);
        file.extend_from_slice(&trailer);
        file.extend_from_slice(&own);
        file.extend_from_slice(END);
        file
    }
}

fn digest(bytes: &[u8]) -> [u8; 8] {
    Digest::of(bytes).value().to_le_bytes()
}
